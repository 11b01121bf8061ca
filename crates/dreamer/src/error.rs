//! Errors of an agent, each with its place and the next step.

use crate::available::Available;
use std::path::PathBuf;

/// The next step of most damaged checkpoints, at the end of their messages.
pub const USE_ANOTHER: &str = "; use another checkpoint";

/// An error of the agent.
#[derive(Debug, thiserror::Error)]
pub enum DreamerError {
    /// A configuration value is out of range.
    #[error("agent.{key} = {value} is out of range: it must be {range}")]
    Config {
        /// The key below `agent`.
        key: String,
        /// The value given.
        value: String,
        /// The allowed values.
        range: String,
    },
    /// A batch does not fit the agent.
    #[error("the batch does not match the agent: {what}")]
    Batch {
        /// Which size differs, and how.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// More memory than there is. The file may be whole.
    #[error(
        "the agent of {path} needs {} of memory, and {} are available within {}; raise the limit, or use a larger computer",
        wording::bytes(*needed), wording::bytes(available.bytes), available.limit
    )]
    Memory {
        /// The file.
        path: PathBuf,
        /// Bytes that reading it takes.
        needed: u64,
        /// The available memory.
        available: Box<Available>,
    },
    /// A device failed.
    #[error("{0}")]
    Machine(#[from] tape::plan::MachineError),
    /// A checkpoint is damaged, or is none.
    #[error("{path} is not a usable checkpoint: {why}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The problem and the next step.
        why: String,
    },
}
