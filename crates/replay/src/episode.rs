//! One episode: its images, actions and rewards, from a reset to the last image.
//!
//! Here: the arrays and their conditions. Not here: collecting step by step (`builder`), files (`file`).

use crate::error::EpisodeError;
use crate::{IMAGE_BYTES, LARGEST_ACTION, LONGEST_TASK};

/// A finished episode of `T` agent steps: `T + 1` transitions.
///
/// Transition `t` holds the observation `o_t`, the action `a_t` that led to it (zeros at the reset), and the reward
/// `r_t` and discount `d_t` that came with it (0 and 1 at the reset). A discount of 0 marks a terminal state and stands
/// at the last transition only; an episode cut off by a time limit ends with 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    pub(crate) task: String,
    pub(crate) action_size: usize,
    pub(crate) image: Vec<u8>,
    pub(crate) action: Vec<f32>,
    pub(crate) reward: Vec<f32>,
    pub(crate) discount: Vec<f32>,
}

impl Episode {
    /// An episode from its whole arrays: `image` `[T+1, 64, 64, 3]`, `action` `[T+1, A]`, `reward` and `discount` `[T+1]`.
    ///
    /// # Errors
    /// The first thing found that cannot be an episode.
    pub fn new(
        task: &str,
        action_size: usize,
        image: Vec<u8>,
        action: Vec<f32>,
        reward: Vec<f32>,
        discount: Vec<f32>,
    ) -> Result<Self, EpisodeError> {
        check_header(task, action_size)?;
        let length = reward.len();
        let sizes = [
            ("image", image.len(), length.saturating_mul(IMAGE_BYTES)),
            ("action", action.len(), length.saturating_mul(action_size)),
            ("discount", discount.len(), length),
        ];
        for (array, found, expected) in sizes {
            if found != expected {
                return Err(EpisodeError::Size { array, transitions: length, expected, found });
            }
        }
        if length < 2 {
            return Err(EpisodeError::TooShort { transitions: length });
        }
        for t in 0..length {
            let action = &action[t * action_size..(t + 1) * action_size];
            check_transition(t, action, reward[t], discount[t])?;
            if discount[t] == 0.0 && t + 1 < length {
                return Err(EpisodeError::AfterTheEnd { transition: t + 1 });
            }
        }
        Ok(Self { task: task.to_owned(), action_size, image, action, reward, discount })
    }

    /// The episode with actions of `size` elements: zeros follow its own. One whose actions are as long or longer stays as it is.
    #[must_use]
    pub fn padded(mut self, size: usize) -> Self {
        if self.action_size < size {
            let own = self.action.chunks_exact(self.action_size);
            let zeros = vec![0.0; size - self.action_size];
            self.action = own.flat_map(|action| action.iter().chain(&zeros).copied().collect::<Vec<_>>()).collect();
            self.action_size = size;
        }
        self
    }

    /// The episode as one of the task `task`.
    ///
    /// # Errors
    /// If no task can have this name.
    pub fn of_task(mut self, task: &str) -> Result<Self, EpisodeError> {
        check_header(task, self.action_size)?;
        task.clone_into(&mut self.task);
        Ok(self)
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// Action size, `A`.
    pub fn action_size(&self) -> usize {
        self.action_size
    }

    /// Number of transitions, `T + 1`: at least 2.
    #[expect(clippy::len_without_is_empty, reason = "an episode is never empty")]
    pub fn len(&self) -> usize {
        self.reward.len()
    }

    /// Images `[T+1, 64, 64, 3]`, bytes.
    pub fn image(&self) -> &[u8] {
        &self.image
    }

    /// Actions `[T+1, A]`, the first one zeros.
    pub fn action(&self) -> &[f32] {
        &self.action
    }

    /// Rewards `[T+1]`, the first one 0.
    pub fn reward(&self) -> &[f32] {
        &self.reward
    }

    /// Discounts `[T+1]`, the first one 1.
    pub fn discount(&self) -> &[f32] {
        &self.discount
    }

    /// The episode's return: the plain sum of its rewards.
    pub fn score(&self) -> f64 {
        self.reward.iter().map(|&reward| f64::from(reward)).sum()
    }

    /// Bytes of the arrays, uncompressed.
    pub fn bytes(&self) -> u64 {
        (self.len() * crate::transition_bytes(self.action_size)) as u64
    }
}

/// Refuses task names and action sizes that no episode can have.
pub(crate) fn check_header(task: &str, action_size: usize) -> Result<(), EpisodeError> {
    let characters = task.chars().count();
    if characters == 0 || characters > LONGEST_TASK || task.chars().any(char::is_control) {
        return Err(EpisodeError::Task { task: task.chars().take(LONGEST_TASK).collect() });
    }
    if action_size == 0 || action_size > LARGEST_ACTION {
        return Err(EpisodeError::ActionSize { action_size });
    }
    Ok(())
}

/// Refuses numbers that transition `t` cannot have.
pub(crate) fn check_transition(t: usize, action: &[f32], reward: f32, discount: f32) -> Result<(), EpisodeError> {
    if let Some(&value) = action.iter().find(|value| !value.is_finite()) {
        return Err(EpisodeError::NotFinite { array: "action", transition: t, value });
    }
    if let Some(&value) = action.iter().find(|value| value.abs() > 1.0) {
        return Err(EpisodeError::ActionRange { transition: t, value });
    }
    if !reward.is_finite() {
        return Err(EpisodeError::NotFinite { array: "reward", transition: t, value: reward });
    }
    if !(0.0..=1.0).contains(&discount) {
        return Err(EpisodeError::Discount { transition: t, value: discount });
    }
    if t == 0 && (reward != 0.0 || discount != 1.0 || action.iter().any(|&value| value != 0.0)) {
        return Err(EpisodeError::Reset);
    }
    Ok(())
}
