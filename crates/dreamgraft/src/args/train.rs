//! The arguments of `dreamgraft train`.

use super::device::DeviceOption;
use super::{OriginArguments, Settings};
use crate::exit;
use clap::Args;
use std::path::PathBuf;

/// The long help of `dreamgraft train`.
pub(super) const TRAIN: &str = "Train an agent on one or several tasks, or resume a run.\n\n\
    The run folder contains the configuration, metrics (metrics.jsonl and TensorBoard events), episodes, checkpoints \
    and videos. The same command resumes a stopped run from its last checkpoint. On Ctrl-C, SIGTERM, SIGUSR1, \
    SIGUSR2, SIGQUIT, SIGHUP and SIGXCPU, the run saves a checkpoint first, and the program ends with exit code 75. To \
    train a finished run for longer, use the same command with more --steps.\n\n\
    With several tasks, one agent learns all of them together: it collects an episode of each task in turn, and does \
    not receive the name of the task. Shorter actions are padded to the size of the longest. Episodes are collected in \
    the order in which the tasks are named, so a different order is a different run, with its own folder.\n\n\
    With --from, --plan or --universal, the agent starts with parameters of earlier agents; `dreamgraft transfer plan` \
    previews them. The transfer happens once, at the start of the run, so a run can resume even if its sources no longer \
    exist.\n\n\
    The environment variable DREAMGRAFT_SIMD (avx512, avx2, neon or plain) selects the SIMD instruction set; the \
    default is the widest set that this CPU supports. Results of different sets differ in rounding.";

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
    /// Print no progress, only notes, warnings and errors, on stderr
    #[arg(long, short)]
    pub quiet: bool,
    /// The device for gradient steps
    #[command(flatten)]
    pub device: DeviceOption,
    /// The transfer with which the agent starts
    #[command(flatten)]
    pub origin: OriginArguments,
    /// Let the policy of this agent play the episodes before the first gradient step, instead of random actions: a run
    /// folder, one of its checkpoint folders, an agent.safetensors file, or an export
    #[arg(long, value_name = "RUN", help_heading = "Transfer")]
    pub guide: Option<PathBuf>,
    /// Also learn from the episodes of this other run: a share of the sequences of every batch is drawn from them. The
    /// episodes are copied when the run starts
    #[arg(long, value_name = "RUN", help_heading = "Transfer")]
    pub rehearse: Option<PathBuf>,
    /// With --rehearse: the probability that a sequence is drawn from those episodes, between 0 and 1 [default: 0.2]
    #[arg(long, value_name = "W", help_heading = "Transfer", allow_negative_numbers = true)]
    pub share: Option<f64>,
}
