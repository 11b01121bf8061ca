//! Runs and plays of Dreamer's agent, on a thread pool of their own, and that it is [`Trainable`].

use crate::agent::environments::Environments;
use crate::agent::footprint;
use crate::agent::play::{PlayEvent, PlayOptions, Plays, play_with};
use crate::agent::{Metrics, Trainable};
use crate::config::Config;
use crate::events::Reporter;
use crate::folder::is_run;
use crate::origin;
use crate::run::End;
use crate::run::begin::{Start, begin};
use crate::streams::RunKey;
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

    fn move_to(&mut self, device: &dyn Device) -> Result<(), DreamerError> {
        self.move_to(device)
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
