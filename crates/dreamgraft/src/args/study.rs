//! Arguments of `study` and its commands, and of `watch`.

use super::device::DeviceOption;
use super::number::{port, size_between, whole_between};
use crate::exit;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The long help of `dreamgraft study run`.
const RUN: &str = "Run a study or resume it, and write its report.\n\n\
    Finished runs stay finished, and stopped runs resume: to continue a study, run the same command again. On Ctrl-C, \
    SIGTERM and the other signals that stop a run, all runs save a checkpoint, and the command ends with exit code 75. \
    DIR/logs contains the output of each run.";

/// The long help of `dreamgraft study run-one`.
const RUN_ONE: &str = "Run a single run of a study, for job arrays on a cluster.\n\n\
    The runs on which it depends must be finished. If the run itself is finished, the command prints that and ends with \
    0. If another process is working on the run, the command waits. After exit code 75, start the same command again.";

/// The long help of `dreamgraft study report`.
const REPORT: &str = "Write the report of a study: report.html, a page that works without a network, and the same \
    results as report.md, figures.csv and curves.json.\n\n\
    The report includes unfinished runs with the frames that they have so far, and marks them. For a folder without a \
    study, such as runs, it includes every run in the folder.";

/// The long help of `dreamgraft watch`.
pub(super) const WATCH: &str = "Show the runs in a folder as a live page in a browser.\n\n\
    The page is the same as that of `dreamgraft study report`, and updates itself. It is served at 127.0.0.1, so only \
    this machine can open it; from another machine, forward any port to it with `ssh -L`. Nothing is written. Ctrl-C \
    ends the command.";

/// `dreamgraft study`.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Print the runs of a study, their order, and estimates of time, memory and files; nothing is written
    Plan(PlanArgs),
    /// Run a study or resume it, and write its report
    #[command(long_about = RUN)]
    Run(RunArgs),
    /// Print the progress of the runs of a study
    Status(StatusArgs),
    /// Run a single run of a study, for job arrays on a cluster
    #[command(long_about = RUN_ONE)]
    RunOne(RunOneArgs),
    /// Write the report of a study: a page with curves, tables and images, and the same results as Markdown, CSV and
    /// JSON
    #[command(long_about = REPORT)]
    Report(ReportArgs),
}

/// A study file and the folder of the study.
#[derive(Debug, Args)]
pub struct StudyPlace {
    /// The study file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The folder of the study [default: studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `dreamgraft study plan`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::STUDY))]
pub struct PlanArgs {
    /// The study
    #[command(flatten)]
    pub place: StudyPlace,
    /// Number of simultaneous runs, for the estimate [default: one per core]
    #[arg(long, value_name = "N", value_parser = whole_between::<1, 10_000>, allow_negative_numbers = true)]
    pub jobs: Option<u64>,
    /// The folder of finished runs that studies share, as for `study run`
    #[arg(long, value_name = "DIR")]
    pub share: Option<PathBuf>,
}

/// How runs are started.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Launcher {
    /// Processes on this machine
    Local,
    /// Job arrays on a Slurm cluster
    Slurm,
}

/// `dreamgraft study run`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::STUDY_RUN))]
pub struct RunArgs {
    /// The study
    #[command(flatten)]
    pub place: StudyPlace,
    /// Number of simultaneous runs, which share the cores [default: one per core; with a GPU, 1]
    #[arg(long, value_name = "N", value_parser = whole_between::<1, 10_000>, allow_negative_numbers = true)]
    pub jobs: Option<u64>,
    /// How runs are started
    #[arg(long, value_name = "NAME", default_value = "local")]
    pub launcher: Launcher,
    /// A folder of finished runs that studies share: runs that are already there are copied instead of trained, and newly
    /// finished runs are added
    #[arg(long, value_name = "DIR")]
    pub share: Option<PathBuf>,
    /// With --launcher slurm: a TOML file with the resources of each run
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// With --launcher slurm: write the scripts to DIR/slurm without submitting them
    #[arg(long)]
    pub dry_run: bool,
    /// The device for gradient steps
    #[command(flatten)]
    pub device: DeviceOption,
}

/// `dreamgraft study status`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::STUDY))]
pub struct StatusArgs {
    /// The study file or the folder of the study
    #[arg(value_name = "FILE|DIR")]
    pub study: PathBuf,
    /// The folder of the study, if FILE is a study file [default: studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print JSON: one object per line and run
    #[arg(long)]
    pub json: bool,
}

/// `dreamgraft study run-one`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::RUN))]
pub struct RunOneArgs {
    /// The study
    #[command(flatten)]
    pub place: StudyPlace,
    /// The number of the run, from 0 (`study plan` lists them)
    #[arg(long, value_name = "K", value_parser = size_between::<0, 1_000_000>, allow_negative_numbers = true)]
    pub index: usize,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = size_between::<0, 4096>, allow_negative_numbers = true)]
    pub threads: Option<usize>,
    /// The folder of finished runs that studies share, as for `study run`; a run that is finished already is added to it
    #[arg(long, value_name = "DIR")]
    pub share: Option<PathBuf>,
    /// The device for gradient steps
    #[command(flatten)]
    pub device: DeviceOption,
}

/// `dreamgraft study report`.
#[derive(Debug, Default, Args)]
#[command(after_long_help = exit::help(exit::STUDY))]
pub struct ReportArgs {
    /// A study file, the folder of a study, or any folder with runs in it
    #[arg(value_name = "FILE|DIR")]
    pub study: PathBuf,
    /// The folder of the study, if FILE is a study file [default: studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The folder for the report [default: report, in the folder of the study]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The method that the others are compared with, by its name in tables [default: that of the study file, or else the
    /// one that starts from scratch]
    #[arg(long, value_name = "METHOD")]
    pub baseline: Option<String>,
    /// Maximum size of all images and videos in the page, in MiB; 0 for none [default: 24]
    #[arg(long, value_name = "MIB", value_parser = whole_between::<0, 1000>, allow_negative_numbers = true)]
    pub images: Option<u64>,
}

/// `dreamgraft watch`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::WATCH))]
pub struct Watch {
    /// The folder of a study, or any folder with runs in it
    #[arg(value_name = "DIR", default_value = "runs")]
    pub logdir: PathBuf,
    /// The port; 0 for any free port
    #[arg(long, default_value_t = 7077, value_name = "PORT", value_parser = port, allow_negative_numbers = true)]
    pub port: u16,
}
