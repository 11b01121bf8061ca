//! What rounding products to bfloat16 does to the gradients: each parameter's at one fixed point, in `bf16` and in `f32`.
//!
//! ```text
//! cargo run --release -p dreamer --example precision [-- --small]
//! ```
//!
//! The point: the weights that training begins with, random images, actions, rewards and noise of fixed seeds; the paper's
//! sizes with a batch of 10 x 50, or `--small`: depth 16, 128 units. Printed are the gradient's norm, the cosine between both,
//! and the norm of their difference over that of f32's. The same lines every time.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

use dreamer::networks::PIXELS;
use dreamer::{AgentConfig, BatchView, DreamerError, Learner, Noise, Precision};
use std::process::ExitCode;
use tape::Gradients;
use tape::random::Stream;

const ACTION: usize = 6;

fn main() -> ExitCode {
    let paper = AgentConfig { batch: 10, ..AgentConfig::default() };
    let config = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => paper,
        [one] if one == "--small" => {
            AgentConfig { depth: 16, stoch: 16, deter: 128, hidden: 128, units: 128, horizon: 10, length: 32, ..paper }
        }
        _ => {
            eprintln!("usage: precision [--small]");
            return ExitCode::from(2);
        }
    };
    match compare(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(config: &AgentConfig) -> Result<(), DreamerError> {
    let exact = gradients(config, Precision::F32)?;
    let rounded = gradients(config, Precision::Bf16)?;
    println!("{:<44} {:>10} {:>10} {:>10}", "parameter", "norm", "cosine", "error");
    let parameters = exact.parameters();
    let mut groups = [("world model", Sums::default()), ("actor", Sums::default()), ("value", Sums::default())];
    for parameter in parameters.iter() {
        let find = |learner: &Learner<f32>| {
            let (model, behaviour) = learner.last_gradients();
            let of = |gradients: &Gradients<f32>| gradients.of(parameter).map(<[f32]>::to_vec);
            of(model).or_else(|| of(behaviour))
        };
        let (Some(one), Some(other)) = (find(&exact), find(&rounded)) else { continue };
        let sums = Sums::of(&one, &other);
        let path = parameters.path(parameter);
        println!("{path:<44} {sums}");
        let group = if path.starts_with("actor.") { 1 } else { 2 * usize::from(path.starts_with("value.")) };
        groups[group].1.add(&sums);
    }
    for (name, sums) in groups {
        println!("{:<44} {sums}", format!("all of the {name}"));
    }
    Ok(())
}

/// A learner that has computed its gradients at the fixed point.
fn gradients(config: &AgentConfig, precision: Precision) -> Result<Learner<f32>, DreamerError> {
    // Without free nats, so that every parameter has a gradient.
    let config = AgentConfig { precision, free_nats: 0.0, ..config.clone() };
    let mut learner = Learner::new(&config, ACTION)?;
    learner.initialise(&mut Stream::new(0, "weights"));
    let mut random = Stream::new(0, "batch");
    let transitions = config.batch * config.length;
    let image: Vec<u8> = (0..transitions * PIXELS).map(|_| random.below(256) as u8).collect();
    let action: Vec<f32> = (0..transitions * ACTION).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
    let reward: Vec<f32> = (0..transitions).map(|_| random.normal() as f32).collect();
    let discount = vec![1.0; transitions];
    let batch = BatchView { image: &image, action: &action, reward: &reward, discount: &discount, embedding: &[] };
    let noise = Stream::new(0, "noise");
    learner.gradients(batch, &|shard, draws: &mut Noise<f32>| draws.draw(&mut noise.part(shard as u64)))?;
    Ok(learner)
}

/// Sums over the numbers of two gradients.
#[derive(Clone, Copy, Default)]
struct Sums {
    exact: f64,
    rounded: f64,
    product: f64,
    difference: f64,
}

impl Sums {
    fn of(exact: &[f32], rounded: &[f32]) -> Self {
        let mut sums = Self::default();
        for (&x, &y) in exact.iter().zip(rounded) {
            let (x, y) = (f64::from(x), f64::from(y));
            sums.add(&Self { exact: x * x, rounded: y * y, product: x * y, difference: (x - y) * (x - y) });
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.exact += other.exact;
        self.rounded += other.rounded;
        self.product += other.product;
        self.difference += other.difference;
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cosine = self.product / (self.exact * self.rounded).sqrt();
        let error = (self.difference / self.exact).sqrt();
        write!(f, "{:>10.3e} {cosine:>10.6} {error:>10.2e}", self.exact.sqrt())
    }
}
