//! Questions that callers ask about an error of a run: its report, its damage, and its kind.

use super::TrainError;
use crate::output::OutputError;
use dreamer::{DreamerError, USE_ANOTHER};
use environment::TaskError;
use replay::{EpisodeError, FileError, ReplayError};
use std::path::PathBuf;
use tape::plan::MachineError;

impl TrainError {
    /// The report of a failed environment of another program, on several lines; `None` if the message is complete.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Task(error) => error.details(),
            Self::Halted { source, .. } => source.details(),
            _ => None,
        }
    }

    /// The fault of a checkpoint, without the advice to use another one: for callers that use another one.
    pub fn damage(&self) -> String {
        let text = self.to_string();
        text.strip_suffix(USE_ANOTHER).unwrap_or(&text).to_owned()
    }

    /// Whether reading or writing failed or an environment of another program failed, as opposed to an error in the content of
    /// a file.
    pub fn is_of_the_system(&self) -> bool {
        match self {
            Self::Io { .. }
            | Self::Folder { .. }
            | Self::Task(TaskError::External { .. })
            | Self::Agent(
                DreamerError::Io { .. }
                | DreamerError::Memory { .. }
                | DreamerError::Machine(MachineError::Failed { .. }),
            )
            | Self::EpisodeFile(FileError::Io { .. })
            | Self::Replay(ReplayError::File(FileError::Io { .. }))
            | Self::Output(OutputError::Io { .. }) => true,
            Self::Halted { source, .. } => source.is_of_the_system(),
            _ => false,
        }
    }

    /// Whether a number became infinite or NaN.
    pub fn is_of_numbers(&self) -> bool {
        match self {
            Self::NotFinite { .. } | Self::Diverged { .. } => true,
            Self::Episode { source, .. } => matches!(source, EpisodeError::NotFinite { array: "action", .. }),
            _ => false,
        }
    }

    /// For `map_err`: the file or folder at `path` cannot be read or written.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
