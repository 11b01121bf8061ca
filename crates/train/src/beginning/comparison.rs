//! Compares the transfer with which a run started with the one that is requested now.

use super::Transferred;
use crate::TrainError;
use crate::config::{Config, Difference, difference};
use crate::folder::{is_run, stored_config};
use crate::request::RunRequest;
use crate::support;
use files::layout::{TRANSFER_PLAN, TRANSFER_REPORT};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::{Table, Value};
use transfer::{Plan, Report, SourceProvenance, read_report};

/// The most differences that a message lists one by one.
const MOST_LISTED: usize = 4;

/// The transfer with which the run in `root` began, as its folder records it; `None` if it began without one.
///
/// # Errors
/// [`TrainError::OtherTransfer`] if it differs from `plan`, or if only one of the two exists.
pub(super) fn recorded(root: &Path, plan: Option<&Plan>) -> Result<Option<Transferred>, TrainError> {
    let of = |plan: &Plan| format!("{} from {}", plan.name(), names(plan.sources().keys()));
    let nothing = || "nothing".to_owned();
    let report = record_of(root)?;
    let (was, now) = match (report, plan) {
        (None, None) => return Ok(None),
        (None, Some(plan)) => (nothing(), of(plan)),
        (Some(report), None) => {
            (format!("{} from {}", report.plan, names(report.sources.iter().map(|source| &source.name))), nothing())
        }
        (Some(report), Some(plan)) => {
            let recorded = plan_of(root)?;
            let mut differences = rules(&report, &recorded, plan);
            differences.extend(sources(&report, plan));
            refuse(root, differences)?;
            return Ok(Some(Transferred { plan: recorded, report }));
        }
    };
    refuse(root, vec![Difference { path: "transfer".to_owned(), was, now }])?;
    Ok(None)
}

/// Checks that the run in `root`, if there is one, has the settings and the plan of `request`: that its results are those which the
/// request asks for. The frames, and settings that change no results, may differ; sources are only compared if they `exist` for good, and
/// are not runs that may have been trained anew.
///
/// # Errors
/// [`TrainError::Differs`] or [`TrainError::OtherTransfer`] with the differences; or the folder or the request cannot be read.
pub fn check_run_of(root: &Path, request: &RunRequest, exist: bool) -> Result<(), TrainError> {
    /// Settings of the agent that the tasks, other settings or the transfer decide.
    const DECIDED: [&str; 9] = [
        "agent.images",
        "agent.vector",
        "agent.resets",
        "agent.actor",
        "agent.frozen_encoder",
        "agent.reward_sources",
        "agent.reward_layers",
        "agent.reward_sources_standardised",
        "agent.reward_sources_l1",
    ];
    if !is_run(root) {
        return Ok(());
    }
    let mut differences = difference(&stored_config(root)?, &request.configuration()?);
    differences.retain(|one| !Config::may_change(&one.path) && !DECIDED.contains(&&*one.path));
    if !differences.is_empty() {
        return Err(TrainError::Differs { path: root.to_owned(), differences });
    }
    let of = |transfer: Option<&str>| transfer.unwrap_or("nothing").to_owned();
    match (record_of(root)?, request.plan()?) {
        (Some(report), Some(plan)) => {
            let mut differences = rules(&report, &plan_of(root)?, &plan);
            // A plan that leaves its source open has others than the chosen one.
            if exist && plan.open_choice().is_none() {
                differences.extend(sources(&report, &plan));
            }
            refuse(root, differences)?;
        }
        (was, now) if was.is_some() != now.is_some() => {
            let (was, now) = (of(was.as_ref().map(|report| &*report.plan)), of(now.as_ref().map(Plan::name)));
            refuse(root, vec![Difference { path: "transfer".to_owned(), was, now }])?;
        }
        _ => {}
    }
    refuse(root, support::missing(root, request)?)
}

/// The plan and the report of the transfer with which the run in `root` began; `None` if it began without one. The plan names the files
/// of the sources, with their checksums.
///
/// # Errors
/// [`TrainError::TransferRecord`] if one of the two is missing or damaged.
pub(crate) fn recorded_transfer(root: &Path) -> Result<Option<(Plan, Report)>, TrainError> {
    record_of(root)?.map(|report| Ok((plan_of(root)?, report))).transpose()
}

/// The plan of the transfer with which the run in `root` began.
fn plan_of(root: &Path) -> Result<Plan, TrainError> {
    let path = root.join(TRANSFER_PLAN);
    Plan::read(&path).map_err(|why| damaged(&path, &why))
}

