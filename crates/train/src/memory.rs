//! Whether there is memory enough, before anything is made or written.
//!
//! Here: the comparison of what a run takes at least with what the system has. Not here: what an agent takes
//! (`dreamer::footprint`).

use crate::TrainError;
use crate::config::Config;
use dreamer::{AgentConfig, footprint};

/// Checks that there is memory enough for a run of `config`: what the system would do otherwise is to kill it, days later
/// perhaps. On a device, `learns_here` is false, and the device is asked for itself.
///
/// # Errors
/// [`TrainError::Memory`] tells what it takes and what there is.
pub(crate) fn check_run(config: &Config, action_size: usize, learns_here: bool) -> Result<(), TrainError> {
    // A run ends soon after its last frame: no more than its transitions are ever kept.
    let transitions = config.steps.0 / u64::from(tasks::ACTION_REPEAT);
    let whole = transitions.saturating_mul(replay::transition_bytes(action_size) as u64);
    let agent = if learns_here { footprint::training_bytes(&config.agent, action_size)? } else { 0 };
    check(agent, config.replay.budget.0.min(whole))
}

/// Checks that there is memory enough for an agent that learns.
///
/// # Errors
/// As [`check_run`].
pub(crate) fn check_agent(config: &AgentConfig, action_size: usize) -> Result<(), TrainError> {
    check(footprint::training_bytes(config, action_size)?, 0)
}

fn check(agent: u64, replay: u64) -> Result<(), TrainError> {
    match footprint::available_bytes() {
        Some(available) if available < agent.saturating_add(replay) => {
            Err(TrainError::Memory { agent, replay, available })
        }
        _ => Ok(()),
    }
}
