//! The entrances of this crate: training and playing with Dreamer's agent, on a thread pool of their own.
//!
//! Here: checks before anything is written, the thread pool, and the creation of a new run's agent. Not here: the
//! beginning and the loop of a run (`run`), and how episodes are played (`agent::play`).

use crate::TrainError;
use crate::agent::environments::Environments;
use crate::agent::footprint;
use crate::agent::play::{PlayEvent, PlayOptions, Plays, play_with};
use crate::beginning;
use crate::config::Config;
use crate::error::ChoiceError;
use crate::events::{Event, Reporter};
use crate::folder::is_run;
use crate::run::End;
use crate::run::begin::{NewRun, begin};
use crate::run::session::Session;
use crate::streams::RunKey;
use crate::support::{Asked, Support};
use dreamer::{Agent, Policy};
use environment::Catalogue;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;
use transfer::{ChooseBy, Plan};

/// A run of a Dreamer agent, new or to be resumed.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The run folder.
    pub root: &'a Path,
    /// The configuration. Its `threads` compute.
    pub config: &'a Config,
    /// The plan of a new agent. A run that is resumed transfers nothing again, and its sources may be gone.
    pub plan: Option<&'a Plan>,
    /// The other things that come from earlier runs.
    pub support: Asked<'a>,
    /// The device that computes gradient steps; `None` is the CPU.
    pub device: Option<&'a dyn Device>,
}

impl<'a> Job<'a> {
    /// A run in `root` whose agent starts from random parameters and learns on the CPU.
    pub fn new(root: &'a Path, config: &'a Config) -> Self {
        Self { root, config, plan: None, support: Asked::default(), device: None }
    }
}

/// Trains a Dreamer agent in environments that `catalogue` makes, until the run has its frames or `interrupted` is set.
///
/// # Errors
/// As [`crate::train_with`], or if the device cannot be used, a task is unknown, the transfer cannot be done, or the run began
/// with another one.
pub fn train(
    catalogue: &dyn Catalogue,
    job: Job<'_>,
    interrupted: &AtomicBool,
    reporter: &mut dyn Reporter,
) -> Result<End, TrainError> {
    let Job { root, config, plan, support: asked, device } = job;
    let environments = Environments::make(catalogue, config)?;
    let action_size = environments.action_size();
    // Before anything is written: a run that cannot be should leave nothing.
    let config = &environments.adapted(config)?;
    environments.check_length(config)?;
    let sizes = environments.sizes();
    let rehearsed = asked.rehearse.map_or(0, |rehearse| rehearse.budget(config.replay.budget.0));
    let episodes = footprint::Episodes::of(config, &environments, rehearsed);
    footprint::check_run(config, episodes, device.is_none())?;
    let pool = pool(config.threads)?;
    let check_device = |config: &Config| match device {
        Some(device) => dreamer::check_device(&config.agent, action_size, device),
        None => Ok(()),
    };
    // Environments stay on this thread.
    let shapes = environments.shapes().to_vec();
    let new_run = || {
        let (config, beginning) = beginning::of_new_run(catalogue, config, plan, action_size)?;
        // A transfer may freeze the encoder, whose embeddings take memory as well.
        footprint::check_run(&config, episodes, device.is_none())?;
        check_device(&config)?;
        let support = pool.install(|| Support::of_new_run(catalogue, asked, &config, (&shapes, sizes)))?;
        Ok(NewRun { config, beginning, support })
    };
    let open = plan.filter(|plan| plan.open_choice() == Some(ChooseBy::Rank) && !is_run(root));
    if let Some(plan) = open {
        if asked.guide.is_some() {
            return Err(ChoiceError::RankWithGuide.into());
        }
        let sources = wording::counted(plan.candidates().len() as u64, "source");
        reporter.event(&Event::Note(&format!("ranking {sources} on the random episodes with which this run begins")));
    }
    // A transfer, a guide or a device that cannot be used must not leave a folder either. Whether this beginning is
    // used is decided when the folder is locked: only then is it certain that there is no run in it.
    let prepared = if is_run(root) { None } else { Some(new_run()?) };
    pool.install(|| {
        let new_run = || prepared.map_or_else(new_run, Ok);
        let (folder, run) = begin(root, config, plan, asked, &environments, new_run)?;
        let NewRun { config, beginning, support } = run;
        if !beginning.is_new() {
            footprint::check_run(&config, episodes, device.is_none())?;
            check_device(&config)?;
        }
        let first = |config: &Config, plan: Option<&Plan>| match plan {
            None => Ok(Agent::new(&config.agent, action_size, RunKey::of(config).seed())?),
            Some(plan) => Ok(beginning::grafted(config, plan, action_size)?.agent),
        };
        let session = Session { config: &config, folder, environments, support, device, interrupted, reporter };
        session.run(beginning, first)
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
    pool(0)?.install(|| play_with::<Policy>(catalogue, options, listen))
}

/// The threads that the setting `threads` stands for: 0 is one per core.
pub fn threads(setting: usize) -> usize {
    if setting > 0 { setting } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// The most threads of a pool. A batch does not have as many shards, and more threads than that cost time while they wait.
const MOST_THREADS: usize = 256;

/// A pool of [`threads`], but no more than can work.
pub(crate) fn pool(setting: usize) -> Result<rayon::ThreadPool, TrainError> {
    let threads = threads(setting).min(MOST_THREADS);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| TrainError::Threads { threads, why: error.to_string() })
}
