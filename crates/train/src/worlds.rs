//! The tasks of a run, made by name.

use crate::TrainError;
use crate::config::Config;
use tasks::Environment;

/// Environments of a run's tasks, in the order of its configuration.
pub struct Worlds {
    /// For training episodes.
    pub training: Vec<Box<dyn Environment>>,
    /// For evaluation episodes: worlds of their own, so that an evaluation leaves nothing behind in the others.
    pub evaluation: Vec<Box<dyn Environment>>,
}

impl Worlds {
    /// The worlds of the configuration's tasks.
    ///
    /// # Errors
    /// If a name is unknown; the nearest one is offered.
    pub fn make(config: &Config) -> Result<Self, TrainError> {
        let all = || config.tasks.iter().map(|name| tasks::make(name, &config.task)).collect::<Result<Vec<_>, _>>();
        Ok(Self { training: all()?, evaluation: all()? })
    }

    /// Numbers in an action of an agent for all of these tasks: as many as the largest needs.
    pub fn action_size(&self) -> usize {
        self.training.iter().map(|world| world.action_size()).max().unwrap_or(0)
    }
}
