//! [`Episodes`]: a simulation made into what an agent sees.
//!
//! Here: action repeat, time limit, termination, checks of actions. Each task's own rules are in its file.

use tape::random::Stream;

use crate::environment::{ACTION_REPEAT, Environment, FRAME_LIMIT, IMAGE_BYTES, Outcome};
use crate::error::TaskError;
use crate::options::Termination;
use crate::simulation::{OFFSET_BOUND, Simulation};

/// An [`Environment`] over a [`Simulation`].
pub struct Episodes {
    simulation: Box<dyn Simulation>,
    termination: Termination,
    frames: u32,
    running: bool,
    action: Vec<f32>,
}

impl Episodes {
    /// An environment with no episode running yet.
    pub fn new(simulation: Box<dyn Simulation>, termination: Termination) -> Self {
        Self { simulation, termination, frames: 0, running: false, action: vec![] }
    }

    fn check(&self, action: &[f32]) -> Result<(), TaskError> {
        let (task, expected) = (self.task(), self.action_size());
        if action.len() != expected {
            return Err(TaskError::ActionLength { task: task.to_owned(), expected, given: action.len() });
        }
        if let Some(index) = action.iter().position(|element| !element.is_finite()) {
            return Err(TaskError::ActionValue { task: task.to_owned(), index, value: action[index] });
        }
        if !self.running {
            return Err(TaskError::NoEpisode { task: task.to_owned() });
        }
        Ok(())
    }
}

impl Environment for Episodes {
    fn task(&self) -> &str {
        self.simulation.task()
    }

    fn action_size(&self) -> usize {
        self.simulation.action_size()
    }

    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) {
        let count = self.simulation.offset_count();
        let offsets: Vec<f64> = (0..count).map(|_| random.uniform_in(-OFFSET_BOUND, OFFSET_BOUND)).collect();
        self.simulation.start(&offsets);
        self.simulation.render(image);
        self.frames = 0;
        self.running = true;
    }

    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError> {
        assert_eq!(image.len(), IMAGE_BYTES, "bytes of an image");
        self.check(action)?;
        self.action.clear();
        self.action.extend(action.iter().map(|element| element.clamp(-1.0, 1.0)));
        let mut reward = 0.0;
        let mut outcome = Outcome { reward: 0.0, terminal: false, truncated: false, frames: 0 };
        while outcome.frames < ACTION_REPEAT && !outcome.over() {
            let frame = self.simulation.frame(&self.action);
            self.frames += 1;
            if !frame.reward.is_finite() || self.simulation.joints().iter().flatten().any(|x| !x.is_finite()) {
                self.running = false;
                return Err(TaskError::Diverged { task: self.task().to_owned(), frame: self.frames });
            }
            reward += frame.reward;
            outcome.frames += 1;
            outcome.terminal = frame.done && self.termination == Termination::Stock;
            outcome.truncated = self.frames >= FRAME_LIMIT && !outcome.terminal;
        }
        self.running = !outcome.over();
        self.simulation.render(image);
        Ok(Outcome { reward: reward as f32, ..outcome })
    }

    fn frames(&self) -> u32 {
        self.frames
    }
}
