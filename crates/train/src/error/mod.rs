//! Errors of a run. Each message names the value, the place and the next step.
//!
//! Here: the errors and their messages; in `phrases`, the parts of messages that depend on values; in `kinds`, what callers ask
//! about an error.

mod choice;
mod kinds;
mod misfit;
mod phrases;

pub use choice::ChoiceError;
pub use misfit::MisfitError;

use crate::config::{ConfigError, Difference};
use crate::output::OutputError;
use crate::{Broken, Frames, Prefilled};
use dreamer::DreamerError;
use dreamer::footprint::Available;
use environment::TaskError;
use phrases::{
    after_step, in_the_way, list, maybe, of_batch, of_embeddings, of_gradient, of_short_episodes, with_other_settings,
};
use replay::{EpisodeError, FileError, ReplayError};
use std::path::PathBuf;
use wording::{bytes, counted};

/// An error of a run or of an evaluation.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The task does not exist, or a step of it failed.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// An error of the agent.
    #[error(transparent)]
    Agent(#[from] DreamerError),
    /// The transfer from other agents is not possible.
    #[error(transparent)]
    Transfer(#[from] transfer::TransferError),
    /// A source that is gone before the fractions of it were fitted.
    #[error(
        "the fractions of this run's transfer are fitted after the random episodes, so its sources are still needed: {0}"
    )]
    FitNeedsSources(#[source] Box<transfer::TransferError>),
    /// An agent that cannot play the first episodes of a run.
    #[error("{path} cannot guide this run: {why}")]
    Guide {
        /// The agent.
        path: PathBuf,
        /// Why not, and the next step.
        why: String,
    },
    /// A guide that is gone, or is another one, before it played all its episodes.
    #[error("the guided episodes of this run are not all collected, so its guide is still needed: {0}")]
    GuideNeeded(#[source] Box<Self>),
    /// A run whose episodes cannot be rehearsed.
    #[error("--rehearse {path}: the run {why}")]
    Rehearsal {
        /// The run.
        path: PathBuf,
        /// Why not, and the next step.
        why: String,
    },
    /// A share of sequences that none can be.
    #[error("--share {share} is out of range: it must be a number between 0 and 1, such as 0.2")]
    Share {
        /// The share.
        share: f64,
    },
    /// Copies of episodes to rehearse that are not as they were made.
    #[error(
        "{path} does not have the episodes of another run that this run rehearses: {why}; restore the folder from a copy, or start again \
         in another folder (--logdir)"
    )]
    RehearsalGone {
        /// The folder of copies.
        path: PathBuf,
        /// The difference.
        why: String,
    },
    /// The run folder was created with another transfer.
    #[error(
        "{path} was created with another transfer: {}; choose another folder with --logdir, or resume {advice}", list(.differences)
    )]
    OtherTransfer {
        /// The run folder.
        path: PathBuf,
        /// The differences: key, old value and new value.
        differences: Vec<Difference>,
        /// The arguments that resume this run.
        advice: String,
    },
    /// A plan without sources, and no source was given.
    #[error("{plan} does not name a source; give one with --from RUN")]
    NoSource {
        /// The plan.
        plan: String,
    },
    /// A plan with sources of its own, and another one.
    #[error("{plan} names its own sources; remove --from")]
    OwnSources {
        /// The plan.
        plan: String,
    },
    /// A ranking of agents, or a choice among them, that cannot be made.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// An error of the replay memory.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// An episode cannot be written or read.
    #[error(transparent)]
    EpisodeFile(#[from] FileError),
    /// The collected steps do not form a valid episode.
    #[error("an episode of {task} cannot be stored: {source}")]
    Episode {
        /// The task.
        task: String,
        /// The problem.
        source: EpisodeError,
    },
    /// The run folder cannot be created or written.
    #[error("cannot write to the run folder {path}: {}; choose another folder with --logdir", in_the_way(source))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A folder that contains other files than a run's.
    #[error(
        "{path} contains {example:?} but no config.toml, so it is not a run folder; choose another folder with --logdir"
    )]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// One of them.
        example: String,
    },
    /// Another process works in the run folder.
    #[error("{path} is in use by process {process}; {next}")]
    Busy {
        /// The run folder.
        path: PathBuf,
        /// The process number of the other one.
        process: String,
        /// The next step.
        next: &'static str,
    },
    /// A file where a folder of a run belongs, or the other way round.
    #[error("{path} is a {found}, but a run needs a {needed} there; move it away, or choose another folder")]
    WrongKind {
        /// The path.
        path: PathBuf,
        /// The kind of file that was found.
        found: &'static str,
        /// The kind of file that is needed.
        needed: &'static str,
    },
    /// A folder that was named as a run's and has no configuration.
    #[error("{path} {why}")]
    NotARunFolder {
        /// The folder.
        path: PathBuf,
        /// The missing part, and the next step.
        why: String,
    },
    /// A policy that does not exist.
    #[error(
        "--policy {typed:?} is neither random nor zero nor a path that exists{}; a trained agent is given by its run \
         folder, for example runs/TASK/small/0",
        maybe(nearest)
    )]
    NoPolicy {
        /// The typed name.
        typed: String,
        /// The policy most like it; empty if none is.
        nearest: &'static str,
    },
    /// The run folder was made with another configuration.
    #[error(
        "{path} was created with another configuration: {}; use the old values, or choose another folder with --logdir",
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
        /// The path that was given.
        path: PathBuf,
        /// The missing part, and the next step.
        why: String,
    },
    /// Checkpoints of which none can be used.
    #[error(
        "no checkpoint in {folder} is usable. The newest: {}. Restore one from a copy, or restart in another folder",
        newest.damage()
    )]
    NoneUsable {
        /// The folder of checkpoints.
        folder: PathBuf,
        /// The error of the newest.
        newest: Box<Self>,
    },
    /// The record of a run's transfer, without which it cannot be resumed.
    #[error("{path}, the record of this run's transfer, {what}; restore it, or choose another folder with --logdir")]
    TransferRecord {
        /// The file.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// A checkpoint that another version wrote.
    #[error(
        "{path} was written by another version of dreamgraft: {why}; use the version that wrote it, or another checkpoint"
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What this version does not know.
        why: String,
    },
    /// A checkpoint that cannot be used.
    #[error("{path} is not a usable checkpoint: {why}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The problem and the next step.
        why: String,
    },
    /// An agent and a task, or a task and its arguments, that do not fit each other.
    #[error(transparent)]
    Misfit(#[from] MisfitError),
    /// A folder that was named as a run's and does not exist.
    #[error("{path} {why}")]
    NoRun {
        /// The path that was given.
        path: PathBuf,
        /// The missing part, and the next step.
        why: String,
    },
    /// Episodes of a task that a run does not learn.
    #[error("{path} has no episodes of {task}, because it learns {}; choose a run of {task}, or use random episodes", learned.join(", "))]
    NotLearned {
        /// The run folder.
        path: PathBuf,
        /// The task whose episodes are needed.
        task: String,
        /// The tasks that the run learns.
        learned: Vec<String>,
    },
    /// A file that cannot be added to the episodes of a run.
    #[error("{path} cannot be added: {why}. Nothing was added; correct this file, or leave it out")]
    NotAdded {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A task that a run does not learn.
    #[error("--task {task}: this run learns {}; choose one of its tasks", learned.join(", "))]
    OtherTask {
        /// The task that was asked for.
        task: String,
        /// The tasks that the run learns.
        learned: Vec<String>,
    },
    /// Imagined images of a policy without a world model.
    #[error("--imagined: {why}")]
    ImaginesNothing {
        /// Why there are none, and how to get some.
        why: &'static str,
    },
    /// No random episode is as long as a window.
    #[error("{}", of_short_episodes(task, *length, of, seen, *is_stream, *can_be_fixed))]
    TooShort {
        /// The task.
        task: String,
        /// Transitions of a window.
        length: usize,
        /// The kind of the episodes: random, or guided.
        of: &'static str,
        /// The episodes.
        seen: Prefilled,
        /// Whether windows may cross from one episode into the next.
        is_stream: bool,
        /// Whether its episodes end early only because of a setting.
        can_be_fixed: bool,
    },
    /// A loss or gradient stopped being a number.
    #[error(
        "{metric} became {value} at gradient step {update} ({}){}{}: the run stops, {}",
        frames.counted(), of_gradient(gradient.as_deref()), of_batch(batch), after_step(*update, root, *saved)
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
        /// The first parameter whose gradient is not finite, if one is.
        gradient: Option<Box<Broken>>,
        /// The file of the batch, or why it could not be kept.
        batch: Result<PathBuf, Box<Self>>,
        /// The run folder.
        root: PathBuf,
        /// Whether it has a checkpoint.
        saved: bool,
    },
    /// A parameter stopped being a number.
    #[error(
        "the parameter {} became {} by gradient step {update} ({}), and {} of its {} numbers are not \
         finite: the run stops, {}",
        broken.path, broken.value, frames.counted(), broken.count, broken.numbers, with_other_settings(root, *saved)
    )]
    Diverged {
        /// The parameter.
        broken: Box<Broken>,
        /// The number of gradient steps so far.
        update: u64,
        /// Frames collected by then.
        frames: Frames,
        /// The run folder.
        root: PathBuf,
        /// Whether it has a checkpoint.
        saved: bool,
    },
    /// The file system, or an external environment, stopped a run.
    #[error("{source}. The run stopped at frame {frames}; {after}")]
    Halted {
        /// The error.
        source: Box<Self>,
        /// Frames collected by then.
        frames: Frames,
        /// The state of the run, and how to resume it.
        after: String,
    },
    /// More memory than there is.
    #[error(
        "this run may need {} of memory (at least {} for the agent, up to {} for episodes{}), and {} are available \
         within {}; make agent.batch, agent.deter, agent.stoch, agent.units, agent.depth, replay.budget or replay.embeddings smaller, raise the limit, or use a larger computer",
        bytes(agent.saturating_add(*replay).saturating_add(*embeddings)), bytes(*agent), bytes(*replay),
        of_embeddings(*embeddings), bytes(available.bytes), available.limit
    )]
    Memory {
        /// Bytes that the agent takes at least.
        agent: u64,
        /// Bytes that the memory of episodes may take: its budget, or the whole run uncompressed if that is less.
        replay: u64,
        /// Bytes that the embeddings of a frozen encoder may take.
        embeddings: u64,
        /// The available memory.
        available: Box<Available>,
    },
    /// More environments than fit into memory.
    #[error(
        "{} may need {} MB of memory, and {} MB are available within {}; raise the limit, or use fewer tasks at a time",
        counted(*count, "environment"), needed / 1_000_000, available.bytes / 1_000_000, available.limit
    )]
    EnvironmentMemory {
        /// How many.
        count: u64,
        /// Bytes that they may need.
        needed: u64,
        /// What is available.
        available: Box<Available>,
    },
    /// A frozen encoder or frozen reward models that are not transferred from another agent.
    #[error(
        "agent.{key} is set, but nothing is transferred from another agent, so the frozen parameters would stay \
         random. Give --universal RUN or a --plan (that of an existing run is its transfer.toml), or remove \
         agent.{key}"
    )]
    FrozenAtRandom {
        /// The key below `agent`.
        key: &'static str,
    },
    /// A run whose checkpoints were removed.
    #[error(
        "{path} does not contain a checkpoint, but the run has {episodes} episodes, more than a run has before its \
         first checkpoint, so its checkpoints were removed. Restore them, or choose another folder with --logdir, or \
         remove {} to start from the beginning",
        root.display()
    )]
    CheckpointsGone {
        /// The folder of checkpoints.
        path: PathBuf,
        /// The run folder.
        root: PathBuf,
        /// Episodes in it.
        episodes: usize,
    },
    /// The files of all episodes are gone, as they are once a run with `replay.files = "until_finished"` has finished.
    #[error(
        "{path} has none of the {episodes} episodes of this run any more, and the agent cannot continue to learn \
         without them: they are removed when a run with replay.files = \"until_finished\" finishes, and are not copied \
         with a shared run. Restore them from a copy, use the finished agent as it is, or restart: remove the folder \
         {}, and run the same command; with replay.files = \"always\", the new run can later be made longer",
        wording::shell_path(root)
    )]
    EpisodesGone {
        /// The folder of episodes.
        path: PathBuf,
        /// The run folder.
        root: PathBuf,
        /// How many there were.
        episodes: u64,
    },
    /// Metrics, an image or a video cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The operating system does not allow the program to handle signals.
    #[error("cannot handle Ctrl-C: {source}")]
    Signals {
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The threads cannot be started.
    #[error(
        "cannot start threads = {threads}: {why}; set threads to a smaller number, or raise the limit of processes \
         (`ulimit -u`)"
    )]
    Threads {
        /// The requested number of threads.
        threads: usize,
        /// The reason.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {}", wording::of_system(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}
