//! The arguments of `dreamgraft transfer rank`.

use crate::exit;
use clap::Args;
use std::path::PathBuf;

/// The description of `dreamgraft transfer rank`.
pub const RANK: &str = "Rank earlier agents by how much they promise to help on a task, before anything is trained.\n\n\
    Every agent is run on the same episodes of the task: does it reconstruct what is seen there, does it predict what happens, and \
    does its latent state tell what is rewarded? An untrained agent is always in the table as a control. Nothing is trained, and \
    nothing is written but the file of --plan. The page \"Transfer\" of the documentation explains the scores.";

/// `dreamgraft transfer rank`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::TRANSFER_PLAN))]
pub struct TransferRank {
    /// The task that a new agent is to learn
    #[arg(value_name = "TASK")]
    pub task: String,
    /// An agent to rank: a run folder, a checkpoint folder, or an agent.safetensors in one; can be given several times
    #[arg(long, value_name = "RUN", required = true)]
    pub from: Vec<PathBuf>,
    /// An agent of the task itself, as a second control
    #[arg(long, value_name = "RUN")]
    pub target: Option<PathBuf>,
    /// Use the newest episodes of this run instead of episodes of random actions
    #[arg(long, value_name = "RUN")]
    pub episodes_of: Option<PathBuf>,
    /// The number of episodes
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=1000))]
    pub episodes: u64,
    /// The seed of the episodes and of the untrained agent
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64))]
    pub seed: u64,
    /// Write a transfer plan made of the ranking into this file, which must not exist yet
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}
