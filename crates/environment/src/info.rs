//! [`TaskInfo`]: information about a task before an episode is played.

use crate::error::TaskError;
use crate::options::TaskOptions;
use crate::spaces::{ActionSpace, ObservationSpace};
use serde::{Deserialize, Serialize};

/// Information about a task that is available before an episode is played.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInfo {
    /// The name by which a catalogue makes it.
    pub name: String,
    /// A description of the task, in one line.
    pub description: String,
    /// The space of observations: in a catalogue everything that the task offers, in an environment the requested part.
    pub observations: ObservationSpace,
    /// The space of actions.
    pub actions: ActionSpace,
    /// How time passes.
    pub timing: Timing,
    /// The description of an external environment; `None` for a built-in task.
    pub outside: Option<Outside>,
}

/// The description of an external environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The programs that it is made of, such as `gymnasium 1.2.0, Python 3.11.7`.
    pub programs: String,
    /// Whether the same seed and the same actions gave the same episode when that was tried.
    pub repeatable: bool,
    /// Notes for the user, a line each.
    pub notes: Vec<String>,
}

/// How time passes in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Simulator frames that one action is held for, at least 1.
    pub action_repeat: u32,
    /// Simulator frames of the longest episode.
    pub frame_limit: u32,
    /// Time that a simulator frame takes, in seconds.
    pub frame_seconds: f64,
}

impl Timing {
    /// The timing of the built-in tasks.
    pub const STANDARD: Self = Self { action_repeat: 2, frame_limit: 1000, frame_seconds: 0.0165 };

    /// Transitions of the longest episode: its reset, and a transition for each action.
    pub const fn longest_episode(&self) -> u32 {
        self.frame_limit.div_ceil(self.action_repeat) + 1
    }

    /// Transitions of `frames` frames in episodes of full length: each has one more than actions.
    pub fn transitions(&self, frames: u64) -> u64 {
        frames / u64::from(self.action_repeat.max(1)) + frames.div_ceil(u64::from(self.frame_limit.max(1)))
    }

    /// Time that an action is held for, in seconds.
    pub fn step_seconds(&self) -> f64 {
        self.frame_seconds * f64::from(self.action_repeat)
    }
}

impl TaskInfo {
    /// A task with images and timing of the standard kind.
    pub fn new(name: &str, description: &str, action_size: usize) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            observations: ObservationSpace::IMAGE,
            actions: ActionSpace::continuous(action_size),
            timing: Timing::STANDARD,
            outside: None,
        }
    }

    /// The same task with the observations and the timing that the options ask for.
    pub fn with(mut self, options: &TaskOptions) -> Self {
        self.observations = self.observations.observed(options.observe);
        let or_own = |asked: u32, own: u32| if asked > 0 { asked } else { own };
        self.timing.action_repeat = or_own(options.action_repeat, self.timing.action_repeat);
        self.timing.frame_limit = or_own(options.frame_limit, self.timing.frame_limit);
        self
    }

    /// Checks that `action` has as many elements as the task needs, all of them finite.
    ///
    /// # Errors
    /// [`TaskError::ActionLength`] or [`TaskError::ActionValue`].
    pub fn check_action(&self, action: &[f32]) -> Result<(), TaskError> {
        let expected = self.actions.size;
        if action.len() != expected {
            return Err(TaskError::ActionLength { task: self.name.clone(), expected, given: action.len() });
        }
        match action.iter().position(|element| !element.is_finite()) {
            Some(index) => Err(TaskError::ActionValue { task: self.name.clone(), index, value: action[index] }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Observe;

    #[test]
    fn the_longest_episode_has_a_transition_for_its_reset_and_each_action() {
        assert_eq!(Timing::STANDARD.longest_episode(), 501);
        assert_eq!(Timing { action_repeat: 3, frame_limit: 10, frame_seconds: 0.5 }.longest_episode(), 5);
        assert_eq!(Timing::STANDARD.transitions(1000), 501);
        assert_eq!(Timing::STANDARD.transitions(2_000_000), 1_002_000);
    }

    #[test]
    fn options_that_are_zero_leave_a_task_its_own_time() {
        let info = TaskInfo::new("mine", "", 2);
        assert_eq!(info.clone().with(&TaskOptions::default()), info);
        let options = TaskOptions { action_repeat: 4, frame_limit: 70, ..TaskOptions::default() };
        assert_eq!(info.clone().with(&options).timing, Timing { action_repeat: 4, frame_limit: 70, ..info.timing });
    }

    #[test]
    fn options_choose_among_the_observations_that_a_task_offers() {
        let both = ObservationSpace { vector: 3, ..ObservationSpace::IMAGE };
        let info = TaskInfo { observations: both, ..TaskInfo::new("mine", "", 2) };
        for (observe, left) in [
            (Observe::Image, ObservationSpace::IMAGE),
            (Observe::Vector, ObservationSpace { image: None, vector: 3 }),
            (Observe::Both, both),
        ] {
            let options = TaskOptions { observe, ..TaskOptions::default() };
            assert_eq!(info.clone().with(&options).observations, left);
        }
    }

    #[test]
    fn actions_of_a_wrong_length_or_value_are_refused() {
        let info = TaskInfo::new("mine", "", 2);
        assert!(info.check_action(&[-1.0, 7.0]).is_ok());
        let length = info.check_action(&[0.0]).unwrap_err();
        assert!(matches!(length, TaskError::ActionLength { expected: 2, given: 1, .. }), "{length}");
        let value = info.check_action(&[0.0, f32::NAN]).unwrap_err();
        assert!(matches!(value, TaskError::ActionValue { index: 1, .. }), "{value}");
    }
}
