//! Sequences of a batch, put in order step by step, as recordings read them.

use crate::AgentConfig;
use crate::batch::BatchView;
use crate::networks::symlog;
use crate::sequence_range::SequenceRange;
use tape::Real;

/// Sequences without their images, step by step: L steps of n sequences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences<F> {
    /// The symmetric logarithms of vectors [L * n, V]; empty if none are observed.
    pub vector: Vec<F>,
    /// [L * n, A].
    pub action: Vec<F>,
    /// [L * n].
    pub reward: Vec<F>,
    /// The discount head's targets [L * n]: the batch's discounts times the configuration's.
    pub discount: Vec<F>,
    /// 0 where an episode begins, else 1 [L * n]; empty unless sequences may cross from one episode into the next.
    pub kept: Vec<F>,
    /// The latent states that the sequences begin from, [stoch, deter] [n, S + D]; empty if they begin from zeros.
    pub start: Vec<F>,
    /// The frozen encoder's embeddings of the images [L * n, E]; empty if it is not known yet, or the encoder is trained.
    pub embedding: Vec<F>,
}

impl<F: Real> Sequences<F> {
    /// Copies the sequences of `range`.
    pub fn load(&mut self, batch: &BatchView<F>, config: &AgentConfig, range: SequenceRange) {
        let Self { vector, action, reward, discount, kept, start, embedding } = self;
        range.by_step(action, batch.action, batch.action.len() / batch.reward.len());
        range.by_step(reward, batch.reward, 1);
        range.by_step(discount, batch.discount, 1);
        let factor = F::of(config.discount);
        discount.iter_mut().for_each(|discount| *discount = factor * *discount);
        kept.clear();
        if config.resets {
            range.by_step(kept, batch.first, 1);
            kept.iter_mut().for_each(|first| *first = F::ONE - *first);
        }
        start.clear();
        if !batch.start.is_empty() {
            let size = config.feature();
            start.extend_from_slice(&batch.start[range.first * size..][..range.count * size]);
        }
        vector.clear();
        if config.vector > 0 {
            range.by_step(vector, batch.vector, config.vector);
            vector.iter_mut().for_each(|x| symlog([x.to_f64()], std::slice::from_mut(x)));
        }
        embedding.clear();
        if !batch.embedding.is_empty() {
            range.by_step(embedding, batch.embedding, config.embed());
        }
    }
}
