//! What can be wrong inside an episode file.
//!
//! Here: the reasons, in words that follow "the file is damaged or not an episode:". Not here: the file's name and the
//! next step, which `FileError` adds.

use crate::error::EpisodeError;

/// The first thing found wrong in an episode file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Damage {
    /// It is a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// The name is not that of an episode.
    #[error("its name is not <stamp>-<number>-<transitions>.npz, as in 20261122T101530-00000041-501.npz")]
    Name,
    /// The name and the content tell of different lengths.
    #[error("its name says {named} transitions, it holds {found}")]
    NamedLength {
        /// Transitions by the name.
        named: usize,
        /// Transitions in the file.
        found: usize,
    },
    /// The container cannot be read.
    #[error("it is not a readable npz (zip) container: {reason}")]
    Container {
        /// What the reader of the container says.
        reason: String,
    },
    /// The file is larger than any episode of its size could be.
    #[error("it has {bytes} bytes, more than the {limit} that the episode could take")]
    FileTooLarge {
        /// The file's bytes.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Written by a later version of this program.
    #[error("it has format version {found:?}, this program reads up to 1")]
    Version {
        /// The version as it stands in the file.
        found: String,
    },
    /// Two arrays of one name, or far too many.
    #[error("it holds {reason}")]
    Entries {
        /// What is there.
        reason: String,
    },
    /// A needed array is not there.
    #[error("it holds no array {array:?}")]
    Missing {
        /// The array.
        array: &'static str,
    },
    /// An array's header cannot be understood.
    #[error("the header of array {array:?} cannot be read: {reason}")]
    Header {
        /// The array.
        array: &'static str,
        /// Why.
        reason: String,
    },
    /// An array of another type.
    #[error("array {array:?} has type {found:?} where {expected:?} belongs")]
    Type {
        /// The array.
        array: &'static str,
        /// Numpy's name of the type that belongs there.
        expected: &'static str,
        /// The type found.
        found: String,
    },
    /// An array of another shape.
    #[error("array {array:?} has shape {found:?} where {expected} belongs")]
    Shape {
        /// The array.
        array: &'static str,
        /// The shape that belongs there.
        expected: String,
        /// The shape found.
        found: Vec<u64>,
    },
    /// The arrays claim more memory than they may take.
    #[error("array {array:?} of shape {shape:?} would need more than the {limit} bytes that an episode may take here")]
    TooLarge {
        /// The array.
        array: &'static str,
        /// Its claimed shape.
        shape: Vec<u64>,
        /// The limit in bytes.
        limit: u64,
    },
    /// An array ends early, goes on after its end, or its checksum is wrong.
    #[error("the data of array {array:?} is wrong: {reason}")]
    Data {
        /// The array.
        array: &'static str,
        /// How.
        reason: String,
    },
    /// The arrays can be read but are no episode.
    #[error(transparent)]
    Episode(#[from] EpisodeError),
}
