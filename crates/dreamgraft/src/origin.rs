//! The meaning of the transfer arguments: the origin of an agent's parameters.
//!
//! Not here: the plan of an origin (`train`), and how a plan is applied (`transfer`).

use crate::args::OriginArguments;
use crate::exit::Failure;
use dreamer::{DecidedBy, Size};
use train::config::presets;
use train::{AgentConfig, Origin, Policy, RunRequest, TrainError, find_learned, stored_config};
use transfer::TransferError;

/// The origin of the agent, from the arguments.
///
/// # Errors
/// If arguments contradict each other.
pub fn of_arguments(typed: &OriginArguments) -> Result<Origin, Failure> {
    let refuse = |why: &str| Err(Failure::Arguments(why.to_owned()));
    let OriginArguments { from, plan, fraction, universal, reward_from: rewards, any_encoder } = typed;
    if *any_encoder && rewards.is_empty() {
        return refuse("--any-encoder needs --universal RUN and --reward-from RUN");
    }
    if let Some(encoder) = universal {
        if !from.is_empty() || fraction.is_some() {
            return refuse(
                "--universal cannot be combined with --from or --fraction; write a plan file that names all \
                 sources and use it with --plan (`dreamgraft transfer preset universal` prints a plan to start with)",
            );
        }
        let (encoder, rewards, plan) = (encoder.clone(), rewards.clone(), plan.clone());
        return Ok(Origin::Universal { encoder, rewards, any_encoder: *any_encoder, plan });
    }
    if !rewards.is_empty() {
        return refuse(
            "--reward-from needs --universal RUN: agents can share reward models only if they share an encoder",
        );
    }
    if let [_, _, ..] = &from[..] {
        let Some(plan) = plan else {
            return refuse(
                "--from names one agent; to take from several, write a plan that names them as its sources, and give it with \
                 --plan (`dreamgraft transfer preset paper` prints a plan to begin with), or average descendants of one agent with \
                 --plan soup",
            );
        };
        if fraction.is_some() {
            return refuse("--fraction cannot be combined with several --from; write a plan that names its sources");
        }
        return Ok(Origin::Soup { from: from.clone(), plan: plan.clone() });
    }
    match (from.first().cloned(), plan.clone(), *fraction) {
        (Some(from), plan, fraction) => Ok(Origin::Agent { from, plan, fraction }),
        (None, Some(plan), fraction) => Ok(Origin::Plan { plan, fraction }),
        (None, None, Some(_)) => refuse("--fraction needs --from RUN, or a --plan that names its sources"),
        (None, None, None) => Ok(Origin::Random),
    }
}

/// The error of a transfer that does not fit, and the preset that was forgotten, if the source was trained with another one.
pub fn with_preset(error: TrainError, request: &RunRequest) -> Failure {
    let from = match &request.origin {
        Origin::Agent { from, .. } => from,
        Origin::Universal { encoder, .. } => encoder,
        Origin::Soup { from, .. } if !from.is_empty() => &from[0],
        Origin::Random | Origin::Soup { .. } | Origin::Plan { .. } => return error.into(),
    };
    if !matches!(error, TrainError::Transfer(TransferError::Misfit(_))) {
        return error.into();
    }
    let of_run = || from.ancestors().take(4).find_map(|folder| stored_config(folder).ok()).map(|config| config.agent);
    let of_export = || find_learned::<Policy>(from).ok().map(|(learned, _)| learned.agent.config().clone());
    let Some(agent) = of_run().or_else(of_export) else {
        return error.into();
    };
    let is_of = |name: &str| {
        let asked = RunRequest { preset: name.to_owned(), settings: Vec::new(), config: None, ..request.clone() };
        let chosen = |agent: &AgentConfig| -> Vec<Size> {
            agent.sizes().into_iter().filter(|size| size.decided_by == DecidedBy::Settings).collect()
        };
        asked.configuration().is_ok_and(|config| chosen(&config.agent) == chosen(&agent))
    };
    match presets().map(|(name, _)| name).find(|name| *name != request.preset && is_of(name)) {
        Some(name) => Failure::Arguments(format!(
            "{} was trained with the sizes of --preset {name}, and this agent has those of --preset {}: give --preset {name} \
             here as well. ({error})",
            from.display(),
            request.preset
        )),
        None => error.into(),
    }
}
