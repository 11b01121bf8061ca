//! The tasks by name.

use crate::environment::Environment;
use crate::episodes::Episodes;
use crate::error::TaskError;
use crate::options::TaskOptions;
use crate::simulation::Simulation;
use crate::{ant, half_cheetah, hopper, inverted_double_pendulum_swingup, inverted_pendulum_swingup, walker2d};

/// What the registry knows of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskInfo {
    /// The name that [`make`] takes.
    pub name: &'static str,
    /// What there is to learn, on one line.
    pub description: &'static str,
    /// Elements of an action.
    pub action_size: usize,
    load: fn() -> Result<Box<dyn Simulation>, TaskError>,
}

/// Every task, in alphabetic order: one line each.
#[rustfmt::skip]
const TASKS: &[TaskInfo] = &[
    TaskInfo { name: ant::NAME, description: "walk on four legs", action_size: 8, load: ant::make },
    TaskInfo { name: half_cheetah::NAME, description: "run on a hind and a front leg, in a plane", action_size: 6, load: half_cheetah::make },
    TaskInfo { name: hopper::NAME, description: "hop on one leg, in a plane", action_size: 3, load: hopper::make },
    TaskInfo { name: inverted_double_pendulum_swingup::NAME, description: "swing two poles on a cart up, one upon the other", action_size: 1, load: inverted_double_pendulum_swingup::make },
    TaskInfo { name: inverted_pendulum_swingup::NAME, description: "swing a pole on a cart up and keep it up", action_size: 1, load: inverted_pendulum_swingup::make },
    TaskInfo { name: walker2d::NAME, description: "walk on two legs, in a plane", action_size: 6, load: walker2d::make },
];

/// All tasks.
pub fn names() -> &'static [TaskInfo] {
    TASKS
}

/// The task called `name`, with action repeat, time limit and termination as an agent sees it.
pub fn make(name: &str, options: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
    Ok(Box::new(Episodes::new(simulation(name)?, options.termination)))
}

/// The task called `name`, one simulator frame at a time.
pub fn simulation(name: &str) -> Result<Box<dyn Simulation>, TaskError> {
    match TASKS.iter().find(|task| task.name == name) {
        Some(task) => (task.load)(),
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> TaskError {
    let known: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
    let asked = name.to_lowercase().replace(['_', ' '], "-");
    let nearest = wording::nearest(&asked, known.iter().copied()).expect("there are tasks");
    TaskError::UnknownTask { name: name.to_owned(), nearest, known: known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted_and_sizes_are_those_of_the_tasks() {
        assert!(TASKS.windows(2).all(|pair| pair[0].name < pair[1].name));
        for task in TASKS {
            let simulation = simulation(task.name).unwrap();
            assert_eq!((simulation.task(), simulation.action_size()), (task.name, task.action_size));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let message = make("inverted_pendulum_swing_up", &TaskOptions::default()).err().unwrap().to_string();
        assert!(message.contains("did you mean \"inverted-pendulum-swingup\"?"), "{message}");
    }
}
