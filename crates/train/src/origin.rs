//! What a run takes from other agents when it begins, and the proof that a run which goes on began with the same.
//!
//! Here: grafting the first agent, the record of it in the run's folder, and the comparison of a plan with that record.
//! Not here: what a plan means, and how it is done (`transfer`).

use crate::TrainError;
use crate::agent::environments::Environments;
use crate::agent::footprint;
use crate::config::{Config, Difference};
use crate::folder::{is_run, stored_config};
use crate::streams::RunKey;
use dreamer::{Agent, AgentConfig};
use environment::Catalogue;
use std::collections::BTreeSet;
use std::path::Path;
use toml::{Table, Value};
use transfer::{Grafted, PLAN_FILE, Plan, REPORT_FILE, Report, Sources, graft, read_report, write_record};

/// Differences that a message tells one by one.
const MOST_TOLD: usize = 4;

/// What a run takes, or took when it began.
#[derive(Debug)]
pub(crate) struct Heritage {
    plan: Plan,
    report: Report,
    /// The agent to begin with; none in a run that has begun.
    agent: Option<Box<Agent>>,
}

impl Heritage {
    /// The plan as it was given.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The report, and the agent to begin with: none in a run that has begun.
    pub fn into_parts(self) -> (Report, Option<Box<Agent>>) {
        (self.report, self.agent)
    }
}

/// What a run of `config` would take under `plan`. Nothing is trained or written.
///
/// # Errors
/// If a task is unknown, or the transfer cannot be done.
pub fn preview(catalogue: &dyn Catalogue, config: &Config, plan: &Plan) -> Result<Report, TrainError> {
    let action_size = Environments::make(catalogue, config)?.action_size();
    footprint::check_agent(&config.agent, action_size)?;
    Ok(graft(plan, &config.agent, action_size, RunKey::of(config).seed(), &Sources::open(plan)?)?.report)
}

/// What the run in `root` takes under `plan`, and its configuration with what that changes about the agent. A run that has
/// begun takes nothing again: its record tells, and the sources may be gone.
///
/// # Errors
/// If the transfer cannot be done, or the run began with another one.
pub(crate) fn settle(
    root: &Path,
    config: &Config,
    action_size: usize,
    plan: Option<&Plan>,
) -> Result<(Config, Option<Heritage>), TrainError> {
    let mut config = config.clone();
    if is_run(root) {
        check(root, plan)?;
        let (Some(plan), Some(report)) = (plan, read_report(root)?) else { return Ok((config, None)) };
        config.agent.frozen_encoder |= report.target.frozen_encoder;
        if let Some(meta_model) = &report.meta_model {
            config.agent.reward_sources = stored_config(root)?.agent.reward_sources;
            config.agent.reward_layers = meta_model.layers;
        }
        return Ok((config, Some(Heritage { plan: plan.clone(), report, agent: None })));
    }
    let Some(plan) = plan else {
        refuse_random_frozen(&config.agent)?;
        return Ok((config, None));
    };
    let seed = RunKey::of(&config).seed();
    let Grafted { agent, report } = graft(plan, &config.agent, action_size, seed, &Sources::open(plan)?)?;
    config.agent = agent.config().clone();
    Ok((config, Some(Heritage { plan: plan.clone(), report, agent: Some(Box::new(agent)) })))
}

/// Refuses a new agent without sources whose configuration freezes parts of it: that of a run with transfer, for example.
fn refuse_random_frozen(agent: &AgentConfig) -> Result<(), TrainError> {
    let frozen = [("reward_sources", !agent.reward_sources.is_empty()), ("frozen_encoder", agent.frozen_encoder)];
    match frozen.into_iter().find(|(_, set)| *set) {
        Some((key, _)) => Err(TrainError::FrozenAtRandom { key }),
        None => Ok(()),
    }
}

/// The first agent of a run that was stopped before its first checkpoint: grafted as its record says.
///
/// # Errors
/// If a source is gone or has changed.
pub(crate) fn graft_again(
    root: &Path,
    config: &AgentConfig,
    action_size: usize,
    seed: u64,
) -> Result<Agent, TrainError> {
    let plan = Plan::read(&root.join(PLAN_FILE)).map_err(transfer::TransferError::from)?;
    Ok(graft(&plan, config, action_size, seed, &Sources::open(&plan)?)?.agent)
}

