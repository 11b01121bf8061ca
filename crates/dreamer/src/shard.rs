//! What a gradient step is divided into: shards of the batch, the workers that take them, and the sums that they leave.

use crate::batch::BatchView;
use crate::noise::Noise;
use crate::world_model::{Filtered, Pieces, Sequences};
use crate::{AgentConfig, Precision};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use tape::{Real, Workspace};

/// Buffers that a worker needs for whichever shard it has at hand.
#[derive(Debug)]
pub(crate) struct Worker<F> {
    pub pieces: Pieces<F>,
    pub behaviour: Workspace<F>,
    /// Of a frozen encoder: in full precision, whatever the step's, since an embedding is computed once.
    pub encoder: Workspace<F>,
    /// The scratch buffers that a shard's own workspace needs while the shard is at hand.
    pub scratch: Workspace<F>,
}

impl<F: Real> Worker<F> {
    pub fn new(precision: Precision) -> Self {
        let precision = precision.of_products();
        let [behaviour, scratch] = std::array::from_fn(|_| Workspace::new(precision));
        Self { pieces: Pieces::new(precision), behaviour, encoder: Workspace::default(), scratch }
    }
}

/// What belongs to a shard: it outlives the pause in which the shards' divergences are added up.
#[derive(Debug)]
pub(crate) struct Shard<F> {
    pub data: Sequences<F>,
    pub noise: Noise<F>,
    pub workspace: Workspace<F>,
    pub feature_gradient: Vec<F>,
    pub filtered: Option<Filtered>,
    pub sums: Sums,
}

impl<F: Real> Shard<F> {
    /// Copies the shard's sequences, step by step, and sizes its noise.
    pub fn load(
        &mut self,
        batch: &BatchView<F>,
        config: &AgentConfig,
        action_size: usize,
        first: usize,
        sequences: usize,
    ) {
        let length = config.length;
        let rows = sequences * length;
        let Sequences { action, reward, discount, embedding } = &mut self.data;
        by_step(action, batch.action, action_size, length, first, sequences);
        by_step(reward, batch.reward, 1, length, first, sequences);
        by_step(discount, batch.discount, 1, length, first, sequences);
        embedding.clear();
        if !batch.embedding.is_empty() {
            by_step(embedding, batch.embedding, config.embed(), length, first, sequences);
        }
        self.noise.posterior.resize(rows * config.stoch, F::ZERO);
        self.noise.action.resize(config.horizon * rows * action_size, F::ZERO);
        self.noise.prior.resize(config.horizon * rows * config.stoch, F::ZERO);
    }
}

/// Sequences [B, L, size] from `first` on, as [L, sequences, size].
pub(crate) fn by_step<T: Copy + Default>(
    out: &mut Vec<T>,
    all: &[T],
    size: usize,
    length: usize,
    first: usize,
    sequences: usize,
) {
    out.resize(sequences * length * size, T::default());
    for (row, out) in out.chunks_exact_mut(size).enumerate() {
        let (step, sequence) = (row / sequences, row % sequences);
        let from = ((first + sequence) * length + step) * size;
        out.copy_from_slice(&all[from..from + size]);
    }
}

/// Sums over a shard's transitions, or imagined steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub divergence: f64,
    pub prior_entropy: f64,
    pub posterior_entropy: f64,
    pub image: f64,
    pub reward: f64,
    pub discount: f64,
    pub actor: f64,
    pub value: f64,
    pub imagined_reward: f64,
    pub imagined_value: f64,
    pub imagined_return: f64,
    pub action_square: f64,
    pub policy_entropy: f64,
}

impl Sums {
    pub fn add(&mut self, other: &Self) {
        self.divergence += other.divergence;
        self.prior_entropy += other.prior_entropy;
        self.posterior_entropy += other.posterior_entropy;
        self.image += other.image;
        self.reward += other.reward;
        self.discount += other.discount;
        self.actor += other.actor;
        self.value += other.value;
        self.imagined_reward += other.imagined_reward;
        self.imagined_value += other.imagined_value;
        self.imagined_return += other.imagined_return;
        self.action_square += other.action_square;
        self.policy_entropy += other.policy_entropy;
    }
}

pub(crate) fn inner<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` on every shard. Worker w begins with shard w, then each takes the next that nobody has; none, once
/// `interrupted` is set.
pub(crate) fn for_each_shard<F: Real>(
    interrupted: &AtomicBool,
    workers: &mut [Worker<F>],
    shards: &[Mutex<Shard<F>>],
    work: impl Fn(&mut Worker<F>, usize, &mut Shard<F>) + Sync,
) {
    let next = AtomicUsize::new(workers.len());
    workers.par_iter_mut().with_max_len(1).enumerate().for_each(|(first, worker)| {
        let mut index = first;
        while index < shards.len() && !interrupted.load(Ordering::Relaxed) {
            let mut shard = shards[index].lock().unwrap_or_else(PoisonError::into_inner);
            work(worker, index, &mut shard);
            index = next.fetch_add(1, Ordering::Relaxed);
        }
    });
}
