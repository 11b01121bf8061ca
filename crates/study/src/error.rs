//! Errors of a study. Each message names the value, the place and the next step.

use std::path::PathBuf;

/// An error of a study.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A folder without a manifest.
    #[error(
        "{path} is not the folder of a study: it does not contain {}. `dreamgraft study run FILE` creates such a \
         folder",
        crate::manifest::FILE
    )]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// A folder with other files.
    #[error("{path} {why}; choose a new or empty folder with --dir")]
    NotAStudy {
        /// The folder.
        path: PathBuf,
        /// The fault.
        why: String,
    },
    /// A manifest that cannot be used.
    #[error("{path}: {why}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The problem and the next step.
        why: String,
    },
    /// A study file that cannot be used.
    #[error("{place}: {why}")]
    StudyFile {
        /// The file, and its line if that is known.
        place: String,
        /// The problem and the next step.
        why: String,
    },
    /// An agent that the study file names, and that cannot be used.
    #[error("{place}: {why}")]
    Agent {
        /// The file, and its line if that is known.
        place: String,
        /// The agent and its problem.
        why: Box<train::TrainError>,
    },
    /// A folder that was created from another study file, or from the same one before it was edited.
    #[error(
        "{folder} was created from a different version of {file}, of a plan, or of an agent that it names (an agent that \
         has been trained further counts as a different version). Restore what has changed, or choose another folder with \
         --dir, or remove {folder}/{} to continue with the present versions: finished runs with unchanged commands stay \
         finished",
        crate::manifest::FILE
    )]
    Changed {
        /// The study's folder.
        folder: PathBuf,
        /// The study file.
        file: PathBuf,
    },
    /// Another process starts this study's runs.
    #[error(
        "{folder} is in use by another `study run` (process {process}); wait until it ends, or stop it with Ctrl-C"
    )]
    Busy {
        /// The study's folder.
        folder: PathBuf,
        /// Its process number.
        process: String,
    },
    /// Slurm still has jobs of this study.
    #[error(
        "the jobs {jobs} of {folder} are still on Slurm, and a run must not be submitted twice. Wait until they end, \
         or cancel them: scancel {jobs}"
    )]
    Queued {
        /// The study's folder.
        folder: PathBuf,
        /// Numbers of the jobs.
        jobs: String,
    },
    /// No such run.
    #[error(
        "run {index} does not exist: {folder} has {}, numbered from 0",
        wording::counted(*runs as u64, "run")
    )]
    NoRun {
        /// The requested number.
        index: usize,
        /// The study's folder.
        folder: PathBuf,
        /// How many there are.
        runs: usize,
    },
    /// A run whose sources are not finished.
    #[error("run {index} depends on run {first} ({path}), which is not finished; start run {first} first")]
    NotReady {
        /// The run.
        index: usize,
        /// The first of those that it waits for.
        first: usize,
        /// Its folder.
        path: PathBuf,
    },
    /// Pilot runs on Slurm.
    #[error(
        "the method {method:?} chooses by pilot runs, whose candidates wait for each other: only `study run` with the \
         local launcher can start them; use that, or put the method into a study of its own"
    )]
    PilotOnSlurm {
        /// The method.
        method: String,
    },
    /// A study whose folder has a run of other settings.
    #[error("{why}; to train it again, remove the folder {path}, or give the study another folder with --dir")]
    OtherRun {
        /// The run's folder.
        path: PathBuf,
        /// The differences.
        why: String,
    },
    /// A folder of shared runs that is part of a study or of a run.
    #[error("--share {path}: it is {what}; give a separate folder for shared runs")]
    ShareIsOccupied {
        /// The folder.
        path: PathBuf,
        /// The kind of the record.
        what: &'static str,
    },
    /// A shared run that cannot be used.
    #[error("{path} is not an intact shared run: {why}; remove this folder, and the run is trained again")]
    Shared {
        /// Its folder.
        path: PathBuf,
        /// The problem.
        why: String,
    },
    /// A program cannot be started, or refuses.
    #[error("{program}: {why}")]
    Launch {
        /// The program.
        program: String,
        /// The cause.
        why: String,
    },
    /// The run or its settings.
    #[error(transparent)]
    Train(#[from] train::TrainError),
    /// A file cannot be read or written.
    #[error("{path}: {}", wording::of_system(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
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
