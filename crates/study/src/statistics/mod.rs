//! What many runs say together: pure functions of returns, which read no files.
//!
//! Here: what one curve comes to ([`Curve`]), means and deviations as papers print them ([`mean`], [`deviation`]), what holds
//! for few runs ([`interquartile_mean`], [`probability_of_improvement`], [`bootstrap`] intervals), and measures of transfer
//! ([`Transfer`]). docs/reports.md explains each. Not here: where returns come from, and tables.

mod bootstrap;
mod curve;
mod improvement;
mod moments;
mod transfer;

pub use bootstrap::{Interval, RESAMPLES, bootstrap};
pub use curve::{Band, Curve, Point, band};
pub use improvement::{improvement, probability_of_improvement};
pub use moments::{deviation, interquartile_mean, mean, quantile};
pub use transfer::{EARLY, LAST, THRESHOLD, Transfer, TransferInput, transfer};

/// A figure, and where it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure of the runs there are.
    pub value: f64,
    /// The interval; none where a task has a single run, which says nothing of others.
    pub interval: Option<Interval>,
}
