//! Episodes, their files, and a replay memory that keeps images compressed within a byte budget.
//!
//! Here: [`Episode`] and the [`EpisodeBuilder`] used while collecting, the episode file ([`write_episode`],
//! [`read_episode`]; its format is documented in `docs/formats.md`), [`Replay`], which keeps episodes compressed and samples
//! windows of experience as a [`Batch`]. Not here: environments,
//! networks, and when a run collects or learns.
//!
//! Shapes are written with these letters: `T` agent steps of an episode, `A` the action size, `B` windows in a batch,
//! `L` transitions in a window.

mod batch;
mod builder;
mod compressed;
mod embeddings;
mod episode;
mod error;
mod file;
mod folder;
mod memory;
mod name;
mod npy;
mod starts;

pub use batch::{Batch, Window};
pub use builder::EpisodeBuilder;
pub use compressed::CompressedEpisode;
pub use embeddings::Embeddings;
pub use episode::Episode;
pub use error::{Damage, EpisodeError, FileError, ReplayError};
pub use file::{decode_episode, read_episode, write_batch, write_episode};
pub use folder::{OpenReport, SkippedFile, set_aside};
pub use memory::{Replay, ReplayStats};
pub use name::{EpisodeName, stamp};
pub use starts::WindowStarts;

pub use environment::{IMAGE_BYTES, IMAGE_SIDE};

/// Longest action that an episode can hold.
pub const LARGEST_ACTION: usize = 1024;

/// Longest task name in characters.
pub const LONGEST_TASK: usize = 128;

/// Bytes of one uncompressed transition, as in a batch, an [`Episode`] or an uncompressed file: image, action, reward and
/// discount. In a [`Replay`] it usually takes much less.
pub const fn transition_bytes(action_size: usize) -> usize {
    IMAGE_BYTES + (action_size + 2) * size_of::<f32>()
}
