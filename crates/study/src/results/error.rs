//! Errors of reading and reporting runs. Each message names the place and the next step.

use crate::StudyError;
use std::path::PathBuf;

/// An error of reading results or writing a report.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The study's manifest.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// A folder without runs.
    #[error(
        "{path} is not the folder of a study and does not contain runs; give the folder of a study, or a folder with \
         run folders in it, such as runs"
    )]
    NoRuns {
        /// The folder.
        path: PathBuf,
    },
    /// A baseline that is not a method of the report.
    #[error(
        "no method of this report has the name {name:?}{} Its methods are {methods}",
        wording::did_you_mean(nearest)
    )]
    NoMethod {
        /// The name.
        name: String,
        /// The most similar method; empty if none is similar.
        nearest: String,
        /// Names of the methods.
        methods: String,
    },
    /// A port cannot be had.
    #[error("port {port} of 127.0.0.1: {source}; choose another port with --port, or --port 0 for any free port")]
    Port {
        /// The port.
        port: u16,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The page cannot be served.
    #[error("cannot start a thread that serves the page: {source}; raise the limit of processes (`ulimit -u`)")]
    Thread {
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file or folder cannot be read or written.
    #[error("{path}: {}", wording::of_system(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

impl ResultsError {
    /// For `map_err`: the file or folder at `path` cannot be read or written.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
