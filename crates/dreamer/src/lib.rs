//! The Dreamer agent: world model, imagination, losses, training step, policy and checkpoint.

pub mod config;
mod error;

pub use config::AgentConfig;
pub use error::DreamerError;
