//! The candidates of choices by pilot runs: the one that is compared, and the cost of the choice.
//!
//! Not here: which of them continue (`crate::pilot`).

use super::{Progress, RunResult};
use crate::manifest::{Manifest, Role};
use crate::pilot::{Candidate, Next, outcomes};
use crate::status::failure_file;
use std::collections::BTreeMap;
use std::path::Path;

/// A candidate of a choice by pilot runs.
#[derive(Clone, Debug, PartialEq)]
pub struct PilotRow {
    /// Its place in [`super::Results::runs`].
    pub run: usize,
    /// Its source, plan and fraction.
    pub name: String,
    /// The frames of each slice.
    pub slices: Vec<u64>,
    /// Its mean training return in each slice that was compared.
    pub scores: Vec<f64>,
    /// How it ended.
    pub end: PilotEnd,
}

/// How a candidate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PilotEnd {
    /// It was the best.
    Chosen,
    /// Others were better.
    Dropped,
    /// Its run failed, so nothing is decided among those that are left.
    Failed,
    /// Nothing is decided yet.
    Undecided,
}

/// Makes the chosen candidate of each group the target that is compared, with the frames of the others among its costs;
/// before the choice, the first that was not dropped. Returns a row for each candidate.
pub(super) fn choose(root: &Path, manifest: &Manifest, runs: &mut [RunResult]) -> Vec<PilotRow> {
    let mut rows = Vec::new();
    for candidates in outcomes(root, manifest).into_values() {
        let slices =
            |index: usize| manifest.entries[index].pilot.as_ref().map(|pilot| pilot.slices.clone()).unwrap_or_default();
        let is_dropped = |candidate: &Candidate| matches!(candidate.next, Next::Dropped(_));
        let left = || candidates.iter().filter(|candidate| !is_dropped(candidate));
        let Some(first) = left().next().map(|candidate| candidate.index) else { continue };
        let is_decided = left().count() == 1;
        // The choice needed the sources of all candidates, and the training of the others.
        let mut agents: BTreeMap<String, u64> = BTreeMap::new();
        for candidate in &candidates {
            let run = &runs[candidate.index];
            agents.extend(run.ancestry.agents.iter().map(|(agent, frames)| (agent.clone(), *frames)));
            if candidate.index != first {
                agents.insert(run.folder.display().to_string(), frames_of(run));
            }
        }
        for candidate in &candidates {
            let index = candidate.index;
            let end = match () {
                () if is_dropped(candidate) => PilotEnd::Dropped,
                () if is_decided => PilotEnd::Chosen,
                () if failure_file(root, index).exists() => PilotEnd::Failed,
                () => PilotEnd::Undecided,
            };
            if let (PilotEnd::Dropped, Progress::Underway(at)) = (end, runs[index].progress) {
                runs[index].progress = Progress::Dropped(at);
            }
            rows.push(PilotRow {
                run: index,
                name: runs[index].source.clone().unwrap_or_default(),
                slices: slices(index),
                scores: candidate.scores.clone(),
                end,
            });
        }
        let run = &mut runs[first];
        run.role = Role::Target;
        run.source = Some(format!("{} candidates", candidates.len()));
        run.ancestry.agents = agents;
    }
    rows
}

/// The frames that a run has by now.
fn frames_of(run: &RunResult) -> u64 {
    let points = run.series.iter().filter_map(|series| series.training.points().last());
    points.map(|point| point.frames as u64).max().unwrap_or(0)
}
