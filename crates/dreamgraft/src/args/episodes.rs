//! Arguments of `episodes` and its commands.

use crate::exit;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The long help of `dreamgraft episodes add`.
const ADD: &str = "Add episodes that other programs collected to those that a run \
    learns from.\n\n\
    The files are those of this program, or of Dreamer, DreamerV2 or dreamerv3-torch: one episode each, with images of 64 x 64 \
    pixels. They are copied into RUN/episodes/added, unless the run has them already. The run learns from them when it is resumed; they count \
    as older than its own episodes, and not as frames of the run.";

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
    /// The episodes' files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The task of the episodes [default: the task that a file names; without one, the only task of the run]
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
}
