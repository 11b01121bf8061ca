//! The settings of a run, their defaults and their ranges.
//!
//! Here: [`Config`] and its sections. Not here: how presets, files and typed settings are laid over the defaults
//! (`layers`), nor the agent's own settings (`dreamer::AgentConfig`).

use super::{ByteSize, ConfigError};
use crate::Frames;
use crate::run::returns::MOST_EVALUATIONS;
use dreamer::AgentConfig;
use environment::TaskOptions;
use replay::WindowStarts;
use serde::{Deserialize, Serialize};

/// Everything that defines a run. Runs with equal configurations on the same kind of machine are bitwise identical;
/// only the keys in [`Config::may_change`] may differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Names of the tasks that the agent learns, at least one.
    pub tasks: Vec<String>,
    /// All random streams of the run are made from it and the tasks.
    pub seed: u64,
    /// Environment frames after which training ends; those of the prefill count.
    pub steps: Frames,
    /// Threads that compute; 0 stands for one per core. Results do not depend on it.
    pub threads: usize,
    /// How the tasks behave.
    pub task: TaskOptions,
    /// When is collected, learned and evaluated.
    pub schedule: Schedule,
    /// The memory of episodes.
    pub replay: ReplaySettings,
    /// Logging for people and plots.
    pub log: LogSettings,
    /// When checkpoints are written, and how many stay.
    pub checkpoint: CheckpointSettings,
    /// When the run ends before it has all its frames.
    pub stop: StopSettings,
    /// The agent.
    pub agent: AgentConfig,
}

/// When is collected, learned and evaluated; all in environment frames and gradient steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Episodes of uniformly random actions per task before anything is learned, at least.
    pub prefill_episodes: u64,
    /// The minimum number of random frames per task, which matters if episodes are short. At least one episode of each
    /// task will also have the `agent.length` transitions of a window.
    pub prefill_frames: Frames,
    /// Gradient steps right after the prefill.
    pub pretrain_updates: u64,
    /// Frames per `train_updates` gradient steps.
    pub train_every: Frames,
    /// Gradient steps per `train_every` frames.
    pub train_updates: u64,
    /// Frames from one evaluation to the next.
    pub eval_every: Frames,
    /// Episodes per task of one evaluation.
    pub eval_episodes: u64,
}

/// The memory of episodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplaySettings {
    /// The most memory that episodes may occupy, their images compressed. Once it is full, the oldest episodes are dropped
    /// from memory and no longer learned from; their files stay. The default holds a run of 2e6 frames of every built-in
    /// task whole (docs/metrics.md, `replay_bytes`).
    pub budget: ByteSize,
    /// The beginnings of the windows of a batch: `inside`, as in the paper; `edges`, which makes the first and last
    /// transitions of an episode at least as likely to be learned from as all others; or `stream`, with windows that cross from one
    /// episode into the next, so that short episodes are learned from too ([`WindowStarts`]).
    pub starts: WindowStarts,
    /// How long the files of episodes are kept. Results do not depend on it.
    pub files: KeptFiles,
    /// Memory that a frozen encoder's embeddings of their images may take; those used longest ago leave it first, and are
    /// computed again when they are needed. Results do not depend on it.
    pub embeddings: ByteSize,
}

/// How long the files of a run's episodes are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptFiles {
    /// Always.
    #[default]
    Always,
    /// Until the run has finished. Until then, all are kept: the replay memory of a run that resumes is filled from them.
    UntilFinished,
}

/// Logging for people and plots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// Frames from one line of metrics to the next.
    pub every: Frames,
    /// Whether evaluations write videos and open-loop plots.
    pub videos: bool,
    /// Frames from one evaluation that writes them to the next, 0 for every evaluation. The first and the last one always do.
    pub video_every: Frames,
}

/// When checkpoints are written, and how many stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointSettings {
    /// Frames from one checkpoint to the next.
    pub every: Frames,
    /// Newest checkpoints that stay.
    pub kept: usize,
    /// Whether the checkpoint of the best scheduled evaluation of each task stays too.
    pub best: bool,
}

/// When a run ends before it has all its frames. Only scheduled evaluations count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StopSettings {
    /// The run ends when the mean of its last evaluations reaches this return, in every task; infinity stands for never.
    #[serde(rename = "return")]
    pub reached: f64,
    /// The run ends when that mean has not exceeded its best for this many frames in any task; 0 stands for never.
    pub patience: Frames,
    /// The evaluations in a row whose mean counts.
    pub evaluations: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            seed: 0,
            steps: Frames(1_000_000),
            threads: 0,
            task: TaskOptions::default(),
            schedule: Schedule::default(),
            replay: ReplaySettings::default(),
            log: LogSettings::default(),
            checkpoint: CheckpointSettings::default(),
            stop: StopSettings::default(),
            agent: AgentConfig::default(),
        }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            prefill_episodes: 5,
            prefill_frames: Frames(5000),
            pretrain_updates: 100,
            train_every: Frames(1000),
            train_updates: 100,
            eval_every: Frames(10_000),
            eval_episodes: 1,
        }
    }
}

