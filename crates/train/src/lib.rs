//! A run: collect, learn, evaluate, log, checkpoint and resume, in one run folder.
//!
//! [`train`] does a run, [`evaluate`] plays with what it left. Here: everything between the agent and the files of a
//! run. Not here: arguments and exit codes (the program), studies of many runs.

pub mod checkpoint;
pub mod config;
mod count;
mod error;
mod folder;
mod learner;
mod lock;
pub mod machine;
mod meters;
mod nearest;
mod play;
mod report;
mod schedule;
mod speed;
pub mod streams;
mod worlds;

pub use count::{AgentSteps, Frames, grouped};
pub use error::TrainError;
pub use folder::{RunFolder, config_text, stored_config};
pub use learner::Learner;
pub use meters::Meters;
pub use play::{Played, play};
pub use report::{Event, Reporter};
pub use schedule::{Phase, Position, next};
pub use worlds::Worlds;
