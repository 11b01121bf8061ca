//! Arguments of `episodes` and its commands.

use crate::exit;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The long help of `dreamgraft episodes add`.
const ADD: &str = "Add episodes that other programs collected to those that a run learns from.\n\n\
    The files can come from dreamgraft, Dreamer, DreamerV2 or dreamerv3-torch. Each has one episode, with images of 64 x \
    64 pixels. They are copied into RUN/episodes/added, unless the run has them already. The run learns from them when \
    it is resumed. They count as older than the run's own episodes, and their frames are not counted.";

/// `dreamgraft episodes`.
#[derive(Debug, Subcommand)]
pub enum EpisodesCommand {
    /// Add episodes that other programs collected to those that a run learns from
    #[command(long_about = ADD)]
    Add(AddArgs),
}

/// `dreamgraft episodes add`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::EPISODES))]
pub struct AddArgs {
    /// The run folder
    pub run: PathBuf,
    /// The files of the episodes
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The task of the episodes [default: the task that a file names, or else the only task of the run]
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
}
