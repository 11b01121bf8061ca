//! A run: collect, learn, evaluate, log, checkpoint and resume, in one run folder.
//!
//! [`train`] does a run, [`play`] plays with what it left. Here: everything between the agent and the files of a
//! run. Not here: arguments and exit codes (the program), studies of many runs.

mod agent;
pub mod bench;
pub mod checkpoint;
pub mod config;
mod diagnosis;
mod episode;
mod error;
mod fingerprint;
mod folder;
mod heritage;
mod leftovers;
mod lock;
pub mod machine;
mod memory;
mod meters;
mod units;

pub mod output;
mod pictures;
mod play;
mod record;
mod report;
mod run;
mod schedule;
mod speed;
pub mod streams;
mod trainable;
mod worlds;

pub use agent::{play, threads, train};
pub use diagnosis::Broken;
pub use episode::{Played, play_episode};
pub use error::TrainError;
pub use folder::{RunFolder, config_text, stored_config};
pub use heritage::foretell;
pub use lock::{RunLock, in_use};
pub use meters::Meters;
pub use play::{PlayOptions, Plays, Policy, Told, play_with};
pub use report::{Event, Reporter};
pub use run::{End, train_with};
pub use schedule::{Phase, Position, Prefilled, next};
pub use speed::{Split, Work};
pub use trainable::{Figures, Trainable};
pub use units::{AgentSteps, Frames, unsigned_zero};
pub use worlds::Worlds;

pub use dreamer::{DreamerError, Evaluation};
pub use tape::plan::{Device, MachineError};
pub use tape::{SimdError, SimdInstructionSet};
pub use tasks::{TaskError, TaskInfo, Termination, names as tasks};
