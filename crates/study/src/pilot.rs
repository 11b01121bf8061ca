//! Pilot runs: of several candidates for a target, the better half continues after each slice of frames, and in the end
//! the best one.
//!
//! The outcome is a pure function of the metrics of the candidates' runs up to the slices. So it is the same however
//! often it is computed, and nothing else has to be saved. Here: the outcome. Not here: the candidates (`expand`),
//! starting them (`local`), and the report about them.

use crate::manifest::{Entry, Manifest};
use crate::results::read_metrics;
use crate::statistics::Curve;
use files::layout::METRICS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use train::checkpoint::newest_state;

/// The part of a run in a choice by pilot runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pilot {
    /// The number of the first candidate for the same target. The others follow it.
    pub group: usize,
    /// How many candidates there are.
    pub candidates: usize,
    /// The frames after which candidates are dropped, in rising order.
    pub slices: Vec<u64>,
}

/// The present state of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The number of its run.
    pub index: usize,
    /// Its mean training return in each slice that was compared.
    pub scores: Vec<f64>,
    /// Its next step.
    pub next: Next,
}

/// The next step of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It learns until it has so many frames.
    LearnUntil(u64),
    /// It waits for other candidates.
    Wait,
    /// Others were better at the end of this slice, counted from 0.
    Dropped(usize),
}

/// The candidates of each group in a study's folder, by the number of the group.
pub fn outcomes(folder: &Path, manifest: &Manifest) -> BTreeMap<usize, Vec<Candidate>> {
    let mut groups: BTreeMap<usize, Vec<&Entry>> = BTreeMap::new();
    for entry in &manifest.entries {
        if let Some(pilot) = &entry.pilot {
            groups.entry(pilot.group).or_default().push(entry);
        }
    }
    groups.into_iter().map(|(group, entries)| (group, of_group(folder, &entries))).collect()
}

/// The candidate with the number `index` among these outcomes; `None` if it is not one.
pub fn candidate(outcomes: &BTreeMap<usize, Vec<Candidate>>, entry: &Entry) -> Option<Candidate> {
    let group = outcomes.get(&entry.pilot.as_ref()?.group)?;
    group.iter().find(|candidate| candidate.index == entry.index).cloned()
}

/// Whether a run that was asked for `until` frames is a candidate that has them: not if it has to be asked for the same
/// once more.
pub fn has_more(outcomes: &BTreeMap<usize, Vec<Candidate>>, entry: &Entry, until: u64) -> bool {
    candidate(outcomes, entry)
        .is_some_and(|candidate| !matches!(candidate.next, Next::LearnUntil(next) if next <= until))
}

/// Frames of the candidate at `place` in a group of `candidates`, if it is as lucky as its place: these add up to the
/// frames of the whole group, independent of which candidates continue.
pub fn expected_frames(place: usize, candidates: usize, slices: &[u64], steps: u64) -> u64 {
    let mut left = candidates;
    for (number, slice) in slices.iter().enumerate() {
        left = kept(left, number, slices.len());
        if place >= left {
            return *slice;
        }
    }
    steps
}

/// Frames at the end of a candidate's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Those that it has at least: it may have more if it continues after its slice.
    pub least: u64,
    /// As in [`expected_frames`], among the candidates that were not dropped.
    pub expected: u64,
}

/// The frames at the end of a candidate's run, as far as its group is decided; `None` if it is not a candidate.
pub fn end(outcomes: &BTreeMap<usize, Vec<Candidate>>, entry: &Entry) -> Option<End> {
    let Pilot { group, slices, .. } = entry.pilot.as_ref()?;
    let group = outcomes.get(group)?;
    let own = group.iter().find(|candidate| candidate.index == entry.index)?;
    if let Next::Dropped(slice) = own.next {
        return Some(End { least: slices[slice], expected: slices[slice] });
    }
    let left: Vec<usize> = group
        .iter()
        .filter(|candidate| !matches!(candidate.next, Next::Dropped(_)))
        .map(|candidate| candidate.index)
        .collect();
    let to_come = slices.get(own.scores.len()..).unwrap_or_default();
    let place = left.iter().position(|index| *index == entry.index)?;
    let least = if left.len() == 1 { entry.steps } else { to_come.first().copied().unwrap_or(entry.steps) };
    Some(End { least, expected: expected_frames(place, left.len(), to_come, entry.steps) })
}

