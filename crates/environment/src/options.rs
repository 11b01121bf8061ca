//! The options of a task.

use serde::{Deserialize, Serialize};

/// Choices that hold for any task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskOptions {
    /// When an episode of a built-in task ends. External environments end their episodes themselves.
    pub termination: Termination,
    /// The requested part of an environment's observations.
    pub observe: Observe,
    /// The fewest numbers that an observed vector has: shorter ones are padded with zeros. 0 asks for no padding beyond the
    /// longest of the tasks.
    pub vector_length: usize,
    /// Simulator frames that an action is held for; 0 stands for the task's own number.
    pub action_repeat: u32,
    /// Simulator frames of the longest episode; 0 stands for the task's own number.
    pub frame_limit: u32,
    /// Seconds that an external environment may take for an answer. Results do not depend on it.
    pub timeout: u64,
    /// The arguments that an external environment is made with, such as the keyword arguments of `gymnasium.make`.
    pub arguments: Arguments,
}

/// Values by name.
pub type Arguments = serde_json::Map<String, serde_json::Value>;

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

/// The requested part of an environment's observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Observe {
    /// An image.
    #[default]
    Image,
    /// A vector of numbers.
    Vector,
    /// An image and a vector.
    Both,
}

impl Observe {
    /// Its name in `task.observe`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Vector => "vector",
            Self::Both => "both",
        }
    }
}

impl Default for TaskOptions {
    fn default() -> Self {
        Self {
            termination: Termination::default(),
            observe: Observe::default(),
            vector_length: 0,
            action_repeat: 0,
            frame_limit: 0,
            timeout: 60,
            arguments: Arguments::new(),
        }
    }
}

impl TaskOptions {
    /// The same options with the default of the one that results do not depend on.
    pub fn rules(&self) -> Self {
        Self { timeout: Self::default().timeout, ..self.clone() }
    }
}
