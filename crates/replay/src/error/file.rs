//! Errors of episode files and of their content.

use super::EpisodeError;
use std::io;
use std::path::PathBuf;

/// An episode file that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A stamp that does not belong in a file name.
    #[error("{stamp:?} is not a time stamp for the name of an episode file; use the form 20261122T101530")]
    Stamp {
        /// The stamp.
        stamp: String,
    },
    /// The file system refused.
    #[error("could not {action} {}: {}", path.display(), wording::of_system(source))]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// An episode of this name exists: writing never replaces one.
    #[error("{} already exists and is not overwritten; use the number of episodes collected so far as the episode's \
        number", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is not an episode that can be used.
    #[error(
        "{} is damaged or not an episode: {damage}; move it out of the folder, or restore an undamaged copy",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        damage: Damage,
    },
    /// An episode of a task that is not learned here.
    #[error(
        "{} is an episode of {task}, but this run learns {}; move it out of the folder",
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

/// The first problem in an episode file, as text that follows "is damaged or not an episode:". [`FileError`] adds the
/// name of the file and the next step.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Damage {
    /// It is a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// The name is not that of an episode.
    #[error(
        "its name is not <stamp>-<number>-<transitions>.npz, as in 20261122T101530-00000041-501.npz; an episode of another \
         program is added to a run with `dreamgraft episodes add RUN FILE`"
    )]
    Name,
    /// The name and the content have different lengths.
    #[error("its name gives {named} transitions, but it contains {found}")]
    NamedLength {
        /// Transitions by the name.
        named: usize,
        /// Transitions in the file.
        found: usize,
    },
    /// The container cannot be read.
    #[error("it is not a readable npz (zip) container: {reason}")]
    Container {
        /// The error of the container's reader.
        reason: String,
    },
    /// The file is larger than any episode of its size could be.
    #[error("it has {bytes} bytes, more than the {limit} that such an episode can have")]
    FileTooLarge {
        /// The file's bytes.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Written by a later version of this program.
    #[error("it has format version {found:?}, but this program reads format version 1")]
    Version {
        /// The version as it stands in the file.
        found: String,
    },
    /// Two arrays of one name, or far too many.
    #[error("it contains {reason}")]
    Entries {
        /// The description of its content.
        reason: String,
    },
    /// A needed array is not there.
    #[error("it does not contain the array {array:?}")]
    Missing {
        /// The array.
        array: &'static str,
    },
    /// The task of the episode is unknown.
    #[error(
        "it does not contain the array \"task\", and the run learns several tasks; name one with `dreamgraft episodes add --task`"
    )]
    NoTask,
    /// An array's header cannot be understood.
    #[error("the header of array {array:?} cannot be read: {reason}")]
    Header {
        /// The array.
        array: &'static str,
        /// Why.
        reason: String,
    },
    /// An array of another type.
    #[error("array {array:?} has type {found:?} instead of {expected}")]
    Type {
        /// The array.
        array: &'static str,
        /// Numpy's names of the types that belong there.
        expected: String,
        /// The type found.
        found: String,
    },
    /// An array of another shape.
    #[error("array {array:?} has shape {found:?} instead of {expected}")]
    Shape {
        /// The array.
        array: &'static str,
        /// The shape that belongs there.
        expected: String,
        /// The shape found.
        found: Vec<u64>,
    },
    /// The arrays claim more memory than they may have.
    #[error("array {array:?} of shape {shape:?} would need more than {limit} bytes, the limit for an episode here")]
    TooLarge {
        /// The array.
        array: &'static str,
        /// Its claimed shape.
        shape: Vec<u64>,
        /// The limit in bytes.
        limit: u64,
    },
    /// An array is too short or too long, or its checksum is wrong.
    #[error("the data of array {array:?} is wrong: {reason}")]
    Data {
        /// The array.
        array: &'static str,
        /// How.
        reason: String,
    },
    /// The arrays can be read but are not a valid episode.
    #[error(transparent)]
    Episode(#[from] EpisodeError),
}
