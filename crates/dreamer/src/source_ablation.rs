//! An ablation of the reward meta-model's sources: how much its prediction depends on each of them.

use crate::filtered::with_filtered;
use crate::learner::Learner;
use environment::Observation;
use tape::Real;

/// How much the predicted rewards change if sources of the reward meta-model are ablated.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceAblation {
    /// For each source, the root mean square of the change of the predicted rewards when the source's prediction is held at
    /// its mean. This measures the information in its prediction, not the effect of its constant part. In units of reward.
    pub changes: Vec<f64>,
    /// The standard deviation of the predicted rewards, as a scale for the changes.
    pub spread: f64,
}

impl<F: Real> Learner<F> {
    /// Ablates each source of the reward meta-model in turn, in the states (means of the posterior) of one sequence: T
    /// observations and the actions that led to them [T, A]. Returns `None` if the reward model has no sources.
    ///
    /// # Panics
    /// If observations and actions have different lengths, or there are none.
    pub fn ablate_sources(&self, observations: Observation<'_>, actions: &[F]) -> Option<SourceAblation> {
        let (config, networks) = (self.config(), self.networks());
        if config.reward_sources.is_empty() {
            return None;
        }
        Some(with_filtered(self.constant_view(), observations, actions, |tape, observed| {
            let feature = observed.feature;
            let predictions = networks.reward.source_predictions(tape, feature);
            let predicted = networks.reward.read(tape, &predictions, feature);
            let changes = (0..predictions.len()).map(|source| {
                let mean = mean_of(tape.value(predictions[source]));
                let mut ablated = predictions.clone();
                ablated[source] = tape.constant(tape.shape(feature).0, 1, |y| y.fill(F::of(mean)));
                let without = networks.reward.read(tape, &ablated, feature);
                let pairs = tape.value(predicted).iter().zip(tape.value(without));
                root_mean_square(pairs.map(|(a, b)| a.to_f64() - b.to_f64()))
            });
            let changes = changes.collect();
            let predicted = tape.value(predicted);
            let mean = mean_of(predicted);
            SourceAblation { changes, spread: root_mean_square(predicted.iter().map(|x| x.to_f64() - mean)) }
        }))
    }
}

fn mean_of<F: Real>(values: &[F]) -> f64 {
    values.iter().map(|x| x.to_f64()).sum::<f64>() / values.len() as f64
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(|x| x * x).sum::<f64>() / count).sqrt()
}
