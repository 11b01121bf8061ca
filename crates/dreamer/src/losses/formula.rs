//! [`LossFormula`]: the world model's loss as a formula over sums, made from its terms.

use super::Terms;
use crate::metrics::{Counts, Metric, MetricValue, Sums};

/// A reported loss: the weighted means of its terms, in the order in which they were recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct LossFormula {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    metric: Metric,
    weight: f64,
    /// The least that the mean counts as.
    least: Option<f64>,
}

impl LossFormula {
    /// Forgets everything: another gradient step begins.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// Adds terms that are not there yet. Images are recorded a few at a time, each time with the same term.
    ///
    /// # Panics
    /// If a term is not reported: the loss would be reported without it.
    pub fn include(&mut self, terms: &Terms) {
        for term in terms.losses() {
            let metric = term.metric.expect("a term of a reported loss has a metric");
            if self.parts.iter().all(|part| part.metric != metric) {
                self.parts.push(Part { metric, weight: term.weight, least: term.gate.map(|gate| gate.least) });
            }
        }
    }

    /// The loss, given the sums over the whole batch.
    pub fn value(&self, sums: &Sums, counts: &Counts) -> f64 {
        let parts = self.parts.iter().map(|part| {
            let MetricValue::Mean { per, .. } = part.metric.row().value else {
                unreachable!("terms are means");
            };
            let mean = sums[part.metric] / counts.of(per);
            part.weight * part.least.map_or(mean, |least| mean.max(least))
        });
        parts.sum()
    }
}
