//! A run: collect, learn, evaluate, log, checkpoint and resume, in one run folder.
//!
//! [`train`] trains an agent in a run folder, and [`play`] plays episodes with the agent of a run. A [`RunRequest`]
//! describes a run. Here: everything between the agent and the files of a run. Not here: arguments and exit codes (the
//! program), and studies of many runs (crate `study`).
//!
//! ```
//! use train::{Frames, RunRequest};
//!
//! let mut request = RunRequest::new(vec!["hopper".to_owned()], "small");
//! request.steps = Some(Frames(50_000));
//! request.settings.push("agent.horizon=10".to_owned());
//! let config = request.configuration()?;
//! assert_eq!((config.steps, config.agent.horizon), (Frames(50_000), 10));
//! // The arguments of the program that start the same run.
//! assert_eq!(request.to_arguments()[..4], ["train", "hopper", "--preset", "small"]);
//! # Ok::<(), train::TrainError>(())
//! ```

mod added;
mod agent;
mod beginning;
pub mod bench;
pub mod config;
mod entrance;
mod error;
mod events;
pub mod export;
mod folder;
mod needs;
pub mod output;
mod rank;
mod request;
mod run;
pub mod streams;
mod support;
mod system;
mod units;

pub use added::{Added, add_episodes};
pub use agent::environments::{Environments, ExternalEnvironment, for_tasks};
pub use agent::imagined::Imagined;
pub use agent::learned::{About, Learned, find_learned, find_newest};
pub use agent::play::{Film, PlayEvent, PlayOptions, Plays, WhoPlays, play_with};
pub use agent::{Actor, Metrics, Trainable};
pub use beginning::{Planned, check_run_of, preview, try_beginning};
pub use entrance::{Job, play, threads, train};
pub use error::{MisfitError, TrainError};
pub use events::{Episodes, Event, Reporter};
pub use folder::lock::{RunLock, in_use};
pub use folder::provenance::{Arithmetic, record_commit};
pub use folder::{Left, checkpoint, config_text, remove_unfinished, stored_config};
pub use needs::{Disk, Files, Needs};
pub use rank::{RankEpisodes, RankEvent, RankOptions, rank};
pub use request::{Origin, RunRequest};
pub use run::End;
pub use run::begin::train_with;
pub use run::broken::Broken;
pub use run::episode::{Played, play_episode};
pub use run::meters::Meters;
pub use run::returns::Returns;
pub use run::schedule::{Phase, Position, Prefilled, next};
pub use run::speed::{Split, TimeLeft, Work};
pub use run::stop::Stop;
pub use run::warnings::{CHANCE_AFTER, SATURATED_FOR};
pub use support::{Asked, GuideRecord, RehearsalRecord, Rehearse};
pub use system::cpu_seconds;
pub use units::{AgentSteps, Frames, unsigned_zero};

pub use dreamer::{ActMode, AgentConfig, DreamerError, Evaluation, Policy};
pub use environment::{TaskError, Termination};
pub use tape::plan::{Device, MachineError};
pub use tape::{SimdError, SimdInstructionSet};
