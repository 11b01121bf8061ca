//! The sequences of a batch that a shard has, and their order step by step.

use crate::AgentConfig;

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
    pub fn by_step<T: Copy + Default>(&self, out: &mut Vec<T>, all: &[T], size: usize) {
        out.resize(self.rows() * size, T::default());
        for (row, out) in out.chunks_exact_mut(size).enumerate() {
            let (step, sequence) = (row / self.count, row % self.count);
            let from = ((self.first + sequence) * self.length + step) * size;
            out.copy_from_slice(&all[from..from + size]);
        }
    }
}
