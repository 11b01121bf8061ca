//! All exit codes, and the exit code of each error.

use std::io::ErrorKind;
use study::results::ResultsError;
use train::config::ConfigError;
use train::output::OutputError;
use train::{DreamerError, MachineError, MisfitError, TaskError, TrainError};
use transfer::{PlanError, SourceError, TransferError};

/// The error with which a command ends.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Arguments that contradict each other.
    #[error("{0}")]
    Arguments(String),
    /// A SIMD instruction set that does not exist, or that this CPU lacks.
    #[error(transparent)]
    Simd(#[from] train::SimdError),
    /// A device that cannot be used.
    #[error(transparent)]
    Device(#[from] cuda::CudaError),
    /// A run, its configuration or its transfer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A study: its study file, its folder, starting its runs.
    #[error(transparent)]
    Study(#[from] study::StudyError),
    /// Output that another program was to read.
    #[error("cannot write to standard output: {source}")]
    Output {
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Lines about work that is done nevertheless.
    #[error("cannot write to standard output: {}; the command did everything else", wording::of_system(source))]
    Unsaid {
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Results of runs, or a page about them.
    #[error(transparent)]
    Results(#[from] ResultsError),
}

impl Failure {
    /// The report of an external environment about its failure, on several lines; `None` if the message contains all of
    /// it.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Train(error) => error.details(),
            _ => None,
        }
    }

    /// Whether a device, or its compiler, is at fault.
    pub fn is_of_a_device(&self) -> bool {
        matches!(self, Self::Device(_) | Self::Train(TrainError::Agent(DreamerError::Machine(_))))
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::Train(TransferError::from(error).into())
    }
}

impl From<&Failure> for Exit {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Arguments(_) | Failure::Simd(_) | Failure::Device(cuda::CudaError::Variable { .. }) => Self::Usage,
            Failure::Train(error) => Self::from(error),
            Failure::Study(error) => Self::from(error),
            Failure::Results(ResultsError::Study(error)) => Self::from(error),
            Failure::Results(ResultsError::NoMethod { .. }) => Self::Usage,
            Failure::Results(_) | Failure::Device(_) | Failure::Output { .. } | Failure::Unsaid { .. } => Self::Failed,
        }
    }
}

/// Exit codes, which are part of the program's interface. [`CODES`] has their meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// A file, a folder, a device, an external environment or the system prevented it.
    Failed = 1,
    /// The arguments, a configuration, a plan or a study file cannot be used.
    Usage = 2,
    /// A number became infinite or NaN.
    NotFinite = 3,
    /// The run folder or the study cannot be used as it is.
    FolderTaken = 4,
    /// A checkpoint cannot be used.
    Checkpoint = 5,
    /// Stopped by a signal after a checkpoint was saved.
    Stopped = study::local::STOPPED as u8,
    /// A panic; Rust's runtime ends the program with this code.
    Panicked = 101,
    /// Stopped at once by Ctrl-C after an earlier signal; shells use this code for programs that Ctrl-C ends.
    AtOnce = 130,
}

/// The meaning of an exit code.
#[derive(Debug)]
pub struct ExitCode {
    /// The code.
    pub exit: Exit,
    /// The cause, in one or two sentences.
    pub meaning: &'static str,
    /// The next step, in Markdown; empty if none is needed. Only `docs/exit-codes.md` prints it.
    #[cfg_attr(not(test), expect(dead_code, reason = "the page is compared with it"))]
    pub remedy: &'static str,
}

