//! [`Padded`]: one action size for several tasks, so that one policy can act in all of them.
//!
//! Source: Equation 2 of the paper: |A| of each domain becomes that of the domain with the largest action space; the
//! elements that are too many have no meaning and are ignored.

use random::Stream;

use crate::environment::{Environment, Outcome, check_action};
use crate::error::TaskError;
use crate::registry::names;

/// Elements of the largest action of all tasks.
pub fn largest_action_size() -> usize {
    names().iter().map(|task| task.action_size).max().unwrap_or(0)
}

/// An environment that takes longer actions than its task does and ignores what comes after the task's own elements.
pub struct Padded {
    environment: Box<dyn Environment>,
    size: usize,
}

impl Padded {
    /// Pads the actions of `environment` to `size` elements.
    pub fn new(environment: Box<dyn Environment>, size: usize) -> Result<Self, TaskError> {
        let own = environment.action_size();
        if size < own {
            return Err(TaskError::TooNarrow { task: environment.task().to_owned(), own, size });
        }
        Ok(Self { environment, size })
    }
}

impl Environment for Padded {
    fn task(&self) -> &str {
        self.environment.task()
    }

    fn action_size(&self) -> usize {
        self.size
    }

    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) {
        self.environment.reset(random, image);
    }

    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        // An ignored element that is not a number is still a mistake of whoever made it.
        check_action(self, action)?;
        self.environment.step(&action[..self.environment.action_size()], image)
    }

    fn frames(&self) -> u32 {
        self.environment.frames()
    }
}
