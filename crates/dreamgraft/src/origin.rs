//! The meaning of the transfer arguments: the origin of an agent's parameters.
//!
//! Not here: the plan of an origin (`train`), and how a plan is applied (`transfer`).

use crate::args::{Choose, OriginArguments};
use crate::exit::Failure;
use dreamer::{DecidedBy, Size};
use train::config::{SIZE, presets, sizes};
use train::{AgentConfig, Origin, Policy, RunRequest, TrainError, find_learned, stored_config};
use transfer::{ChooseBy, Preset, TransferError};

/// The origin of the agent, from the arguments.
///
/// # Errors
/// If arguments contradict each other.
pub fn of_arguments(typed: &OriginArguments) -> Result<Origin, Failure> {
    let refuse = |why: &str| Err(Failure::Arguments(why.to_owned()));
    let OriginArguments {
        from,
        untrained_source,
        choose,
        plan,
        fraction,
        universal,
        reward_from: rewards,
        any_encoder,
    } = typed;
    if *any_encoder && rewards.is_empty() {
        return refuse("--any-encoder needs --universal RUN and --reward-from RUN");
    }
    if *untrained_source && from.len() != 1 && rewards.is_empty() {
        return refuse(
            "--untrained-source accepts an untrained agent of --from or --reward-from; give --from RUN once, or --universal \
             RUN with --reward-from RUN",
        );
    }
    if choose.is_some() && from.len() < 2 {
        return refuse("--choose chooses among several agents; give --from RUN for each of them");
    }
    if let Some(encoder) = universal {
        if !from.is_empty() || fraction.is_some() {
            return refuse(
                "--universal cannot be combined with --from or --fraction; write a plan file that names all \
                 sources and use it with --plan (`dreamgraft transfer preset universal` prints a plan to start with)",
            );
        }
        let (encoder, rewards, plan) = (encoder.clone(), rewards.clone(), plan.clone());
        let (any_encoder, untrained) = (*any_encoder, *untrained_source);
        return Ok(Origin::Universal { encoder, rewards, any_encoder, untrained, plan });
    }
    if !rewards.is_empty() {
        return refuse(
            "--reward-from needs --universal RUN: agents can share reward models only if they share an encoder",
        );
    }
    if from.len() > 1 {
        let from = from.clone();
        // A soup is of all of them.
        let is_soup = plan.as_deref().and_then(Preset::named) == Some(Preset::Soup);
        let default = if is_soup { Choose::All } else { Choose::Rank };
        let by = match (choose.unwrap_or(default), plan) {
            (Choose::Rank, _) => ChooseBy::Rank,
            (Choose::Chance, _) => ChooseBy::Chance,
            (Choose::All, None) => {
                return refuse(
                    "--choose all needs a --plan that says what each of the agents contributes, such as soup",
                );
            }
            (Choose::All, Some(_)) if fraction.is_some() => {
                return refuse("--fraction cannot be combined with --choose all; write a plan that names its sources");
            }
            (Choose::All, Some(plan)) => return Ok(Origin::Soup { from, plan: plan.clone() }),
        };
        return Ok(Origin::Agents { from, choose: by, plan: plan.clone(), fraction: *fraction });
    }
    match (from.first().cloned(), plan.clone(), *fraction) {
        (Some(from), plan, fraction) => Ok(Origin::Agent { from, plan, fraction, untrained: *untrained_source }),
        (None, Some(plan), fraction) => Ok(Origin::Plan { plan, fraction }),
        (None, None, Some(_)) => refuse("--fraction needs --from RUN, or a --plan that names its sources"),
        (None, None, None) => Ok(Origin::Random),
    }
}

/// The error of a transfer that does not fit, and the observations, the preset or the size that was forgotten, if the source
/// was trained with another one.
pub fn with_preset(error: TrainError, request: &RunRequest) -> Failure {
    let from = match &request.origin {
        Origin::Agent { from, .. } => from,
        Origin::Agents { from, .. } => &from[0],
        Origin::Universal { encoder, .. } => encoder,
        Origin::Soup { from, .. } if !from.is_empty() => &from[0],
        Origin::Random | Origin::Soup { .. } | Origin::Plan { .. } => return error.into(),
    };
    if !matches!(error, TrainError::Transfer(TransferError::Misfit(_))) {
        return error.into();
    }
    let of_run = || {
        let config = from.ancestors().take(4).find_map(|folder| stored_config(folder).ok())?;
        Some((config.agent, config.task.observe))
    };
    let of_export = || {
        let (learned, _) = find_learned::<Policy>(from).ok()?;
        Some((learned.agent.config().clone(), learned.about.task.observe))
    };
    let Some((agent, observe)) = of_run().or_else(of_export) else {
        return error.into();
    };
    // First, because the sizes of networks for other observations tell nothing.
    if let Ok(config) = request.configuration()
        && config.task.observe != observe
    {
        let (from, observe, here) = (from.display(), observe.name(), config.task.observe.name());
        return Failure::Arguments(format!(
            "{from} was trained with task.observe = {observe:?}, and this agent has task.observe = {here:?}: give --set \
             task.observe={observe} here as well, or --plan with a plan whose rules say `misfit = \"random\"`"
        ));
    }
    let chosen = |agent: &AgentConfig| -> Vec<Size> {
        agent.sizes().into_iter().filter(|size| size.decided_by == DecidedBy::Settings).collect()
    };
    let fits = |asked: RunRequest| asked.configuration().is_ok_and(|config| chosen(&config.agent) == chosen(&agent));
    let is_size = |setting: &String| setting.split('=').next().is_some_and(|key| key.trim() == SIZE);
    let others: Vec<String> = request.settings.iter().filter(|setting| !is_size(setting)).cloned().collect();
    let of_size = |name: &String| {
        let settings = others.iter().cloned().chain([format!("{SIZE}={name}")]).collect();
        fits(RunRequest { settings, ..request.clone() })
    };
    let is_typed = others.len() < request.settings.len();
    let is_of = |name: &str| {
        fits(RunRequest { preset: name.to_owned(), settings: Vec::new(), config: None, ..request.clone() })
    };
    let misfit = "or --plan with a plan whose rules say `misfit = \"random\"`";
    if is_typed && fits(RunRequest { settings: others.clone(), ..request.clone() }) {
        let from = from.display();
        return Failure::Arguments(format!("{from} was trained with another size: leave out --set {SIZE}, {misfit}"));
    }
    let is_of_preset = || presets().any(|(name, _)| name != request.preset && is_of(name));
    if (is_typed || !is_of_preset())
        && let Some(name) = sizes().into_iter().find(of_size)
    {
        return Failure::Arguments(format!(
            "{} was trained with another size: give --set {SIZE}={name} here{}, {misfit}",
            from.display(),
            if is_typed { " instead" } else { "" }
        ));
    }
    match presets().map(|(name, _)| name).find(|name| *name != request.preset && is_of(name)) {
        Some(name) => Failure::Arguments(format!(
            "{} was trained with the sizes of --preset {name}, and this agent has those of --preset {}: give --preset {name} \
             here as well, {misfit}",
            from.display(),
            request.preset
        )),
        None => error.into(),
    }
}
