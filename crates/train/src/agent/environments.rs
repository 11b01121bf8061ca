//! The tasks of a run, made by name, and what is kept of those of other programs.

use crate::TrainError;
use crate::config::{Config, ConfigError};
use dreamer::ActionDistribution;
use environment::{ActionSpace, Catalogue, Environment, IMAGE_BYTES, ObservationSpace, Outside, Padded, TaskInfo};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Environments of a run's tasks, in the order of its configuration, all of one action size: that of the largest, whose
/// surplus elements the others ignore.
pub struct Environments {
    /// For training episodes.
    pub(crate) training: Vec<Box<dyn Environment>>,
    /// For evaluation episodes: environments of their own, so that an evaluation leaves nothing behind in the others.
    pub(crate) evaluation: Vec<Box<dyn Environment>>,
    /// The tasks that are worlds of other programs.
    pub(crate) worlds: Vec<WorldRecord>,
    /// What the user should know of these worlds.
    pub(crate) notes: Vec<String>,
    action_size: usize,
}

/// What a run keeps of a world of another program: what an agent needs to act in it, and who made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldRecord {
    /// The task.
    pub task: String,
    /// The programs that it is made of.
    pub made_by: String,
    /// Whether the same seed and the same actions gave the same episode when that was tried.
    pub repeatable: bool,
    /// What it shows.
    pub observations: ObservationSpace,
    /// What can be done in it.
    pub actions: ActionSpace,
}

impl Environments {
    /// The environments of the configuration's tasks.
    ///
    /// # Errors
    /// If a name is unknown; the nearest one is offered.
    pub fn make(catalogue: &dyn Catalogue, config: &Config) -> Result<Self, TrainError> {
        let make = |name: &String| catalogue.make(name, &config.task);
        let all = || config.tasks.iter().map(make).collect::<Result<Vec<_>, _>>();
        Self::new(all()?, all()?)
    }

    /// These environments, each task twice: for training and for evaluation.
    ///
    /// # Errors
    /// If an evaluation's action is larger than any in training, or an agent cannot learn one of the tasks.
    pub fn new(training: Vec<Box<dyn Environment>>, evaluation: Vec<Box<dyn Environment>>) -> Result<Self, TrainError> {
        training.iter().try_for_each(|world| refuse_without_image(world.info()))?;
        let worlds = training.iter().filter_map(|world| WorldRecord::of(world.info())).collect();
        let notes = training.iter().flat_map(|world| notes_of(world.info())).collect();
        let action_size = training.iter().map(|world| world.action_size()).max().unwrap_or(0);
        let pad = |environments: Vec<Box<dyn Environment>>| {
            let padded = environments.into_iter().map(|world| Ok(Box::new(Padded::new(world, action_size)?) as _));
            padded.collect::<Result<Vec<_>, TrainError>>()
        };
        Ok(Self { training: pad(training)?, evaluation: pad(evaluation)?, worlds, notes, action_size })
    }

    /// Elements in an action of an agent for all of these tasks.
    pub fn action_size(&self) -> usize {
        self.action_size
    }

    /// The most transitions that a run of `frames` frames has: those of the task with the shortest actions.
    pub(crate) fn transitions(&self, frames: u64) -> u64 {
        self.tasks().map(|task| task.timing.transitions(frames)).max().unwrap_or(0)
    }

    /// The fewest and the most frames that an action of any task is held for.
    pub(crate) fn action_repeat(&self) -> RangeInclusive<u32> {
        let repeats = || self.tasks().map(|task| task.timing.action_repeat);
        repeats().min().unwrap_or(1)..=repeats().max().unwrap_or(1)
    }

    /// Checks that the agent's sequences fit into episodes of every task: nothing could be learned of a task otherwise.
    ///
    /// # Errors
    /// [`ConfigError::Range`] with the task whose episodes are shortest.
    pub(crate) fn check_length(&self, config: &Config) -> Result<(), ConfigError> {
        let longest = |task: &&TaskInfo| task.timing.longest_episode();
        match self.tasks().min_by_key(longest) {
            Some(task) if config.agent.length as u64 > u64::from(longest(&task)) => Err(ConfigError::Range {
                key: "agent.length".to_owned(),
                value: config.agent.length.to_string(),
                range: format!(
                    "a whole number from 2 to {}, the transitions of the longest episode of {}",
                    longest(&task),
                    task.name
                ),
            }),
            _ => Ok(()),
        }
    }

    /// The configuration with the distribution of actions that the tasks need: one-hot if the actions of all are discrete, so
    /// that nobody has to set it.
    ///
    /// # Errors
    /// [`TrainError::Actions`] names a task that takes actions of the other kind.
    pub(crate) fn with_actor(&self, config: &Config) -> Result<Config, TrainError> {
        let mut config = config.clone();
        if self.tasks().all(|task| task.actions.is_discrete()) {
            config.agent.actor = ActionDistribution::OneHot;
        }
        let actor = config.agent.actor;
        let discrete = actor == ActionDistribution::OneHot;
        match self.tasks().find(|task| task.actions.is_discrete() != discrete) {
            Some(task) => Err(TrainError::Actions { task: task.name.clone(), actor }),
            None => Ok(config),
        }
    }

    fn tasks(&self) -> impl Iterator<Item = &TaskInfo> {
        self.training.iter().map(|environment| environment.info())
    }
}

impl WorldRecord {
    /// The record of a task; none if it is one of this program's own.
    fn of(info: &TaskInfo) -> Option<Self> {
        let Outside { made_by, repeatable, .. } = info.outside.clone()?;
        let (observations, actions) = (info.observations, info.actions.clone());
        Some(Self { task: info.name.clone(), made_by, repeatable, observations, actions })
    }
}

/// What the user should know of a task, a line each.
pub(crate) fn notes_of(info: &TaskInfo) -> Vec<String> {
    let Some(Outside { repeatable, notes, .. }) = &info.outside else { return Vec::new() };
    let name = &info.name;
    let mut all: Vec<String> = notes.iter().map(|note| format!("{name}: {note}")).collect();
    if !repeatable {
        all.push(format!(
            "{name} is not repeatable: the same seed and the same actions did not give the same episode. A run that resumes is \
             valid, but not bitwise equal to one that was never stopped"
        ));
    }
    all
}

/// Checks that episodes of a task can be kept: they consist of images.
///
/// # Errors
/// [`TrainError::Unsupported`] if it shows none.
pub(crate) fn refuse_without_image(info: &TaskInfo) -> Result<(), TrainError> {
    if info.observations.image_bytes() != IMAGE_BYTES || info.observations.vector > 0 {
        let what = format!("vector observations ([{}])", info.observations.vector);
        return Err(TrainError::Unsupported { task: info.name.clone(), what });
    }
    Ok(())
}
