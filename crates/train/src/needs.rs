//! The estimated needs of a run, before it starts: memory, and files in its folder.
//!
//! The numbers of bytes per image, video and plot are means of measurements of the built-in tasks, so the estimates are typical
//! and not bounds. Here: the arithmetic. Not here: checking whether there is memory enough (`agent::footprint`).

use crate::TrainError;
use crate::agent::environments::{for_tasks, sizes_of};
use crate::agent::footprint::{COMPRESSED_IMAGE, ENVIRONMENT};
use crate::config::{Config, KeptFiles};
use dreamer::footprint;
use environment::TaskInfo;
use replay::Sizes;

/// The needs of a run.
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
    /// The files of its folder at its end.
    pub disk: Disk,
}

/// The files of a run folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Episodes, before any are removed at the end.
    pub episodes: Files,
    /// Whether they are removed at the end.
    pub episodes_go: bool,
    /// Videos and open-loop plots.
    pub videos: Files,
    /// Checkpoints.
    pub checkpoints: Files,
    /// Metrics, TensorBoard's events with the same plots, and settings.
    pub records: Files,
}

/// Files: how many, and their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Bytes of memory of the program itself, its threads and the environments of one task. Runs of the preset `smoke` took 87 MB
/// (`inverted-pendulum-swingup`) to 97 MB (`ant`) in all, and were killed in cgroups of 84 MB.
const PROGRAM: u64 = 80_000_000;

/// Bytes of memory for reading the episodes of a run that resumes, at most.
const READING: u64 = 256 << 20;

/// The most bytes of memory that a run is not expected to have in excess of the estimate, as a share of it.
const MARGIN: u64 = 10;

/// Bytes of an image in an episode's file. Measured over random episodes: 118 (`inverted-pendulum-swingup`), 192, 213, 377, 379
/// and 535 (`half-cheetah`).
const IMAGE_IN_FILE: u64 = 320;

/// Bytes of an image in a video. Measured: 772 (`inverted-pendulum-swingup`) to 2700 (`ant`).
const IMAGE_IN_VIDEO: u64 = 1_800;

/// Bytes of an open-loop plot. Measured: 106 000 (`half-cheetah`) to 575 000 (`ant`).
const PLOT: u64 = 440_000;

/// Bytes of a line of metrics, in `metrics.jsonl` and in TensorBoard's events together.
const LINE: u64 = 1_200;

/// Bytes of the rest of a checkpoint and of the settings of a run.
const SMALL_FILES: u64 = 10_000;

impl Needs {
    /// The needs of a run of `config` in these tasks. `frozen_encoder` is whether it may start with a frozen encoder,
    /// which a transfer decides.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn of(config: &Config, tasks: &[TaskInfo], frozen_encoder: bool) -> Result<Self, TrainError> {
        let sizes = sizes_of(tasks.iter(), &config.task);
        let mut config = for_tasks(config, tasks);
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
        // Each task has one for training and one for evaluation.
        let built_in = tasks.iter().filter(|task| task.outside.is_none()).count().saturating_sub(1) as u64;
        let parts = [
            PROGRAM,
            ENVIRONMENT.saturating_mul(2 * built_in),
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
            disk: Disk::of(&config, tasks, sizes, checkpoint),
        })
    }

    /// The same with the episodes of a run of these needs to rehearse, of which the memory holds at most `budget` bytes.
    #[must_use]
    pub fn rehearsing(mut self, of: &Self, budget: u64) -> Self {
        let Files { count, bytes } = of.disk.episodes;
        // The images of all of them, compressed in memory as they are measured to be.
        let in_memory = (bytes / IMAGE_IN_FILE).saturating_mul(COMPRESSED_IMAGE).min(budget);
        self.fixed = self.fixed.saturating_add(in_memory);
        let own = &mut self.disk.episodes;
        *own = Files { count: own.count.saturating_add(count), bytes: own.bytes.saturating_add(bytes) };
        self
    }

    /// Bytes of memory of the run with so many threads.
    pub fn memory(&self, threads: usize) -> u64 {
        let workers = threads.clamp(1, self.shards.max(1)) as u64;
        let bytes = self.fixed.saturating_add(self.worker.saturating_mul(workers));
        bytes.saturating_add(bytes / MARGIN)
    }
}

impl Disk {
    fn of(config: &Config, tasks: &[TaskInfo], sizes: Sizes, checkpoint: u64) -> Self {
        let count = tasks.len().max(1) as u64;
        let mean = |of: &dyn Fn(&TaskInfo) -> u64| tasks.iter().map(of).fold(0, u64::saturating_add) / count;
        let transitions = mean(&|task| task.timing.transitions(config.steps.0));
        let episodes = mean(&|task| config.steps.0.div_ceil(u64::from(task.timing.frame_limit.max(1))));
        let with_images = sizes.image() > 0;
        let (evaluations, filmed) = evaluations(config);
        let filmed = if with_images { filmed.saturating_mul(count) } else { 0 };
        let video = mean(&|task| u64::from(task.timing.longest_episode()).saturating_mul(IMAGE_IN_VIDEO));
        let lines = config.steps.0 / config.log.every.0.max(1) + evaluations;
        let checkpoints = config.checkpoint.kept as u64 + if config.checkpoint.best { count } else { 0 };
        Self {
            episodes_go: config.replay.files == KeptFiles::UntilFinished,
            episodes: Files { count: episodes, bytes: transitions.saturating_mul(in_bytes(sizes, IMAGE_IN_FILE)) },
            videos: Files { count: filmed.saturating_mul(2), bytes: filmed.saturating_mul(video.saturating_add(PLOT)) },
            checkpoints: Files { count: 2 * checkpoints, bytes: checkpoint.saturating_mul(checkpoints) },
            records: Files {
                count: 4,
                bytes: filmed
                    .saturating_mul(PLOT)
                    .saturating_add(lines.saturating_mul(LINE))
                    .saturating_add(SMALL_FILES),
            },
        }
    }
}

