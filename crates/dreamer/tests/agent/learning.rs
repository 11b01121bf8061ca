//! Gradient steps: losses that fall, state that follows, and batches and interruptions that change nothing.

use super::kinds::{batch, projecting, tiny, weighing, weights, with_images, with_options};
use dreamer::{Agent, AgentConfig, Heads, ImageNetwork, Metric, Reconstruction};
use std::sync::atomic::AtomicBool;

#[test]
fn embeddings_that_cannot_be_are_refused() {
    let frozen = AgentConfig { frozen_encoder: true, ..tiny(false) };
    let mut data = batch(&frozen, 2);
    data.embedding = vec![0.0; frozen.embed()];
    let short = Agent::new(&frozen, 2, 7).unwrap().learn(&data).unwrap_err().to_string();
    assert!(short.contains("embeddings has 64 numbers"), "{short}");
    data.embedding = vec![0.0; frozen.batch * frozen.length * frozen.embed()];
    let learned = Agent::new(&tiny(false), 2, 7).unwrap().learn(&data).unwrap_err().to_string();
    assert!(learned.contains("trains its encoder"), "{learned}");
}

#[test]
fn learning_lowers_the_losses_on_one_batch() {
    // With norms, channels have the same size everywhere, so that plain images take longer.
    // The constant of 12,288 unit normals is all that a perfect model of V1 leaves; those of V3 have none.
    let floor = 0.5 * std::f64::consts::TAU.ln() * 12_288.0;
    for (config, left, floor) in [
        (tiny(true), 0.2, floor),
        (with_options(), 0.6, floor),
        (with_images(ImageNetwork::V3Pool), 0.5, 0.0),
        (with_images(ImageNetwork::V3Strided), 0.5, 0.0),
    ] {
        let mut data = batch(&config, 2);
        // Plain images, whose brightness is the reward.
        for (row, image) in data.image.chunks_exact_mut(64 * 64 * 3).enumerate() {
            image.fill((row * 83 % 256) as u8);
            data.reward[row] = (row * 83 % 256) as f32 / 64.0;
        }
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        let first = agent.learn(&data).unwrap();
        let last = (0..300).map(|_| agent.learn(&data).unwrap()).last().unwrap();
        assert!(last[Metric::ImageLoss] - floor < left * (first[Metric::ImageLoss] - floor), "{first:?} {last:?}");
        assert!(last[Metric::RewardLoss] < 0.7 * first[Metric::RewardLoss], "{first:?} {last:?}");
        assert!(last[Metric::DiscountLoss] < first[Metric::DiscountLoss], "{first:?} {last:?}");
    }
}

#[test]
fn losses_without_decoders_and_with_learned_weights_fall_on_one_batch() {
    for config in [projecting(), weighing()] {
        let data = batch(&config, 2);
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        let first = agent.learn(&data).unwrap();
        let last = (0..300).map(|_| agent.learn(&data).unwrap()).last().unwrap();
        let falling: &[Metric] = match config.reconstruction {
            Reconstruction::Barlow => &[Metric::ModelLoss, Metric::BarlowLoss, Metric::RewardLoss],
            Reconstruction::Image => &[Metric::ModelLoss, Metric::VectorLoss, Metric::RewardLoss],
        };
        for metric in falling {
            assert!(last[*metric] < 0.9 * first[*metric], "{}: {first:?} {last:?}", metric.name());
        }
        // The weight of a large loss falls.
        if config.reconstruction == Reconstruction::Image {
            assert!((first[Metric::ImageWeight] - 1.0).abs() < 1e-6 && last[Metric::ImageWeight] < 0.9, "{last:?}");
        }
    }
}

#[test]
fn an_interrupted_step_changes_nothing() {
    let config = tiny(false);
    let data = batch(&config, 2);
    let (mut agent, mut other) = (Agent::new(&config, 2, 7).unwrap(), Agent::new(&config, 2, 7).unwrap());
    let begun = weights(&agent);
    assert!(agent.learn_interruptible(&AtomicBool::new(true), &data).unwrap().is_none());
    assert!(weights(&agent) == begun && agent.updates() == 0);
    for _ in 0..2 {
        assert_eq!(agent.learn(&data).unwrap(), other.learn(&data).unwrap());
    }
    assert!(weights(&agent) == weights(&other));
}

#[test]
fn a_batch_that_does_not_fit_is_refused() {
    let config = tiny(false);
    let mut agent = Agent::new(&config, 2, 7).unwrap();
    let mut data = batch(&config, 3);
    assert!(agent.learn(&data).unwrap_err().to_string().contains("3 elements"));
    data = batch(&config, 2);
    data.reward.pop();
    assert!(agent.learn(&data).unwrap_err().to_string().contains("rewards"));
}

/// The range starts at zero, so the first step divides by 1; then it holds a hundredth of the percentiles of that
/// step's returns.
#[test]
fn the_range_of_returns_follows_them_a_step_behind() {
    // Two-hot heads predict zero at first.
    let config = AgentConfig { heads: Heads::Normal, ..with_options() };
    let (data, mut agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let range = |agent: &Agent| {
        let parameters = agent.learner().parameters();
        parameters.values(parameters.find("return_range.bounds").unwrap()).to_vec()
    };
    assert_eq!(range(&agent), [0.0, 0.0]);
    let first = agent.learn(&data).unwrap();
    let [low, high] = range(&agent)[..] else { panic!("two bounds") };
    // The mean of the returns lies between the percentiles.
    let mean = first[Metric::ImaginedReturn] as f32;
    assert!(100.0 * low <= mean && mean <= 100.0 * high, "{low} {mean} {high}");
    // A range that is tiny changes no objective; a large one divides it.
    let mut other = Agent::new(&config, 2, 7).unwrap();
    let parameters = other.learner_mut().parameters_mut();
    let parameter = parameters.find("return_range.bounds").unwrap();
    parameters.values_mut(parameter).copy_from_slice(&[-2.0, 6.0]);
    let divided = other.learn(&data).unwrap();
    let (whole, eighth) = (first[Metric::ActorLoss], divided[Metric::ActorLoss]);
    assert!((whole - 8.0 * eighth).abs() < 1e-5 * whole.abs(), "{whole} {eighth}");
    assert_eq!(first[Metric::ModelLoss], divided[Metric::ModelLoss]);
}

#[test]
fn the_slow_value_head_starts_as_a_copy_and_follows() {
    let config = AgentConfig { slow_value: 0.25, ..tiny(false) };
    let (data, mut agent) = (batch(&config, 2), Agent::new(&config, 2, 7).unwrap());
    let numbers = |agent: &Agent, head: &str| {
        let parameters = agent.learner().parameters();
        let of = |part: &str| parameters.values(parameters.find(&format!("{head}.{part}")).unwrap()).to_vec();
        [of("h0.kernel"), of("hout.kernel"), of("hout.bias")].concat()
    };
    let mut slow = numbers(&agent, "value");
    for _ in 0..3 {
        agent.learn(&data).unwrap();
        let value = numbers(&agent, "value");
        slow.iter_mut().zip(&value).for_each(|(slow, value)| *slow = 0.75 * *slow + 0.25 * *value);
        assert_eq!(numbers(&agent, "slow_value"), slow);
        assert_ne!(slow, value);
    }
    // The value head learns the copy's predictions too.
    let mut alone = Agent::new(&AgentConfig { slow_value: 0.0, ..config }, 2, 7).unwrap();
    for _ in 0..3 {
        alone.learn(&data).unwrap();
    }
    assert_ne!(numbers(&alone, "value"), numbers(&agent, "value"));
}
