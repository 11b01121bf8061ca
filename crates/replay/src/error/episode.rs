//! Errors in the numbers of an episode.

use crate::{IMAGE_BYTES, LARGEST_ACTION, LONGEST_TASK, LONGEST_VECTOR};

/// Numbers that cannot be an episode. Usually the environment that gave them is at fault.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EpisodeError {
    /// A task name that cannot be stored.
    #[error(
        "the task name {task:?} does not consist of 1 to {LONGEST_TASK} printable characters; give the task another \
         name"
    )]
    Task {
        /// The name, cut to the longest that is allowed.
        task: String,
    },
    /// An action size that cannot be.
    #[error("the action size {action_size} is not from 1 to {LARGEST_ACTION}; check the task's action size")]
    ActionSize {
        /// The size.
        action_size: usize,
    },
    /// Observations that cannot be.
    #[error(
        "an observation consists of an image of {IMAGE_BYTES} bytes, a vector of up to {LONGEST_VECTOR} numbers, or both, and \
         not of {image} bytes and {vector} numbers; check the task's observations"
    )]
    Observations {
        /// Bytes of an image.
        image: usize,
        /// Numbers of a vector.
        vector: usize,
    },
    /// An array of a whole episode that does not have one entry for each transition.
    #[error(
        "the array {array} has {found} values instead of {expected}; the array reward has {transitions} transitions. \
         All arrays must belong to the same episode"
    )]
    Size {
        /// The array.
        array: &'static str,
        /// Transitions by the reward array.
        transitions: usize,
        /// Values that belong there.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A part of one step that has a wrong size.
    #[error(
        "{array} has {found} values instead of {expected}{}, at transition {transition}; check the environment",
        if *expected == 1 { "s" } else { "" }
    )]
    StepSize {
        /// The array.
        array: &'static str,
        /// The transition's index, 0 for the reset.
        transition: usize,
        /// Values that belong there.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A number that is not finite.
    #[error(
        "the {array} at transition {transition} is {value}, which is not finite; check the environment and the agent"
    )]
    NotFinite {
        /// The array.
        array: &'static str,
        /// The transition's index.
        transition: usize,
        /// The number.
        value: f32,
    },
    /// An action beyond the range that every task has.
    #[error(
        "the action at transition {transition} has the element {value}, not within -1 to 1; scale actions to that range"
    )]
    ActionRange {
        /// The transition's index.
        transition: usize,
        /// The element.
        value: f32,
    },
    /// Two episodes in one.
    #[error(
        "is_first is set at transition {transition}: another episode begins there; write each episode to a file of its own"
    )]
    AnotherBegins {
        /// The transition's index.
        transition: usize,
    },
    /// A discount outside 0 to 1.
    #[error("the discount at transition {transition} is {value}, which is not from 0 to 1; check the environment")]
    Discount {
        /// The transition's index.
        transition: usize,
        /// The discount.
        value: f32,
    },
    /// A first transition that is not a reset.
    #[error("transition 0 is not a reset: a reset has action 0, reward 0 and discount 1")]
    Reset,
    /// A transition after a terminal one.
    #[error("transition {transition} follows a terminal transition (discount 0); start a new episode there")]
    AfterTheEnd {
        /// The index of the transition that is too many.
        transition: usize,
    },
    /// An episode without a step.
    #[error(
        "an episode needs a reset and at least one step, but this one has {}; add a step",
        wording::counted(*transitions as u64, "transition")
    )]
    TooShort {
        /// Transitions, the reset included.
        transitions: usize,
    },
}
