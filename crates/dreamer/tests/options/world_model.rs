//! The world model's loss where it is not a sum of fixed weights and log-densities: without decoders, and with learned
//! weights.

use dreamer::networks::{ObservationVars, Seen, symlog};
use dreamer::{AgentConfig, BatchView, Divergence, Learner, LossWeights, Metric, Noise, Reconstruction, StepMetrics};
use random::Stream;
use tape::{Parameter, Tape, Workspace};

const ACTION: usize = 2;

/// A small agent of vectors.
fn small() -> AgentConfig {
    AgentConfig {
        images: false,
        vector: 5,
        vector_layers: 1,
        vector_units: 6,
        stoch: 3,
        deter: 4,
        hidden: 5,
        units: 4,
        batch: 3,
        length: 4,
        horizon: 2,
        shard: 2,
        free_nats: 0.0,
        ..AgentConfig::default()
    }
}

/// An agent whose weights of losses have been learned for a while.
fn learner(config: &AgentConfig) -> Learner<f64> {
    let mut learner = Learner::new(config, ACTION).unwrap();
    learner.initialise(&mut Stream::new(3, "weights"));
    for (index, parameter) in learner.parameters().iter().enumerate() {
        if learner.parameters().path(parameter).contains(".loss_weights.") {
            learner.parameters_mut().values_mut(parameter)[0] = 0.3 - 0.1 * (index % 5) as f64;
        }
    }
    learner
}

/// The numbers of a batch: vectors, actions and rewards, sequence by sequence.
fn numbers(config: &AgentConfig) -> [Vec<f64>; 3] {
    let rows = config.batch * config.length;
    let mut random = Stream::new(0, "batch");
    let mut numbers = |count: usize| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
    let (vector, reward) = (numbers(rows * config.vector), numbers(rows));
    [vector, numbers(rows * ACTION).iter().map(|x| x.tanh()).collect(), reward]
}

/// The stream of a shard's noise.
fn stream(shard: usize) -> Stream {
    Stream::new(0, "noise").part(shard as u64)
}

/// The gradients and the metrics of a batch.
fn gradients(learner: &mut Learner<f64>) -> StepMetrics {
    let config = learner.config().clone();
    let [vector, action, reward] = numbers(&config);
    let discount = vec![1.0; reward.len()];
    let batch = BatchView {
        image: &[],
        vector: &vector,
        action: &action,
        reward: &reward,
        discount: &discount,
        first: &[],
        start: &[],
        embedding: &[],
    };
    let noise = |shard: usize, out: &mut Noise<f64>| out.draw(&config, &mut stream(shard));
    learner.gradients(batch, &noise).unwrap()
}

/// Checks the gradients of parameters whose paths begin like this against finite differences of the reported loss.
fn check(config: &AgentConfig, starts: &[&str]) {
    let mut learner = learner(config);
    gradients(&mut learner);
    let parameters: Vec<Parameter> = learner.parameters().iter().collect();
    let mut checked = 0;
    for parameter in parameters {
        let path = learner.parameters().path(parameter).to_owned();
        if !starts.iter().any(|start| path.starts_with(start)) {
            continue;
        }
        let exact = learner.last_gradients().0.of(parameter).unwrap().to_vec();
        for (place, exact) in exact.iter().enumerate().take(4) {
            let before = learner.parameters().values(parameter)[place];
            let step = 1e-5;
            let [above, below] = [before + step, before - step].map(|value| {
                learner.parameters_mut().values_mut(parameter)[place] = value;
                gradients(&mut learner)[Metric::ModelLoss]
            });
            learner.parameters_mut().values_mut(parameter)[place] = before;
            gradients(&mut learner);
            let numeric = (above - below) / (2.0 * step);
            assert!((exact - numeric).abs() < 1e-6 * (1.0 + numeric.abs()), "{path}[{place}]: {exact} {numeric}");
            checked += usize::from(*exact != 0.0);
        }
    }
    assert!(checked >= 2, "{checked} gradients");
}

