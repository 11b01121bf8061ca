//! Filtering one sequence without noise: its states are the means of the posterior, or its most probable classes, so that the same
//! sequence always has the same.

use crate::agent_view::AgentView;
use crate::images::Images;
use crate::networks::{Observed, Seen, symlog};
use crate::shard::embed;
use environment::Observation;
use tape::{Real, Tape, Workspace};

impl<F: Real> AgentView<'_, F> {
    /// The rewards `[T]` that the agent predicts in its states (means of the posterior) of one sequence: T observations and the actions
    /// that led to them [T, A].
    ///
    /// # Panics
    /// If observations and actions have different lengths, or there are none.
    pub fn predicted_rewards(self, observations: Observation<'_>, actions: &[F]) -> Vec<f64> {
        with_filtered(self, observations, actions, |tape, observed| {
            let reward = self.networks.reward.forward(tape, observed.feature);
            tape.value(reward).iter().map(|x| x.to_f64()).collect()
        })
    }
}

/// Filters one sequence, T observations and the actions that led to them [T, A], and gives `then` the recording with the states.
///
/// # Panics
/// If observations and actions have different lengths, or there are none.
pub(crate) fn with_filtered<F: Real, R>(
    agent: AgentView<'_, F>,
    observations: Observation<'_>,
    actions: &[F],
    then: impl FnOnce(&mut Tape<'_, F>, Observed) -> R,
) -> R {
    let config = agent.config;
    let steps = agent.count_of(observations);
    assert!(steps > 0 && actions.len().is_multiple_of(steps), "an action for every observation");
    let size = actions.len() / steps;
    let mut workspace = Workspace::default();
    let mut embeddings = vec![F::ZERO; steps * config.embed()];
    let mut vectors = vec![F::ZERO; observations.vector.len()];
    symlog(observations.vector.iter().map(|x| f64::from(*x)), &mut vectors);
    embed(agent, &mut workspace, Images::of_count(observations.image, steps), &vectors, &mut embeddings);
    let mut tape = Tape::new(agent.parameters, agent.trainable, &mut workspace);
    let embed = tape.constant(steps, config.embed(), |y| y.copy_from_slice(&embeddings));
    let action = tape.constant(steps, size, |y| y.copy_from_slice(actions));
    let mean = tape.constant(steps, config.state_size(), |y| y.fill(F::ZERO));
    let start = agent.networks.rssm.zero(&mut tape, 1);
    let seen = Seen { embed, action, noise: mean, kept: None };
    let observed = agent.networks.rssm.observe(&mut tape, start, seen);
    then(&mut tape, observed)
}