/// Every exit code, in ascending order. The help is made from this table, and a test compares `docs/exit-codes.md` with it.
pub const CODES: [ExitCode; 9] = [
    ExitCode { exit: Exit::Done, meaning: "The command did everything it was asked to do.", remedy: "" },
    ExitCode {
        exit: Exit::Failed,
        meaning: "A file, a folder, a device, an external environment or the operating system prevented the command from \
                  finishing.",
        remedy: "Free the space, permission, port or device that the message names, or fix the environment. The message also says \
                 what was saved and how to resume.",
    },
    ExitCode {
        exit: Exit::Usage,
        meaning: "The arguments, a configuration, a transfer plan or a study file cannot be used.",
        remedy: "Correct the argument or key that the message names. It gives the nearest valid name, or the allowed range.",
    },
    ExitCode {
        exit: Exit::NotFinite,
        meaning: "A loss, gradient, parameter or action became infinite or NaN.",
        remedy: "Start a new run from the last checkpoint with other settings, as below.",
    },
    ExitCode {
        exit: Exit::FolderTaken,
        meaning: "The run folder or the study cannot be used as it is.",
        remedy: "Wait (`--wait` does that), use the original settings, or choose another folder with `--logdir`.",
    },
    ExitCode {
        exit: Exit::Checkpoint,
        meaning: "A checkpoint of the run, or a source of a transfer, cannot be used.",
        remedy: "Where a command takes a RUN, give the folder of another checkpoint instead, such as \
                 `RUN/checkpoints/0000005000`.",
    },
    ExitCode {
        exit: Exit::Stopped,
        meaning: "The run was stopped by Ctrl-C, SIGTERM, SIGUSR1, SIGUSR2, SIGQUIT, SIGHUP or SIGXCPU, after it saved a \
                  checkpoint. A scheduler should start the same command again.",
        remedy: "Run the same command; it resumes exactly where it stopped. On Slurm, use `--signal=USR1@120 --requeue`, and \
                 `scontrol requeue` on code 75.",
    },
    ExitCode {
        exit: Exit::Panicked,
        meaning: "A bug in the program ended it.",
        remedy: "Please report it, with the message.",
    },
    ExitCode {
        exit: Exit::AtOnce,
        meaning: "A second Ctrl-C, after a signal had already asked the command to stop, ended it at once.",
        remedy: "Run the same command; it resumes from the last checkpoint.",
    },
];

/// The exit codes of a command that is a run. A panic can end any command, so no help lists its code.
pub const RUN: &[Exit] = &[
    Exit::Done,
    Exit::Failed,
    Exit::Usage,
    Exit::NotFinite,
    Exit::FolderTaken,
    Exit::Checkpoint,
    Exit::Stopped,
    Exit::AtOnce,
];
/// The exit codes of commands that play episodes with the agent of a checkpoint.
pub const PLAY: &[Exit] =
    &[Exit::Done, Exit::Failed, Exit::Usage, Exit::NotFinite, Exit::FolderTaken, Exit::Checkpoint];
/// The exit codes of `transfer plan`, which reads checkpoints but does not train.
pub const TRANSFER_PLAN: &[Exit] = &[Exit::Done, Exit::Failed, Exit::Usage, Exit::FolderTaken, Exit::Checkpoint];
/// The exit codes of commands that print or write something and read neither runs nor studies.
pub const PRINT: &[Exit] = &[Exit::Done, Exit::Failed, Exit::Usage];
/// The exit codes of commands that read a study file, the agents that it names, and the folder of a study.
pub const STUDY: &[Exit] = &[Exit::Done, Exit::Failed, Exit::Usage, Exit::FolderTaken, Exit::Checkpoint];
/// The exit codes of `study run`. The exit codes of its runs are in its messages and in their logs.
pub const STUDY_RUN: &[Exit] =
    &[Exit::Done, Exit::Failed, Exit::Usage, Exit::FolderTaken, Exit::Checkpoint, Exit::Stopped, Exit::AtOnce];
/// The codes of `episodes`.
pub const EPISODES: &[Exit] = &[Exit::Done, Exit::Failed, Exit::Usage, Exit::FolderTaken];
/// The codes of `watch`.
pub const WATCH: &[Exit] = &[Exit::Done, Exit::Failed, Exit::Usage, Exit::AtOnce];

/// The part of a help text that explains these exit codes.
pub fn help(codes: &[Exit]) -> String {
    let mut text = "Exit codes:".to_owned();
    for ExitCode { exit, meaning, .. } in CODES.iter().filter(|code| codes.contains(&code.exit)) {
        let number = *exit as u8;
        text.push_str(&format!("\n  {number:<3}"));
        let mut column = INDENT;
        for word in meaning.split(' ') {
            if column + 1 + word.len() > WIDTH {
                text.push_str(&format!("\n{:INDENT$}", ""));
                column = INDENT;
            }
            text.push_str(&format!(" {word}"));
            column += 1 + word.len();
        }
    }
    text
}

