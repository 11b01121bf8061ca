//! What can go wrong with a run. Each message names the value, the place and the next step.

use crate::config::{ConfigError, Difference};
use crate::{Frames, Prefilled};
use std::path::PathBuf;

/// An error of a run or of an evaluation.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The task does not exist, or a step of it failed.
    #[error(transparent)]
    Task(#[from] tasks::TaskError),
    /// The agent refused.
    #[error(transparent)]
    Agent(#[from] dreamer::DreamerError),
    /// What the run is to take from other agents cannot be taken.
    #[error(transparent)]
    Transfer(#[from] transfer::TransferError),
    /// The run folder was made with another transfer.
    #[error(
        "{path} was made with another transfer: {}; choose another folder with --logdir, or go on {advice}", list(.differences)
    )]
    OtherTransfer {
        /// The run folder.
        path: PathBuf,
        /// What differs: key, old value and new value.
        differences: Vec<Difference>,
        /// The words with which this run goes on.
        advice: String,
    },
    /// The memory of episodes cannot give what was asked for.
    #[error(transparent)]
    Replay(#[from] replay::ReplayError),
    /// An episode cannot be written or read.
    #[error(transparent)]
    EpisodeFile(#[from] replay::FileError),
    /// What was collected cannot be an episode.
    #[error("an episode of {task} cannot be kept: {source}")]
    Episode {
        /// The task.
        task: String,
        /// What is wrong with it.
        source: replay::EpisodeError,
    },
    /// The run folder cannot be made or written.
    #[error("cannot write in the run folder {path}: {source}; choose another with --logdir")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A folder that holds something else than a run.
    #[error("{path} holds {example:?} but no config.toml, so it is no run folder; choose another with --logdir")]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// Something in it.
        example: String,
    },
    /// Another process works in the run folder.
    #[error("{path} is in use by process {process}; wait until it ends, or choose another folder with --logdir")]
    Busy {
        /// The run folder.
        path: PathBuf,
        /// The process number of the other one.
        process: String,
    },
    /// The run folder was made with another configuration.
    #[error(
        "{path} was made with another configuration: {}; give the old values, or choose another folder with --logdir",
        list(.differences)
    )]
    Differs {
        /// The run folder.
        path: PathBuf,
        /// Key, old value and new value of each difference.
        differences: Vec<Difference>,
    },
    /// Nothing to evaluate.
    #[error("{path} {why}")]
    NoCheckpoint {
        /// What was given.
        path: PathBuf,
        /// What is missing, and what to do.
        why: String,
    },
    /// A checkpoint that cannot be used.
    #[error("{path} is not a usable checkpoint: {why}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The agent does not fit the task.
    #[error(
        "the agent of {path} was trained for actions of size {agent}, {task} takes size {needed}; choose the task it was trained for"
    )]
    ActionSize {
        /// The checkpoint.
        path: PathBuf,
        /// The agent's action size.
        agent: usize,
        /// The task.
        task: String,
        /// The task's action size.
        needed: usize,
    },
    /// No random episode is as long as a window.
    #[error(
        "none of {} random episodes of {task} ({} frames) has the {length} transitions of agent.length: the longest has \
         {}, the mean is {}; in a new run folder, set agent.length to {} or less, or task.termination = \"fixed\"",
        .seen.episodes, .seen.frames, .seen.longest, .seen.mean(), .seen.mean().max(2)
    )]
    TooShort {
        /// The task.
        task: String,
        /// Transitions of a window.
        length: usize,
        /// The episodes.
        seen: Prefilled,
    },
    /// A loss or gradient stopped being a number.
    #[error(
        "{metric} became {value} at gradient step {update} ({frames} frames): the run stops, its last checkpoint is \
         untouched; try a smaller agent.model_learning_rate, or agent.gradient_clip, in a new run folder"
    )]
    NotFinite {
        /// The first metric that is not finite.
        metric: String,
        /// Its value.
        value: f64,
        /// The gradient step, counted from 1.
        update: u64,
        /// Frames collected by then.
        frames: Frames,
    },
    /// A line of metrics, a picture or a video cannot be written.
    #[error(transparent)]
    Output(#[from] crate::output::OutputError),
    /// The system does not let the program listen to signals.
    #[error("cannot listen to Ctrl-C: {source}")]
    Signals {
        /// The system's reason.
        source: std::io::Error,
    },
    /// The threads cannot be started.
    #[error("cannot start {threads} threads: {why}; set threads to less")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// The reason.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}; check the place, its permissions and the free space")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl TrainError {
    /// For `map_err`: the file or folder at `path` cannot be read or written.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

fn list(differences: &[Difference]) -> String {
    let all = differences.iter().map(|Difference { path, was, now }| format!("{path}: was {was}, now {now}"));
    all.collect::<Vec<_>>().join("; ")
}
