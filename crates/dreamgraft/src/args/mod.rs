//! The arguments of the program: what was typed.
//!
//! Here: the arguments that several commands share, and those of the program itself; the other files hold those of one group of
//! commands. Not here: what arguments mean (`meaning`), and what commands do (`commands`).

pub mod outside;
pub mod play;
pub mod study;
pub mod train;

use crate::exit;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Trains agents that learn a world model from pixels and plan by imagining.
#[derive(Debug, Parser)]
#[command(name = "dreamgraft", version, about, max_term_width = 100, arg_required_else_help = true, after_help = exit::help(exit::ALL))]
pub struct Typed {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent on one task or several, or go on with a run that was stopped
    #[command(long_about = train::TRAIN)]
    Train(train::Train),
    /// Evaluate what a run learned: play episodes of its tasks and print their returns
    Eval(play::Eval),
    /// Play a task with random actions, with none, or with a trained agent
    Play(play::Play),
    /// Show what a new agent would take from earlier ones
    #[command(subcommand)]
    Transfer(train::Transfer),
    /// Grids of runs that answer a question
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Show the runs in a folder in a browser, and follow them while they go on
    Watch(study::Watch),
    /// Measure how fast gradient and policy steps are on this machine
    #[command(long_about = train::BENCH)]
    Bench(train::Bench),
    /// List the tasks
    Tasks,
    /// Show what is known of a run, a checkpoint or an export, or list the runs in a folder
    Inspect(outside::Inspect),
    /// Write a folder with what a run learned, for others: it acts, and can be a source of a transfer
    Export(outside::Export),
    /// Serve an agent to another program (docs/protocol.md)
    #[command(long_about = outside::ACT)]
    Act(outside::Act),
    /// Serve a task to another program (docs/protocol.md)
    #[command(long_about = outside::SERVE)]
    Serve(outside::Serve),
    /// Print a script that completes words in a shell
    Completions(Completions),
    /// Write pages for `man`: one for the program, one for each command
    Man(Manual),
}

/// Earlier agents, and what is taken from them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Transfer")]
pub struct Inherits {
    /// Begin with what this agent learned: a run folder, a folder in its checkpoints, an agent.safetensors in one, or an export
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,
    /// What is taken: paper (modular and fractional), full, encoder-only, fine-tune, universal, or a file, which may name
    /// sources of its own (docs/transfer.md) [default: paper]
    #[arg(long, value_name = "PRESET|FILE")]
    pub plan: Option<String>,
    /// The fraction w of W = W_random + w * W_source, from 0 to 1, for every rule of the plan that has one
    #[arg(long, value_name = "W", allow_negative_numbers = true)]
    pub fraction: Option<f64>,
    /// Take this agent's encoder, frozen, and its decoder as a start: agents with the same encoder can share reward models
    #[arg(long, value_name = "RUN")]
    pub universal: Option<PathBuf>,
    /// With --universal: learn a reward meta-model over the reward model of this agent, which has the same encoder; may be
    /// given several times
    #[arg(long, value_name = "RUN")]
    pub reward_from: Vec<PathBuf>,
    /// With --reward-from: take reward models of agents that have another encoder, too
    #[arg(long)]
    pub any_encoder: bool,
}

/// Tasks and settings of a run.
#[derive(Debug, Args)]
pub struct Settings {
    /// The task to learn, or several (`dreamgraft tasks` lists them); or worlds of other programs, such as
    /// gymnasium:Pendulum-v1 (docs/gymnasium.md)
    #[arg(value_name = "TASK", required = true)]
    pub tasks: Vec<String>,
    /// Named settings to begin with: paper (the published sizes, 1e6 frames), small (for a computer without accelerator,
    /// 1e5 frames) or smoke (tiny: does everything work here?)
    #[arg(long, default_value = "small", value_name = "NAME")]
    pub preset: String,
    /// The number from which all random numbers of the run are made
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// A TOML file of settings, laid over the preset; a run folder's config.toml is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting, laid over all others, such as agent.horizon=10; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `dreamgraft completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "For bash:  dreamgraft completions bash > ~/.local/share/bash-completion/completions/dreamgraft\n\
    For zsh:   dreamgraft completions zsh > a folder in $fpath/_dreamgraft\n\
    For fish:  dreamgraft completions fish > ~/.config/fish/completions/dreamgraft.fish"
)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `dreamgraft man`.
#[derive(Debug, Args)]
pub struct Manual {
    /// The folder for the pages, such as ~/.local/share/man/man1; made if it is missing
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
