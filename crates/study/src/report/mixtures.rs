//! Runs of one task and method that are not seeds of one experiment: their settings or their transfers differ, or two of them
//! have the same seed; and runs that are repetitions of another.
//!
//! In a study, the study file names the methods. In any other folder, only the paths of the runs distinguish methods, so that a
//! report of such a folder must list what it pools. Not here: different lengths and unfinished runs (`limits`).

use super::Report;
use super::groups::{Group, groups};
use super::published::title;
use super::wording::{counted, listed};
use crate::results::RunResult;
use std::collections::{BTreeMap, BTreeSet};
use transfer::Take;

/// The most differing settings that are named.
const MOST_NAMED: usize = 4;

/// The settings and tables of settings that change no result, or that the page describes elsewhere.
const APART: [&str; 6] = ["seed", "steps", "threads", "log", "checkpoint", "stop"];

impl Report<'_> {
    /// For each task and method, what tells its runs apart besides their seeds.
    pub(super) fn mixtures(&self) -> Vec<String> {
        let groups = groups(self.results);
        let of_group = |group| [different_settings(group), equal_seeds(group)];
        let mut found: Vec<String> = groups.iter().flat_map(of_group).flatten().collect();
        // In a study, methods are what the study file says.
        if self.results.document.is_none() {
            found.extend(groups.iter().filter_map(different_starts));
            found.extend(repetitions(&groups));
        }
        found
    }
}

/// What a run starts from and is helped by, without its sources: those of two seeds may be two agents.
fn start(run: &RunResult) -> String {
    let mut words = Vec::new();
    if let Some(transfer) = &run.transfer {
        let fractions = transfer
            .rules
            .iter()
            .map(|rule| rule.take)
            .filter(|take| matches!(take, Take::Fraction(_) | Take::Interpolate(_)));
        let fractions: BTreeSet<String> = fractions.map(|take| take.to_string()).collect();
        let fractions = fractions.into_iter().map(|fraction| format!(", {fraction}")).collect::<String>();
        words.push(format!("{}{fractions}", transfer.plan));
    } else if run.from_scratch || run.guide.is_some() || run.rehearsal.is_some() {
        words.push("no transfer".to_owned());
    } else {
        words.push("a transfer that cannot be read".to_owned());
    }
    words.extend(run.guide.as_ref().map(|_| "a guide".to_owned()));
    words.extend(run.rehearsal.as_ref().map(|record| format!("rehearsal, share {}", record.share)));
    words.join(" with ")
}

/// The different starts of the runs of a method.
fn different_starts(group: &Group<'_>) -> Option<String> {
    let begun = group.runs.iter().filter(|run| !run.settings.is_empty());
    let starts: BTreeSet<String> = begun.map(|run| start(run)).collect();
    (starts.len() > 1).then(|| {
        pooled(group, &format!("start in different ways ({})", starts.into_iter().collect::<Vec<_>>().join("; ")))
    })
}

/// The sentence about runs of a method that differ.
fn pooled(group: &Group<'_>, differ: &str) -> String {
    format!(
        "The {} of {} on {} {differ}, but count as seeds of one method here. To compare them, move them to folders with \
         different names.",
        counted(group.runs.len(), "run"),
        group.method,
        title(group.task)
    )
}

/// Runs of different methods with the same settings, seed, length and start: the same run several times.
fn repetitions(groups: &[Group<'_>]) -> Vec<String> {
    let mut known: BTreeMap<_, Vec<(&str, &RunResult)>> = BTreeMap::new();
    for group in groups {
        for run in group.runs.iter().filter(|run| !run.settings.is_empty()) {
            let settings = run.settings.iter().filter(|(key, _)| is_compared(key));
            let settings: Vec<(&str, &str)> = settings.map(|(key, value)| (&**key, &**value)).collect();
            let sources = run.transfer.iter().flat_map(|transfer| &transfer.sources);
            let mut sources: Vec<&str> = sources.map(|source| &*source.provenance.sha256).collect();
            sources.extend(run.guide.as_ref().map(|record| &*record.guide.sha256));
            let key = (group.task, run.seed, run.steps, start(run), sources, settings);
            known.entry(key).or_default().push((&group.method, run));
        }
    }
    let of_several = |all: &&Vec<(&str, &RunResult)>| all.iter().any(|(method, _)| *method != all[0].0);
    let sentence = |all: &Vec<(&str, &RunResult)>| {
        let folders: Vec<String> = all.iter().map(|(_, run)| run.folder.display().to_string()).collect();
        format!(
            "{} have the same settings, the same start and the same seed ({}): they are one run, several times, not seeds of a method \
             or different methods.",
            listed(&folders),
            all[0].1.seed
        )
    };
    known.values().filter(of_several).map(sentence).collect()
}

/// Whether a setting can change a result that the page does not describe elsewhere.
fn is_compared(key: &str) -> bool {
    !APART.contains(&key.split('.').next().unwrap_or_default())
}

/// The settings in which the runs of a method differ.
fn different_settings(group: &Group<'_>) -> Option<String> {
    let runs: Vec<&RunResult> = group.runs.iter().copied().filter(|run| !run.settings.is_empty()).collect();
    let first = runs.first()?;
    let mut different = Vec::new();
    for key in first.settings.keys().filter(|key| is_compared(key)) {
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
    let differ = || format!("have different settings ({})", listed(&named.collect::<Vec<_>>()));
    (!different.is_empty()).then(|| pooled(group, &differ()))
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
