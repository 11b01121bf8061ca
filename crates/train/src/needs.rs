//! What a run is estimated to need, before it starts: memory, and bytes of a checkpoint.
//!
//! Here: the arithmetic. Not here: checking whether there is memory enough (`agent::footprint`).

use crate::TrainError;
use crate::agent::environments::{adapt, sizes_of};
use crate::agent::footprint::COMPRESSED_IMAGE;
use crate::config::Config;
use dreamer::footprint;
use environment::TaskInfo;
use replay::Sizes;

/// What a run needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    /// Bytes of memory that do not depend on the number of threads.
    fixed: u64,
    /// Bytes of memory of each thread that computes.
    worker: u64,
    /// The most threads that can work at once: one for each shard of a batch.
    pub shards: usize,
    /// Bytes of a checkpoint.
    pub checkpoint: u64,
}

/// Bytes of memory of the program itself, its threads and its simulators.
const PROGRAM: u64 = 50_000_000;

/// Bytes of memory for reading the episodes of a run that resumes, at most.
const READING: u64 = 256 << 20;

/// The most bytes of memory that a run is not expected to have in excess of the estimate, as a share of it.
const MARGIN: u64 = 10;

/// Bytes of the rest of a checkpoint and of the settings of a run.
const SMALL_FILES: u64 = 10_000;

impl Needs {
    /// What a run of `config` in these tasks needs. `frozen_encoder` is whether it may start with a frozen encoder, which a
    /// transfer decides.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn of(config: &Config, tasks: &[TaskInfo], frozen_encoder: bool) -> Result<Self, TrainError> {
        let sizes = sizes_of(tasks.iter());
        let mut config = config.clone();
        adapt(&mut config, sizes, tasks.iter());
        config.agent.frozen_encoder |= frozen_encoder;
        let agent = &config.agent;
        let transitions = tasks.iter().map(|task| task.timing.transitions(config.steps.0)).max().unwrap_or(0);
        let uncompressed = transitions.saturating_mul(sizes.bytes() as u64);
        let outside = tasks.iter().any(|task| task.outside.is_some());
        let in_memory =
            if outside { uncompressed } else { transitions.saturating_mul(in_bytes(sizes, COMPRESSED_IMAGE)) };
        let embeddings = if agent.frozen_encoder && agent.vector == 0 {
            config.replay.embeddings.0.min(footprint::embedding_bytes(agent, transitions))
        } else {
            0
        };
        let parts = [
            PROGRAM,
            footprint::training_bytes(agent, sizes.action)?,
            config.replay.budget.0.min(in_memory),
            embeddings,
            READING.min(uncompressed),
        ];
        let checkpoint = footprint::checkpoint_bytes(agent, sizes.action)?.saturating_add(SMALL_FILES);
        Ok(Self {
            fixed: parts.into_iter().fold(0, u64::saturating_add),
            worker: footprint::worker_bytes(agent),
            shards: agent.batch.div_ceil(agent.shard.max(1)),
            checkpoint,
        })
    }

    /// Bytes of memory of the run with so many threads.
    pub fn memory(&self, threads: usize) -> u64 {
        let workers = threads.clamp(1, self.shards.max(1)) as u64;
        let bytes = self.fixed.saturating_add(self.worker.saturating_mul(workers));
        bytes.saturating_add(bytes / MARGIN)
    }
}

/// Bytes of a transition whose image takes `image` bytes.
fn in_bytes(sizes: Sizes, image: u64) -> u64 {
    let numbers = (sizes.bytes() - sizes.image()) as u64;
    numbers + if sizes.image() > 0 { image.min(sizes.image() as u64) } else { 0 }
}
