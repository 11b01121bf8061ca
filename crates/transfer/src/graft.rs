//! From a plan to a new agent, in one call.

use crate::document::MetaModelStart;
use crate::error::TransferError;
use crate::meta_model::{self, target_config};
use crate::plan::Plan;
use crate::report::Report;
use crate::resolve::resolve;
use crate::source::Sources;
use dreamer::{Agent, AgentConfig};
use random::Stream;

/// A new agent with transferred parameters, and the report of the transfer.
#[derive(Debug)]
pub struct Grafted {
    /// The agent, ready to learn.
    pub agent: Agent,
    /// The report of the transfer.
    pub report: Report,
}

/// A new agent whose random start has nothing in common with that of its sources, even if they were made with the same
/// seed: otherwise the random weights in Eq. 3 would be those that the source began with.
///
/// # Errors
/// [`TransferError::Agent`] if a value of the configuration is out of range.
pub fn new_target(
    config: &AgentConfig,
    action_size: usize,
    seed: u64,
    sources: &Sources<f32>,
) -> Result<Agent, TransferError> {
    let mut agent = Agent::new(config, action_size, seed)?;
    // A separate stream for each set of sources: its name contains their checksums, up to the length limit of names.
    let name: String = format!("transfer {}", sources.fingerprint()).chars().take(Stream::LONGEST_NAME).collect();
    agent.learner_mut().initialise(&mut Stream::new(seed, &name));
    Ok(agent)
}

/// Creates the target agent of a plan: `base` with the changes of the plan, random parameters from `seed`, and the
/// parameters of the sources grafted onto them.
///
/// # Errors
/// [`TransferError`] names the contradiction and the next step.
pub fn graft(
    plan: &Plan,
    base: &AgentConfig,
    action_size: usize,
    seed: u64,
    sources: &Sources<f32>,
) -> Result<Grafted, TransferError> {
    let config = target_config(plan, base, sources)?;
    let mut agent = new_target(&config, action_size, seed, sources)?;
    if plan.meta_model().is_some_and(|meta_model| meta_model.start == MetaModelStart::Silent) {
        let alone = AgentConfig {
            reward_sources: Vec::new(),
            reward_sources_standardised: false,
            reward_sources_l1: 0.0,
            ..config
        };
        meta_model::start_silently(agent.learner_mut(), new_target(&alone, action_size, seed, sources)?.learner());
    }
    let resolved = resolve(plan, agent.learner(), sources)?;
    resolved.apply(agent.learner_mut())?;
    Ok(Grafted { agent, report: resolved.report().clone() })
}
