//! Runs and plays of Dreamer's agent, on a thread pool of their own, and that it is [`Trainable`].

use crate::agent::environments::Environments;
use crate::agent::footprint;
use crate::agent::play::{PlayEvent, PlayOptions, Plays, play_with};
use crate::agent::{Metrics, Trainable};
use crate::config::Config;
use crate::events::Reporter;
use crate::folder::RunFolder;
use crate::origin::{self, Heritage};
use crate::run::{End, train_in};
use crate::{Broken, TrainError};
use dreamer::{ActMode, Agent, AgentConfig, DreamerError, Evaluation, PolicyState, SourceAblation};
use environment::Catalogue;
use random::Stream;
use replay::Batch;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;
use transfer::{InputUse, Plan};

/// Trains a Dreamer agent in the run folder `root`: [`crate::train_with`] the configuration's tasks, made by `catalogue`, on
/// `threads` threads.
/// With a plan, the agent begins with what it takes from earlier ones; a run that goes on takes nothing again, and its
/// sources may be gone. With a `device`, gradient steps are taken there.
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
    // Before anything is written: a run that cannot be should leave nothing.
    footprint::check_run(config, environments.action_size(), device.is_none())?;
    let pool = pool(config.threads)?;
    let (config, heritage) = origin::settle(root, config, environments.action_size(), plan)?;
    if let Some(device) = device {
        dreamer::check_device(&config.agent, environments.action_size(), device)?;
    }
    let folder = RunFolder::open_with(root, &config, heritage.as_ref())?;
    let (report, agent) = heritage.map(Heritage::into_parts).unzip();
    let first = |config: &AgentConfig, action_size: usize, seed: u64| match agent {
        None => Ok(Agent::new(config, action_size, seed)?),
        Some(Some(grafted)) => Ok(*grafted),
        // The run has begun, but was stopped before its first checkpoint.
        Some(None) => origin::graft_again(root, config, action_size, seed),
    };
    let name = device.map(Device::name);
    let prepare = |agent: &mut Agent| match device {
        Some(device) => Ok(agent.move_to(device)?),
        None => Ok(()),
    };
    pool.install(|| {
        train_in(
            folder,
            &config,
            report.as_ref(),
            environments,
            first,
            (name.as_deref(), prepare),
            interrupted,
            reporter,
        )
    })
}

/// Plays episodes, with a Dreamer agent if one is asked for: as [`play_with`], on all cores.
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

impl Trainable for Agent {
    type State = PolicyState;

    fn action_size(&self) -> usize {
        self.action_size()
    }

    fn updates(&self) -> u64 {
        self.updates()
    }

    fn is_of(&self, config: &AgentConfig) -> bool {
        *self.config() == AgentConfig { evaluation: self.config().evaluation, ..config.clone() }
    }

    fn learn(&mut self, batch: &Batch, interrupted: &AtomicBool) -> Result<Option<Metrics>, DreamerError> {
        Ok(self.learn_interruptible(interrupted, batch)?.map(|metrics| metrics.named().into_iter().collect()))
    }

    fn sync_from_device(&mut self) -> Result<(), DreamerError> {
        self.sync_from_device()
    }

    fn broken_parameter(&self) -> Option<Broken> {
        let parameters = self.learner().parameters();
        parameters.iter().find_map(|one| Broken::find(parameters.path(one), parameters.values(one)))
    }

    fn broken_gradient(&self) -> Option<Broken> {
        let parameters = self.learner().parameters();
        let (model, behaviour) = self.learner().last_gradients();
        let of = |one| [model, behaviour].into_iter().find_map(|gradients| gradients.of(one)).unwrap_or_default();
        parameters.iter().find_map(|one| Broken::find(parameters.path(one), of(one)))
    }

    fn embedding_size(&self) -> Option<usize> {
        self.embedding_size()
    }

    fn embed(&mut self, images: &[u8], embeddings: &mut [f32]) {
        self.embed(images, embeddings);
    }

    fn evaluation(&self) -> Option<Evaluation> {
        Some(self.config().evaluation)
    }

    fn evaluate_by(&mut self, evaluation: Evaluation) {
        self.evaluate_by(evaluation);
    }

    fn begin(&self) -> PolicyState {
        self.begin()
    }

    fn act(&self, state: &mut PolicyState, image: &[u8], mode: ActMode, random: &mut Stream, action: &mut [f32]) {
        self.act(state, image, mode, random, action);
    }

    fn open_loop(&self, image: &[u8], action: &[f32], context: usize, random: &mut Stream) -> Vec<u8> {
        self.open_loop(image, action, context, random)
    }

    fn reward_use(&self) -> Option<InputUse> {
        transfer::input_use(self.learner())
    }

    fn ablate_sources(&self, image: &[u8], action: &[f32]) -> Option<SourceAblation> {
        self.ablate_sources(image, action)
    }

    fn save(&self, path: &Path) -> Result<(), DreamerError> {
        self.save(path)
    }

    fn load(path: &Path) -> Result<Self, DreamerError> {
        Self::load(path)
    }
}
