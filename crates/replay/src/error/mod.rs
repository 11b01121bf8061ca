//! What can go wrong with episodes, their files and the memory, each with its place and the next step.

mod episode;
mod file;
mod memory;

pub use episode::EpisodeError;
pub use file::{Damage, FileError};
pub use memory::ReplayError;