/// The longest line of [`help`], in characters.
const WIDTH: usize = 80;
/// Characters before the blank and a meaning.
const INDENT: usize = 5;

impl From<&study::StudyError> for Exit {
    fn from(error: &study::StudyError) -> Self {
        use study::StudyError;
        match error {
            StudyError::StudyFile { .. } | StudyError::NoRun { .. } | StudyError::PilotOnSlurm { .. } => Self::Usage,
            StudyError::NoManifest { .. }
            | StudyError::NotAStudy { .. }
            | StudyError::OtherRun { .. }
            | StudyError::ShareIsOccupied { .. }
            | StudyError::NotReady { .. }
            | StudyError::Manifest { .. }
            | StudyError::Changed { .. }
            | StudyError::Busy { .. }
            | StudyError::Queued { .. } => Self::FolderTaken,
            StudyError::Train(error) => Self::from(error),
            StudyError::Agent { why, .. } => Self::from(&**why),
            _ => Self::Failed,
        }
    }
}

impl From<&TrainError> for Exit {
    fn from(error: &TrainError) -> Self {
        match error {
            error if error.is_of_numbers() => Self::NotFinite,
            // An environment that has changed since makes a checkpoint useless; another task is one that was typed.
            TrainError::Misfit(MisfitError::ActionSize { task, learned, .. }) => {
                if learned.contains(task) {
                    Self::Checkpoint
                } else {
                    Self::Usage
                }
            }
            TrainError::Misfit(MisfitError::VectorsChanged { .. }) => Self::Checkpoint,
            // A path that is not a file's is one that was typed; a file that the system refuses to read is not.
            TrainError::Config(ConfigError::Read { source, .. }) => of_reading(source, Self::Usage),
            TrainError::Transfer(error) => of_transfer(error),
            TrainError::FitNeedsSources(error) => of_transfer(error),
            // The agent was fit to guide the run when it began, and does not exist any more.
            TrainError::GuideNeeded(error) if matches!(**error, TrainError::Guide { .. }) => Self::Checkpoint,
            TrainError::GuideNeeded(error) => Self::from(&**error),
            TrainError::Config(ConfigError::Stored { .. }) | TrainError::Output(OutputError::Line { .. }) => {
                Self::FolderTaken
            }
            TrainError::Config(_)
            | TrainError::Task(TaskError::UnknownTask { .. } | TaskError::ExternalName { .. })
            | TrainError::Misfit(
                MisfitError::Unsupported { .. }
                | MisfitError::Observations { .. }
                | MisfitError::NoArguments { .. }
                | MisfitError::MixedActions { .. }
                | MisfitError::Actions { .. },
            )
            | TrainError::NotLearned { .. }
            | TrainError::NoRun { .. }
            | TrainError::NoPolicy { .. }
            | TrainError::OtherTask { .. }
            | TrainError::TooShort { .. }
            | TrainError::Threads { .. }
            | TrainError::Memory { .. }
            | TrainError::EnvironmentMemory { .. }
            | TrainError::FrozenAtRandom { .. }
            | TrainError::ImaginesNothing { .. }
            | TrainError::Guide { .. }
            | TrainError::Rehearsal { .. }
            | TrainError::Share { .. }
            | TrainError::NoSource { .. }
            | TrainError::OwnSources { .. }
            | TrainError::Choice(_)
            | TrainError::Agent(
                DreamerError::Config { .. }
                | DreamerError::Memory { .. }
                | DreamerError::Machine(MachineError::TooMuch { .. }),
            ) => Self::Usage,
            TrainError::Busy { .. }
            | TrainError::Differs { .. }
            | TrainError::OtherTransfer { .. }
            | TrainError::WrongKind { .. }
            | TrainError::TransferRecord { .. }
            | TrainError::NotARunFolder { .. }
            | TrainError::NotARun { .. } => Self::FolderTaken,
            // Something else stands where the folder should be.
            TrainError::Folder { source, .. }
                if matches!(source.kind(), ErrorKind::AlreadyExists | ErrorKind::NotADirectory) =>
            {
                Self::FolderTaken
            }
            TrainError::OtherVersion { .. }
            | TrainError::Checkpoint { .. }
            | TrainError::NoCheckpoint { .. }
            | TrainError::NoneUsable { .. }
            | TrainError::CheckpointsGone { .. }
            | TrainError::EpisodesGone { .. }
            | TrainError::RehearsalGone { .. }
            | TrainError::Agent(DreamerError::Checkpoint { .. }) => Self::Checkpoint,
            _ => Self::Failed,
        }
    }
}

