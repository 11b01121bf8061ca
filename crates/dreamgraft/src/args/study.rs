//! Arguments of `study` and its commands, and of `watch`.

use crate::device::Where;
use crate::exit;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `dreamgraft study`.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Print what a study would run, in which order, and about how long it takes; nothing is written
    Plan(PlanArgs),
    /// Run a study, or go on with it, and write its report
    Run(RunArgs),
    /// Show how far the runs of a study are
    Status(StatusArgs),
    /// Run one run of a study, for the tasks of a cluster's job array
    RunOne(RunOneArgs),
    /// Write what came of a study: a page with curves, tables and pictures, and the same as Markdown, CSV and JSON
    Report(ReportArgs),
}

/// A study's document and folder.
#[derive(Debug, Args)]
pub struct StudyFile {
    /// The study's document (docs/studies.md)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The study's folder [default: studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `dreamgraft study plan`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::STUDY))]
pub struct PlanArgs {
    /// The study
    #[command(flatten)]
    pub place: StudyFile,
    /// Runs at once, for the estimate of time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub jobs: Option<u64>,
}

/// Who starts the runs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Launcher {
    /// Processes on this machine
    Local,
    /// Job arrays on a Slurm cluster
    Slurm,
}

/// `dreamgraft study run`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::STUDY_RUN), long_about = "Run a study, or go on with it, and write its report.\n\n\
    Runs that are finished stay finished, runs that were stopped go on: the same command again is all it takes. Ctrl-C and \
    SIGTERM have all runs save a checkpoint, and end with exit code 75. What each run prints is in DIR/logs.")]
pub struct RunArgs {
    /// The study
    #[command(flatten)]
    pub place: StudyFile,
    /// Runs at once; cores are divided among them [default: one per core; with a device, 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub jobs: Option<u64>,
    /// Who starts the runs
    #[arg(long, value_name = "NAME", default_value = "local")]
    pub launcher: Launcher,
    /// With --launcher slurm: a TOML file of what each run asks of the cluster
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// With --launcher slurm: write the scripts into DIR/slurm, and submit nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where gradient steps are taken
    #[command(flatten)]
    pub device: Where,
}

/// `dreamgraft study status`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::STUDY))]
pub struct StatusArgs {
    /// The study's document or its folder
    #[arg(value_name = "FILE|DIR")]
    pub study: PathBuf,
    /// The study's folder, if a document is given [default: studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print JSON: an object on a line for each run
    #[arg(long)]
    pub json: bool,
}

/// `dreamgraft study run-one`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::RUN), long_about = "Run one run of a study, for the tasks of a cluster's job array.\n\n\
    The runs that it comes after must be finished. If it is finished itself, it says so and ends with 0; if another process \
    works on it, that one is waited for. Exit code 75 asks to be started again.")]
pub struct RunOneArgs {
    /// The study
    #[command(flatten)]
    pub place: StudyFile,
    /// The run's number, from 0: `study plan` lists them
    #[arg(long, value_name = "K")]
    pub index: usize,
    /// Threads of the run [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Where gradient steps are taken
    #[command(flatten)]
    pub device: Where,
}

/// `dreamgraft study report`.
#[derive(Debug, Default, Args)]
#[command(after_long_help = exit::help(exit::STUDY), long_about = "Write what came of a study: report.html, one page that needs no network, and \
    the same as report.md, figures.csv and curves.json (docs/reports.md explains every figure).\n\n\
    Runs that are not finished are told of as far as they are, and marked. A folder without a study will do too, such as \
    runs: every run in it is told of.")]
pub struct ReportArgs {
    /// The study's document or its folder, or any folder with runs in it
    #[arg(value_name = "FILE|DIR")]
    pub study: PathBuf,
    /// The study's folder, if a document is given [default: studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the files are written [default: report, in the study's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The most MiB of pictures in the page; 0 for none [default: 24]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub pictures: Option<u64>,
}

/// `dreamgraft watch`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::WATCH), long_about = "Show the runs in a folder in a browser, and follow them while they go on.\n\n\
    The page is that of `dreamgraft study report`; it renews itself. It is served to this machine alone, at 127.0.0.1, and \
    nothing is written. Ctrl-C ends it.")]
pub struct Watch {
    /// A study's folder, or any folder with runs in it
    #[arg(value_name = "LOGDIR", default_value = "runs")]
    pub logdir: PathBuf,
    /// The port; 0 for any that is free
    #[arg(long, default_value_t = 7077, value_name = "PORT")]
    pub port: u16,
}
