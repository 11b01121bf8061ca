//! Which run a checkpoint belongs to, and which runs share their random streams.

use crate::agent::Trainable;
use crate::agent::environments::Environments;
use crate::config::Config;
use crate::folder::checkpoint::{self, Loaded};
use crate::streams::RunKey;
use crate::{MisfitError, TrainError};
use std::path::Path;

/// Checks that a checkpoint belongs to the run of this configuration in these environments: someone may have copied it from
/// another.
///
/// # Errors
/// [`TrainError::Checkpoint`] names the first difference.
pub(super) fn check<L: Trainable>(
    found: &Loaded<L>,
    config: &Config,
    environments: &Environments,
) -> Result<(), TrainError> {
    let action_size = environments.action_size();
    let most = u64::from(*environments.action_repeat().end());
    let (state, key) = (&found.state, found.state.streams.key());
    let difference = if (&state.tasks, &state.task.rules()) != (&config.tasks, &config.task.rules()) {
        format!("tasks {} instead of {}, or other rules of the tasks", state.tasks.join(" "), config.tasks.join(" "))
    } else if !key.fits(config) {
        match key.run_seed() {
            Some(seed) => format!("seed {seed} instead of {}", config.seed),
            None => format!("a seed other than {}", config.seed),
        }
    } else if found.agent.action_size() != action_size {
        // The checkpoint names this run, and its config.toml was checked: an environment has changed.
        let (path, agent, task) = (found.path.clone(), found.agent.action_size(), config.tasks.join(" and "));
        return Err(
            MisfitError::ActionSize { path, agent, learned: vec![task.clone()], task, needed: action_size }.into()
        );
    } else if !found.agent.is_of(&config.agent) {
        "an agent of other settings".to_owned()
    } else if state.position.frames.0 > state.position.agent_steps.0.saturating_mul(most) {
        format!(
            "{} frames in {} steps, of which none has more than {most}",
            state.position.frames, state.position.agent_steps
        )
    } else {
        return Ok(());
    };
    let why = format!(
        "it belongs to a run with {difference}; if it was copied from another run, move it out of this folder; if \
         config.toml was edited, restore it"
    );
    Err(TrainError::Checkpoint { path: found.path.clone(), why })
}

/// Notes about agents, each with its file, that were trained with the very streams that a new run of this configuration
/// draws from.
pub(super) fn shared_luck<'a>(agents: impl Iterator<Item = (&'a str, &'a Path)>, config: &Config) -> Vec<String> {
    let key = RunKey::of(config);
    let sharing =
        agents.filter(|(_, file)| checkpoint::state_next_to(file).is_some_and(|state| state.streams.key() == key));
    let note = |name: &str| {
        format!(
            "{name} was trained on the same tasks with the same seed {}, so it shares its random streams with this run \
             (random episodes, exploration noise, batches, evaluation starts); use another --seed to avoid that",
            config.seed
        )
    };
    sharing.map(|(name, _)| note(name)).collect()
}
