//! What the parts of a study's run cost on this machine, for the estimate of `study plan`.
//!
//! Here: measuring a gradient step and an episode. Not here: the estimate (`study::estimate`).

use crate::exit::Failure;
use environment::Catalogue;
use std::time::Instant;
use study::estimate::Costs;
use train::config::{Config, Layer};
use train::{Film, PlayOptions, RunRequest, TrainError, WhoPlays};

/// The measured costs of the run that `request` asks for; `config` is its configuration.
pub fn measured(catalogue: &dyn Catalogue, request: &RunRequest, config: &Config) -> Result<Costs, Failure> {
    let preset = request.preset.as_str();
    let (began, computed) = (Instant::now(), train::cpu_seconds());
    let bench = train::bench::measure((preset, &[]), config, 3, None)?;
    // A single thread always computes. If it does not, other programs use its core, which the estimate leaves out.
    let share = match config.threads {
        1 => ((train::cpu_seconds() - computed) / began.elapsed().as_secs_f64()).min(1.0),
        _ => 1.0,
    };
    // The episode is played as the run would play it: with vectors, nothing is drawn.
    let of_task = request.settings.iter().filter(|setting| setting.starts_with("task."));
    let settings = of_task.map(|setting| Layer::typed(setting)).collect::<Result<_, _>>().map_err(TrainError::from)?;
    let options = PlayOptions {
        policy: WhoPlays::Random,
        task: config.tasks.first().cloned(),
        settings,
        film: Film::No,
        evaluation: None,
        episodes: 1,
        seed: 0,
    };
    let began = Instant::now();
    let plays = train::play(catalogue, &options, |_| true)?;
    let steps = plays.iter().filter_map(|plays| plays.last.as_ref()).map(|episode| episode.len() - 1).sum::<usize>();
    let simulated = began.elapsed().as_secs_f64() / steps.max(1) as f64;
    Ok(Costs {
        update: share * bench.step_s_median,
        step: simulated + share * bench.policy_ms_median / 1e3,
        evaluation_step: simulated + share * bench.evaluation_ms_median / 1e3,
    })
}
