//! Runs of one task and method that are not seeds of one experiment: their settings differ, or two of them have the same seed.
//!
//! In a study, methods have names of their own. But runs that are found in a folder are told apart only by the names of their
//! folders, so a page of them must say what it pools. Not here: different lengths and unfinished runs (`limits`).

use super::Report;
use super::groups::{Group, groups};
use super::published::title;
use super::wording::{counted, listed};
use crate::results::RunResult;
use std::collections::{BTreeMap, BTreeSet};

/// The most differing settings that are named.
const MOST_NAMED: usize = 4;

/// The settings and tables of settings that change no result, or that the page describes elsewhere.
const APART: [&str; 6] = ["seed", "steps", "threads", "log", "checkpoint", "stop"];

impl Report<'_> {
    /// For each task and method, what tells its runs apart besides their seeds.
    pub(super) fn mixtures(&self) -> Vec<String> {
        groups(self.results)
            .iter()
            .flat_map(|group| [different_settings(group), equal_seeds(group)])
            .flatten()
            .collect()
    }
}

/// The settings in which the runs of a method differ.
fn different_settings(group: &Group<'_>) -> Option<String> {
    let runs: Vec<&RunResult> = group.runs.iter().copied().filter(|run| !run.settings.is_empty()).collect();
    let first = runs.first()?;
    let mut different = Vec::new();
    for key in first.settings.keys().filter(|key| !APART.contains(&key.split('.').next().unwrap_or_default())) {
        // Earlier versions had fewer settings: what they did not record says nothing.
        let values: Option<BTreeSet<&str>> =
            runs.iter().map(|run| run.settings.get(key).map(|value| &**value)).collect();
        if let Some(values) = values.filter(|values| values.len() > 1) {
            let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
            different.push(format!("{key} {}", listed(&values)));
        }
    }
    let named = different.iter().take(MOST_NAMED).cloned().chain(match different.len().saturating_sub(MOST_NAMED) {
        0 => None,
        more => Some(counted(more, "other setting")),
    });
    (!different.is_empty()).then(|| {
        format!(
            "The {} of {} on {} have different settings ({}), but count as seeds of one method here. To compare them, \
             move them to folders with different names.",
            counted(group.runs.len(), "run"),
            group.method,
            title(group.task),
            listed(&named.collect::<Vec<_>>())
        )
    })
}

/// The seeds that several runs of a method have.
fn equal_seeds(group: &Group<'_>) -> Option<String> {
    let mut counts = BTreeMap::new();
    for run in &group.runs {
        *counts.entry(run.seed).or_insert(0) += 1;
    }
    let several: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(seed, _)| seed.to_string()).collect();
    (!several.is_empty()).then(|| {
        format!(
            "Several runs of {} on {} have the same seed ({}), so they are not independent, and intervals are too narrow.",
            group.method,
            title(group.task),
            listed(&several)
        )
    })
}
