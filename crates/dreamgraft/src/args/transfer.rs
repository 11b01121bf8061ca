//! The arguments of `dreamgraft transfer` and its commands, but for `rank`.

use super::{OriginArguments, Settings};
use crate::exit;
use clap::{Args, Subcommand};

/// `dreamgraft transfer`.
#[derive(Debug, Subcommand)]
pub enum Transfer {
    /// Print what a transfer would do to every parameter of a new agent: its shape, rule, source, and norm before and
    /// after; nothing is written
    Plan(TransferPlan),
    /// Rank earlier agents by how much they are likely to help with a task
    #[command(long_about = super::rank::RANK)]
    Rank(super::rank::TransferRank),
    /// Print a built-in plan, as a start for a plan of your own
    #[command(after_long_help = exit::help(exit::PRINT))]
    Preset(TransferPreset),
}

/// `dreamgraft transfer preset`.
#[derive(Debug, Args)]
pub struct TransferPreset {
    /// The plan: paper, full, encoder-only, fine-tune, universal, universal-dynamics or soup
    pub name: String,
}

/// `dreamgraft transfer plan`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::TRANSFER_PLAN))]
pub struct TransferPlan {
    /// The tasks and how they would be learned
    #[command(flatten)]
    pub settings: Settings,
    /// The transfer with which the agent would start
    #[command(flatten)]
    pub origin: OriginArguments,
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}
