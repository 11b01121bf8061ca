//! Measured once, after the random episodes and before the first gradient step: how the predictions of a reward
//! meta-model's sources are standardised.
//!
//! Nothing about it is saved but the agent's own parameters. A run that is resumed before its first gradient step measures again, on
//! the same episodes; one that is resumed later has the measured numbers in its checkpoint.

use super::Run;
use crate::TrainError;
use crate::agent::Trainable;
use crate::events::Event;
use crate::run::schedule::Position;
use replay::{CompressedEpisode, Replay};

impl<L: Trainable> Run<'_, L> {
    /// Standardises the predictions of the meta-model's sources, if its configuration does and no gradient step has been taken.
    pub(super) fn standardise_sources(&mut self) -> Result<(), TrainError> {
        if self.position.updates > 0 || !self.config.agent.reward_sources_standardised {
            return Ok(());
        }
        let standards = self.agent.standardise_sources(&random_episodes(&self.replay, &self.position))?;
        for (index, standard) in standards.iter().enumerate().filter(|(_, standard)| !standard.varies) {
            let note = format!(
                "the reward model of {} predicts {:.6} in every state of the {} episodes, so its predictions are only centred; \
                 it may be useless for this task",
                self.reward_source(index),
                standard.mean,
                self.support.first_episodes()
            );
            self.reporter.event(&Event::Note(&note));
        }
        Ok(())
    }
}

/// The run's random episodes that are in memory, oldest first. Episodes of other programs are older than all of the run's, and those of
/// the agent's own newer than the random ones.
pub(super) fn random_episodes<'r>(replay: &'r Replay, position: &Position) -> Vec<&'r CompressedEpisode> {
    let count = |episodes: u64| usize::try_from(episodes).unwrap_or(usize::MAX);
    let random = position.prefill.iter().map(|task| task.episodes).sum();
    let newest_first = replay.episodes().rev().skip(count(position.own_episodes())).take(count(random));
    let mut episodes: Vec<_> = newest_first.collect();
    episodes.reverse();
    episodes
}
