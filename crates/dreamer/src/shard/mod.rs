//! The CPU's runner of a gradient step: shards of the batch, and the workers that take them.
//!
//! A worker takes a shard through the first half of the world model's loss (`observe`), and, once all shards'
//! divergences are known, through its second half and imagination (`learn`). A loss that compares all transitions of a
//! batch comes between the halves (`whole_batch`). Layers with large images are in
//! `images_in_pieces`; shards' gradients are added up by `ordered_sum`. Not here: the losses (`crate::losses`), and the
//! optimisers.

mod images_in_pieces;
mod learn;
mod observe;
mod ordered_sum;
mod sequences;
mod totals;
mod whole_batch;

pub(crate) use images_in_pieces::{ENCODED_AT_ONCE, embed};
pub(crate) use ordered_sum::{OrderedSum, SpareGradients};
pub(crate) use sequences::Sequences;
pub(crate) use whole_batch::WholeBatch;

use crate::AgentConfig;
use crate::losses::{LossFormula, Terms};
use crate::metrics::{Counts, Sums};
use crate::noise::Noise;
use images_in_pieces::ImagePieces;
use observe::Filtered;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use tape::{Real, Workspace};
use whole_batch::Projections;

/// Buffers that a worker needs for whichever shard it has at hand.
#[derive(Debug)]
pub(crate) struct Worker<F> {
    images: ImagePieces<F>,
    heads: Workspace<F>,
    behaviour: Workspace<F>,
    /// Of the recording at hand, if it is not the shard's own.
    terms: Terms,
    /// Of a frozen encoder: always in full precision, because an embedding is computed once.
    pub encoder: Workspace<F>,
    /// The scratch buffers that a shard's own workspace needs while the shard is at hand.
    scratch: Workspace<F>,
}

impl<F: Real> Worker<F> {
    pub fn new(config: &AgentConfig, counts: Counts) -> Self {
        let precision = config.precision.of_products();
        let [heads, behaviour, scratch] = std::array::from_fn(|_| Workspace::new(precision));
        Self {
            images: ImagePieces::new(precision, counts),
            heads,
            behaviour,
            terms: Terms::new(counts),
            encoder: Workspace::default(),
            scratch,
        }
    }
}

/// The data of a shard, which outlives the pause in which the divergences of the shards are added up.
#[derive(Debug)]
pub(crate) struct Shard<F> {
    /// Its sequences without their images.
    pub data: Sequences<F>,
    pub noise: Noise<F>,
    /// The recording of the dynamics, and its terms.
    workspace: Workspace<F>,
    terms: Terms,
    filtered: Option<Filtered>,
    /// The gradient of the heads' losses with respect to the features [L * n, S + D].
    feature_gradient: Vec<F>,
    /// Of an agent that compares projections of the features with embeddings.
    projections: Projections<F>,
    /// Sums over the shard's transitions and imagined steps.
    pub sums: Sums,
    /// The imagined returns, if the agent measures their range.
    pub returns: Vec<F>,
    /// The same for every shard of a step.
    pub model_loss: LossFormula,
}

impl<F: Real> Shard<F> {
    pub fn new(config: &AgentConfig, counts: Counts) -> Self {
        Self {
            data: Sequences::default(),
            noise: Noise::default(),
            workspace: Workspace::new(config.precision.of_products()),
            terms: Terms::new(counts),
            filtered: None,
            feature_gradient: Vec::new(),
            projections: Projections::default(),
            sums: Sums::default(),
            returns: Vec::new(),
            model_loss: LossFormula::default(),
        }
    }
}

pub(crate) fn inner<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// The sums over all shards, added in their order.
pub(crate) fn sums_of<F>(shards: &mut [Mutex<Shard<F>>]) -> Sums {
    let mut sums = Sums::default();
    shards.iter_mut().for_each(|shard| sums += &inner(shard).sums);
    sums
}

/// Runs `work` on every shard. Worker w starts with shard w, then each takes the next free shard, until `interrupted`
/// is set.
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
