//! Acting: one image in, one action out.
//!
//! After its first step a policy allocates nothing.

use crate::config::Evaluation;
use crate::images::normalise;
use crate::learner::Learner;
use crate::mean_action::mean_of_tanh;
use crate::networks::PIXELS;
use crate::noise::fill_normal;
use random::Stream;
use tape::{Real, Tape, Workspace};

/// How an action is chosen from the actor's distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActMode {
    /// A sample plus exploration noise, clipped to [-1, 1]: for collecting training data.
    Explore,
    /// A sample.
    Sample,
    /// The mode or the mean, according to [`AgentConfig::evaluation`](crate::AgentConfig::evaluation): for evaluation.
    Evaluate,
}

/// The state of a policy between the steps of an episode: the latent state and the last action.
#[derive(Debug)]
pub struct PolicyState<F = f32> {
    /// Posterior sample `[S]`.
    pub stoch: Vec<F>,
    /// Deterministic state `[D]`.
    pub deter: Vec<F>,
    /// The last action `[A]`.
    pub action: Vec<F>,
    /// Means and standard deviations of the action before squashing `[2A]`, as of the last step.
    pub moments: Vec<F>,
    noise: Vec<F>,
    memory: Workspace<F>,
}

/// The normal draws that one step of a policy needs.
#[derive(Clone, Copy, Debug)]
pub struct PolicyNoise<'a, F> {
    /// Of the posterior's sample `[S]`.
    pub posterior: &'a [F],
    /// Of the action's samples [M, A]: one, or as many as an evaluation chooses from; empty for the mean action, which needs
    /// none.
    pub action: &'a [F],
    /// Added to the action `[A]`, not yet scaled; empty for none.
    pub exploration: &'a [F],
}

impl<F: Real> Learner<F> {
    /// The state at an episode's start: zeros.
    pub fn begin(&self) -> PolicyState<F> {
        let zeros = |size| vec![F::ZERO; size];
        PolicyState {
            stoch: zeros(self.config().stoch),
            deter: zeros(self.config().deter),
            action: zeros(self.action_size()),
            moments: zeros(2 * self.action_size()),
            noise: Vec::new(),
            memory: Workspace::default(),
        }
    }

    /// Takes in an image [64 * 64 * 3] and leaves the next action in `state.action`.
    pub fn act(&self, state: &mut PolicyState<F>, image: &[u8], mode: ActMode, random: &mut Stream) {
        let (stoch, actions) = (self.config().stoch, self.action_size());
        let samples = match (mode, self.config().evaluation) {
            (ActMode::Explore | ActMode::Sample, _) => 1,
            (ActMode::Evaluate, Evaluation::Mode) => self.config().mode_samples,
            (ActMode::Evaluate, Evaluation::Mean) => 0,
        };
        let exploration = if mode == ActMode::Explore { actions } else { 0 };
        let mut noise = std::mem::take(&mut state.noise);
        noise.resize(stoch + samples * actions + exploration, F::ZERO);
        fill_normal(&mut noise, random);
        let (posterior, rest) = noise.split_at(stoch);
        let (action, exploration) = rest.split_at(samples * actions);
        self.act_with(state, image, PolicyNoise { posterior, action, exploration });
        state.noise = noise;
    }

    /// Like [`Learner::act`], with the noise from outside.
    pub fn act_with(&self, state: &mut PolicyState<F>, image: &[u8], noise: PolicyNoise<F>) {
        let networks = self.networks();
        let PolicyState { stoch, deter, action, moments, memory, .. } = state;
        let mut tape = Tape::new(self.parameters(), self.no_parameters(), memory);
        let constant = |tape: &mut Tape<F>, x: &[F]| tape.constant(1, x.len(), |y| y.copy_from_slice(x));
        let image = tape.constant(1, PIXELS, |y| normalise(image, y));
        let embed = networks.encoder.forward(&mut tape, image);
        let past = (constant(&mut tape, stoch), constant(&mut tape, deter), constant(&mut tape, action));
        let next = networks.rssm.next_deter(&mut tape, past.0, past.1, past.2);
        let posterior = networks.rssm.posterior(&mut tape, next, embed);
        let draw = constant(&mut tape, noise.posterior);
        let sample = tape.sample(posterior, draw);
        let feature = tape.concat(sample, next);
        let raw = networks.actor.forward(&mut tape, feature);
        stoch.copy_from_slice(tape.value(sample));
        deter.copy_from_slice(tape.value(next));
        let actions = action.len();
        let raw = tape.value(raw);
        let squash = self.config().squash();
        for i in 0..actions {
            (moments[i], moments[actions + i]) = squash.moments(raw[i], raw[actions + i]);
        }
        if noise.action.is_empty() {
            mean_action(action, moments);
        } else {
            choose(action, moments, noise.action);
        }
        let scale = F::of(self.config().exploration_noise);
        for (action, &noise) in action.iter_mut().zip(noise.exploration) {
            *action = (*action + scale * noise).at_least(-F::ONE).at_most(F::ONE);
        }
    }
}

/// Leaves the mean action of the distribution with these moments `[2A]` in `action` `[A]`.
fn mean_action<F: Real>(action: &mut [F], moments: &[F]) {
    let (means, stds) = moments.split_at(action.len());
    for ((action, mean), std) in action.iter_mut().zip(means).zip(stds) {
        *action = F::of(mean_of_tanh(mean.to_f64(), std.to_f64()));
    }
}

/// Of the samples that `noise` [M, A] stands for, leaves the one of highest log-density in `action`.
fn choose<F: Real>(action: &mut [F], moments: &[F], noise: &[F]) {
    let actions = action.len();
    let mut best = F::ZERO;
    for (index, noise) in noise.chunks_exact(actions).enumerate() {
        let density = squashed_log_density(moments, noise);
        if index == 0 || density > best {
            best = density;
            for i in 0..actions {
                action[i] = (moments[i] + moments[actions + i] * noise[i]).tanh();
            }
        }
    }
}

/// Log-density of the action tanh(mean + std * noise), summed over its elements.
pub fn squashed_log_density<F: Real>(moments: &[F], noise: &[F]) -> F {
    let actions = noise.len();
    (0..actions).map(|i| tape::squashed_log_density(moments[i], moments[actions + i], noise[i])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean over actions and elements of |a| in evaluations of `std` 1 and mean 0, six elements: by the mode of 100 samples,
    /// and by the mean.
    #[test]
    fn the_mode_of_a_wide_distribution_is_near_the_bounds_and_its_mean_is_not() {
        const ACTIONS: usize = 6;
        let mut moments = vec![0.0f32; ACTIONS];
        moments.extend([1.0; ACTIONS]);
        let (mut random, mut noise, mut action) = (Stream::new(0, "mode"), vec![0.0; 100 * ACTIONS], [0.0; ACTIONS]);
        let steps = 2000;
        let mut sum = 0.0;
        for _ in 0..steps {
            fill_normal(&mut noise, &mut random);
            choose(&mut action, &moments, &noise);
            sum += action.iter().map(|a| f64::from(a.abs())).sum::<f64>();
        }
        let mode = sum / f64::from(steps) / ACTIONS as f64;
        assert!((mode - 0.82).abs() < 0.02, "{mode}");
        mean_action(&mut action, &moments);
        assert_eq!(action, [0.0; ACTIONS]);
    }
}
