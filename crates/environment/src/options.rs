//! The options of a task.

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
    /// Also by the task's own rule, with a terminal state (in the built-in tasks, PyBullet's rule: a walker has
    /// fallen).
    Stock,
}
