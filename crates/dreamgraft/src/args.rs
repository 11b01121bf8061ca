//! What was typed.
//!
//! Here: the words, their help, and nothing of what they mean (`meaning`).

use crate::device::Where;
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

const TRAIN: &str = "Train an agent on one task or several, or go on with a run that was \
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

const BENCH: &str = "Measure how fast gradient and policy steps are on this machine: one JSON \
    line.\n\n\
    The data are random, no environment is played: it is the agent alone that is measured. Sizes are those at which other \
    programs were measured (docs/performance.md). The environment variable DREAMGRAFT_SIMD (avx512, avx2, neon or plain) \
    names the SIMD instruction set to compute with.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent on one task or several, or go on with a run that was stopped
    #[command(long_about = TRAIN)]
    Train(Train),
    /// Evaluate what a run learned: play episodes of its tasks and print their returns
    Eval(Eval),
    /// Play a task with random actions, with none, or with a trained agent
    Play(Play),
    /// Show what a new agent would take from earlier ones
    #[command(subcommand)]
    Transfer(Transfer),
    /// Grids of runs that answer a question
    #[command(subcommand)]
    Study(crate::study::Study),
    /// Show the runs in a folder in a browser, and follow them while they go on
    Watch(Watch),
    /// Measure how fast gradient and policy steps are on this machine
    #[command(long_about = BENCH)]
    Bench(Bench),
    /// List the tasks
    Tasks,
    /// Print a script that completes words in a shell
    Completions(Completions),
    /// Write pages for `man`: one for the program, one for each command
    Man(Manual),
}

/// `dreamgraft train`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
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
}

/// `dreamgraft transfer plan`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
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

/// `dreamgraft study report`.
#[derive(Debug, Default, Args)]
#[command(after_help = exit::HELP, long_about = "Write what came of a study: report.html, one page that needs no network, and \
    the same as report.md, figures.csv and curves.json (docs/reports.md explains every figure).\n\n\
    Runs that are not finished are told of as far as they are, and marked. A folder without a study will do too, such as \
    runs: every run in it is told of.")]
pub struct StudyReport {
    /// The study's document or its folder, or any folder with runs in it
    #[arg(value_name = "FILE|DIR")]
    pub study: PathBuf,
    /// The study's folder, if a document is given [default: studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the files are written [default: report, in the study's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The most MiB of pictures in the page; 0 for none [default: 24]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub pictures: Option<u64>,
}

/// `dreamgraft watch`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP, long_about = "Show the runs in a folder in a browser, and follow them while they go on.\n\n\
    The page is that of `dreamgraft study report`; it renews itself. It is served to this machine alone, at 127.0.0.1, and \
    nothing is written. Ctrl-C ends it.")]
pub struct Watch {
    /// A study's folder, or any folder with runs in it
    #[arg(value_name = "LOGDIR", default_value = "runs")]
    pub logdir: PathBuf,
    /// The port; 0 for any that is free
    #[arg(long, default_value_t = 7077, value_name = "PORT")]
    pub port: u16,
}

/// Earlier agents, and what is taken from them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Transfer")]
pub struct Inherits {
    /// Begin with what this agent learned: a run folder, a folder in its checkpoints, or an agent.safetensors in one
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
    /// The task to learn, or several (`dreamgraft tasks` lists them)
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
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
    /// The task to play [default: each that the agent was trained for]
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
    /// Which action the agent takes: mode (of agent.mode_samples samples, the most likely) or mean (the policy's mean action)
    /// [default: the run's setting agent.evaluation]
    #[arg(long, value_name = "mode|mean", value_parser = ["mode", "mean"], hide_possible_values = true)]
    pub evaluation: Option<String>,
    /// Where results go
    #[command(flatten)]
    pub results: Results,
}

/// `dreamgraft play`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct Play {
    /// The task to play (`dreamgraft tasks` lists them)
    pub task: String,
    /// Who plays: random (uniform actions), zero (none), or a trained agent: a run folder, a folder in its checkpoints, or
    /// an agent.safetensors in one
    #[arg(long, default_value = "random", value_name = "random|zero|RUN")]
    pub policy: String,
    /// Episodes to play
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub episodes: u64,
    /// The number from which starts and actions are made: the same one gives the same returns
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
    /// When episodes end: after 1000 frames, or also where PyBullet's own rule ends them [default: fixed, or as the agent
    /// was trained]
    #[arg(long, value_name = "fixed|stock", value_parser = ["fixed", "stock"], hide_possible_values = true)]
    pub termination: Option<String>,
    /// Where results go
    #[command(flatten)]
    pub results: Results,
}

/// `dreamgraft bench`.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
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

/// What becomes of the episodes that were played.
#[derive(Debug, Args)]
pub struct Results {
    /// Write the last episode as a GIF (of several tasks, each to FILE-TASK.gif)
    #[arg(long, value_name = "FILE.gif", value_parser = gif)]
    pub video: Option<PathBuf>,
    /// Print JSON instead of lines for people: an object on a line for each task
    #[arg(long)]
    pub json: bool,
}

/// A whole number as people write it, and as settings take it: `100000`, `100_000` or `1e5`.
fn whole(typed: &str) -> Result<u64, String> {
    const MOST: u64 = i64::MAX as u64;
    let problem = || format!("it must be a whole number from 0 to {MOST}, such as 7, 100_000 or 1e5");
    let digits = typed.trim().replace('_', "");
    if let Ok(number) = digits.parse::<u64>() {
        return Some(number).filter(|number| *number <= MOST).ok_or_else(problem);
    }
    let real = digits.parse::<f64>().map_err(|_| problem())?;
    if !(0.0..9e15).contains(&real) || real.fract() != 0.0 {
        return Err(problem());
    }
    Ok(real as u64)
}

/// A file name that says what will be in it.
fn gif(typed: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(typed);
    match path.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("gif") => Ok(path),
        _ => Err("the video is written as a GIF: give a name that ends in .gif".to_owned()),
    }
}
