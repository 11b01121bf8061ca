//! A batch of sequences of experience, which the replay memory makes and the learner reads.
//!
//! Here: its buffers. Not here: how they are filled (`memory`, `embeddings`).

use crate::Sizes;

/// `B` sequences of `L` consecutive transitions each.
///
/// Transition `t` is: observation `o_t`, the action that led to it, and the reward and discount that came with it.
/// [`crate::Replay::sample`] gives the buffers their sizes and fills them; it allocates only if they have to grow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Number of sequences, `B`.
    pub batch: usize,
    /// Transitions in each sequence, `L`.
    pub length: usize,
    /// Action size, `A`; set by [`crate::Replay::sample`].
    pub action_size: usize,
    /// Images `[B, L, 64, 64, 3]`, bytes; empty if none are observed.
    pub image: Vec<u8>,
    /// Vectors `[B, L, V]`; empty if none are observed.
    pub vector: Vec<f32>,
    /// Actions `[B, L, A]`.
    pub action: Vec<f32>,
    /// Rewards `[B, L]`.
    pub reward: Vec<f32>,
    /// Discounts `[B, L]`: 1, or 0 where the episode ended in a terminal state.
    pub discount: Vec<f32>,
    /// 1 where an episode begins, else 0 `[B, L]`; empty unless windows may cross from one episode into the next
    /// ([`crate::WindowStarts::Stream`]).
    pub first: Vec<f32>,
    /// The windows that the sequences are copied from, in order: one for each, or several where it crosses from one episode
    /// into the next. Set by [`crate::Replay::sample`].
    pub windows: Vec<Window>,
    /// Embeddings of the images `[B, L, E]`, by [`crate::Embeddings::fill`]; empty if the encoder is learned.
    pub embedding: Vec<f32>,
}

/// The part of an episode that a sequence of a batch, or a part of it, is copied from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The episode's number: how many were added to the memory before it.
    pub episode: u64,
    /// Its first transition.
    pub start: usize,
    /// Its transitions.
    pub length: usize,
    /// Where the first one is among the `B L` transitions of the batch.
    pub place: usize,
    /// Whether it is an episode of another run ([`crate::Rehearsal`]), which are numbered among themselves.
    pub rehearsed: bool,
}

impl Batch {
    /// A batch that asks for `batch` sequences of `length` transitions; its buffers are still empty.
    pub fn new(batch: usize, length: usize) -> Self {
        Self { batch, length, ..Self::default() }
    }

    /// Gives every buffer the size that `batch`, `length` and `sizes` ask for.
    pub(crate) fn fit(&mut self, sizes: &Sizes) {
        self.action_size = sizes.action;
        let transitions = self.batch * self.length;
        self.image.resize(transitions * sizes.image(), 0);
        self.vector.resize(transitions * sizes.vector(), 0.0);
        self.action.resize(transitions * sizes.action, 0.0);
        self.reward.resize(transitions, 0.0);
        self.discount.resize(transitions, 0.0);
        self.first.clear();
        self.windows.clear();
        self.embedding.clear();
    }
}
