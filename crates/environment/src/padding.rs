//! [`Padded`]: one action size and one length of vectors for several tasks, so that one policy can act in all of them.
//!
//! Source: Equation 2 of the paper: |A| of each domain becomes that of the domain with the largest action space; the
//! surplus elements do not have a meaning and are ignored. Vectors, which the paper does not have, are treated alike: zeros
//! follow their own numbers.

use random::Stream;

use crate::environment::{Environment, Outcome};
use crate::error::TaskError;
use crate::info::TaskInfo;

/// An environment with longer actions and vectors than its task. It ignores the elements of actions after those of the task.
pub struct Padded {
    environment: Box<dyn Environment>,
    /// That of the environment, but with the longer actions and vectors.
    info: TaskInfo,
    vector: Vec<f32>,
}

impl Padded {
    /// Pads the actions of `environment` to `size` elements, and its vectors to `vector` numbers.
    ///
    /// # Errors
    /// [`TaskError::TooNarrow`] if the environment's own actions are longer, [`TaskError::TooShort`] if its vectors are.
    pub fn new(environment: Box<dyn Environment>, size: usize, vector: usize) -> Result<Self, TaskError> {
        let own = environment.action_size();
        if size < own {
            return Err(TaskError::TooNarrow { task: environment.task().to_owned(), own, size });
        }
        let mut info = environment.info().clone();
        let own = info.observations.vector;
        if vector < own {
            return Err(TaskError::TooShort { task: info.name, own, size: vector });
        }
        info.actions = info.actions.padded(size);
        info.observations.vector = vector;
        Ok(Self { environment, info, vector: vec![0.0; vector] })
    }

    fn read_vector(&mut self) {
        let own = self.environment.vector();
        self.vector[..own.len()].copy_from_slice(own);
    }
}

impl Environment for Padded {
    fn info(&self) -> &TaskInfo {
        &self.info
    }

    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) -> Result<(), TaskError> {
        self.environment.reset(random, image)?;
        self.read_vector();
        Ok(())
    }

    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        // The task ignores surplus elements, but one that is not finite is still an error of the caller.
        self.info.check_action(action)?;
        let outcome = self.environment.step(&action[..self.environment.action_size()], image)?;
        self.read_vector();
        Ok(outcome)
    }

    fn vector(&self) -> &[f32] {
        &self.vector
    }
}
