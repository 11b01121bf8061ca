//! Estimates of a study: gradient steps, time, and the memory and files of its runs.
//!
//! Time comes from runs of the study that have come far enough, or else from a measurement of gradient steps. Here: the
//! arithmetic. Not here: measuring (`train::bench`), and printing.

use crate::StudyError;
use crate::launch::request;
use crate::manifest::{Entry, Manifest};
use crate::status::Status;
use environment::{Catalogue, TaskInfo};
use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::path::Path;
use train::config::Config;
use train::{Frames, Needs, Origin, RunRequest, TrainError};

/// The number of gradient steps from which their speed is estimated.
const ENOUGH: u64 = 50;

/// The configuration of a run, as launchers start it.
///
/// # Errors
/// The first setting of its request that cannot be used.
pub fn config(entry: &Entry) -> Result<Config, StudyError> {
    let request = RunRequest { steps: Some(Frames(entry.expected_frames())), ..request(entry) };
    Ok(request.configuration()?)
}

/// Everything that the needs of a run depend on.
#[derive(PartialEq, Eq, Hash)]
struct Kind<'a> {
    tasks: &'a [String],
    settings: &'a [String],
    steps: u64,
    /// Whether the encoder may be frozen.
    frozen: bool,
}

/// The estimated needs of each run of a manifest, in its order.
///
/// # Errors
/// The first setting of a request that cannot be used, or a task that the catalogue does not have.
pub fn needs(catalogue: &dyn Catalogue, manifest: &Manifest) -> Result<Vec<Needs>, StudyError> {
    // Most runs of a study differ only in their seeds.
    let mut known: HashMap<Kind<'_>, Needs> = HashMap::new();
    let mut all = Vec::new();
    for entry in &manifest.entries {
        let frozen = may_freeze(&entry.request.origin);
        let kind =
            Kind { tasks: &entry.tasks, settings: &entry.request.settings, steps: entry.expected_frames(), frozen };
        let needs = match known.entry(kind) {
            Occupied(needs) => needs.into_mut(),
            Vacant(place) => {
                let config = config(entry)?;
                place.insert(Needs::of(&config, &tasks(catalogue, &config)?, frozen)?)
            }
        };
        all.push(needs.clone());
    }
    for entry in &manifest.entries {
        let Some(rehearse) = &entry.request.rehearse else { continue };
        let of = manifest.entries.iter().find(|other| other.folder == rehearse.from);
        if let Some(of) = of.map(|other| all[other.index].clone()) {
            let budget = rehearse.budget(config(entry)?.replay.budget.0);
            all[entry.index] = all[entry.index].clone().rehearsing(&of, budget);
        }
    }
    Ok(all)
}

/// Whether an agent of this origin may have a frozen encoder. Plans of the user's are not read for this.
fn may_freeze(origin: &Origin) -> bool {
    let preset = |plan: &Path| transfer::Preset::named(plan).filter(|preset| !preset.freezes_encoder());
    match origin {
        Origin::Random | Origin::Agent { plan: None, .. } | Origin::Agents { plan: None, .. } => false,
        Origin::Universal { .. } => true,
        Origin::Agent { plan: Some(plan), .. }
        | Origin::Agents { plan: Some(plan), .. }
        | Origin::Soup { plan, .. }
        | Origin::Plan { plan, .. } => preset(plan).is_none(),
    }
}

/// The descriptions of the tasks of a configuration.
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

/// The note that the random episodes of some runs alone take longer than the runs are to be. Controls that learn nothing do not
/// count.
pub fn short(configs: &[Config]) -> Option<String> {
    let learns = |config: &&Config| config.schedule.train_updates + config.schedule.pretrain_updates > 0;
    let is_short = |config: &&Config| config.first_frames() > config.steps.0;
    let all: Vec<&Config> = configs.iter().filter(learns).filter(is_short).collect();
    let most = all.iter().map(|config| config.first_frames()).max()?;
    Some(format!(
        "the random episodes at the start take up to {} frames (schedule.prefill_frames, for each task), more than the steps of {}: \
         these runs will be longer than listed, and learn little",
        wording::grouped(most),
        wording::counted(all.len() as u64, "run")
    ))
}

