//! Errors of episodes, their files and the replay memory, each with its place and the next step.

mod episode;
mod file;
mod memory;

pub use episode::EpisodeError;
pub use file::{Damage, FileError};
pub use memory::ReplayError;
