//! The draws of one shard's training step.

use crate::latent::LatentDistribution;
use crate::{ActionDistribution, AgentConfig};
use random::Stream;
use tape::Real;

/// Noise of one shard: n sequences, N imagined rollouts, which are L * n
/// unless they start from a part of the states. Standard normal draws, but for one-hot actions and categorical states standard
/// Gumbel draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise<F> {
    /// Of the posterior's samples [L * n, S], step by step.
    pub posterior: Vec<F>,
    /// Of the imagined actions [H, N, A]; rollout t * n + b starts from step t of sequence b,
    /// if they start from all states.
    pub action: Vec<F>,
    /// Of the imagined states [H, N, S].
    pub prior: Vec<F>,
    /// Uniform draws in [0, 1) of the rollouts' starting states `[N]`; empty if they start from all states.
    pub start: Vec<F>,
}

impl<F: Real> Noise<F> {
    /// Makes it as large as a shard of L * n transitions needs it.
    pub(crate) fn resize(&mut self, config: &AgentConfig, action_size: usize, transitions: usize) {
        self.posterior.resize(transitions * config.state_size(), F::ZERO);
        let rollouts = config.rollouts_of(transitions);
        self.action.resize(config.horizon * rollouts * action_size, F::ZERO);
        self.prior.resize(config.horizon * rollouts * config.state_size(), F::ZERO);
        self.start.resize(if config.draws_starts() { rollouts } else { 0 }, F::ZERO);
    }

    /// Draws all noise again, for the states and actions of agents of this configuration.
    pub fn draw(&mut self, config: &AgentConfig, random: &mut Stream) {
        self.draw_for(config.latent_distribution(), config.actor, random);
    }

    /// As [`Noise::draw`], for states and actions of these distributions.
    pub(crate) fn draw_for(&mut self, latent: LatentDistribution, actions: ActionDistribution, random: &mut Stream) {
        latent.draw(&mut self.posterior, random);
        match actions {
            ActionDistribution::TanhNormal | ActionDistribution::BoundedNormal => {
                fill_normal(&mut self.action, random);
            }
            ActionDistribution::OneHot => fill_gumbel(&mut self.action, random),
        }
        latent.draw(&mut self.prior, random);
        self.start.fill_with(|| F::of(random.uniform()));
    }
}

/// Fills a slice with standard Gumbel draws: as many words of the stream as [`fill_normal`] takes.
pub(crate) fn fill_gumbel<F: Real>(values: &mut [F], random: &mut Stream) {
    values.fill_with(|| F::of(random.gumbel()));
    if values.len() % 2 == 1 {
        random.gumbel();
    }
}

/// Fills a slice with standard normal draws.
pub(crate) fn fill_normal<F: Real>(values: &mut [F], random: &mut Stream) {
    let (pairs, rest) = values.as_chunks_mut::<2>();
    for pair in pairs {
        let (first, second) = random.normal_pair();
        *pair = [F::of(first), F::of(second)];
    }
    if let [last] = rest {
        *last = F::of(random.normal());
    }
}
