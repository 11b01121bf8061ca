//! What can go wrong with episodes, their files and the memory, each with its place and the next step.
//!
//! Here: the error types. Not here: what exactly is wrong inside a damaged file (`damage`).

use std::io;
use std::path::PathBuf;

use crate::damage::Damage;
use crate::{LARGEST_ACTION, LONGEST_TASK};

/// Numbers that cannot be an episode. Usually the environment that gave them is at fault.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EpisodeError {
    /// A task name that cannot be stored.
    #[error("the task name {task:?} is not 1 to {LONGEST_TASK} printable characters; give the task another name")]
    Task {
        /// The name, cut to the longest that is allowed.
        task: String,
    },
    /// An action size that cannot be.
    #[error("the action size {action_size} is not within 1 to {LARGEST_ACTION}; check the task's action size")]
    ActionSize {
        /// The size.
        action_size: usize,
    },
    /// An array of a whole episode that does not have one entry for each transition.
    #[error(
        "the array {array} has {found} values where {expected} belong, {transitions} transitions by the array reward; \
         give arrays of one episode"
    )]
    Size {
        /// The array.
        array: &'static str,
        /// Transitions by the reward array.
        transitions: usize,
        /// Values that belong there.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A part of one step that has a wrong size.
    #[error(
        "{array} has {found} values where {expected} belong{}, at transition {transition}; check the environment",
        if *expected == 1 { "s" } else { "" }
    )]
    StepSize {
        /// The array.
        array: &'static str,
        /// The transition's index, 0 for the reset.
        transition: usize,
        /// Values that belong there.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A number that is not finite.
    #[error("the {array} at transition {transition} is {value}, not a finite number; check the environment and agent")]
    NotFinite {
        /// The array.
        array: &'static str,
        /// The transition's index.
        transition: usize,
        /// The number.
        value: f32,
    },
    /// A discount outside 0 to 1.
    #[error("the discount at transition {transition} is {value}, not within 0 to 1; check the environment")]
    Discount {
        /// The transition's index.
        transition: usize,
        /// The discount.
        value: f32,
    },
    /// A first transition that is not a reset.
    #[error("the transition 0 is not a reset: it has an action or a reward that is not 0, or a discount that is not 1")]
    Reset,
    /// A transition after a terminal one.
    #[error("transition {transition} follows a terminal one (discount 0); start a new episode there")]
    AfterTheEnd {
        /// The index of the transition that is too many.
        transition: usize,
    },
    /// An episode without a step.
    #[error("an episode needs a reset and at least one step, this one has {transitions} transitions; collect a step")]
    TooShort {
        /// Transitions, the reset included.
        transitions: usize,
    },
}

/// An episode file that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A stamp that does not belong in a file name.
    #[error("{stamp:?} is no stamp for an episode's name; give a time like 20261122T101530")]
    Stamp {
        /// The stamp.
        stamp: String,
    },
    /// The file system refused.
    #[error("could not {action} {}: {source}; check the folder, its permissions and the free space", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An episode of this name exists: writing never replaces one.
    #[error("{} exists already and is kept; give the episode the number of episodes collected so far", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is not an episode that can be used.
    #[error(
        "{} is damaged or not an episode: {damage}; move it out of the folder, or put back an undamaged copy",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        damage: Damage,
    },
    /// An episode of a task that is not learned here.
    #[error(
        "{} is an episode of {task}, and what is learned here is {}; move it out of the folder",
        path.display(), learned.join(", ")
    )]
    OtherTask {
        /// The file.
        path: PathBuf,
        /// Its task.
        task: String,
        /// The tasks that are learned.
        learned: Vec<String>,
    },
}

/// The replay memory cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An episode with another action size than the memory's.
    #[error(
        "the episode of task {task:?}{} has action size {found}, this memory is for {expected}; \
         use the folder of another run, or pad the actions",
        place(path)
    )]
    ActionSize {
        /// The file it is from, if any.
        path: Option<PathBuf>,
        /// The episode's task.
        task: String,
        /// The memory's action size.
        expected: usize,
        /// The episode's.
        found: usize,
    },
    /// An action size that no episode has.
    #[error("a memory for action size {action_size} cannot hold anything; give 1 to {LARGEST_ACTION}")]
    NoAction {
        /// The size asked for.
        action_size: usize,
    },
    /// An episode that alone is larger than the whole budget.
    #[error(
        "the newest episode{} takes {bytes} bytes compressed, more than the replay memory's budget of {budget}; raise the \
         budget",
        place(path)
    )]
    Budget {
        /// The file it is from, if any.
        path: Option<PathBuf>,
        /// The bytes that it occupies, compressed.
        bytes: u64,
        /// The budget.
        budget: u64,
    },
    /// An episode that is too large to be handled uncompressed.
    #[error(
        "an episode{} has {bytes} bytes uncompressed, more than the {most} that the replay memory accepts; end episodes \
         earlier, or raise the replay memory's budget above that",
        place(path)
    )]
    HugeEpisode {
        /// The file it is from, if any.
        path: Option<PathBuf>,
        /// The episode's bytes, uncompressed.
        bytes: u64,
        /// The most that are accepted.
        most: u64,
    },
    /// A batch that asks for nothing.
    #[error("a batch of {batch} windows of {length} transitions is empty; ask for at least 1 of each")]
    EmptyBatch {
        /// Windows.
        batch: usize,
        /// Transitions in a window.
        length: usize,
    },
    /// A batch whose size no machine can hold.
    #[error(
        "a batch of {batch} windows of {length} transitions is beyond any memory; ask for fewer or shorter windows"
    )]
    HugeBatch {
        /// Windows.
        batch: usize,
        /// Transitions in a window.
        length: usize,
    },
    /// No episode is as long as the window.
    #[error(
        "none of the {episodes} episodes in memory has the {length} transitions of a window (the longest has {longest}); \
         collect longer episodes, or shorten the window"
    )]
    NoneLongEnough {
        /// Episodes in memory.
        episodes: usize,
        /// Transitions asked for.
        length: usize,
        /// Transitions of the longest episode, 0 without one.
        longest: usize,
    },
    /// Two files of one episode number.
    #[error(
        "{} holds two episodes of number {id}, {first} and {second}; move out the one that is not from this run",
        folder.display()
    )]
    TwoOfANumber {
        /// The folder.
        folder: PathBuf,
        /// The number.
        id: u64,
        /// One file's name.
        first: String,
        /// The other's.
        second: String,
    },
    /// A folder or file that could not be handled.
    #[error(transparent)]
    File(#[from] FileError),
}

fn place(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or_else(String::new, |path| format!(" ({})", path.display()))
}
