//! The metrics of a gradient step, in one table ([`METRICS`]).
//!
//! The table determines the sums of a step (`sums`), the logged metrics ([`StepMetrics`]) and the tables in
//! `docs/metrics.md`. Not here: the values that are summed; `crate::losses` records them.

mod sums;
mod table;

pub(crate) use sums::{Counts, Sums};
pub use sums::{Per, Reduction};
pub use table::{METRICS, MeanForm, MetricGroup, MetricRow, MetricValue};

use std::ops::Index;

/// A metric of a gradient step, in the order in which they are logged. Its row in [`METRICS`] describes it.
#[allow(missing_docs, reason = "the table describes each of them")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    ModelLoss,
    ImageLoss,
    VectorLoss,
    BarlowLoss,
    RewardLoss,
    RewardSourceL1,
    DiscountLoss,
    Kl,
    DynamicsLoss,
    RepresentationLoss,
    ImageWeight,
    VectorWeight,
    BarlowWeight,
    RewardWeight,
    DivergenceWeight,
    PriorEntropy,
    PosteriorEntropy,
    ActorLoss,
    ValueLoss,
    ReplayValueLoss,
    ImaginedReward,
    ImaginedValue,
    ImaginedReturn,
    PolicyEntropy,
    ActionRms,
    ModelGradientNorm,
    ActorGradientNorm,
    ValueGradientNorm,
}

impl Metric {
    /// The number of metrics.
    pub const COUNT: usize = Self::ValueGradientNorm as usize + 1;

    /// Its row in the table.
    pub const fn row(self) -> &'static MetricRow {
        &METRICS[self as usize]
    }

    /// The name by which it is logged.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// How its sum is computed, or `None` if it does not follow from a sum.
    pub(crate) const fn reduction(self) -> Option<Reduction> {
        match self.row().value {
            MetricValue::Mean { of, .. } => Some(of),
            MetricValue::ModelLoss | MetricValue::GradientNorm => None,
        }
    }
}

/// The metrics of one gradient step. `metrics[Metric::Kl]` is one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepMetrics([f64; Metric::COUNT]);

impl StepMetrics {
    /// Every metric from the results of a step: the sums over the whole batch, including the gradient norms if the
    /// runner knows them, and the world model's loss.
    pub(crate) fn new(sums: &Sums, counts: &Counts, model_loss: f64) -> Self {
        Self(METRICS.each_ref().map(|row| match row.value {
            MetricValue::Mean { per, form, .. } => form.of(sums[row.metric], counts.of(per)),
            MetricValue::ModelLoss => model_loss,
            MetricValue::GradientNorm => sums[row.metric],
        }))
    }

    /// Sets a gradient's norm, which is known after everything else.
    pub(crate) fn set(&mut self, metric: Metric, value: f64) {
        self.0[metric as usize] = value;
    }

    /// Every metric under the name by which it is logged, in the order of [`METRICS`].
    pub fn named(&self) -> [(&'static str, f64); Metric::COUNT] {
        METRICS.each_ref().map(|row| (row.name, self[row.metric]))
    }

    /// The first metric that is infinite or NaN, if any.
    pub fn not_finite(&self) -> Option<(&'static str, f64)> {
        self.named().into_iter().find(|(_, x)| !x.is_finite())
    }
}

impl Index<Metric> for StepMetrics {
    type Output = f64;

    fn index(&self, metric: Metric) -> &f64 {
        &self.0[metric as usize]
    }
}
