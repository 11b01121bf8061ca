//! The effect of rounding on gradients: each parameter's at one fixed point, in `bf16` and in `f32`, or in `f32` and in
//! `f64`.
//!
//! ```text
//! cargo run --release -p dreamgraft-tools --bin precision [-- [--f32] [--small]]
//! ```
//!
//! The point: the weights that training begins with, random images, actions, rewards and noise of fixed seeds; the paper's
//! sizes with a batch of 10 x 50, or `--small`: depth 16, 128 units. With `--f32`, it is `f32` that is compared, with `f64`. Printed are the gradient's norm, the cosine between both,
//! and the norm of their difference over that of the finer one's. The same lines every time.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

use dreamer::networks::IMAGE_NUMBERS;
use dreamer::{AgentConfig, BatchView, DreamerError, Learner, Noise, Precision};
use random::Stream;
use std::process::ExitCode;
use tape::{Gradients, Parameter, Real};

const ACTION: usize = 6;

fn main() -> ExitCode {
    let paper = AgentConfig { batch: 10, ..AgentConfig::default() };
    let (mut config, mut double) = (paper.clone(), false);
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--f32" => double = true,
            "--small" => {
                config = AgentConfig {
                    depth: 16,
                    stoch: 16,
                    deter: 128,
                    hidden: 128,
                    units: 128,
                    horizon: 10,
                    length: 32,
                    ..paper.clone()
                };
            }
            _ => {
                eprintln!("usage: precision [--f32] [--small]");
                return ExitCode::from(2);
            }
        }
    }
    match compare(&config, double) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(config: &AgentConfig, double: bool) -> Result<(), DreamerError> {
    let single = gradients::<f32>(config, Precision::F32)?;
    if double {
        print(&gradients::<f64>(config, Precision::F32)?, &single);
    } else {
        print(&single, &gradients::<f32>(config, Precision::Bf16)?);
    }
    Ok(())
}

fn print<F: Real, G: Real>(exact: &Learner<F>, bf16: &Learner<G>) {
    println!("{:<44} {:>10} {:>10} {:>10}", "parameter", "norm", "cosine", "error");
    let parameters = exact.parameters();
    let mut groups = [("world model", Sums::default()), ("actor", Sums::default()), ("value", Sums::default())];
    for parameter in parameters.iter() {
        let (Some(one), Some(other)) = (find(exact, parameter), find(bf16, parameter)) else { continue };
        let sums = Sums::of(&one, &other);
        let path = parameters.path(parameter);
        println!("{path:<44} {sums}");
        let group = if path.starts_with("actor.") { 1 } else { 2 * usize::from(path.starts_with("value.")) };
        groups[group].1.add(&sums);
    }
    for (name, sums) in groups {
        println!("{:<44} {sums}", format!("all of the {name}"));
    }
}

/// A parameter's gradient, if it has one.
fn find<F: Real>(learner: &Learner<F>, parameter: Parameter) -> Option<Vec<f64>> {
    let (model, behaviour) = learner.last_gradients();
    let of = |gradients: &Gradients<F>| gradients.of(parameter).map(|all| all.iter().map(|x| x.to_f64()).collect());
    of(model).or_else(|| of(behaviour))
}

/// A learner that has computed its gradients at the fixed point.
fn gradients<F: Real>(config: &AgentConfig, precision: Precision) -> Result<Learner<F>, DreamerError> {
    // Without free nats, so that every parameter has a gradient.
    let config = AgentConfig { precision, free_nats: 0.0, ..config.clone() };
    let mut learner = Learner::new(&config, ACTION)?;
    learner.initialise(&mut Stream::new(0, "weights"));
    let mut random = Stream::new(0, "batch");
    let transitions = config.batch * config.length;
    let image: Vec<u8> = (0..transitions * IMAGE_NUMBERS).map(|_| random.below(256) as u8).collect();
    let action: Vec<F> = (0..transitions * ACTION).map(|_| F::of(random.uniform_in(-1.0, 1.0))).collect();
    let reward: Vec<F> = (0..transitions).map(|_| F::of(random.normal())).collect();
    let discount = vec![F::ONE; transitions];
    let batch = BatchView {
        image: &image,
        vector: &[],
        action: &action,
        reward: &reward,
        discount: &discount,
        first: &[],
        start: &[],
        embedding: &[],
    };
    let noise = Stream::new(0, "noise");
    learner.gradients(batch, &|shard, draws: &mut Noise<F>| draws.draw(&config, &mut noise.part(shard as u64)))?;
    Ok(learner)
}

/// Sums over the numbers of two gradients.
#[derive(Clone, Copy, Default)]
struct Sums {
    exact: f64,
    bf16: f64,
    product: f64,
    difference: f64,
}

impl Sums {
    fn of(exact: &[f64], bf16: &[f64]) -> Self {
        let mut sums = Self::default();
        for (&x, &y) in exact.iter().zip(bf16) {
            sums.add(&Self { exact: x * x, bf16: y * y, product: x * y, difference: (x - y) * (x - y) });
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.exact += other.exact;
        self.bf16 += other.bf16;
        self.product += other.product;
        self.difference += other.difference;
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cosine = self.product / (self.exact * self.bf16).sqrt();
        let error = (self.difference / self.exact).sqrt();
        write!(f, "{:>10.3e} {cosine:>10.6} {error:>10.2e}", self.exact.sqrt())
    }
}
