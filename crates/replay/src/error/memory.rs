//! Errors of the replay memory.

use super::FileError;
use crate::LARGEST_ACTION;
use environment::ObservationSpace;
use std::path::PathBuf;

/// An error of the replay memory.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An episode with another action size than the memory's.
    #[error(
        "the episode of task {task:?}{} has action size {found}, but this replay memory is for action size {expected}; \
         use another run folder, or pad the actions",
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
    /// An episode with other observations than the memory's.
    #[error(
        "the episode of task {task:?}{} has {found}, but this replay memory is for {expected}; use another run folder",
        place(path)
    )]
    Observations {
        /// The file it is from, if any.
        path: Option<PathBuf>,
        /// The episode's task.
        task: String,
        /// The memory's observations.
        expected: Box<ObservationSpace>,
        /// The episode's.
        found: Box<ObservationSpace>,
    },
    /// An action size that no episode has.
    #[error("a replay memory for action size {action_size} is not possible; use 1 to {LARGEST_ACTION}")]
    NoAction {
        /// The requested size.
        action_size: usize,
    },
    /// An episode that alone is larger than the whole budget.
    #[error(
        "the newest episode{} needs {bytes} bytes compressed, more than the replay memory's budget of {budget}; raise \
         the budget",
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
    #[error("a batch of {batch} sequences of {length} transitions is empty; ask for at least 1 of each")]
    EmptyBatch {
        /// Sequences.
        batch: usize,
        /// Transitions in a sequence.
        length: usize,
    },
    /// A batch whose size no machine can hold.
    #[error(
        "a batch of {batch} sequences of {length} transitions needs more memory than any machine has; ask for fewer or \
         shorter sequences"
    )]
    HugeBatch {
        /// Sequences.
        batch: usize,
        /// Transitions in a sequence.
        length: usize,
    },
    /// No episode is as long as a sequence.
    #[error(
        "none of the {episodes} episodes in the replay memory has the {length} transitions of a sequence (the longest \
         has {longest}); collect longer episodes, or ask for shorter sequences"
    )]
    NoneLongEnough {
        /// Episodes in memory.
        episodes: usize,
        /// The requested number of transitions.
        length: usize,
        /// Transitions of the longest episode, 0 without one.
        longest: usize,
    },
    /// Two files of one episode number.
    #[error(
        "{} contains two episodes with number {id}, {first} and {second}; move the one that does not belong to this \
         run out of the folder",
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
