//! How the actor's outputs become actions: on a tape for imagination, and without one for acting.
//!
//! Here: the common interface of the distributions. Not here: each distribution's arithmetic (`tape`).

use crate::mean_action::mean_of_tanh;
use crate::{ActionDistribution, AgentConfig};
use tape::{Classes, Real, Tape, Var, bounded_mean_and_std, class_probabilities, sampled_class, within_bounds};

impl AgentConfig {
    /// Samples of actions [N, A], given the actor's outputs and the draws of its distribution [N, A]
    /// ([`crate::Noise`]).
    pub(crate) fn sample_action<F: Real>(&self, tape: &mut Tape<F>, outputs: Var, noise: Var) -> Var {
        match self.actor {
            ActionDistribution::TanhNormal => tape.squashed_sample(outputs, noise, self.squash()),
            ActionDistribution::BoundedNormal => tape.bounded_sample(outputs, noise),
            ActionDistribution::OneHot => {
                let classes = self.action_classes(tape.shape(outputs).1);
                tape.one_hot_sample(outputs, noise, classes)
            }
        }
    }

    /// The policy's entropy [N, 1], of which a sample is enough where there is no formula for it.
    pub(crate) fn action_entropy<F: Real>(&self, tape: &mut Tape<F>, outputs: Var, noise: Var) -> Var {
        match self.actor {
            ActionDistribution::TanhNormal => tape.squashed_entropy(outputs, noise, self.squash()),
            ActionDistribution::BoundedNormal => tape.bounded_entropy(outputs),
            ActionDistribution::OneHot => {
                let classes = self.action_classes(tape.shape(outputs).1);
                tape.categorical_entropy(outputs, classes)
            }
        }
    }

    /// The log-density [N, 1] of the action that [`AgentConfig::sample_action`] samples, as a constant.
    pub(crate) fn action_log_density<F: Real>(&self, tape: &mut Tape<F>, outputs: Var, noise: Var) -> Var {
        match self.actor {
            ActionDistribution::TanhNormal => tape.squashed_log_density(outputs, noise, self.squash()),
            ActionDistribution::BoundedNormal => tape.bounded_log_density(outputs, noise),
            ActionDistribution::OneHot => {
                let classes = self.action_classes(tape.shape(outputs).1);
                tape.one_hot_log_density(outputs, noise, classes)
            }
        }
    }

    /// The choices of one-hot actions.
    fn action_classes(&self, count: usize) -> Classes {
        Classes { count, unimix: self.actor_unimix }
    }

    /// The parameters of the distribution that the actor's outputs stand for: means and standard deviations (before
    /// tanh, or before samples are cut off) `[2A]`, or probabilities `[A]`.
    pub(crate) fn action_distribution<F: Real>(&self, outputs: &[F], distribution: &mut [F]) {
        match self.actor {
            ActionDistribution::TanhNormal => {
                let (squash, actions) = (self.squash(), outputs.len() / 2);
                for i in 0..actions {
                    (distribution[i], distribution[actions + i]) =
                        squash.mean_and_std(outputs[i], outputs[actions + i]);
                }
            }
            ActionDistribution::BoundedNormal => {
                let actions = outputs.len() / 2;
                for i in 0..actions {
                    (distribution[i], distribution[actions + i]) =
                        bounded_mean_and_std(outputs[i], outputs[actions + i]);
                }
            }
            ActionDistribution::OneHot => class_probabilities(outputs, self.actor_unimix, distribution),
        }
    }

    /// Leaves an action in `action` `[A]`, given the actor's outputs and the parameters that
    /// [`AgentConfig::action_distribution`] computed from them: of the samples that `noise` [M, A] stands for the one
    /// of highest density, or without samples the mean action. Of a bounded normal distribution: a sample, or without
    /// draws the mean. Of one-hot actions: a sample, or without draws the most probable one.
    pub(crate) fn choose_action<F: Real>(&self, outputs: &[F], distribution: &[F], noise: &[F], action: &mut [F]) {
        match self.actor {
            ActionDistribution::TanhNormal if noise.is_empty() => mean_action(action, distribution),
            ActionDistribution::TanhNormal => densest(action, distribution, noise),
            ActionDistribution::BoundedNormal => bounded_action(action, distribution, noise),
            ActionDistribution::OneHot => {
                let draws = (!noise.is_empty()).then_some(noise);
                one_hot(action, sampled_class(outputs, self.actor_unimix, draws));
            }
        }
    }
}

/// Makes `action` the one-hot vector of a choice.
pub(crate) fn one_hot<F: Real>(action: &mut [F], choice: usize) {
    action.fill(F::ZERO);
    action[choice] = F::ONE;
}

/// Leaves the sample that `noise` `[A]` stands for in `action` `[A]`, or without draws the mean, which is also the
/// mode.
fn bounded_action<F: Real>(action: &mut [F], distribution: &[F], noise: &[F]) {
    let (means, stds) = distribution.split_at(action.len());
    for (i, action) in action.iter_mut().enumerate() {
        let draw = noise.get(i).copied().unwrap_or(F::ZERO);
        *action = within_bounds(means[i] + stds[i] * draw);
    }
}

/// Leaves the mean action of the distribution with these means and standard deviations `[2A]` in `action` `[A]`.
fn mean_action<F: Real>(action: &mut [F], distribution: &[F]) {
    let (means, stds) = distribution.split_at(action.len());
    for ((action, mean), std) in action.iter_mut().zip(means).zip(stds) {
        *action = F::of(mean_of_tanh(mean.to_f64(), std.to_f64()));
    }
}

/// Of the samples that `noise` [M, A] stands for, leaves the one of highest log-density in `action`.
fn densest<F: Real>(action: &mut [F], distribution: &[F], noise: &[F]) {
    let actions = action.len();
    let mut best = F::ZERO;
    for (index, noise) in noise.chunks_exact(actions).enumerate() {
        let density = squashed_log_density(distribution, noise);
        if index == 0 || density > best {
            best = density;
            for i in 0..actions {
                action[i] = (distribution[i] + distribution[actions + i] * noise[i]).tanh();
            }
        }
    }
}

/// Log-density of the action tanh(mean + std * noise), summed over its elements.
pub fn squashed_log_density<F: Real>(distribution: &[F], noise: &[F]) -> F {
    let actions = noise.len();
    (0..actions).map(|i| tape::squashed_log_density(distribution[i], distribution[actions + i], noise[i])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::fill_normal;
    use random::Stream;

    /// Mean over actions and elements of |a| in evaluations of `std` 1 and mean 0, six elements: by the mode of 100
    /// samples, and by the mean.
    #[test]
    fn the_mode_of_a_wide_distribution_is_near_the_bounds_and_its_mean_is_not() {
        const ACTIONS: usize = 6;
        let mut distribution = vec![0.0f32; ACTIONS];
        distribution.extend([1.0; ACTIONS]);
        let (mut random, mut noise, mut action) = (Stream::new(0, "mode"), vec![0.0; 100 * ACTIONS], [0.0; ACTIONS]);
        let steps = 2000;
        let mut sum = 0.0;
        for _ in 0..steps {
            fill_normal(&mut noise, &mut random);
            densest(&mut action, &distribution, &noise);
            sum += action.iter().map(|a| f64::from(a.abs())).sum::<f64>();
        }
        let mode = sum / f64::from(steps) / ACTIONS as f64;
        assert!((mode - 0.82).abs() < 0.02, "{mode}");
        mean_action(&mut action, &distribution);
        assert_eq!(action, [0.0; ACTIONS]);
    }
}
