//! Estimates of a study: gradient steps, time, disk space.
//!
//! Time comes from runs of the study that have come far enough, or else from a measurement of gradient steps. Here: the
//! arithmetic. Not here: measuring (`train::bench`), and printing.

use crate::StudyError;
use crate::manifest::{Entry, Manifest};
use crate::status::Status;
use environment::{Catalogue, TaskInfo};
use train::TrainError;
use train::config::Config;

/// The number of gradient steps from which their speed is estimated.
const ENOUGH: u64 = 50;

/// The configuration of a run.
///
/// # Errors
/// The first setting of its request that cannot be used.
pub fn config(entry: &Entry) -> Result<Config, StudyError> {
    Ok(entry.request.configuration()?)
}

/// What is known of the tasks of a configuration.
///
/// # Errors
/// If the catalogue does not have a task.
pub fn tasks(catalogue: &dyn Catalogue, config: &Config) -> Result<Vec<TaskInfo>, StudyError> {
    Ok(config
        .tasks
        .iter()
        .map(|name| catalogue.info(name, &config.task))
        .collect::<Result<_, _>>()
        .map_err(TrainError::from)?)
}

/// Gradient steps of a whole run if every episode lasts as long as its task allows.
pub fn updates(config: &Config, tasks: &[TaskInfo]) -> u64 {
    let schedule = &config.schedule;
    let prefill_of = |task: &TaskInfo| {
        let episodes = schedule.prefill_episodes.saturating_mul(u64::from(task.timing.frame_limit));
        schedule.prefill_frames.0.max(episodes)
    };
    let prefill = tasks.iter().map(prefill_of).fold(0, u64::saturating_add);
    let learned = u128::from(config.steps.0.saturating_sub(prefill)) * u128::from(schedule.train_updates);
    schedule.pretrain_updates + u64::try_from(learned / u128::from(schedule.train_every.0.max(1))).unwrap_or(u64::MAX)
}

/// The most bytes that a run's episodes take on the disk: they are compressed.
pub fn bytes(config: &Config, tasks: &[TaskInfo]) -> u64 {
    let transitions = tasks.iter().map(|task| task.timing.transitions(config.steps.0)).max().unwrap_or(0);
    let action_size = tasks.iter().map(|task| task.actions.size).max().unwrap_or(0);
    transitions.saturating_mul(replay::transition_bytes(action_size) as u64)
}

/// Seconds per gradient step, including all other work, in the runs so far; `None` if there are too few steps for an
/// estimate.
pub fn seen(states: &[Status]) -> Option<f64> {
    let (seconds, updates) =
        states.iter().fold((0.0, 0), |(seconds, updates), run| (seconds + run.seconds, updates + run.updates));
    (updates >= ENOUGH && seconds > 0.0).then(|| seconds / updates as f64)
}

/// Seconds until a study is finished with `jobs` runs at a time: `seconds[i]` is the time of run `i`.
pub fn makespan(manifest: &Manifest, seconds: &[f64], jobs: usize) -> f64 {
    let mut ends: Vec<f64> = Vec::new();
    let mut free = vec![0.0f64; jobs.max(1)];
    for entry in &manifest.entries {
        let earliest = entry.after.iter().map(|first| ends[*first]).fold(0.0, f64::max);
        let worker = (0..free.len()).min_by(|a, b| free[*a].total_cmp(&free[*b])).unwrap_or(0);
        let end = free[worker].max(earliest) + seconds[entry.index];
        free[worker] = end;
        ends.push(end);
    }
    ends.into_iter().fold(0.0, f64::max)
}
