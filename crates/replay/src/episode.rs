//! One episode: its observations, actions and rewards, from a reset to the last observation.
//!
//! Here: the arrays and their conditions. Not here: collecting step by step (`builder`), files (`file`).

use crate::error::EpisodeError;
use crate::{IMAGE_BYTES, LARGEST_ACTION, LONGEST_TASK, LONGEST_VECTOR, Sizes};
use environment::Observation;

/// A finished episode of `T` agent steps: `T + 1` transitions.
///
/// Transition `t` holds the observation `o_t`, the action `a_t` that led to it (zeros at the reset), and the reward
/// `r_t` and discount `d_t` that came with it (0 and 1 at the reset). A discount of 0 marks a terminal state and stands
/// at the last transition only; an episode cut off by a time limit ends with 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    pub(crate) task: String,
    pub(crate) sizes: Sizes,
    pub(crate) arrays: Arrays,
}

/// The arrays of an episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays {
    /// Images `[T+1, 64, 64, 3]`, bytes; empty if it has none.
    pub image: Vec<u8>,
    /// Vectors `[T+1, V]`; empty if it has none.
    pub vector: Vec<f32>,
    /// Actions `[T+1, A]`.
    pub action: Vec<f32>,
    /// Rewards `[T+1]`.
    pub reward: Vec<f32>,
    /// Discounts `[T+1]`.
    pub discount: Vec<f32>,
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
        let arrays = Arrays { image, vector: Vec::new(), action, reward, discount };
        Self::of_arrays(task, action_size.into(), arrays)
    }

    /// An episode from its whole arrays, whose transitions have these sizes.
    ///
    /// # Errors
    /// As [`Episode::new`].
    pub fn of_arrays(task: &str, sizes: Sizes, arrays: Arrays) -> Result<Self, EpisodeError> {
        check_header(task, &sizes)?;
        let Arrays { image, vector, action, reward, discount } = &arrays;
        let length = reward.len();
        let parts = [
            ("image", image.len(), length.saturating_mul(sizes.image())),
            ("vector", vector.len(), length.saturating_mul(sizes.vector())),
            ("action", action.len(), length.saturating_mul(sizes.action)),
            ("discount", discount.len(), length),
        ];
        for (array, found, expected) in parts {
            if found != expected {
                return Err(EpisodeError::Size { array, transitions: length, expected, found });
            }
        }
        if length < 2 {
            return Err(EpisodeError::TooShort { transitions: length });
        }
        for t in 0..length {
            check_vector(t, row(vector, t, sizes.vector()))?;
            check_transition(t, row(action, t, sizes.action), reward[t], discount[t])?;
            if discount[t] == 0.0 && t + 1 < length {
                return Err(EpisodeError::AfterTheEnd { transition: t + 1 });
            }
        }
        Ok(Self { task: task.to_owned(), sizes, arrays })
    }

    /// The episode with actions of `size` elements: zeros follow its own. One whose actions are as long or longer stays as it is.
    #[must_use]
    pub fn with_actions_padded(mut self, size: usize) -> Self {
        let own = self.sizes.action;
        if own < size {
            self.arrays.action = widened(&self.arrays.action, own, size);
            self.sizes.action = size;
        }
        self
    }

    /// The episode with vectors of `size` numbers: zeros follow its own. One whose vectors are as long or longer, or that has none,
    /// stays as it is.
    #[must_use]
    pub fn with_vectors_padded(mut self, size: usize) -> Self {
        let own = self.sizes.vector();
        if (1..size).contains(&own) {
            self.arrays.vector = widened(&self.arrays.vector, own, size);
            self.sizes.observations.vector = size;
        }
        self
    }

    /// The episode with actions of at most `size` elements: those after the first `size` are left out.
    #[must_use]
    pub fn with_actions_cut(mut self, size: usize) -> Self {
        let own = self.sizes.action;
        if size < own {
            self.arrays.action = narrowed(&self.arrays.action, own, size);
            self.sizes.action = size;
        }
        self
    }

    /// The episode with vectors of at most `size` numbers: those after the first `size` are left out.
    #[must_use]
    pub fn with_vectors_cut(mut self, size: usize) -> Self {
        let own = self.sizes.vector();
        if size < own {
            self.arrays.vector = narrowed(&self.arrays.vector, own, size);
            self.sizes.observations.vector = size;
        }
        self
    }

    /// The episode as one of the task `task`.
    ///
    /// # Errors
    /// If no task can have this name.
    pub fn of_task(mut self, task: &str) -> Result<Self, EpisodeError> {
        check_header(task, &self.sizes)?;
        task.clone_into(&mut self.task);
        Ok(self)
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The sizes of its transitions.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Action size, `A`.
    pub fn action_size(&self) -> usize {
        self.sizes.action
    }

    /// Number of transitions, `T + 1`: at least 2.
    #[expect(clippy::len_without_is_empty, reason = "an episode is never empty")]
    pub fn len(&self) -> usize {
        self.arrays.reward.len()
    }

    /// The observations of all transitions, one after the other.
    pub fn observations(&self) -> Observation<'_> {
        Observation { image: &self.arrays.image, vector: &self.arrays.vector }
    }

    /// Vectors `[T+1, V]`; empty if it has none.
    pub fn vector(&self) -> &[f32] {
        &self.arrays.vector
    }

    /// Images `[T+1, 64, 64, 3]`, bytes; empty if it has none.
    pub fn image(&self) -> &[u8] {
        &self.arrays.image
    }

    /// Actions `[T+1, A]`, the first one zeros.
    pub fn action(&self) -> &[f32] {
        &self.arrays.action
    }

    /// Rewards `[T+1]`, the first one 0.
    pub fn reward(&self) -> &[f32] {
        &self.arrays.reward
    }

    /// Discounts `[T+1]`, the first one 1.
    pub fn discount(&self) -> &[f32] {
        &self.arrays.discount
    }

    /// The episode's return: the plain sum of its rewards.
    pub fn score(&self) -> f64 {
        self.arrays.reward.iter().map(|&reward| f64::from(reward)).sum()
    }

    /// Bytes of the arrays, uncompressed.
    pub fn bytes(&self) -> u64 {
        (self.len() * self.sizes.bytes()) as u64
    }
}

