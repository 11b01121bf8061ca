//! Counts that must not be mixed up: environment frames and agent steps.
//!
//! Here: [`Frames`], [`AgentSteps`] and how a count is written for people. Not here: what is counted, or when.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign};

/// Environment frames: the unit of every schedule, metric and figure ("environment steps" in the papers).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Frames(pub u64);

/// Decisions of the agent. With the action repeat of 2, an episode of 1000 frames has 500 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentSteps(pub u64);

impl Add for Frames {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Frames {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl AddAssign for AgentSteps {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Frames {
    /// Frames from `earlier` to here; none if `earlier` is later.
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0))
    }
}

impl fmt::Display for AgentSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0))
    }
}

/// `1234567` as `1 234 567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(["0", "999", "1 000", "41 000", "1 234 567"], [0, 999, 1000, 41_000, 1_234_567].map(grouped)[..]);
    }

    proptest! {
        #[test]
        fn grouping_only_adds_spaces(number: u64) {
            prop_assert_eq!(grouped(number).replace(' ', ""), number.to_string());
        }

        #[test]
        fn since_undoes_addition(a in 0u64..1 << 60, b in 0u64..1 << 60) {
            prop_assert_eq!((Frames(a) + Frames(b)).since(Frames(a)), Frames(b));
        }
    }
}
