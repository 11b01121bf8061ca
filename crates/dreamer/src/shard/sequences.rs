//! Sequences of a batch, put in order step by step, as recordings read them.

use crate::AgentConfig;
use crate::batch::BatchView;
use tape::Real;

/// Some of a batch's sequences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SequenceRange {
    /// The first of them.
    pub first: usize,
    /// How many there are, n.
    pub count: usize,
    /// Transitions in each, L.
    pub length: usize,
}

impl SequenceRange {
    /// All sequences of a batch.
    pub fn whole(config: &AgentConfig) -> Self {
        Self { first: 0, count: config.batch, length: config.length }
    }

    /// The sequences of a shard.
    pub fn shard(config: &AgentConfig, index: usize) -> Self {
        let first = index * config.shard;
        Self { first, count: config.shard.min(config.batch - first), length: config.length }
    }

    /// How many transitions they have, L * n.
    pub fn rows(&self) -> usize {
        self.count * self.length
    }

    /// Copies their part of `all` [B, L, size] to `out` [L, n, size].
    fn by_step<T: Copy + Default>(&self, out: &mut Vec<T>, all: &[T], size: usize) {
        out.resize(self.rows() * size, T::default());
        for (row, out) in out.chunks_exact_mut(size).enumerate() {
            let (step, sequence) = (row / self.count, row % self.count);
            let from = ((self.first + sequence) * self.length + step) * size;
            out.copy_from_slice(&all[from..from + size]);
        }
    }
}

/// Sequences but for their images, step by step: L steps of n sequences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences<F> {
    /// [L * n, A].
    pub action: Vec<F>,
    /// [L * n].
    pub reward: Vec<F>,
    /// The discount head's targets [L * n]: the batch's discounts times the configuration's.
    pub discount: Vec<F>,
    /// The frozen encoder's embeddings of the images [L * n, E]; empty if it is not known yet, or the encoder is trained.
    pub embedding: Vec<F>,
}

impl<F: Real> Sequences<F> {
    /// Copies the sequences of `range`.
    pub fn load(&mut self, batch: &BatchView<F>, config: &AgentConfig, range: SequenceRange) {
        let Self { action, reward, discount, embedding } = self;
        range.by_step(action, batch.action, batch.action.len() / batch.reward.len());
        range.by_step(reward, batch.reward, 1);
        range.by_step(discount, batch.discount, 1);
        let factor = F::of(config.discount);
        discount.iter_mut().for_each(|discount| *discount = factor * *discount);
        embedding.clear();
        if !batch.embedding.is_empty() {
            range.by_step(embedding, batch.embedding, config.embed());
        }
    }
}
