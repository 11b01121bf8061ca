//! The plan of a request: the meaning of its origin.
//!
//! Not here: plans and how they are applied (crate `transfer`).

use super::label::name;
use super::{DEFAULT_PLAN, Origin, UNIVERSAL};
use crate::TrainError;
use crate::error::ChoiceError;
use std::path::{Path, PathBuf};
use transfer::{LONGEST_SOURCE_NAME, MetaModel, Plan, TransferError, UNNAMED_SOURCE};

/// The plan of an origin; `None` if nothing is transferred.
///
/// # Errors
/// If the plan cannot be used.
pub(super) fn plan(origin: &Origin) -> Result<Option<Plan>, TrainError> {
    let (mut plan, fraction) = match origin {
        Origin::Random => return Ok(None),
        Origin::Universal { encoder, rewards, any_encoder, untrained, plan } => {
            let plan = Plan::find(plan.as_deref().unwrap_or(Path::new(UNIVERSAL))).map_err(TransferError::from)?;
            let mut plan = plan
                .over_universal(encoder, &named("--reward-from", rewards)?, MetaModel::DEFAULT_LAYERS)
                .map_err(TransferError::from)?;
            if *any_encoder {
                plan.allow_any_encoder();
            }
            if *untrained {
                plan.allow_untrained();
            }
            return Ok(Some(plan));
        }
        Origin::Agent { from, plan, fraction, untrained } => {
            let mut plan = of_agents(plan.as_deref())?;
            plan.add_source(UNNAMED_SOURCE, from).map_err(TransferError::from)?;
            if *untrained {
                plan.allow_untrained();
            }
            (plan, fraction)
        }
        Origin::Agents { from, choose, plan, fraction } => {
            let mut plan = of_agents(plan.as_deref())?;
            for (name, path) in named("--from", from)? {
                plan.add_source(&name, &path).map_err(TransferError::from)?;
            }
            plan.leave_open(*choose);
            plan.check_sources().map_err(TransferError::from)?;
            (plan, fraction)
        }
        Origin::Soup { from, plan } => {
            let mut plan = Plan::find(plan).map_err(TransferError::from)?;
            if !plan.sources().is_empty() {
                return Err(TrainError::OwnSources { plan: plan.name().to_owned() });
            }
            for (name, path) in named("--from", from)? {
                plan.add_source(&name, &path).map_err(TransferError::from)?;
            }
            return Ok(Some(plan));
        }
        Origin::Plan { plan, fraction } => {
            let plan = Plan::find(plan).map_err(TransferError::from)?;
            if plan.sources().is_empty() {
                return Err(TrainError::NoSource { plan: plan.name().to_owned() });
            }
            (plan, fraction)
        }
    };
    if let Some(fraction) = fraction {
        plan.set_fraction(*fraction).map_err(TransferError::from)?;
    }
    Ok(Some(plan))
}

/// The plan of the agents of `--from`: `typed`, or the default.
fn of_agents(typed: Option<&Path>) -> Result<Plan, TrainError> {
    let plan = Plan::find(typed.unwrap_or(Path::new(DEFAULT_PLAN))).map_err(TransferError::from)?;
    // The agent of --from is for rules that name no source: where every rule names one of the plan's, none uses it.
    let is_complete = !plan.sources().is_empty() && plan.check_sources().is_ok();
    if is_complete {
        return Err(TrainError::OwnSources { plan: plan.name().to_owned() });
    }
    Ok(plan)
}

/// The agents of the argument `option` with names made of their paths, each its own.
fn named(option: &'static str, paths: &[PathBuf]) -> Result<Vec<(String, PathBuf)>, TrainError> {
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    for path in paths {
        if named.iter().any(|(_, other)| other == path) {
            return Err(ChoiceError::SameSource { option, path: path.clone() }.into());
        }
        let base = short(&name(path));
        let taken = |name: &String| name == UNIVERSAL || named.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|number| format!("{}-{number}", &base[..base.len().min(LONGEST_SOURCE_NAME - 8)]));
        let free = std::iter::once(base.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(base.clone());
        named.push((free, path.clone()));
    }
    Ok(named)
}

/// A name that is short enough for a source: its start, which contains the task, and its end.
fn short(name: &str) -> String {
    if name.len() <= LONGEST_SOURCE_NAME {
        return name.to_owned();
    }
    let (gap, end) = ("..", LONGEST_SOURCE_NAME / 3);
    format!("{}{gap}{}", &name[..LONGEST_SOURCE_NAME - gap.len() - end], &name[name.len() - end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reward_model_has_a_name_of_its_own() {
        let names = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            named("--from", &paths).unwrap().into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names(&["runs/ant/small/0", "a/b", "a-b", "universal", "/"]),
            ["ant-small-0", "a-b", "a-b-2", "universal-2", "source"]
        );
        let walker = format!("runs/walker2d/small-universal-from-{}-small-0/0", "x".repeat(40));
        assert_eq!(names(&[&walker]), ["walker2d-small-universal-from-xxxxxxxxxxx..xxxxxxxxxxx-small-0-0"]);
        let long = format!("runs/{}", "x".repeat(90));
        let other = format!("{long}/..");
        assert!(names(&[&long, &other, "é"]).iter().all(|name| (1..=LONGEST_SOURCE_NAME).contains(&name.len())));
        let message = named("--from", &["a".into(), "a".into()]).unwrap_err().to_string();
        assert!(message.contains("twice"), "{message}");
        let plan =
            Plan::universal(Path::new("u"), &named("--from", &["a/b".into(), "a-b".into()]).unwrap(), 1).unwrap();
        assert_eq!(plan.sources().len(), 3);
    }
}
