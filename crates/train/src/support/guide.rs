//! The guide of a run: an earlier agent whose policy plays the episodes before the first gradient step, in place of
//! random actions.
//!
//! Here: finding the agent, whether it fits the tasks, playing an episode with it, and its record in the run's folder.
//! Not here: when it plays (`run::collect`).

use super::record::{self, FORMAT, Record};
use crate::TrainError;
use crate::agent::environments::TaskShape;
use crate::agent::learned::{About, Learned, find_learned};
use crate::config::Difference;
use crate::run::episode::{Played, play_episode};
use dreamer::{ActMode, ActionDistribution, Policy};
use environment::{Environment, Observation};
use files::Checksums;
use files::layout::{AGENT, EXPORTED_AGENT, GUIDE};
use random::Stream;
use serde::{Deserialize, Serialize};
use std::path::Path;
use transfer::SourceProvenance;

/// Which agent guides a run, as its folder records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuideRecord {
    format: u32,
    /// Version of the program that wrote it.
    dreamgraft: String,
    /// The agent.
    pub guide: SourceProvenance,
}

/// The agent that guides a run.
pub(crate) struct Guide {
    pub record: GuideRecord,
    policy: Policy,
    about: About,
}

impl Guide {
    /// The agent that `path` stands for: a run folder's newest checkpoint, a checkpoint, its agent's file, or an export.
    ///
    /// # Errors
    /// If there is no agent, it cannot be read, or it has not learned anything.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let (learned, damaged) = find_learned::<Policy>(path)?;
        // As in a transfer, an older checkpoint never stands in for the newest one.
        if let Some(newest) = damaged.into_iter().next() {
            return Err(newest.why);
        }
        let Learned { path: found, about, agent } = learned;
        if agent.updates() == 0 {
            let why =
                "its agent has not taken a gradient step yet, so it acts as random actions do; train it for longer";
            return Err(TrainError::Guide { path: path.to_owned(), why: why.to_owned() });
        }
        let in_folder = [AGENT, EXPORTED_AGENT].map(|name| found.join(name)).into_iter().find(|file| file.is_file());
        let file = in_folder.unwrap_or_else(|| found.join(AGENT));
        let file = std::path::absolute(&file).map_err(TrainError::io(&file))?;
        let Checksums { bytes, sha256, .. } = Checksums::of_file(&file).map_err(TrainError::io(&file))?;
        let guide = SourceProvenance {
            path: path.to_owned(),
            file,
            bytes,
            sha256,
            tasks: about.tasks.clone(),
            frames: Some(about.frames.0),
            updates: agent.updates(),
        };
        let record = GuideRecord { format: FORMAT, dreamgraft: env!("CARGO_PKG_VERSION").to_owned(), guide };
        Ok(Self { record, policy: agent, about })
    }

    /// Checks that the agent can act in every task of a run: that it makes the actions that the task needs, and
    /// observes the same space as the task. Longer actions and vectors are those of an agent that learned the task
    /// together with others.
    ///
    /// # Errors
    /// The first task that does not fit, and why.
    pub fn check(&self, shapes: &[TaskShape]) -> Result<(), TrainError> {
        let discrete = self.policy.config().actor == ActionDistribution::OneHot;
        let (observed, own) = (self.policy.config().observation_space(), self.policy.action_size());
        for TaskShape { task, discrete: takes_discrete, sizes } in shapes {
            if *takes_discrete != discrete {
                let [takes, makes] =
                    [!discrete, discrete].map(|discrete| if discrete { "discrete" } else { "continuous" });
                let why = format!("{task} has {takes} actions, and its agent produces {makes} ones");
                return Err(self.unfit(&why));
            }
            let knows = self.about.tasks.contains(task);
            // A choice among more actions may be one that the task does not have.
            let is_padded = !discrete && knows && own > sizes.action;
            if own != sizes.action && !is_padded {
                let needed = wording::counted(sizes.action as u64, "action element");
                return Err(self.unfit(&format!("{task} has {needed}, and its agent has {own}")));
            }
            let shown = sizes.observations;
            let same_kind = (observed.image, observed.vector > 0) == (shown.image, shown.vector > 0);
            let is_padded = knows && observed.vector > shown.vector;
            if !same_kind || shown.vector != observed.vector && !is_padded {
                let why = format!("{task} shows {shown}, and its agent observes {observed}");
                return Err(self.unfit(&why));
            }
        }
        Ok(())
    }

    fn unfit(&self, why: &str) -> TrainError {
        let learned = self.about.tasks.join(", ");
        let why =
            format!("{why}; it was trained for {learned}: choose an agent that was trained for every task of this run");
        TrainError::Guide { path: self.record.guide.path.clone(), why }
    }

    /// Plays an episode with the agent, which explores as in its own training: from an initial state drawn from
    /// `starts`, with actions drawn from `actions`. `None` if `interrupted` was set before the end.
    ///
    /// # Errors
    /// As [`play_episode`].
    pub fn play(
        &self,
        environment: &mut dyn Environment,
        starts: &mut Stream,
        actions: &mut Stream,
        interrupted: impl FnMut() -> bool,
    ) -> Result<Option<Played>, TrainError> {
        let mut state = self.policy.begin();
        let mut vector = vec![0.0; self.policy.config().vector];
        let choose = |seen: Observation<'_>, action: &mut [f32]| {
            vector[..seen.vector.len()].copy_from_slice(seen.vector);
            let seen = Observation { image: seen.image, vector: &vector };
            self.policy.act(&mut state, seen, ActMode::Explore, actions);
            // The elements after those of the task's action have no effect.
            action.copy_from_slice(&state.action[..action.len()]);
        };
        play_episode(environment, starts, choose, interrupted)
    }
}

impl Record for GuideRecord {
    const FILE: &'static str = GUIDE;
    const WHAT: &'static str = "a guide";

    fn format(&self) -> u32 {
        self.format
    }
}

impl GuideRecord {
    /// Writes the record into the folder of a run.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), TrainError> {
        record::write(self, root)
    }

    /// The record in the folder of a run; `None` if no agent guides it.
    ///
    /// # Errors
    /// [`TrainError::TransferRecord`] if it is damaged; or it cannot be read.
    pub fn read(root: &Path) -> Result<Option<Self>, TrainError> {
        record::read(root)
    }

    /// The record in a `guide.json` with these arbitrary bytes.
    ///
    /// # Errors
    /// A description of the problem.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        record::decode(bytes)
    }

    /// The difference between this record and the guide that is asked for now; `None` if it is the same agent. One that
    /// no longer exists is the same if it has the same path.
    pub fn difference(&self, now: Option<&Path>) -> Option<Difference> {
        let was = &self.guide;
        let text = |path: &Path, sha256: &str| format!("{} (sha256 {sha256:.12})", path.display());
        let (was, now) = match now {
            None => (text(&was.file, &was.sha256), "nothing".to_owned()),
            Some(now) => match transfer::sha256_of("guide", now).ok() {
                Some(sha256) if sha256 == was.sha256 => return None,
                Some(sha256) => (text(&was.file, &was.sha256), text(now, &sha256)),
                None if now == was.path || now == was.file => return None,
                None => (was.path.display().to_string(), now.display().to_string()),
            },
        };
        Some(Difference { path: "guide".to_owned(), was, now })
    }
}
