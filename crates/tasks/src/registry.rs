//! The tasks by name.

use std::sync::LazyLock;

use environment::{Catalogue, Environment, ObservationSpace, TaskError, TaskInfo, TaskOptions};

use crate::episodes::Episodes;
use crate::simulation::Simulation;
use crate::{ant, half_cheetah, hopper, inverted_double_pendulum_swingup, inverted_pendulum_swingup, walker2d};

/// A registered task.
struct Entry {
    name: &'static str,
    description: &'static str,
    action_size: usize,
    /// Numbers of its vector observation.
    vector: usize,
    load: fn() -> Result<Box<dyn Simulation>, TaskError>,
}

/// Every task, in alphabetic order: one line each.
#[rustfmt::skip]
const ENTRIES: &[Entry] = &[
    Entry { name: ant::NAME, description: "walk on four legs", action_size: 8, vector: 28, load: ant::make },
    Entry { name: half_cheetah::NAME, description: "run on a back leg and a front leg, in a plane", action_size: 6, vector: 26, load: half_cheetah::make },
    Entry { name: hopper::NAME, description: "hop on one leg, in a plane", action_size: 3, vector: 15, load: hopper::make },
    Entry { name: inverted_double_pendulum_swingup::NAME, description: "swing up two poles on a cart, one on top of \
        the other, and balance them", action_size: 1, vector: 9, load: inverted_double_pendulum_swingup::make },
    Entry { name: inverted_pendulum_swingup::NAME, description: "swing up a pole on a cart and balance it", action_size: 1, vector: 5, load: inverted_pendulum_swingup::make },
    Entry { name: walker2d::NAME, description: "walk on two legs, in a plane", action_size: 6, vector: 22, load: walker2d::make },
];

/// The built-in tasks.
#[derive(Debug)]
pub struct Tasks {
    infos: Vec<TaskInfo>,
}

/// The catalogue of the built-in tasks, in alphabetic order.
pub fn catalogue() -> &'static Tasks {
    static CATALOGUE: LazyLock<Tasks> = LazyLock::new(|| {
        let infos = ENTRIES.iter().map(|entry| TaskInfo {
            observations: ObservationSpace { vector: entry.vector, ..ObservationSpace::IMAGE },
            ..TaskInfo::new(entry.name, entry.description, entry.action_size)
        });
        Tasks { infos: infos.collect() }
    });
    &CATALOGUE
}

impl Tasks {
    /// The information about the task `name`, and its simulation.
    fn load(&self, name: &str) -> Result<(&TaskInfo, Box<dyn Simulation>), TaskError> {
        match self.infos.iter().zip(ENTRIES).find(|(info, _)| info.name == name) {
            Some((info, entry)) => Ok((info, (entry.load)()?)),
            None => Err(self.unknown(name)),
        }
    }
}

impl Catalogue for Tasks {
    fn tasks(&self) -> &[TaskInfo] {
        &self.infos
    }

    fn make(&self, name: &str, options: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
        let (info, simulation) = self.load(name)?;
        Ok(Box::new(Episodes::new(info.clone().with(options), simulation, options.termination)))
    }
}

/// The task called `name`, one simulator frame at a time: below action repeat, frame limit and termination.
///
/// # Errors
/// If the task does not exist, or the simulator cannot load its model.
pub fn simulation(name: &str) -> Result<Box<dyn Simulation>, TaskError> {
    Ok(catalogue().load(name)?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted_and_sizes_are_those_of_the_tasks() {
        let tasks = catalogue().tasks();
        assert!(tasks.windows(2).all(|pair| pair[0].name < pair[1].name));
        for task in tasks {
            let simulation = simulation(&task.name).unwrap();
            assert_eq!((simulation.task(), simulation.action_size()), (task.name.as_str(), task.actions.size));
            assert_eq!(simulation.vector_size(), task.observations.vector, "{}", task.name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let message =
            catalogue().make("inverted_pendulum_swing_up", &TaskOptions::default()).err().unwrap().to_string();
        assert!(message.contains("did you mean \"inverted-pendulum-swingup\"?"), "{message}");
    }
}
