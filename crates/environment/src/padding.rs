//! [`Padded`]: one action size for several tasks, so that one policy can act in all of them.
//!
//! Source: Equation 2 of the paper: |A| of each domain becomes that of the domain with the largest action space; the
//! surplus elements do not have a meaning and are ignored.

use random::Stream;

use crate::environment::{Environment, Outcome};
use crate::error::TaskError;
use crate::info::TaskInfo;

/// An environment with longer actions than its task. It ignores the elements after those of the task.
pub struct Padded {
    environment: Box<dyn Environment>,
    /// That of the environment, but with the longer actions.
    info: TaskInfo,
}

impl Padded {
    /// Pads the actions of `environment` to `size` elements.
    ///
    /// # Errors
    /// [`TaskError::TooNarrow`] if the environment's own actions are longer.
    pub fn new(environment: Box<dyn Environment>, size: usize) -> Result<Self, TaskError> {
        let own = environment.action_size();
        if size < own {
            return Err(TaskError::TooNarrow { task: environment.task().to_owned(), own, size });
        }
        let mut info = environment.info().clone();
        info.actions = info.actions.padded(size);
        Ok(Self { environment, info })
    }
}

impl Environment for Padded {
    fn info(&self) -> &TaskInfo {
        &self.info
    }

    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) -> Result<(), TaskError> {
        self.environment.reset(random, image)
    }

    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        // The task ignores surplus elements, but one that is not finite is still an error of the caller.
        self.info.check_action(action)?;
        self.environment.step(&action[..self.environment.action_size()], image)
    }

    fn vector(&self) -> &[f32] {
        self.environment.vector()
    }

    fn frames(&self) -> u32 {
        self.environment.frames()
    }
}
