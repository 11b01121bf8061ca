//! What can be chosen about a task.

use serde::{Deserialize, Serialize};

/// Choices that hold for any task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskOptions {
    /// When an episode ends.
    pub termination: Termination,
}

/// When an episode ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Termination {
    /// After 1000 frames, always: for agents that do not predict the discount.
    #[default]
    Fixed,
    /// Also when PyBullet's own rule says so (a walker has fallen): a terminal state.
    Stock,
}
