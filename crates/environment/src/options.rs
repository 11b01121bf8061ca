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
    /// At the task's frame limit, always: for agents that do not predict the discount.
    #[default]
    Fixed,
    /// Also when the task's own rule says so (in the built-in tasks, PyBullet's: a walker has fallen): a terminal state.
    Stock,
}