/// The code of a transfer that cannot be done.
fn of_transfer(error: &TransferError) -> Exit {
    match error {
        TransferError::Plan(PlanError::Read { source, .. }) => of_reading(source, Exit::Usage),
        TransferError::Source(
            SourceError::Read { source, .. } | SourceError::Agent { source: DreamerError::Io { source, .. }, .. },
        ) => of_reading(source, Exit::Checkpoint),
        TransferError::Source(SourceError::Agent { source: DreamerError::Memory { .. }, .. }) => Exit::Usage,
        TransferError::Source(_) => Exit::Checkpoint,
        TransferError::Record { .. } => Exit::Failed,
        _ => Exit::Usage,
    }
}

/// The code of a file that could not be read: `otherwise` if the path leads to no file, or to one of another kind.
fn of_reading(source: &std::io::Error, otherwise: Exit) -> Exit {
    match source.kind() {
        ErrorKind::NotFound
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::InvalidData
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename => otherwise,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_page_has_the_codes_and_meanings_of_the_table() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exit-codes.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
        let row = |code: &ExitCode| {
            let remedy = if code.remedy.is_empty() { String::new() } else { format!("{} ", code.remedy) };
            format!("| {} | {} | {remedy}|", code.exit as u8, code.meaning)
        };
        assert_eq!(rows, CODES.iter().map(row).collect::<Vec<_>>(), "the table of docs/exit-codes.md");
    }

    #[test]
    fn a_file_that_the_system_refuses_to_read_is_no_fault_of_what_was_typed() {
        let path = std::path::PathBuf::from("a.toml");
        let code = |kind: ErrorKind| {
            let source = || std::io::Error::from(kind);
            let config = TrainError::from(ConfigError::Read { path: path.clone(), source: source() });
            let plan = TransferError::from(PlanError::Read { path: path.clone(), source: source() });
            let agent = SourceError::Read { name: "source".to_owned(), path: path.clone(), source: source() };
            let agent = TransferError::from(agent);
            [config, plan.into(), agent.into()].map(|error: TrainError| Exit::from(&error))
        };
        assert_eq!(code(ErrorKind::PermissionDenied), [Exit::Failed; 3]);
        assert_eq!(code(ErrorKind::NotFound), [Exit::Usage, Exit::Usage, Exit::Checkpoint]);
        assert_eq!(code(ErrorKind::IsADirectory), [Exit::Usage, Exit::Usage, Exit::Checkpoint]);
    }

    #[test]
    fn every_code_is_in_the_table_once_and_in_ascending_order() {
        assert!(CODES.is_sorted_by_key(|code| code.exit as u8));
        for codes in [RUN, PLAY, TRANSFER_PLAN, PRINT, STUDY, STUDY_RUN, EPISODES, WATCH] {
            assert!(codes.is_sorted_by_key(|exit| *exit as u8) && !codes.contains(&Exit::Panicked));
        }
    }

    #[test]
    fn the_help_lists_the_asked_codes_on_lines_that_fit_a_terminal() {
        let text = help(PLAY);
        let start = "Exit codes:\n  0   The command did everything it was asked to do.\n  1   A file, a folder,";
        assert!(text.starts_with(start), "{text}");
        assert!(!text.contains("75") && text.contains("\n  5   A checkpoint"), "{text}");
        assert!(help(RUN).lines().all(|line| line.len() <= WIDTH && line.trim_end() == line));
    }
}
