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
    /// A document that cannot be used.
    #[error("{place}: {why}")]
    Document {
        /// The file, and its line if that is known.
        place: String,
        /// The key, what is wrong with it, and what to do.
        why: String,
    },
    /// A study's folder that was made from another document, or the same one before it was edited.
    #[error(
        "{folder} was made from another document than {document} is now; put the document (and its plans) back as it was, or \
         choose another folder with --dir, or remove {folder}/{} to go on with the new one: runs with unchanged commands stay \
         finished",
        crate::manifest::FILE
    )]
    Changed {
        /// The study's folder.
        folder: PathBuf,
        /// The document.
        document: PathBuf,
    },
    /// Another process starts this study's runs.
    #[error("{folder} is in use by process {process}, another `study run`; wait until it ends, or stop it with Ctrl-C")]
    Busy {
        /// The study's folder.
        folder: PathBuf,
        /// Its process number.
        process: String,
    },
    /// Slurm still has jobs of this study.
    #[error(
        "{folder}: Slurm still has its jobs {jobs}, and a run should not be there twice; wait until they end, or cancel them: \
         scancel {jobs}"
    )]
    Queued {
        /// The study's folder.
        folder: PathBuf,
        /// Numbers of the jobs.
        jobs: String,
    },
    /// No such run.
    #[error("there is no run {index}: {folder} has {runs} runs, numbered from 0")]
    NoRun {
        /// What was asked for.
        index: usize,
        /// The study's folder.
        folder: PathBuf,
        /// How many there are.
        runs: usize,
    },
    /// A run whose sources are not finished.
    #[error("run {index} comes after run {first} ({path}), which is not finished; start that one first")]
    NotReady {
        /// The run.
        index: usize,
        /// The first of those that it waits for.
        first: usize,
        /// Its folder.
        path: PathBuf,
    },
    /// A program cannot be started, or refuses.
    #[error("{program}: {why}")]
    Launch {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
    /// The run or its settings.
    #[error(transparent)]
    Train(#[from] train::TrainError),
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