/// How many of `candidates` continue after the slice with this number: the better half, and in the end one.
fn kept(candidates: usize, slice: usize, slices: usize) -> usize {
    if slice + 1 == slices { candidates.min(1) } else { candidates.div_ceil(2) }
}

/// A run of a candidate, as far as it has come.
struct Run {
    training: Curve,
    /// Frames of its newest checkpoint, and whether it has its last evaluation there.
    saved: Option<(u64, bool)>,
}

impl Run {
    fn read(folder: &Path, entry: &Entry) -> Self {
        let root = folder.join(&entry.folder);
        let metrics = read_metrics(&root.join(METRICS), &entry.tasks);
        let training = metrics.and_then(|metrics| metrics.series.into_iter().next()).map(|series| series.training);
        let saved = newest_state(&root).map(|state| (state.position.frames.0, state.finished));
        Self { training: training.unwrap_or_default(), saved }
    }

    /// The end of its slice that has `frames` frames: with the episode in which it reaches them. `None` if it is not so
    /// far.
    fn end_of(&self, frames: u64) -> Option<f64> {
        let end = self.training.points().iter().map(|point| point.frames).find(|at| *at >= frames as f64)?;
        // An earlier checkpoint may lack episodes that the metrics already have: they come again.
        let is_saved = |(at, finished): (u64, bool)| at as f64 > end || finished && at >= frames;
        self.saved.is_some_and(is_saved).then_some(end)
    }
}

fn of_group(folder: &Path, entries: &[&Entry]) -> Vec<Candidate> {
    let runs: Vec<Run> = entries.iter().map(|entry| Run::read(folder, entry)).collect();
    let Some((slices, steps)) = entries.first().and_then(|entry| Some((&entry.pilot.as_ref()?.slices, entry.steps)))
    else {
        return Vec::new();
    };
    let mut all: Vec<Candidate> = entries
        .iter()
        .map(|entry| Candidate { index: entry.index, scores: Vec::new(), next: Next::LearnUntil(steps) })
        .collect();
    let mut alive: Vec<usize> = (0..all.len()).collect();
    let mut before = vec![f64::NEG_INFINITY; all.len()];
    for (number, slice) in slices.iter().enumerate() {
        let ends: Vec<Option<f64>> = runs.iter().map(|run| run.end_of(*slice)).collect();
        if alive.iter().any(|place| ends[*place].is_none()) {
            for place in alive {
                all[place].next = if ends[place].is_none() { Next::LearnUntil(*slice) } else { Next::Wait };
            }
            return all;
        }
        for &place in &alive {
            let end = ends[place].unwrap_or(f64::INFINITY);
            // If no episode ended in a slice, the one before it decides.
            let within = runs[place].training.mean_between(before[place], end);
            let score = within.or(all[place].scores.last().copied()).unwrap_or(f64::MIN);
            all[place].scores.push(score);
            before[place] = end;
        }
        let score = |place: &usize| all[*place].scores[number];
        alive.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
        for place in alive.split_off(kept(alive.len(), number, slices.len())) {
            all[place].next = Next::Dropped(number);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_go_on_and_in_the_end_one() {
        let of = |candidates, slices: &[u64]| -> Vec<u64> {
            (0..candidates).map(|place| expected_frames(place, candidates, slices, 100)).collect()
        };
        assert_eq!(of(8, &[10, 20, 30]), [100, 30, 20, 20, 10, 10, 10, 10]);
        assert_eq!(of(5, &[10]), [100, 10, 10, 10, 10]);
        assert_eq!(of(1, &[10]), [100]);
    }

    proptest! {
        #[test]
        fn one_candidate_always_comes_to_the_end(candidates in 1usize..40, slices in 1usize..5) {
            let slices: Vec<u64> = (1..=slices as u64).map(|slice| 10 * slice).collect();
            let whole = (0..candidates).filter(|place| expected_frames(*place, candidates, &slices, 100) == 100);
            prop_assert_eq!(whole.count(), 1);
        }
    }
}
