//! What an agent sees of a task.

use random::Stream;

use crate::error::TaskError;

/// Pixels on each side of an image.
pub const SIDE: usize = 64;

/// Bytes of an image: `[64, 64, 3]`, RGB, rows from the top.
pub const IMAGE_BYTES: usize = SIDE * SIDE * 3;

/// Simulator frames that one action is held for.
pub const ACTION_REPEAT: u32 = 2;

/// Simulator frames of the longest episode.
pub const FRAME_LIMIT: u32 = 1000;

/// A task as an agent sees it: pixels in, one action every [`ACTION_REPEAT`] frames out.
pub trait Environment: Send {
    /// The task's name in the registry.
    fn task(&self) -> &str;

    /// Elements of an action.
    fn action_size(&self) -> usize;

    /// Starts an episode. All its chance comes from `random`: the same draws give the same episode, whatever was done
    /// before. Fills `image`, [`IMAGE_BYTES`].
    fn reset(&mut self, random: &mut Stream, image: &mut [u8]);

    /// Holds `action` for [`ACTION_REPEAT`] frames (fewer if the episode ends), then fills `image`, [`IMAGE_BYTES`].
    ///
    /// Elements belong in [-1, 1]; what is beyond counts as the bound. An action of a wrong length, one that is not
    /// finite, and a step outside an episode are errors that change nothing.
    fn step(&mut self, action: &[f32], image: &mut [u8]) -> Result<Outcome, TaskError>;

    /// Simulator frames since the last reset.
    fn frames(&self) -> u32;
}

/// What came of a step.
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
    /// Whether the episode is over, for whichever reason.
    pub fn over(&self) -> bool {
        self.terminal || self.truncated
    }
}

/// Whether `action` has as many elements as `environment` takes, all finite.
pub(crate) fn check_action(environment: &dyn Environment, action: &[f32]) -> Result<(), TaskError> {
    let (task, expected) = (environment.task(), environment.action_size());
    if action.len() != expected {
        return Err(TaskError::ActionLength { task: task.to_owned(), expected, given: action.len() });
    }
    match action.iter().position(|element| !element.is_finite()) {
        Some(index) => Err(TaskError::ActionValue { task: task.to_owned(), index, value: action[index] }),
        None => Ok(()),
    }
}
