//! The names of files and folders in a run folder, in a checkpoint and in an export.
//!
//! They are here because several crates read what another one writes: `transfer` finds agents in the folders that `train` writes, and
//! `study` reads the metrics of runs. Not here: what the files mean (`docs/formats.md`), and the files that only their writer reads.

/// In a run folder: the resolved configuration. A folder with this file is a run folder.
pub const CONFIG: &str = "config.toml";
/// In a run folder: the metrics, a JSON object a line.
pub const METRICS: &str = "metrics.jsonl";
/// In a run folder: the folder of episodes.
pub const EPISODES: &str = "episodes";
/// In a run folder: the folder of checkpoints, a folder each.
pub const CHECKPOINTS: &str = "checkpoints";
/// In a run folder: the folder of videos and open-loop plots.
pub const VIDEOS: &str = "videos";
/// In a run folder: the plan of the transfer with which the run started.
pub const TRANSFER_PLAN: &str = "transfer.toml";
/// In a run folder: the report of the transfer with which the run started.
pub const TRANSFER_REPORT: &str = "transfer.json";
/// In a run folder: which agent played the episodes before the first gradient step.
pub const GUIDE: &str = "guide.json";
/// In a run folder: which run's episodes are rehearsed, and how often.
pub const REHEARSAL: &str = "rehearsal.json";
/// In a run folder: the copies of these episodes.
pub const REHEARSED_EPISODES: &str = "rehearsal";
/// In a run folder: the predictions of a reward meta-model's sources from their own latent states in the first random
/// episode.
pub const SOURCE_REWARDS: &str = "source_rewards.json";
/// In a run folder: the lock of the process that works in it.
pub const RUN_LOCK: &str = "run.lock";
/// In a checkpoint: the agent.
pub const AGENT: &str = "agent.safetensors";
/// In a checkpoint: the state of the run.
pub const RUN_STATE: &str = "run.json";
/// The ending of a checkpoint's folder while another checkpoint of the same frames replaces it.
pub const REPLACED: &str = ".replaced";
/// In an export: the agent, without its optimisers.
pub const EXPORTED_AGENT: &str = "model.safetensors";
/// In an export: the description of the agent.
pub const EXPORTED_CONFIG: &str = "config.json";
