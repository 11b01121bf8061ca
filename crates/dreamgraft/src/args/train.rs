//! Arguments of the commands that train, of `transfer plan`, and of `bench`.

use super::{Inherits, Settings};
use crate::device::Where;
use crate::exit;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The long help of `dreamgraft train`.
pub(super) const TRAIN: &str = "Train an agent on one task or several, or go on with a run that was \
    stopped.\n\n\
    The run folder keeps the configuration, metrics (metrics.jsonl and TensorBoard events), episodes, checkpoints and \
    videos. Running the same command again goes on from the last checkpoint; Ctrl-C, SIGTERM, SIGUSR1 and SIGHUP save one \
    first, and end with exit code 75. To train a finished run for longer, give the same command with more --steps.\n\n\
    With several tasks, one agent learns all of them at once: it collects an episode of every task in turn, and is not told \
    which one it faces. Shorter actions are padded to the longest. Their order is that of collection, and part of the run: in \
    another order it is another run, with a folder of its own.\n\n\
    With --from, --plan or --universal, the agent begins with what it takes from earlier ones; `dreamgraft transfer plan` \
    shows what that would be. A run that goes on takes nothing again, and its sources may be gone.\n\n\
    The environment variable DREAMGRAFT_SIMD (avx512, avx2, neon or plain) names the SIMD instruction set to compute with; \
    without it, the widest that this CPU supports is used. Other sets give other last bits (docs/portability.md).";

/// The long help of `dreamgraft bench`.
pub(super) const BENCH: &str = "Measure how fast gradient and policy steps are on this machine: one JSON \
    line.\n\n\
    The data are random, no environment is played: it is the agent alone that is measured. Sizes are those at which other \
    programs were measured (docs/performance.md). The environment variable DREAMGRAFT_SIMD (avx512, avx2, neon or plain) \
    names the SIMD instruction set to compute with.";

/// `dreamgraft train`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::RUN))]
pub struct Train {
    /// The tasks and how they are learned
    #[command(flatten)]
    pub settings: Settings,
    /// Environment frames to train for, such as 1e5, 100000 or 100_000; the episode (of several tasks, the round of episodes)
    /// in which they are reached is played to its end
    #[arg(long, value_name = "FRAMES", allow_negative_numbers = true)]
    pub steps: Option<String>,
    /// The run folder [default: runs/TASK/PRESET/SEED, several tasks joined by +; with transfer, its plan and sources are
    /// appended to PRESET]
    #[arg(long, value_name = "DIR")]
    pub logdir: Option<PathBuf>,
    /// If another process works in the run folder, wait until it ends instead of refusing, and go on from where it is then
    #[arg(long)]
    pub wait: bool,
    /// Where gradient steps are taken
    #[command(flatten)]
    pub device: Where,
    /// What the agent begins with
    #[command(flatten)]
    pub inherits: Inherits,
}

/// `dreamgraft transfer`.
#[derive(Debug, Subcommand)]
pub enum Transfer {
    /// Print, for every parameter of a new agent: source, shape, rule, and norm before and after; nothing is written
    Plan(TransferPlan),
    /// Rank earlier agents by how much they promise to help on a task
    #[command(long_about = super::rank::RANK)]
    Rank(super::rank::TransferRank),
}

/// `dreamgraft transfer plan`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::TRANSFER_PLAN))]
pub struct TransferPlan {
    /// The tasks and how they are to be learned
    #[command(flatten)]
    pub settings: Settings,
    /// What the agent would begin with
    #[command(flatten)]
    pub inherits: Inherits,
    /// Print JSON instead of tables for people
    #[arg(long)]
    pub json: bool,
}

/// `dreamgraft bench`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::BENCH))]
pub struct Bench {
    /// Sizes to begin with: paper (the published ones) or small (batch 16 x 32, depth 16; not the preset of that name)
    #[arg(long, default_value = "small", value_name = "NAME", value_parser = ["paper", "small"], hide_possible_values = true)]
    pub preset: String,
    /// One setting, laid over the sizes, such as agent.horizon=10; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Gradient steps to measure, after one that makes room for all others
    #[arg(long, default_value_t = 15, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub steps: u64,
    /// Where gradient steps are taken
    #[command(flatten)]
    pub device: Where,
}
