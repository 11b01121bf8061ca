//! The predictions of a reward meta-model's sources from their own latent states, next to those from the target's.
//!
//! A source's reward model reads the target's states, which its own world model never produced. How alike its predictions from both
//! are is a metric of every evaluation. It needs the source's world model, which the target does not have. So each source is opened
//! once, before the first gradient step: what it predicts in one random episode, from its own states, is kept in a file of the run's
//! folder, and no evaluation needs the source again. Not here: the sources of Eq. 4, which are part of the agent.

use super::Run;
use crate::TrainError;
use crate::agent::Trainable;
use crate::events::Event;
use files::layout::{SOURCE_REWARDS, TRANSFER_PLAN};
use replay::Episode;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;
use transfer::{Plan, Source};

/// Version of the file: another one is not read.
const FORMAT: u32 = 1;
/// The most bytes of the file: every source has a number for each step of an episode.
const LARGEST_FILE: u64 = 64 << 20;

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceRewards {
    format: u32,
    /// In the order of the meta-model's inputs.
    sources: Vec<OwnRewards>,
}

/// The predictions of a source in the states of its own world model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnRewards {
    name: String,
    /// A reward for each observation of the episode; null if the source has other observations, or could not be opened.
    rewards: Option<Vec<f64>>,
}

impl<L: Trainable> Run<'_, L> {
    /// Lets every source of the meta-model predict the rewards of the run's first random episode, unless that was done.
    pub(super) fn predict_as_sources(&mut self) -> Result<(), TrainError> {
        let root = self.folder.root();
        let path = root.join(SOURCE_REWARDS);
        if self.position.updates > 0 || self.reward_sources.is_empty() || path.exists() {
            return Ok(());
        }
        let Some(episode) = self.first_episode() else { return Ok(()) };
        let plan = Plan::read(&root.join(TRANSFER_PLAN)).map_err(transfer::TransferError::from)?;
        let mut sources = Vec::new();
        for name in &self.reward_sources {
            let opened =
                plan.sources().get(name).map(|at| Source::open(name, at, plan.allows_untrained(name))).transpose();
            let rewards = match opened {
                Ok(source) => source.and_then(|source| source.predicted_rewards(&episode)),
                Err(why) => {
                    let note = format!("no line of metrics will have reward_source_correlation/{name}: {why}");
                    self.reporter.event(&Event::Note(&note));
                    None
                }
            };
            sources.push(OwnRewards { name: name.clone(), rewards });
        }
        let text = serde_json::to_string(&SourceRewards { format: FORMAT, sources }).expect("plain data");
        files::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(path))
    }

    /// The correlation of each source's predictions in its own states and in the target's, in the run's first random episode; nothing
    /// while that is not known, or where either does not vary.
    pub(super) fn source_correlations(&self) -> Vec<(String, f64)> {
        let (Some(known), Some(episode)) = (read(&self.folder.root().join(SOURCE_REWARDS)), self.first_episode())
        else {
            return Vec::new();
        };
        let predicted = self.agent.source_predictions(episode.observations(), episode.action());
        let pairs = known.sources.iter().zip(&predicted).filter_map(|(own, here)| {
            let rewards = own.rewards.as_ref().filter(|rewards| rewards.len() == here.len())?;
            Some((format!("reward_source_correlation/{}", own.name), correlation(rewards, here)?))
        });
        pairs.collect()
    }

    /// The run's first random episode, while it is in memory.
    fn first_episode(&self) -> Option<Episode> {
        let newer = usize::try_from(self.position.episodes.checked_sub(1)?).ok()?;
        Some(self.replay.episodes().rev().nth(newer)?.decompress())
    }
}

/// The file at `path`; `None` if there is none that can be used.
fn read(path: &Path) -> Option<SourceRewards> {
    let bytes = files::read_bytes(path, LARGEST_FILE).ok()?;
    let known: SourceRewards = serde_json::from_slice(&bytes).ok()?;
    (known.format == FORMAT).then_some(known)
}

/// Pearson's correlation of two rows of equally many numbers; `None` if one of them does not vary.
fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len() as f64;
    let means = [mean(one), mean(other)];
    let mut sums = [0.0; 3];
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (a - means[0], b - means[1]);
        sums[0] += a * b;
        sums[1] += a * a;
        sums[2] += b * b;
    }
    let value = sums[0] / (sums[1] * sums[2]).sqrt();
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_pearsons() {
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0]), Some(1.0));
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(correlation(&[1.0, -1.0, 1.0, -1.0], &[1.0, 1.0, -1.0, -1.0]), Some(0.0));
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(correlation(&[], &[]), None);
    }

    #[test]
    fn files_that_cannot_be_used_give_no_metric() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SOURCE_REWARDS);
        assert_eq!(read(&path), None);
        let sources = vec![OwnRewards { name: "a".to_owned(), rewards: Some(vec![0.1, -2.0]) }];
        let known = SourceRewards { format: FORMAT, sources };
        for (text, usable) in [
            (serde_json::to_string(&known).unwrap(), true),
            (serde_json::to_string(&SourceRewards { format: 2, ..known.clone() }).unwrap(), false),
            ("{\"format\":1".to_owned(), false),
        ] {
            std::fs::write(&path, &text).unwrap();
            assert_eq!(read(&path), usable.then(|| known.clone()), "{text}");
        }
    }
}
