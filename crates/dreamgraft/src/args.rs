//! What was typed.
//!
//! Here: the words, their help, and nothing of what they mean (`meaning`).

use crate::exit;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Trains agents that learn a world model from pixels and plan by imagining.
#[derive(Debug, Parser)]
#[command(name = "dreamgraft", version, about, max_term_width = 100, arg_required_else_help = true, after_help = exit::HELP)]
pub struct Typed {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent on a task, or go on with a run that was stopped
    Train(Train),
    /// Play episodes with a trained agent and print their returns
    Eval(Eval),
    /// List the tasks
    Tasks,
}

/// `dreamgraft train`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP, long_about = "Train an agent on a task, or go on with a run that was stopped.\n\n\
    The run folder keeps the configuration, metrics (metrics.jsonl and TensorBoard events), episodes, checkpoints and \
    videos. Running the same command again goes on from the last checkpoint; Ctrl-C saves one first. To train a \
    finished run for longer, give the same command with more --steps.")]
pub struct Train {
    /// The task to learn (`dreamgraft tasks` lists them)
    pub task: String,
    /// Named settings to begin with: paper (the published sizes, 1e6 frames), small (for a computer without accelerator,
    /// 1e5 frames) or smoke (tiny: does everything work here?)
    #[arg(long, default_value = "small", value_name = "NAME")]
    pub preset: String,
    /// The number from which all random numbers of the run are made
    #[arg(long, value_name = "N")]
    pub seed: Option<String>,
    /// Environment frames to train for, such as 1e5, 100000 or 100_000
    #[arg(long, value_name = "FRAMES")]
    pub steps: Option<String>,
    /// The run folder [default: runs/TASK/PRESET/SEED]
    #[arg(long, value_name = "DIR")]
    pub logdir: Option<PathBuf>,
    /// A TOML file of settings, laid over the preset; a run folder's config.toml is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting, laid over all others, such as agent.horizon=10; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `dreamgraft eval`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct Eval {
    /// A run folder, a folder in its checkpoints, or an agent.safetensors in one
    pub run: PathBuf,
    /// Episodes to play
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub episodes: u64,
    /// The number from which starts and actions are made: the same one gives the same returns
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// The task to play [default: the one that the agent was trained for]
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
    /// Write the last episode as a GIF
    #[arg(long, value_name = "FILE.gif")]
    pub video: Option<PathBuf>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}
