//! An ablation of the reward meta-model's sources: how much its prediction depends on each of them.

use crate::images::Images;
use crate::learner::Learner;
use crate::networks::PIXELS;
use crate::shard::embed;
use tape::{Real, Tape, Workspace};

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
    /// Ablates each source of the reward meta-model in turn, in the states (means of the posterior) of one sequence: images
    /// [T, 64 * 64 * 3] and the actions that led to them [T, A]. Returns `None` if the reward model has no sources.
    ///
    /// # Panics
    /// If images and actions have different lengths, or there are none.
    pub fn ablate_sources(&self, images: &[u8], actions: &[F]) -> Option<SourceAblation> {
        let (config, networks) = (self.config(), self.networks());
        if config.reward_sources.is_empty() {
            return None;
        }
        let steps = images.len() / PIXELS;
        assert!(steps > 0 && actions.len() == steps * self.action_size(), "an action for every image");
        let mut workspace = Workspace::default();
        let mut embeddings = vec![F::ZERO; steps * config.embed()];
        embed(self.constant_model(), &mut workspace, Images::of(images), &mut embeddings);
        let mut tape = Tape::new(self.parameters(), self.no_parameters(), &mut workspace);
        let embed = tape.constant(steps, config.embed(), |y| y.copy_from_slice(&embeddings));
        let action = tape.constant(steps, self.action_size(), |y| y.copy_from_slice(actions));
        let mean = tape.constant(steps, config.stoch, |y| y.fill(F::ZERO));
        let feature = networks.rssm.observe(&mut tape, embed, action, mean, 1).feature;
        let predictions = networks.reward.source_predictions(&mut tape, feature);
        let predicted = networks.reward.read(&mut tape, &predictions, feature);
        let changes = (0..predictions.len()).map(|source| {
            let mean = mean_of(tape.value(predictions[source]));
            let mut ablated = predictions.clone();
            ablated[source] = tape.constant(steps, 1, |y| y.fill(F::of(mean)));
            let without = networks.reward.read(&mut tape, &ablated, feature);
            let pairs = tape.value(predicted).iter().zip(tape.value(without));
            root_mean_square(pairs.map(|(a, b)| a.to_f64() - b.to_f64()))
        });
        let changes = changes.collect();
        let predicted = tape.value(predicted);
        let mean = mean_of(predicted);
        Some(SourceAblation { changes, spread: root_mean_square(predicted.iter().map(|x| x.to_f64() - mean)) })
    }
}

fn mean_of<F: Real>(values: &[F]) -> f64 {
    values.iter().map(|x| x.to_f64()).sum::<f64>() / values.len() as f64
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(|x| x * x).sum::<f64>() / count).sqrt()
}
