//! What can go wrong with a study. Each message names the value, the place and the next step.

use std::path::PathBuf;

/// An error of a study.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A folder without a manifest.
    #[error("{path} is no study's folder: it has no {}; `dreamgraft study run FILE` makes one", crate::manifest::FILE)]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// A manifest that cannot be used.
    #[error("{path}: {why}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
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

impl StudyError {
    /// For `map_err`: the file or folder at `path` cannot be read or written.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