/// Seconds per gradient step, including all other work, in the runs so far; `None` if there are too few steps for an
/// estimate.
pub fn seen(states: &[Status]) -> Option<f64> {
    let (seconds, updates) =
        states.iter().fold((0.0, 0), |(seconds, updates), run| (seconds + run.seconds, updates + run.updates));
    (updates >= ENOUGH && seconds > 0.0).then(|| seconds / updates as f64)
}

/// The costs of the parts of a run, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// A gradient step.
    pub update: f64,
    /// An agent step of a training episode: simulating, drawing and choosing an action.
    pub step: f64,
    /// An agent step of an evaluation.
    pub evaluation_step: f64,
}

/// Seconds to start a run, and to write its last files.
const START: f64 = 0.5;

/// Seconds to write the video and the predictions of an evaluation of one task.
const VIDEO: f64 = 0.5;

/// Seconds of a run of these `tasks` that has made `done` gradient steps, from there to its end.
pub fn seconds_left(config: &Config, tasks: &[TaskInfo], done: u64, costs: &Costs) -> f64 {
    let all = updates(config, tasks);
    let left = all.saturating_sub(done);
    // Playing and evaluation are spread over a run as its gradient steps are.
    let share = if all == 0 { 1.0 } else { left as f64 / all as f64 };
    let evaluations = 1 + config.steps.0 / config.schedule.eval_every.0.max(1);
    // The last one is made twice, to compare the two ways to evaluate.
    let episodes = ((evaluations + 1) * config.schedule.eval_episodes) as f64;
    let mut playing = START;
    for task in tasks {
        let repeat = f64::from(task.timing.action_repeat);
        playing += config.steps.0 as f64 / tasks.len() as f64 / repeat * costs.step;
        playing += episodes * f64::from(task.timing.frame_limit) / repeat * costs.evaluation_step;
        playing += if config.log.videos { evaluations as f64 * VIDEO } else { 0.0 };
    }
    left as f64 * costs.update + share * playing
}

/// Seconds until a study is done, `jobs` runs at a time: `seconds[i]` is the time of run `i`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use train::Frames;

    #[test]
    fn playing_and_evaluation_count() {
        let costs = Costs { update: 0.0, step: 1.0, evaluation_step: 0.0 };
        let mut config = Config { tasks: vec!["hopper".to_owned()], steps: Frames(100_000), ..Config::default() };
        config.log.videos = false;
        let tasks = [TaskInfo::new("hopper", "", 3)];
        assert_eq!(seconds_left(&config, &tasks, 0, &costs), 50_000.0 + START);
        // Eleven evaluations, and the last one in another way.
        let evaluation = Costs { step: 0.0, evaluation_step: 1.0, ..costs };
        assert_eq!(seconds_left(&config, &tasks, 0, &evaluation), 12.0 * 500.0 + START);
        let all = updates(&config, &tasks);
        assert_eq!(seconds_left(&config, &tasks, all, &costs), 0.0);
        let learning = Costs { update: 2.0, step: 0.0, evaluation_step: 0.0 };
        assert_eq!(seconds_left(&config, &tasks, 0, &learning), 2.0 * all as f64 + START);
    }

    #[test]
    fn runs_shorter_than_their_random_episodes_are_told() {
        let of_steps =
            |steps: u64| Config { tasks: vec!["hopper".to_owned()], steps: Frames(steps), ..Config::default() };
        let mut control = of_steps(1);
        (control.schedule.train_updates, control.schedule.pretrain_updates) = (0, 0);
        assert_eq!(short(&[of_steps(5000), control.clone()]), None);
        let note = short(&[of_steps(5000), control, of_steps(4999)]).expect("a short run");
        assert!(note.contains("5 000 frames") && note.contains("1 run:"), "{note}");
    }
}
