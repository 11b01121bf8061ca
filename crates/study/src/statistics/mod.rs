//! Statistics over many runs: pure functions of returns, which do not read files.
//!
//! Here: learning curves ([`Curve`]), means and deviations as in papers ([`mean`], [`deviation`]), statistics for few
//! runs ([`interquartile_mean`], [`probability_of_improvement`], [`bootstrap`] intervals), and measures of transfer
//! ([`Transfer`]). docs/reports.md explains each. Not here: where returns come from, and tables.

mod bootstrap;
mod curve;
mod descriptive;
mod improvement;
mod interquartile;
mod resamples;
mod transfer;

pub use bootstrap::{Interval, RESAMPLES, bootstrap};
pub use curve::{Band, Curve, Point, band};
pub use descriptive::{deviation, interquartile_mean, mean, quantile};
pub use improvement::{improvement, probability_of_improvement};
pub use interquartile::pooled_interquartile_mean;
pub use transfer::{EARLY, LAST, THRESHOLD, Transfer, TransferInput, transfer};

/// A statistic and its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The statistic of the existing runs.
    pub value: f64,
    /// The interval; `None` if a task has a single run, which does not show the variation between runs.
    pub interval: Option<Interval>,
}