/// Row `t` of an array whose rows have `size` numbers.
fn row(array: &[f32], t: usize, size: usize) -> &[f32] {
    &array[t * size..(t + 1) * size]
}

/// Rows of `own` numbers, cut to `size`.
fn narrowed(rows: &[f32], own: usize, size: usize) -> Vec<f32> {
    rows.chunks_exact(own).flat_map(|row| &row[..size]).copied().collect()
}

/// Rows of `own` numbers as rows of `size`, with zeros after their own.
fn widened(rows: &[f32], own: usize, size: usize) -> Vec<f32> {
    let zeros = vec![0.0; size - own];
    rows.chunks_exact(own).flat_map(|row| row.iter().chain(&zeros).copied().collect::<Vec<_>>()).collect()
}

/// Refuses task names and sizes that no episode can have.
pub(crate) fn check_header(task: &str, sizes: &Sizes) -> Result<(), EpisodeError> {
    let characters = task.chars().count();
    if characters == 0 || characters > LONGEST_TASK || task.chars().any(char::is_control) {
        return Err(EpisodeError::Task { task: task.chars().take(LONGEST_TASK).collect() });
    }
    if sizes.action == 0 || sizes.action > LARGEST_ACTION {
        return Err(EpisodeError::ActionSize { action_size: sizes.action });
    }
    if sizes.image() != IMAGE_BYTES && (sizes.image() > 0 || sizes.vector() == 0) || sizes.vector() > LONGEST_VECTOR {
        return Err(EpisodeError::Observations { image: sizes.image(), vector: sizes.vector() });
    }
    Ok(())
}

/// Refuses a vector that transition `t` cannot have.
pub(crate) fn check_vector(t: usize, vector: &[f32]) -> Result<(), EpisodeError> {
    match vector.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(EpisodeError::NotFinite { array: "vector", transition: t, value }),
        None => Ok(()),
    }
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
