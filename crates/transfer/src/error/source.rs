//! Errors of a source: its file, and the agent in it.

use std::path::PathBuf;

/// The name in plans of a source that was given without one.
pub const UNNAMED_SOURCE: &str = "source";

/// The beginning of a message about a source, before its path. A name that the user did not give is left out.
fn the_source(name: &str) -> String {
    if name == UNNAMED_SOURCE { "the source ".to_owned() } else { format!("the source {name:?}: ") }
}

/// A source that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path that does not lead to an agent.
    #[error("{}{path} {why}", the_source(name))]
    NotFound {
        /// The source's name.
        name: String,
        /// The path.
        path: PathBuf,
        /// The problem and the next step.
        why: String,
    },
    /// A file that cannot be read.
    #[error("{}{path} cannot be read: {}", the_source(name), wording::of_system(source))]
    Read {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A damaged file.
    #[error("{}{path} {why}", the_source(name))]
    Damaged {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// The problem and the next step.
        why: String,
    },
    /// Another checkpoint than the one that the plan was made for.
    #[error(
        "{}{path} has the SHA-256 {found}, but the plan requires {expected}; use the checkpoint \
         that the plan was written for, or remove sha256 from the plan",
        the_source(name)
    )]
    Checksum {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// Its checksum.
        found: String,
        /// The plan's.
        expected: String,
    },
    /// An agent that has not been trained: all its parameters are random.
    #[error(
        "{}{path} has not been trained yet (0 gradient steps), so there is nothing to transfer; \
         train it for longer, or allow it as a control: --untrained-source (with one --from, or with --reward-from), or \
         untrained_sources = true in a plan",
        the_source(name)
    )]
    Untrained {
        /// The source's name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The agent's file cannot be read as an agent.
    #[error("the source {name:?}: {source}")]
    Agent {
        /// The source's name.
        name: String,
        /// The agent's reason.
        source: dreamer::DreamerError,
    },
}