/// The encoder is left out: no gradient of the Barlow loss reaches it through the embeddings.
#[test]
fn gradients_are_those_of_the_reported_loss() {
    let barlow = AgentConfig { reconstruction: Reconstruction::Barlow, barlow_scale: 0.7, ..small() };
    check(&barlow, &["world_model.projector.", "world_model.rssm.", "world_model.reward."]);
    let harmony = AgentConfig { loss_weights: LossWeights::Harmony, discount_head: true, kl_scale: 0.6, ..small() };
    check(&harmony, &["world_model."]);
    let both = AgentConfig { reconstruction: Reconstruction::Barlow, ..harmony.clone() };
    check(&both, &["world_model.projector.", "world_model.rssm.", "world_model.loss_weights."]);
    // Each side of a balanced divergence has a gradient that the loss as a number does not show; the weights do not.
    let balanced = AgentConfig { divergence: Divergence::Balanced, ..harmony.clone() };
    check(&balanced, &["world_model.loss_weights.", "world_model.decoder.", "world_model.reward."]);
    let within_free_nats = AgentConfig { free_nats: 1e3, ..harmony };
    check(&within_free_nats, &["world_model."]);
}

/// Mean, and deviation by N - 1, of a column.
fn moments(numbers: &[f64], cols: usize, column: usize) -> (f64, f64) {
    let column: Vec<f64> = numbers.iter().skip(column).step_by(cols).copied().collect();
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    let squares: f64 = column.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / (column.len() - 1) as f64).sqrt())
}

/// The loss without decoders, by its formula, from the numbers of the networks.
#[test]
fn the_barlow_loss_is_that_of_correlations() {
    let config = AgentConfig { reconstruction: Reconstruction::Barlow, shard: 3, ..small() };
    let mut learner = learner(&config);
    let found = gradients(&mut learner)[Metric::BarlowLoss];
    let (rows, size) = (config.batch * config.length, config.embed());
    let [vector, action, _] = numbers(&config);
    let mut noise = Noise {
        posterior: vec![0.0; rows * config.stoch],
        action: vec![0.0; config.horizon * rows * ACTION],
        prior: vec![0.0; config.horizon * rows * config.stoch],
        start: Vec::new(),
    };
    noise.draw(&config, &mut stream(0));
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), learner.no_parameters(), &mut workspace);
    // Step by step.
    let mut constant = |numbers: &[f64], cols: usize| {
        let from = |row: usize| (row % config.batch) * config.length + row / config.batch;
        let ours: Vec<f64> = (0..rows).flat_map(|row| &numbers[from(row) * cols..][..cols]).copied().collect();
        tape.constant(rows, cols, |y| y.copy_from_slice(&ours))
    };
    let mut logarithms = vec![0.0; vector.len()];
    symlog(vector.iter().copied(), &mut logarithms);
    let (observed, action) = (constant(&logarithms, config.vector), constant(&action, ACTION));
    let noise = tape.constant(rows, config.stoch, |y| y.copy_from_slice(&noise.posterior));
    let networks = learner.networks();
    let embed = networks.encoder.forward(&mut tape, ObservationVars { images: None, vectors: Some(observed) });
    let start = networks.rssm.zero(&mut tape, config.batch);
    let states = networks.rssm.observe(&mut tape, start, Seen { embed, action, noise, kept: None });
    let projected = networks.projector.unwrap().forward(&mut tape, states.feature);
    let [projected, embed] = [projected, embed].map(|var| tape.value(var));
    let mut expected = 0.0;
    for i in 0..size {
        for j in 0..size {
            let [(mean, deviation), (other, other_deviation)] = [moments(projected, size, i), moments(embed, size, j)];
            let products = (0..rows).map(|row| (projected[row * size + i] - mean) * (embed[row * size + j] - other));
            let correlation = products.sum::<f64>() / ((deviation + 1e-8) * (other_deviation + 1e-8) * rows as f64);
            expected += if i == j { (correlation - 1.0).powi(2) } else { 5e-4 * correlation.powi(2) };
        }
    }
    assert!((found - expected).abs() < 1e-10 * expected, "{found} {expected}");
}
