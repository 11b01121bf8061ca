//! Transfers that are tried before their sources have learned anything: names and shapes of parameters, and which of them are equal,
//! are known before that.

use super::footprint;
use crate::TrainError;
use crate::agent::environments::Environments;
use crate::config::Config;
use crate::streams::RunKey;
use dreamer::Agent;
use environment::Catalogue;
use std::path::Path;
use transfer::{Plan, Source, Sources, TransferError, graft};

/// The agents that do not exist yet, by their paths; `None` if one is not among them.
pub type Planned<'a> = dyn FnMut(&Path) -> Result<Option<Source<f32>>, TrainError> + 'a;

/// The agent with which a run of `config` would begin under `plan`, as a source of others. `planned` gives the agents that do not exist
/// yet, by their paths; all others are read.
///
/// # Errors
/// If a task is unknown, a source cannot be read, or the transfer cannot be done.
pub fn try_beginning(
    catalogue: &dyn Catalogue,
    config: &Config,
    plan: Option<&Plan>,
    planned: &mut Planned<'_>,
) -> Result<Source<f32>, TrainError> {
    let environments = Environments::make(catalogue, config)?;
    let (config, action_size) = (environments.adapted(config)?, environments.action_size());
    footprint::check_agent(&config.agent, action_size)?;
    let seed = RunKey::of(&config).seed();
    let agent = match plan {
        None => Agent::new(&config.agent, action_size, seed)?,
        Some(plan) => {
            let mut sources = Vec::new();
            for (name, at) in plan.sources() {
                let source = match planned(&at.path)? {
                    Some(source) => source,
                    None => Source::open(name, at, plan.allows_untrained(name)).map_err(TransferError::from)?,
                };
                sources.push((name.clone(), source));
            }
            graft(plan, &config.agent, action_size, seed, &Sources::from_iter(sources))?.agent
        }
    };
    Ok(Source::of_learner(agent.learner()))
}
