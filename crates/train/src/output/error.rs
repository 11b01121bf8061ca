//! Errors of the output files of a run.
//!
//! Here: the error type. Not here: the files.

use std::io;
use std::path::{Path, PathBuf};

/// An output file that could not be written, or an existing one that cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
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
    /// Pixels that do not form complete images.
    #[error("expected {expected}, but got {found} bytes; give the red, green and blue bytes of complete images")]
    Pixels {
        /// The expected size.
        expected: String,
        /// Bytes found.
        found: usize,
    },
    /// An image that the format does not support.
    #[error(
        "a {format} of {width} x {height} pixels cannot be written: {reason}; use a size from 1 x 1 to 65535 x 65535"
    )]
    Format {
        /// The format.
        format: &'static str,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Why.
        reason: String,
    },
    /// A metric's name that cannot be used.
    #[error("a metric cannot be named {name:?}, which is {reason}; use another name")]
    MetricName {
        /// The name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A line of a metrics file that this program did not write.
    #[error("line {line} of {} is not {reason}; remove this line, or move the file out of the folder", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: u64,
        /// The expected and the found form.
        reason: String,
    },
}

impl OutputError {
    /// The file system refused `action` at `path`.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}
