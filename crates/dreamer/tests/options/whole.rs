//! The losses that a gradient step of a whole agent reports, and the range of returns that it leaves.

use crate::cases::whole::{RANGE, Whole};
use crate::cases::{Case, modern, v3};
use crate::golden;
use crate::tensors::Tensors;
use dreamer::{AgentConfig, Metric};

/// The means of a golden case's results.
struct Golden<'a> {
    tensors: &'a Tensors,
    name: &'a str,
}

impl Golden<'_> {
    fn numbers(&self, result: &str) -> &[f64] {
        &self.tensors[&format!("{}/out/{result}", self.name)].1
    }

    fn mean(&self, result: &str) -> f64 {
        let numbers = self.numbers(result);
        numbers.iter().sum::<f64>() / numbers.len() as f64
    }

    /// The actor's loss as it is reported, without the entropy's part: the weights of all states but the last, times
    /// entropies.
    fn policy(&self, config: &AgentConfig, loss: &str) -> f64 {
        let (steps, entropy) = (config.horizon, self.numbers("imag/entropy"));
        let weights = self.numbers("imag/weight").chunks_exact(steps + 1).flat_map(|row| &row[..steps]);
        let weighted: f64 = weights.zip(entropy).map(|(weight, entropy)| weight * entropy).sum();
        self.mean(loss) + config.actor_entropy * weighted / entropy.len() as f64
    }

    /// Makes the agent's gradient step, and compares its metrics with these.
    fn compare(&self, config: &AgentConfig, whole: &Whole, losses: &[(Metric, f64)]) {
        let mut learner = whole.learner(config, whole.range().unwrap()).unwrap();
        let metrics = whole.step(&mut learner).unwrap();
        for &(metric, expected) in losses {
            let found = metrics[metric];
            assert!((found - expected).abs() < 1e-12 * expected.abs(), "{}: {found} {expected}", metric.name());
        }
        let range = learner.parameters().find(RANGE).unwrap();
        let expected = [self.numbers("return_low")[0], self.numbers("return_high")[0]];
        for (found, expected) in learner.parameters().values(range).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12 * expected.abs(), "{found} {expected}");
        }
    }
}

#[test]
fn losses_of_an_agent_with_the_networks_of_v1() {
    let (tensors, all) = golden();
    let case = Case { tensors: &tensors, config: &all, name: "modern" };
    let whole = Whole { case: &case, tensors: modern::tensors, moments: ["adam_m", "adam_v"] };
    let (golden, config) = (Golden { tensors: &tensors, name: "modern" }, modern::config(&case).unwrap());
    let losses = [
        (Metric::ModelLoss, golden.mean("model_loss")),
        (Metric::ImageLoss, golden.mean("image_loss")),
        (Metric::RewardLoss, golden.mean("reward_loss")),
        (Metric::DiscountLoss, golden.mean("continue_loss")),
        (Metric::Kl, golden.mean("kl")),
        (Metric::DynamicsLoss, golden.mean("dyn_loss")),
        (Metric::RepresentationLoss, golden.mean("rep_loss")),
        (Metric::ActorLoss, golden.policy(&config, "actor_loss")),
        (Metric::ImaginedReturn, golden.mean("imag/returns")),
    ];
    golden.compare(&config, &whole, &losses);
}

#[test]
fn losses_of_the_published_agent() {
    let (tensors, all) = golden();
    let case = Case { tensors: &tensors, config: &all, name: "v3" };
    let whole = Whole { case: &case, tensors: v3::tensors, moments: ["opt_mu", "opt_nu"] };
    let (golden, config) = (Golden { tensors: &tensors, name: "v3" }, v3::config(&case).unwrap());
    let of = |name: &str| golden.mean(&format!("loss/{name}"));
    let losses = [
        (Metric::ModelLoss, of("image") + of("rew") + of("con") + of("dyn") + config.representation_scale * of("rep")),
        (Metric::ImageLoss, of("image")),
        (Metric::RewardLoss, of("rew")),
        (Metric::DiscountLoss, of("con")),
        (Metric::Kl, golden.mean("kl")),
        (Metric::DynamicsLoss, of("dyn")),
        (Metric::RepresentationLoss, of("rep")),
        (Metric::ActorLoss, golden.policy(&config, "loss/policy")),
        (Metric::ImaginedReturn, golden.mean("imag/returns")),
    ];
    golden.compare(&config, &whole, &losses);
}
