//! Arguments of the commands that play episodes: `eval` and `play`.

use crate::exit;
use clap::Args;
use std::path::PathBuf;

/// `dreamgraft eval`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PLAY))]
pub struct Eval {
    /// A run folder, a folder in its checkpoints, an agent.safetensors in one, or an export
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
#[command(after_long_help = exit::help(exit::PLAY))]
pub struct Play {
    /// The task to play (`dreamgraft tasks` lists them), or a world of another program, such as gymnasium:Pendulum-v1
    /// (docs/gymnasium.md)
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
    /// A setting of the task, such as task.frame_limit=200 or task.arguments.g=9.81; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where results go
    #[command(flatten)]
    pub results: Results,
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
pub(super) fn whole(typed: &str) -> Result<u64, String> {
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
