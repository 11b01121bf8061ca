//! [`LossFormula`]: the world model's loss as a formula over sums, made from its terms.

use super::Terms;
use super::weighing::Learned;
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
    /// How a learned weight enters.
    learned: Option<Learned>,
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
                let least = term.gate.map(|gate| gate.least);
                self.parts.push(Part { metric, weight: term.weight, least, learned: term.learned });
            }
        }
    }

    /// The loss, given the sums over the whole batch.
    pub fn value(&self, sums: &Sums, counts: &Counts) -> f64 {
        let mean_of = |metric: Metric| {
            let MetricValue::Mean { per, .. } = metric.row().value else { unreachable!("terms are means") };
            sums[metric] / counts.of(per)
        };
        let parts = self.parts.iter().map(|part| {
            let mean = mean_of(part.metric);
            let loss = part.weight * part.least.map_or(mean, |least| mean.max(least));
            match part.learned {
                None => loss,
                Some(Learned { factor, share }) => {
                    let factor = mean_of(factor);
                    // The factor is e^-s.
                    factor * loss + share * (1.0 / factor).ln_1p()
                }
            }
        });
        parts.sum()
    }
}
