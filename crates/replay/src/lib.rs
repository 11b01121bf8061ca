//! Episodes, their files, and a replay memory that keeps images compressed within a byte budget.
//!
//! Here: [`Episode`] and the [`EpisodeBuilder`] used while collecting, the episode file ([`write_episode`],
//! [`read_episode`]; its format is documented in `docs/formats.md`), [`Replay`], which keeps episodes compressed and samples
//! sequences of experience as a [`Batch`]. Not here: environments,
//! networks, and when a run collects or learns.
//!
//! Shapes are written with these letters: `T` agent steps of an episode, `A` the action size, `V` numbers of a
//! vector observation, `B` sequences in a batch,
//! `L` transitions in a sequence.
//!
//! ```
//! use replay::{Batch, EpisodeBuilder, IMAGE_BYTES, Replay, WindowStarts};
//!
//! let image = vec![0; IMAGE_BYTES];
//! let mut builder = EpisodeBuilder::new("my-task", 2, &image)?;
//! for step in 0..20 {
//!     builder.push(&[0.5, -0.5], step as f32, 1.0, &image)?;
//! }
//! let mut replay = Replay::new(2, 1 << 30)?; // two numbers per action, a budget of 1 GiB
//! replay.add(builder.finish()?)?;
//! let mut batch = Batch::new(3, 8); // three windows of eight transitions
//! replay.sample(&mut random::Stream::new(0, "batches"), WindowStarts::Inside, &mut batch)?;
//! assert_eq!(batch.reward.len(), 24);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
mod rehearsal;
mod sizes;
mod starts;

pub use batch::{Batch, Window};
pub use builder::EpisodeBuilder;
pub use compressed::CompressedEpisode;
pub use embeddings::Embeddings;
pub use episode::{Arrays, Episode};
pub use error::{Damage, EpisodeError, FileError, ReplayError};
pub use file::{decode_episode, read_episode, read_episode_of, write_batch, write_episode};
pub use folder::{ADDED, Addition, OpenReport, SkippedFile, add_episodes, set_aside};
pub use memory::{LARGEST_EPISODE, Replay, ReplayStats};
pub use name::{EpisodeName, stamp};
pub use rehearsal::Rehearsal;
pub use sizes::Sizes;
pub use starts::WindowStarts;

pub use environment::{IMAGE_BYTES, IMAGE_SIDE};

/// Longest action that an episode can hold.
pub const LARGEST_ACTION: usize = 1024;

/// Longest vector observation.
pub const LONGEST_VECTOR: usize = 65_536;

/// Longest task name in characters.
pub const LONGEST_TASK: usize = 128;
