//! Arguments of the commands that play episodes: `eval` and `play`.

use super::number::{whole, whole_between};
use crate::exit;
use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use std::ffi::OsString;
use std::path::PathBuf;

/// `dreamgraft eval`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PLAY))]
pub struct Eval {
    /// A run folder, one of its checkpoint folders, an agent.safetensors file, or an export
    pub run: PathBuf,
    /// Number of episodes to play
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = whole_between::<1, 1_000_000>, allow_negative_numbers = true)]
    pub episodes: u64,
    /// The seed of initial states and actions; equal seeds give equal returns
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
    /// The task to play [default: all tasks that the agent was trained for]
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
    /// How the agent acts: mode (the most likely of agent.mode_samples samples) or mean (the mean action of the policy)
    /// [default: the setting agent.evaluation of the run]
    #[arg(long, value_name = "mode|mean", value_parser = ["mode", "mean"], hide_possible_values = true)]
    pub evaluation: Option<String>,
    /// How results are written
    #[command(flatten)]
    pub results: Results,
}

/// `dreamgraft play`.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(exit::PLAY))]
pub struct Play {
    /// The task to play (`dreamgraft tasks` lists them), or an external environment, such as gymnasium:Pendulum-v1
    pub task: String,
    /// The policy: random (uniform actions), zero (all actions 0), or a trained agent: a run folder, one of its
    /// checkpoint folders, an agent.safetensors file, or an export
    #[arg(long, default_value = "random", value_name = "random|zero|RUN")]
    pub policy: OsString,
    /// Number of episodes to play
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = whole_between::<1, 1_000_000>, allow_negative_numbers = true)]
    pub episodes: u64,
    /// The seed of initial states and actions; equal seeds give equal returns
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = whole, allow_negative_numbers = true)]
    pub seed: u64,
    /// When episodes end: fixed (after 1000 frames) or stock (also by PyBullet's own rule) [default: that of the
    /// agent's training, otherwise fixed]
    #[arg(long, value_name = "fixed|stock", value_parser = ["fixed", "stock"], hide_possible_values = true)]
    pub termination: Option<String>,
    /// A setting of the task, such as task.frame_limit=200, or of an external environment, such as
    /// task.arguments.g=9.81; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// How results are written
    #[command(flatten)]
    pub results: Results,
}

/// How the results of the episodes are written.
#[derive(Debug, Args)]
pub struct Results {
    /// Write the last episode as a GIF; with several tasks, one GIF per task, FILE-TASK.gif
    #[arg(long, value_name = "FILE.gif", value_parser = PathBufValueParser::new().try_map(gif))]
    pub video: Option<PathBuf>,
    /// With --video: show the images that the agent imagines next to the real ones. Every 50 steps, the agent sees 5
    /// real images (green border) and imagines the next 45 from the actions alone (red border)
    #[arg(long, requires = "video")]
    pub imagined: bool,
    /// Print JSON instead of text: one object per line and task
    #[arg(long)]
    pub json: bool,
}

/// Checks that the name of a video file ends in `.gif`.
fn gif(path: PathBuf) -> Result<PathBuf, String> {
    match path.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("gif") => Ok(path),
        _ => Err("the video is a GIF: give a name that ends in .gif".to_owned()),
    }
}
