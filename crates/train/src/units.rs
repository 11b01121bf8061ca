//! Counts that must not be mixed up: environment frames and agent steps.
//!
//! Here: [`Frames`] and [`AgentSteps`]. Not here: counting them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign};
use wording::{counted, grouped};

/// Environment frames: the unit of every schedule, metric and plot ("environment steps" in the papers).
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
    /// Frames from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// With the noun, for a sentence: `1 frame`, `2 000 frames`.
    pub fn counted(self) -> String {
        counted(self.0, "frame")
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

/// The number itself, but 0 for -0: the two are equal, and -0 would look as if it had a meaning.
pub fn unsigned_zero(value: f64) -> f64 {
    value + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_minus_zero() {
        let bits = [-0.0, 0.0, -1.5, f64::NEG_INFINITY].map(|value| unsigned_zero(value).to_bits());
        assert_eq!(bits, [0.0, 0.0, -1.5, f64::NEG_INFINITY].map(f64::to_bits));
    }

    proptest! {
        #[test]
        fn since_undoes_addition(a in 0u64..1 << 60, b in 0u64..1 << 60) {
            prop_assert_eq!((Frames(a) + Frames(b)).since(Frames(a)), Frames(b));
        }
    }
}
