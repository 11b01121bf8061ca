//! [`Environment`]: the environment in which an agent acts, one step at a time.

use random::Stream;

use crate::error::TaskError;
use crate::info::TaskInfo;

/// A task for an agent: it gives observations and receives actions, each of which is held for [`Timing::action_repeat`]
/// frames.
///
/// [`Timing::action_repeat`]: crate::Timing::action_repeat
pub trait Environment: Send {
    /// Information about the task.
    fn info(&self) -> &TaskInfo;

    /// Starts an episode. All randomness comes from `random`: equal draws give the same episode, independent of
    /// everything before. Writes the first image into `image`, which must have the bytes of the task's images.
    ///
    /// # Errors
    /// If the environment cannot start an episode.
    fn reset(&mut self, random: &mut Stream, image: &mut [u8]) -> Result<(), TaskError>;

    /// Holds `action` for the frames of an action (fewer if the episode ends), then fills `image`, as [`Environment::reset`] does.
    ///
    /// Elements of continuous actions belong in [-1, 1]; an element beyond counts as the bound. Of discrete actions, the
    /// largest element is the choice.
    ///
    /// # Errors
    /// If the action has a wrong length or is not finite, or no episode is running; these change nothing. If the simulation
    /// diverges, which ends the episode.
    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError>;

    /// The vector of the last observation, with as many numbers as the task's observations have; empty if they have none.
    fn vector(&self) -> &[f32] {
        &[]
    }

    /// The task's name.
    fn task(&self) -> &str {
        &self.info().name
    }

    /// Elements of an action.
    fn action_size(&self) -> usize {
        self.info().actions.size
    }
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Sum of the frames' rewards.
    pub reward: f32,
    /// Whether the episode ended in a state from which nothing more can be earned (discount 0).
    pub terminal: bool,
    /// Whether the episode ended only because its time was over (discount 1).
    pub truncated: bool,
    /// Frames that this step took.
    pub frames: u32,
}

impl Outcome {
    /// Whether the episode is over, for any reason.
    pub fn over(&self) -> bool {
        self.terminal || self.truncated
    }
}
