//! Text and numbers for people.
//!
//! Here: the suggestion for a mistyped name ([`nearest`]), counts of things ([`counted`]) and numbers ([`grouped`],
//! [`rounded`], [`bytes`]). Not here: whole messages, which belong to the errors and reports that print them.

mod nearest;
mod numbers;

pub use nearest::{distance, nearest};
pub use numbers::{bytes, counted, grouped, rounded};