/// The report of the transfer with which the run in `root` began.
///
/// # Errors
/// [`TrainError::TransferRecord`] if one of its two files is missing or damaged.
fn record_of(root: &Path) -> Result<Option<Report>, TrainError> {
    let [plan, report] = [root.join(TRANSFER_PLAN), root.join(TRANSFER_REPORT)];
    let missing = |path: PathBuf| Err(TrainError::TransferRecord { path, what: "is missing".to_owned() });
    match read_report(root) {
        Ok(Some(_)) if !plan.exists() => missing(plan),
        // A plan of the user's may lie in the folder of a run without a transfer.
        Ok(None) if transfer::is_record(&plan) => missing(report),
        Err(transfer::TransferError::Record { path, source }) if source.kind() == ErrorKind::InvalidData => {
            Err(damaged(&path, &source))
        }
        other => Ok(other?),
    }
}

fn damaged(path: &Path, why: &dyn std::fmt::Display) -> TrainError {
    TrainError::TransferRecord { path: path.to_owned(), what: format!("is damaged ({why})") }
}

/// Refuses to resume the run in `root` if there are differences, with the arguments that resume it.
pub(crate) fn refuse(root: &Path, differences: Vec<Difference>) -> Result<(), TrainError> {
    if differences.is_empty() {
        return Ok(());
    }
    let plan = Some(root.join(TRANSFER_PLAN)).filter(|_| root.join(TRANSFER_REPORT).exists());
    let plan = plan.map(|plan| format!("--plan {}", wording::shell_path(plan)));
    let arguments: Vec<String> = plan.into_iter().chain(support::arguments(root)).collect();
    let advice = match arguments.is_empty() {
        true => "without transfer".to_owned(),
        false => format!("with {} --logdir {}", arguments.join(" "), wording::shell_path(root)),
    };
    Err(TrainError::OtherTransfer { path: root.to_owned(), differences, advice })
}

/// The differences between the rules and meta-models of the run's plan and another plan. Plans that do the same to the run's agent are
/// equal: one may name parameters that this agent does not have, as later forms of built-in plans do.
fn rules(report: &Report, was: &Plan, now: &Plan) -> Vec<Difference> {
    let table = |plan: &Plan| {
        let mut table: Table = plan.to_toml().parse().expect("a plan is written as TOML");
        // Sources are compared by content, and descriptions are not compared.
        table.remove("sources");
        table.remove("description");
        // The chosen source is not a difference to a plan that leaves it open.
        if let Some(Value::Table(choose)) = table.get_mut("choose") {
            choose.remove("source");
        }
        Value::Table(table)
    };
    let paths: Vec<&str> = report.parts.iter().map(|part| part.path.as_str()).collect();
    if table(&was.acting_on(&paths)) == table(&now.acting_on(&paths)) {
        return Vec::new();
    }
    let mut differences = Vec::new();
    compare("", Some(&table(was)), Some(&table(now)), &mut differences);
    for one in &mut differences {
        one.path = transfer::counted_from_one(&one.path, 1);
    }
    if differences.len() > MOST_LISTED {
        let path = format!("plan ({} differences, of which {MOST_LISTED} are listed)", differences.len());
        differences.truncate(MOST_LISTED);
        let (was, now) = (report.plan.clone(), now.name().to_owned());
        differences.insert(0, Difference { path, was, now });
    }
    differences
}

/// The differences between the sources of the run and those of a plan. A source that no longer exists is equal if it
/// has the same path.
fn sources(report: &Report, plan: &Plan) -> Vec<Difference> {
    let all: BTreeMap<&str, &SourceProvenance> = report.provenances().collect();
    let recorded = |name: &str| all.get(name).copied();
    let all = all.keys().copied().chain(plan.sources().keys().map(String::as_str)).collect::<BTreeSet<_>>();
    let mut differences = Vec::new();
    for name in all {
        let key = format!("sources.{name}");
        let (was, now) = match (recorded(name), plan.sources().get(name)) {
            (Some(was), Some(now)) => match now.sha256.clone().or_else(|| transfer::sha256_of(name, &now.path).ok()) {
                Some(sha256) if sha256 == was.sha256 => continue,
                Some(sha256) => (
                    format!("{} (sha256 {:.12})", was.file.display(), was.sha256),
                    format!("{} (sha256 {sha256:.12})", now.path.display()),
                ),
                None if now.path == was.path => continue,
                None => (was.path.display().to_string(), now.path.display().to_string()),
            },
            (was, now) => (
                was.map_or("nothing".to_owned(), |was| was.path.display().to_string()),
                now.map_or("nothing".to_owned(), |now| now.path.display().to_string()),
            ),
        };
        differences.push(Difference { path: key, was, now });
    }
    differences
}

/// Appends every path below `path` at which two TOML tables differ.
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
