//! The tasks of a run, made by name.

use crate::TrainError;
use crate::config::{Config, ConfigError};
use environment::{Catalogue, Environment, Padded, TaskInfo};
use std::ops::RangeInclusive;

/// Environments of a run's tasks, in the order of its configuration, all of one action size: that of the largest, whose
/// surplus elements the others ignore.
pub struct Environments {
    /// For training episodes.
    pub(crate) training: Vec<Box<dyn Environment>>,
    /// For evaluation episodes: environments of their own, so that an evaluation leaves nothing behind in the others.
    pub(crate) evaluation: Vec<Box<dyn Environment>>,
    action_size: usize,
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
    /// If an evaluation's action is larger than any in training.
    pub fn new(training: Vec<Box<dyn Environment>>, evaluation: Vec<Box<dyn Environment>>) -> Result<Self, TrainError> {
        let action_size = training.iter().map(|world| world.action_size()).max().unwrap_or(0);
        let pad = |environments: Vec<Box<dyn Environment>>| {
            let padded = environments.into_iter().map(|world| Ok(Box::new(Padded::new(world, action_size)?) as _));
            padded.collect::<Result<Vec<_>, TrainError>>()
        };
        Ok(Self { training: pad(training)?, evaluation: pad(evaluation)?, action_size })
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

    fn tasks(&self) -> impl Iterator<Item = &TaskInfo> {
        self.training.iter().map(|environment| environment.info())
    }
}
