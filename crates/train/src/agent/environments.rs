//! The tasks of a run, made by name.

use crate::TrainError;
use crate::config::Config;
use environment::{Catalogue, Environment, Padded};

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
}