impl Default for ReplaySettings {
    fn default() -> Self {
        Self {
            budget: ByteSize(3_000_000_000),
            starts: WindowStarts::Inside,
            files: KeptFiles::Always,
            embeddings: ByteSize(1_000_000_000),
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { every: Frames(1000), videos: true, video_every: Frames(0) }
    }
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        Self { every: Frames(5000), kept: 2, best: true }
    }
}

impl Default for StopSettings {
    fn default() -> Self {
        Self { reached: f64::INFINITY, patience: Frames(0), evaluations: 5 }
    }
}

impl Config {
    /// Whether a run may resume although the value at this path differs from the one with which it started.
    pub fn may_change(path: &str) -> bool {
        const KEYS: [&str; 6] =
            ["steps", "threads", "replay.files", "replay.embeddings", "agent.evaluation", "task.timeout"];
        KEYS.contains(&path) || ["log.", "checkpoint.", "stop."].iter().any(|section| path.starts_with(section))
    }

    /// Whether the evaluation at `frames` writes videos, if the one before it was at `before`.
    pub fn films(&self, before: Option<Frames>, frames: Frames) -> bool {
        let (every, last) = (self.log.video_every.0, frames >= self.steps);
        let due = |before: Frames| every == 0 || frames.0 / every > before.0 / every;
        self.log.videos && (last || before.is_none_or(due))
    }

    /// Frames that the random episodes of all tasks at the start take at least.
    pub fn first_frames(&self) -> u64 {
        self.schedule.prefill_frames.0.saturating_mul(self.tasks.len() as u64)
    }

    /// Checks every value's range.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key whose value is out of range, the value and the range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.tasks.is_empty() {
            return Err(out_of_range(
                "tasks",
                "[]",
                "a list of at least one task name (`dreamgraft tasks` lists them)",
            ));
        }
        for (i, task) in self.tasks.iter().enumerate() {
            if self.tasks[..i].contains(task) {
                return Err(ConfigError::Repeated { task: task.clone() });
            }
        }
        // Frames that no run reaches: thirty years at a thousand frames a second.
        const MOST: u64 = 1_000_000_000_000;
        let schedule = &self.schedule;
        let whole = [
            ("seed", self.seed, 0, i64::MAX as u64),
            ("steps", self.steps.0, 1, MOST),
            ("threads", self.threads as u64, 0, 4096),
            ("schedule.prefill_episodes", schedule.prefill_episodes, 1, 1_000_000),
            ("schedule.prefill_frames", schedule.prefill_frames.0, 0, 1_000_000_000),
            ("schedule.pretrain_updates", schedule.pretrain_updates, 0, 1_000_000_000),
            ("schedule.train_every", schedule.train_every.0, 1, MOST),
            ("schedule.train_updates", schedule.train_updates, 0, 1_000_000),
            ("schedule.eval_every", schedule.eval_every.0, 1, MOST),
            ("schedule.eval_episodes", schedule.eval_episodes, 1, 10_000),
            ("task.action_repeat", u64::from(self.task.action_repeat), 0, 1000),
            ("task.frame_limit", u64::from(self.task.frame_limit), 0, 1_000_000_000),
            ("task.vector_length", self.task.vector_length as u64, 0, 65_536),
            ("task.timeout", self.task.timeout, 1, 86_400),
            ("log.every", self.log.every.0, 1, MOST),
            ("log.video_every", self.log.video_every.0, 0, MOST),
            ("checkpoint.every", self.checkpoint.every.0, 1, MOST),
            ("checkpoint.kept", self.checkpoint.kept as u64, 1, 1_000_000),
            ("stop.patience", self.stop.patience.0, 0, MOST),
            ("stop.evaluations", self.stop.evaluations as u64, 1, MOST_EVALUATIONS as u64),
        ];
        for (key, value, low, high) in whole {
            if !(low..=high).contains(&value) {
                return Err(out_of_range(key, &value.to_string(), &format!("a whole number from {low} to {high}")));
            }
        }
        if self.stop.reached.is_nan() || self.stop.reached == f64::NEG_INFINITY {
            return Err(out_of_range("stop.return", &self.stop.reached.to_string(), "a number, or inf for never"));
        }
        for (key, size, low) in
            [("replay.budget", self.replay.budget, 1_000_000), ("replay.embeddings", self.replay.embeddings, 0)]
        {
            if !(low..=MOST_BYTES).contains(&size.0) {
                return Err(out_of_range(key, &format!("\"{size}\""), &size_from(low)));
            }
        }
        Ok(self.agent.validate()?)
    }
}

/// The most bytes that a size may be.
const MOST_BYTES: u64 = 1 << 50;

/// The sizes from `low` bytes on, as messages name them.
fn size_from(low: u64) -> String {
    let [low, high] = [ByteSize(low), ByteSize(MOST_BYTES)];
    format!("a size from {low} to {high}, such as \"2GB\", \"512MiB\" or 2e9")
}

fn out_of_range(key: &str, value: &str, range: &str) -> ConfigError {
    ConfigError::Range { key: key.to_owned(), value: value.to_owned(), place: String::new(), range: range.to_owned() }
}
