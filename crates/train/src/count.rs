//! Counts that must not be mixed up: environment frames and agent steps.
//!
//! Here: [`Frames`], [`AgentSteps`] and how numbers are written for people. Not here: what is counted, or when.

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

/// `1 episode`, `2 episodes`, `1 234 episodes`: a count of what `one` names.
pub fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with `decimals` of them, nothing written as `-0`.
pub fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        _ => text,
    }
}

/// The number itself, but 0 for -0: the two are equal, and only one of them looks as if it meant something.
pub fn unsigned_zero(value: f64) -> f64 {
    value + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(["0", "999", "1 000", "41 000", "1 234 567"], [0, 999, 1000, 41_000, 1_234_567].map(grouped)[..]);
    }

    #[test]
    fn one_is_not_several() {
        let counts = [0, 1, 1234].map(|number| counted(number, "episode"));
        assert_eq!(counts, ["0 episodes", "1 episode", "1 234 episodes"]);
    }

    #[test]
    fn nothing_is_minus_zero() {
        assert_eq!([-0.0, -0.4, -0.6, 0.4, f64::NAN].map(|value| rounded(value, 0)), ["0", "0", "-1", "0", "NaN"]);
        assert_eq!([-0.0004, -0.001, 12.3456].map(|value| rounded(value, 3)), ["0.000", "-0.001", "12.346"]);
        let bits = [-0.0, 0.0, -1.5, f64::NEG_INFINITY].map(|value| unsigned_zero(value).to_bits());
        assert_eq!(bits, [0.0, 0.0, -1.5, f64::NEG_INFINITY].map(f64::to_bits));
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
