//! How the program ends: every exit code, and which error gives which.

use study::results::ResultsError;
use train::{DreamerError, MachineError, TaskError, TrainError};
use transfer::{PlanError, TransferError};

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Words that do not go together.
    #[error("{0}")]
    Words(String),
    /// A SIMD instruction set that does not exist, or that this CPU lacks.
    #[error(transparent)]
    Simd(#[from] train::SimdError),
    /// A device that cannot be used.
    #[error(transparent)]
    Device(#[from] cuda::CudaError),
    /// A run, its configuration or its transfer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A study: its document, its folder, starting its runs.
    #[error(transparent)]
    Study(#[from] study::StudyError),
    /// Results of runs, or a page about them.
    #[error(transparent)]
    Results(#[from] ResultsError),
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::Train(TransferError::from(error).into())
    }
}

impl From<&Failure> for Exit {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Words(_) | Failure::Simd(_) | Failure::Device(cuda::CudaError::Variable { .. }) => Self::Usage,
            Failure::Train(error) => Self::from(error),
            Failure::Study(error) => Self::from(error),
            Failure::Results(ResultsError::Study(error)) => Self::from(error),
            Failure::Results(_) | Failure::Device(_) => Self::Failed,
        }
    }
}

/// Exit codes. Part of the program's interface: documented in the help and in `docs/exit-codes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// A file, a folder or the system stood in the way.
    Failed = 1,
    /// What was typed, a configuration or a plan of transfer cannot be used.
    Usage = 2,
    /// A loss, gradient, parameter or action stopped being a number.
    NotFinite = 3,
    /// Another process works in the run folder, or it was made with another configuration or transfer.
    FolderTaken = 4,
    /// A checkpoint is missing, damaged or of something else.
    Checkpoint = 5,
    /// Stopped by a signal after a checkpoint was saved: the same command goes on.
    Stopped = 75,
}

/// The end of the help text.
pub const HELP: &str = "Exit codes: 0 done, 1 a file or the system stood in the way, 2 wrong arguments, \
configuration or plan, 3 a loss, gradient, parameter or action became infinite or NaN, 4 the run folder is in use or was made with another \
configuration or transfer, 5 a checkpoint is missing, damaged or of something else, 75 stopped by Ctrl-C, SIGTERM, SIGUSR1 \
or SIGHUP with a checkpoint saved (the same command goes on), 130 stopped at once by a second Ctrl-C.";

/// The code that a second Ctrl-C ends with at once, as shells know it.
pub const AT_ONCE: i32 = 130;

impl From<&study::StudyError> for Exit {
    fn from(error: &study::StudyError) -> Self {
        use study::StudyError;
        match error {
            StudyError::Document { .. } | StudyError::NoRun { .. } => Self::Usage,
            StudyError::Manifest { .. }
            | StudyError::Changed { .. }
            | StudyError::Busy { .. }
            | StudyError::Queued { .. } => Self::FolderTaken,
            StudyError::Train(error) => Self::from(error),
            _ => Self::Failed,
        }
    }
}

impl From<&TrainError> for Exit {
    fn from(error: &TrainError) -> Self {
        match error {
            error if error.is_of_numbers() => Self::NotFinite,
            TrainError::Config(_)
            | TrainError::Task(TaskError::UnknownTask { .. })
            | TrainError::ActionSize { .. }
            | TrainError::TooShort { .. }
            | TrainError::Threads { .. }
            | TrainError::Memory { .. }
            | TrainError::FrozenAtRandom { .. }
            | TrainError::Agent(DreamerError::Config { .. } | DreamerError::Machine(MachineError::TooMuch { .. })) => {
                Self::Usage
            }
            TrainError::Transfer(TransferError::Source(_)) => Self::Checkpoint,
            TrainError::Transfer(TransferError::Record { .. }) => Self::Failed,
            TrainError::Transfer(_) => Self::Usage,
            TrainError::Busy { .. }
            | TrainError::Differs { .. }
            | TrainError::OtherTransfer { .. }
            | TrainError::NotARun { .. } => Self::FolderTaken,
            TrainError::Checkpoint { .. }
            | TrainError::NoCheckpoint { .. }
            | TrainError::CheckpointsGone { .. }
            | TrainError::Agent(DreamerError::Checkpoint { .. }) => Self::Checkpoint,
            _ => Self::Failed,
        }
    }
}
