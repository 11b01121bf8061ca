//! The arguments of `dreamgraft transfer rank`.

use super::number::{whole, whole_between};
use crate::exit;
use clap::Args;
use std::path::PathBuf;

/// The description of `dreamgraft transfer rank`.
pub const RANK: &str = "Rank earlier agents by how much they are likely to help with a task, before training.\n\n\
    All agents are run on the same episodes of the task. The scores measure how well each agent reconstructs and predicts \
    the observations, and how well its latent state predicts the rewards. The table always contains an untrained agent \
    as a control. Nothing is trained, and only the file of --plan is written. The page \"Transfer\" of the documentation \
    explains how far the scores can be trusted, and the page \"Reference of transfer\" explains each of them.";

/// `dreamgraft transfer rank`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::TRANSFER_PLAN))]
pub struct TransferRank {
    /// The task that a new agent is to learn
    #[arg(value_name = "TASK")]
    pub task: String,
    /// An agent to rank: a run folder, a checkpoint folder, an agent.safetensors file, or an export; can be repeated
    #[arg(long, value_name = "RUN", required = true)]
    pub from: Vec<PathBuf>,
    /// An agent that was trained on the task itself, as a second control
    #[arg(long, value_name = "RUN")]
    pub target: Option<PathBuf>,
    /// Use the newest episodes of this run instead of episodes of random actions
    #[arg(long, value_name = "RUN")]
    pub episodes_of: Option<PathBuf>,
    /// The number of episodes
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = whole_between::<2, 1000>, allow_negative_numbers = true)]
    pub episodes: u64,
    /// The seed of the episodes and of the untrained agent
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
    /// A file of settings, as for `dreamgraft train`; only those of the task are used
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A setting of the task, such as task.observe=vector; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Write a transfer plan based on the ranking to this file, which must not exist yet
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}
