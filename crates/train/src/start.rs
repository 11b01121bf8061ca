//! The entrances of this crate: training and playing with Dreamer's agent, on a thread pool of their own.
//!
//! Here: checks before anything is written, the thread pool, and the creation of a new run's agent. Not here: the
//! beginning and the loop of a run (`run`), and how episodes are played (`agent::play`).

use crate::TrainError;
use crate::agent::environments::Environments;
use crate::agent::footprint;
use crate::agent::play::{PlayEvent, PlayOptions, Plays, play_with};
use crate::config::Config;
use crate::events::Reporter;
use crate::folder::is_run;
use crate::origin;
use crate::run::End;
use crate::run::begin::{Start, begin};
use crate::streams::RunKey;
use dreamer::Agent;
use environment::Catalogue;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;
use transfer::Plan;

/// Trains a Dreamer agent in the run folder `root`: [`crate::train_with`] the configuration's tasks, made by
/// `catalogue`, on `threads` threads. With a plan, the agent starts with parameters of earlier agents. A resumed run
/// does not transfer again, and its sources may no longer exist. With a `device`, gradient steps run there.
///
/// # Errors
/// As [`crate::train_with`], or if the device cannot be used, a task is unknown, the transfer cannot be done, or the run began with another one.
pub fn train(
    catalogue: &dyn Catalogue,
    root: &Path,
    config: &Config,
    plan: Option<&Plan>,
    device: Option<&dyn Device>,
    interrupted: &AtomicBool,
    reporter: &mut dyn Reporter,
) -> Result<End, TrainError> {
    let environments = Environments::make(catalogue, config)?;
    let action_size = environments.action_size();
    // Before anything is written: a run that cannot be should leave nothing.
    footprint::check_run(config, action_size, device.is_none())?;
    let pool = pool(config.threads)?;
    let check_device = |config: &Config| match device {
        Some(device) => dreamer::check_device(&config.agent, action_size, device),
        None => Ok(()),
    };
    let new_run = || {
        let (config, beginning) = origin::of_new_run(config, plan, action_size)?;
        check_device(&config)?;
        Ok((config, beginning))
    };
    // A transfer or a device that cannot be used must not leave a folder either. Whether this beginning is used is decided when
    // the folder is locked: only then is it certain that there is no run in it.
    let prepared = if is_run(root) { None } else { Some(new_run()?) };
    pool.install(|| {
        let new_run = || prepared.map_or_else(new_run, Ok);
        let (folder, config, beginning) = begin(root, config, plan, action_size, new_run)?;
        if !beginning.is_new() {
            check_device(&config)?;
        }
        let first = |config: &Config, plan: Option<&Plan>| match plan {
            None => Ok(Agent::new(&config.agent, action_size, RunKey::of(config).seed())?),
            Some(plan) => Ok(origin::grafted(config, plan, action_size)?.agent),
        };
        let start = Start { config: &config, folder, environments, device, interrupted, reporter };
        start.run(beginning, first)
    })
}

/// Plays episodes, with a Dreamer agent if requested, like [`play_with`], on all cores.
///
/// # Errors
/// As [`play_with`].
pub fn play(
    catalogue: &dyn Catalogue,
    options: &PlayOptions,
    listen: impl FnMut(PlayEvent<'_>) -> bool + Send,
) -> Result<Vec<Plays>, TrainError> {
    pool(0)?.install(|| play_with::<Agent>(catalogue, options, listen))
}

/// The threads that the setting `threads` stands for: 0 is one per core.
pub fn threads(setting: usize) -> usize {
    if setting > 0 { setting } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// A pool of [`threads`].
pub(crate) fn pool(setting: usize) -> Result<rayon::ThreadPool, TrainError> {
    let threads = threads(setting);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| TrainError::Threads { threads, why: error.to_string() })
}