impl Files {
    /// These files and others.
    pub fn and(self, other: Self) -> Self {
        let (count, bytes) = (self.count.saturating_add(other.count), self.bytes.saturating_add(other.bytes));
        Self { count, bytes }
    }
}

/// How many evaluations a run has, and how many of them write videos.
fn evaluations(config: &Config) -> (u64, u64) {
    let (steps, every) = (config.steps.0, config.schedule.eval_every.0.max(1));
    let all = 1 + steps / every;
    let filmed = if !config.log.videos {
        0
    } else if config.log.video_every.0 <= every {
        all
    } else {
        // The first one, one in every so many frames, and the last one, which is one of them if the numbers fit.
        let video_every = config.log.video_every.0;
        (1 + steps / video_every + u64::from(steps % video_every != 0)).min(all)
    };
    (all, filmed)
}

/// Bytes of a transition whose image takes `image` bytes.
fn in_bytes(sizes: Sizes, image: u64) -> u64 {
    let numbers = (sizes.bytes() - sizes.image()) as u64;
    numbers + if sizes.image() > 0 { image.min(sizes.image() as u64) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, preset, resolve};

    fn needs(name: &str, settings: &[&str]) -> Needs {
        let mut layers = vec![preset(name).unwrap()];
        layers.extend(["tasks=ant"].iter().chain(settings).map(|text| Layer::typed(text).unwrap()));
        Needs::of(&resolve(&layers).unwrap(), &[TaskInfo::new("ant", "", 8)], false).unwrap()
    }

    #[test]
    fn a_run_at_the_published_sizes_takes_what_was_measured() {
        let paper = needs("paper", &[]);
        assert_eq!(paper.shards, 10);
        // An agent alone took 550 MB on one thread and 2165 MB on ten; the episodes of the whole run come on top.
        for (threads, agent) in [(1, 550_000_000), (10, 2_165_000_000)] {
            let memory = paper.memory(threads);
            assert!((agent + 800_000_000..2 * (agent + 800_000_000)).contains(&memory), "{threads} threads: {memory}");
        }
        // The largest resident memory of such a run.
        assert!(needs("smoke", &[]).memory(1) > 97_000_000);
        let six = vec![TaskInfo::new("ant", "", 8); 6];
        let config = resolve(&[preset("smoke").unwrap(), Layer::typed("tasks=ant").unwrap()]).unwrap();
        assert!(Needs::of(&config, &six, false).unwrap().memory(1) > 471_000_000);
        assert_eq!(paper.memory(10), paper.memory(16), "more threads than shards do nothing");
        // 501 000 images.
        assert!((100_000_000..300_000_000).contains(&paper.disk.episodes.bytes), "{:?}", paper.disk);
        assert_eq!(paper.disk.episodes.count, 1000);
        // An evaluation every 10 000 frames, with a video and a plot.
        assert_eq!(paper.disk.videos.count, 2 * 101);
        assert!(paper.checkpoint > 50_000_000 && paper.disk.checkpoints.bytes == 3 * paper.checkpoint, "{paper:?}");
    }

    #[test]
    fn what_tasks_show_decides_which_agent_is_measured() {
        let layers = ["tasks=ant", "replay.starts=stream", "task.vector_length=40"];
        let layers: Vec<Layer> = layers.iter().map(|text| Layer::typed(text).unwrap()).collect();
        let config = resolve(&layers).unwrap();
        let mut task = TaskInfo::new("ant", "", 8);
        task.observations = environment::ObservationSpace { image: None, vector: 28 };
        let agent = for_tasks(&config, &[task]).agent;
        assert!(config.agent.images && !agent.images && agent.resets);
        assert_eq!((config.agent.vector, agent.vector), (0, 40));
    }

    #[test]
    fn settings_change_what_is_written() {
        let videos = |settings: &[&str]| needs("small", settings).disk.videos.count / 2;
        assert_eq!(videos(&[]), 11);
        assert_eq!(videos(&["log.videos=false"]), 0);
        assert_eq!(videos(&["log.video_every=5000"]), 11);
        assert_eq!(videos(&["log.video_every=25000"]), 5);
        assert_eq!(videos(&["log.video_every=30000"]), 5);
        assert_eq!(videos(&["log.video_every=1e6"]), 2);
        assert!(needs("small", &["replay.files=until_finished"]).disk.episodes_go);
        let less = needs("small", &["replay.budget=1MB"]).memory(1);
        assert!(less < needs("small", &[]).memory(1));
    }
}