/// Writes the record of a run that begins in `root`; what an interrupted start left of another is removed.
///
/// # Errors
/// If a file cannot be written or removed.
pub(crate) fn write(root: &Path, heritage: Option<&Heritage>) -> Result<(), TrainError> {
    if let Some(Heritage { plan, report, .. }) = heritage {
        return Ok(write_record(root, plan, report)?);
    }
    for path in [root.join(PLAN_FILE), root.join(REPORT_FILE)] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(TrainError::io(path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Checks that the run in `root` began with what `plan` says, or with nothing if there is none.
///
/// # Errors
/// [`TrainError::OtherTransfer`] tells what differs.
pub(crate) fn check(root: &Path, plan: Option<&Plan>) -> Result<(), TrainError> {
    let of = |plan: &Plan| format!("{} from {}", plan.origin(), names(plan.sources().keys()));
    let nothing = || "nothing".to_owned();
    let (was, now) = match (read_report(root)?, plan) {
        (None, None) => return Ok(()),
        (None, Some(plan)) => (nothing(), of(plan)),
        (Some(report), None) => {
            (format!("{} from {}", report.plan, names(report.sources.iter().map(|source| &source.name))), nothing())
        }
        (Some(report), Some(plan)) => {
            let recorded = Plan::read(&root.join(PLAN_FILE)).map_err(transfer::TransferError::from)?;
            let mut differences = rules(&report, &recorded, plan);
            differences.extend(sources(&report, plan));
            return refuse(root, differences, true);
        }
    };
    let taken = was != nothing();
    refuse(root, vec![Difference { path: "what it takes".to_owned(), was, now }], taken)
}

fn refuse(root: &Path, differences: Vec<Difference>, taken: bool) -> Result<(), TrainError> {
    if differences.is_empty() {
        return Ok(());
    }
    let folder = root.display();
    let advice = if taken {
        format!("with --plan {} --logdir {folder}", root.join(PLAN_FILE).display())
    } else {
        "without transfer".to_owned()
    };
    Err(TrainError::OtherTransfer { path: root.to_owned(), differences, advice })
}

/// What differs between the rules and meta-models of the run's plan and another.
fn rules(report: &Report, was: &Plan, now: &Plan) -> Vec<Difference> {
    let table = |plan: &Plan| {
        let mut table: Table = plan.to_toml().parse().expect("a plan is written as TOML");
        // Sources are compared by what they hold, and words for people not at all.
        table.remove("sources");
        table.remove("description");
        Value::Table(table)
    };
    let mut differences = Vec::new();
    compare("", Some(&table(was)), Some(&table(now)), &mut differences);
    if differences.len() > MOST_TOLD {
        let more = differences.len() - MOST_TOLD;
        differences.truncate(MOST_TOLD);
        let (was, now) = (report.plan.clone(), now.origin().to_owned());
        differences.insert(0, Difference { path: format!("plan (these and {more} more differences)"), was, now });
    }
    differences
}

/// What differs between the sources of the run and those of a plan. One that is gone is the same if it had the same path.
fn sources(report: &Report, plan: &Plan) -> Vec<Difference> {
    let recorded = |name: &str| report.sources.iter().find(|source| source.name == name);
    let all: BTreeSet<&str> = report.sources.iter().map(|source| &*source.name).collect();
    let all = all.into_iter().chain(plan.sources().keys().map(String::as_str)).collect::<BTreeSet<_>>();
    let mut differences = Vec::new();
    for name in all {
        let key = format!("sources.{name}");
        let (was, now) = match (recorded(name), plan.sources().get(name)) {
            (Some(was), Some(now)) => {
                let was = &was.provenance;
                match now.sha256.clone().or_else(|| transfer::sha256_of(name, &now.path).ok()) {
                    Some(sha256) if sha256 == was.sha256 => continue,
                    Some(sha256) => (
                        format!("{} (sha256 {:.12})", was.file.display(), was.sha256),
                        format!("{} (sha256 {sha256:.12})", now.path.display()),
                    ),
                    None if now.path == was.path => continue,
                    None => (was.path.display().to_string(), now.path.display().to_string()),
                }
            }
            (was, now) => (
                was.map_or("nothing".to_owned(), |was| was.provenance.path.display().to_string()),
                now.map_or("nothing".to_owned(), |now| now.path.display().to_string()),
            ),
        };
        differences.push(Difference { path: key, was, now });
    }
    differences
}

/// Appends every place below `path` where two documents differ.
fn compare(path: &str, was: Option<&Value>, now: Option<&Value>, differences: &mut Vec<Difference>) {
    match (was, now) {
        (Some(Value::Table(was)), Some(Value::Table(now))) => {
            let keys: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
            for key in keys {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&below, was.get(key), now.get(key), differences);
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(now))) if was.iter().chain(now).all(Value::is_table) => {
            for index in 0..was.len().max(now.len()) {
                compare(&format!("{path}[{}]", index + 1), was.get(index), now.get(index), differences);
            }
        }
        (was, now) if was != now => {
            let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), ToString::to_string);
            differences.push(Difference { path: path.to_owned(), was: text(was), now: text(now) });
        }
        _ => {}
    }
}

fn names<'n>(names: impl Iterator<Item = &'n String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(was: &str, now: &str) -> Vec<(String, String, String)> {
        let value = |text: &str| Value::Table(text.parse().unwrap());
        let mut found = Vec::new();
        compare("", Some(&value(was)), Some(&value(now)), &mut found);
        found.into_iter().map(|one| (one.path, one.was, one.now)).collect()
    }

    #[test]
    fn documents_differ_where_their_values_do() {
        let text = "[[rule]]\ntake = \"full\"\n[[rule]]\ntake = { fraction = 0.2 }\n";
        assert!(differences(text, text).is_empty());
        let other = text.replace("0.2", "0.3") + "rest = true\n[meta_model]\nlayers = 2\n";
        let own = |path: &str, was: &str, now: &str| (path.to_owned(), was.to_owned(), now.to_owned());
        assert_eq!(
            differences(text, &other),
            [
                own("meta_model", "nothing", "{ layers = 2 }"),
                own("rule[2].rest", "nothing", "true"),
                own("rule[2].take.fraction", "0.2", "0.3"),
            ]
        );
    }
}
