//! Arguments of the commands for other programs: `act`, `serve`, `inspect` and `export`.

use super::number::{whole, whole_between};
use crate::exit;
use clap::Args;
use std::path::PathBuf;

/// The long help of `dreamgraft act`.
pub(super) const ACT: &str = "Serve an agent to another program, over standard input and output.\n\n\
    The command answers the messages hello, reset and act of the protocol: it reads observations and \
    writes actions. In Python, use dreamgraft.load(RUN) instead.";

/// The long help of `dreamgraft serve`.
pub(super) const SERVE: &str = "Serve a task to another program, over standard input and output.\n\n\
    The command answers the messages hello, reset and step of the protocol: it reads actions and \
    writes observations and rewards. In Python, use gymnasium.make(\"dreamgraft/TASK-v0\") instead.";

/// `dreamgraft act`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PLAY))]
pub struct Act {
    /// A run folder, one of its checkpoint folders, an agent.safetensors file, or an export
    pub run: PathBuf,
    /// The task to act in [default: the first that the agent was trained for]
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
}

/// `dreamgraft serve`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PRINT))]
pub struct Serve {
    /// The task to serve (`dreamgraft tasks` lists them), or an external environment: gymnasium:ID,
    /// python:MODULE:CALLABLE or program:FILE
    pub task: String,
}

/// `dreamgraft inspect`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PLAY))]
pub struct Inspect {
    /// A run folder, one of its checkpoint folders, an agent.safetensors file, an export, or a folder with runs in it
    #[arg(value_name = "RUN|DIR")]
    pub place: PathBuf,
    /// Print one line of JSON per run instead of text
    #[arg(long)]
    pub json: bool,
}

/// `dreamgraft export`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PLAY))]
pub struct Export {
    /// A run folder, one of its checkpoint folders, or an agent.safetensors file
    pub run: PathBuf,
    /// The folder to write; it must be empty or not exist yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Number of episodes of each task to play for the results in the export
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = whole_between::<1, 10_000>, allow_negative_numbers = true)]
    pub episodes: u64,
    /// The seed of the initial states of these episodes
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
}
