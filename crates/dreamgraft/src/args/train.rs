//! Arguments of the commands that train, of `transfer plan`, and of `bench`.

use super::device::DeviceOption;
use super::number::whole_between;
use super::{Inherits, Settings};
use crate::exit;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The long help of `dreamgraft train`.
pub(super) const TRAIN: &str = "Train an agent on one or several tasks, or resume a run.\n\n\
    The run folder contains the configuration, metrics (metrics.jsonl and TensorBoard events), episodes, checkpoints \
    and videos. The same command resumes a stopped run from its last checkpoint. On Ctrl-C, SIGTERM, SIGUSR1, \
    SIGUSR2, SIGHUP and SIGXCPU, the run saves a checkpoint first, and the program ends with exit code 75. To train a finished run for \
    longer, use the same command with more --steps.\n\n\
    With several tasks, one agent learns all of them together: it collects an episode of each task in turn, and does \
    not receive the name of the task. Shorter actions are padded to the size of the longest. Episodes are collected in \
    the order in which the tasks are named; another order is another run, with another folder.\n\n\
    With --from, --plan or --universal, the agent starts with parameters of earlier agents; `dreamgraft transfer plan` \
    previews them. The transfer happens once, at the start of the run: a run can resume when its sources no longer \
    exist.\n\n\
    The environment variable DREAMGRAFT_SIMD (avx512, avx2, neon or plain) selects the SIMD instruction set; the \
    default is the widest set that this CPU supports. Results of different sets differ in rounding.";

/// The long help of `dreamgraft bench`.
pub(super) const BENCH: &str = "Measure the speed of gradient and policy steps on this machine, and print one line of \
    JSON.\n\n\
    The data is random and no environment is simulated, so this measures the agent alone. The sizes are those at which \
    other programs were measured. The environment variable DREAMGRAFT_SIMD (avx512, avx2, neon or \
    plain) selects the SIMD instruction set.";

/// `dreamgraft train`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::RUN))]
pub struct Train {
    /// The tasks and how they are learned
    #[command(flatten)]
    pub settings: Settings,
    /// Number of environment frames to train for, such as 1e5, 100000 or 100_000; the last episode (with several tasks,
    /// the last round of episodes) is completed [default: that of the preset]
    #[arg(long, value_name = "FRAMES", allow_negative_numbers = true)]
    pub steps: Option<String>,
    /// The run folder [default: runs/TASK/PRESET/SEED; names of several tasks are joined by +, and a transfer is
    /// appended to PRESET]
    #[arg(long, value_name = "DIR")]
    pub logdir: Option<PathBuf>,
    /// If another process uses the run folder, wait until it ends and then resume, instead of ending with exit code 4
    #[arg(long)]
    pub wait: bool,
    /// Print no progress: only notes and warnings, on stderr, and errors
    #[arg(long, short)]
    pub quiet: bool,
    /// The device for gradient steps
    #[command(flatten)]
    pub device: DeviceOption,
    /// The transfer with which the agent starts
    #[command(flatten)]
    pub inherits: Inherits,
}

/// `dreamgraft transfer`.
#[derive(Debug, Subcommand)]
pub enum Transfer {
    /// Print shape, rule, source, and norm before and after the transfer for every parameter of a new agent; nothing is
    /// written
    Plan(TransferPlan),
    /// Rank earlier agents by how much they promise to help on a task
    #[command(long_about = super::rank::RANK)]
    Rank(super::rank::TransferRank),
    /// Print a plan that comes with the program, to be copied and changed
    #[command(after_long_help = exit::help(exit::PRINT))]
    Preset(TransferPreset),
}

/// `dreamgraft transfer preset`.
#[derive(Debug, Args)]
pub struct TransferPreset {
    /// The plan: paper, full, encoder-only, fine-tune, universal or universal-dynamics
    pub name: String,
}

/// `dreamgraft transfer plan`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::TRANSFER_PLAN))]
pub struct TransferPlan {
    /// The tasks and how they are to be learned
    #[command(flatten)]
    pub settings: Settings,
    /// The transfer with which the agent would start
    #[command(flatten)]
    pub inherits: Inherits,
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

/// `dreamgraft bench`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PRINT))]
pub struct Bench {
    /// The sizes: paper (the published sizes) or small (batch 16 x 32, depth 16; not the preset small of `train`)
    #[arg(long, default_value = "small", value_name = "NAME", value_parser = ["paper", "small"], hide_possible_values = true)]
    pub preset: String,
    /// One setting that replaces those of the preset, such as agent.horizon=10; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Number of gradient steps to measure, after a first one that allocates memory
    #[arg(long, default_value_t = 15, value_name = "N", value_parser = whole_between::<1, 100_000>, allow_negative_numbers = true)]
    pub steps: u64,
    /// The device for gradient steps
    #[command(flatten)]
    pub device: DeviceOption,
}
