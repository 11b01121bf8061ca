//! Which runs belong together, and how much of them is compared.
//!
//! Runs of one task are compared over the frames that all finished ones have: a longer run has learned for longer, and
//! that would look like a better method. Not here: the statistics themselves (`report_statistics`, `pooled`).

use super::task_statistics::Spread;
use super::wording::counted;
use crate::results::{BASELINE, Results, RunResult, Series};
use crate::statistics::{Curve, deviation, mean};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat;
use std::path::Path;

/// The runs of a method on a task.
pub struct Group<'a> {
    /// The task.
    pub task: &'a str,
    /// The method by its name in tables.
    pub method: String,
    /// The runs.
    pub runs: Vec<&'a RunResult>,
}

/// How many source tasks each source of a method has.
type SourceCounts<'a> = BTreeMap<&'a Option<String>, BTreeSet<usize>>;

/// Runs by task and method. A method that learns from several sets of sources on one task is as many methods.
pub fn groups(results: &Results) -> Vec<Group<'_>> {
    let count = |run: &RunResult| run.ancestry.tasks.len();
    // How many source tasks the sources of a method have, by method and tasks: runs are many, and sources are few.
    let mut sources: BTreeMap<(&str, &[String]), SourceCounts<'_>> = BTreeMap::new();
    for run in results.targets() {
        sources.entry((&run.method, &run.tasks)).or_default().entry(&run.source).or_default().insert(count(run));
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for run in results.targets() {
        let rivals = &sources[&(&*run.method, &*run.tasks)];
        let several = rivals.len() > 1;
        let counts_differ =
            rivals.iter().all(|(source, counts)| **source == run.source || !counts.contains(&count(run)));
        let method = match (&run.source, several, counts_differ) {
            (Some(_), true, true) => format!("{}, {}", run.method, counted(count(run), "source task")),
            (Some(source), true, false) => format!("{} from {source}", run.method),
            _ => run.method.clone(),
        };
        for task in &run.tasks {
            let place = *places.entry((task, method.clone())).or_insert_with(|| {
                groups.push(Group { task, method: method.clone(), runs: Vec::new() });
                groups.len() - 1
            });
            groups[place].runs.push(run);
        }
    }
    groups
}

/// The name in tables of the method of each target, by its folder.
pub fn names(results: &Results) -> BTreeMap<&Path, String> {
    groups(results)
        .into_iter()
        .flat_map(|Group { method, runs, .. }| runs.into_iter().map(|run| &*run.folder).zip(repeat(method)))
        .collect()
}

/// The baseline of a task: the group with the name `named`. If no name is given, the one group of runs from scratch, or of several
/// the one called `baseline`.
pub fn baseline<'a, 'b>(task: &str, groups: &'b [Group<'a>], named: Option<&str>) -> Option<&'b Group<'a>> {
    if let Some(name) = named {
        return groups.iter().find(|group| group.task == task && group.method == name);
    }
    let mut found = groups.iter().filter(|group| group.task == task && group.is_from_scratch());
    let first = found.next()?;
    match found.next() {
        None => Some(first),
        Some(_) => groups.iter().find(|group| group.task == task && group.method == BASELINE),
    }
}

/// The frames over which runs of `task` are compared: those that its shortest finished runs really played. `None`
/// without a finished run.
///
/// A run completes its last episode, so it may have more frames than requested. Runs with equal requested numbers of
/// frames are never cut. Longer runs are cut where the longest of the shortest runs ended.
pub fn common_length(task: &str, groups: &[Group<'_>]) -> Option<f64> {
    let of_task = || groups.iter().filter(|group| group.task == task);
    let asked = of_task().flat_map(|group| group.lengths()).min()?;
    let shortest = of_task().flat_map(|group| group.finished_series()).filter(|(run, _)| run.steps == asked);
    let played = shortest.filter_map(|(_, series)| series.training.points().last().map(|point| point.frames));
    Some(played.fold(asked as f64, f64::max))
}

/// The return of each run over all its episodes.
pub fn overall(curves: &[Curve]) -> Vec<f64> {
    curves.iter().filter_map(Curve::overall).collect()
}

/// The overall returns of the finished runs of `group` and of its `baseline` over `length` frames, or why there are none to
/// compare.
pub fn returns_of_both(
    group: &Group<'_>,
    baseline: Option<&Group<'_>>,
    length: Option<f64>,
) -> Result<(Vec<f64>, Vec<f64>), String> {
    let baseline = baseline.ok_or("there is no single baseline on this task")?;
    let (ours, theirs) = (overall(&group.finished(length)), overall(&baseline.finished(length)));
    match (ours.is_empty(), theirs.is_empty()) {
        (true, _) => Err("no finished run".to_owned()),
        (_, true) => Err("the baseline has no finished run".to_owned()),
        _ => Ok((ours, theirs)),
    }
}

impl Group<'_> {
    /// Whether its runs learn from no other agent.
    pub fn is_from_scratch(&self) -> bool {
        self.runs.iter().all(|run| run.from_scratch)
    }

    /// The returns of the runs that have begun.
    pub fn series(&self) -> Vec<&Series> {
        self.runs.iter().filter_map(|run| run.series(self.task)).collect()
    }

    fn finished_series(&self) -> impl Iterator<Item = (&RunResult, &Series)> {
        let finished = self.runs.iter().filter(|run| run.finished());
        let known = finished.filter_map(|run| Some((*run, run.series(self.task)?)));
        known.filter(|(_, series)| !series.training.is_empty())
    }

    /// The requested numbers of environment frames of its finished runs, each number once.
    pub fn lengths(&self) -> BTreeSet<u64> {
        self.finished_series().map(|(run, _)| run.steps).collect()
    }

    /// The training curves of finished runs, over `length` frames.
    pub fn finished(&self, length: Option<f64>) -> Vec<Curve> {
        self.finished_series().map(|(run, series)| cut(run, series, length)).collect()
    }

    /// Environment frames of its longest run.
    pub fn frames(&self) -> f64 {
        // A run without its configuration does not have a known end.
        let end = |run: &RunResult| {
            let last = run.series(self.task).and_then(|series| series.training.points().last().map(|it| it.frames));
            if run.steps == u64::MAX { last.unwrap_or(0.0) } else { (run.steps as f64).max(last.unwrap_or(0.0)) }
        };
        self.runs.iter().map(|run| end(run)).fold(1.0, f64::max)
    }

    /// Mean and deviation of a statistic over the runs that have it, from curves over `length` frames.
    pub fn spread(&self, length: Option<f64>, statistic: impl Fn(&RunResult, &Curve) -> Option<f64>) -> Option<Spread> {
        let of_run = |run: &&RunResult| statistic(run, &cut(run, run.series(self.task)?, length));
        let values: Vec<f64> = self.runs.iter().filter_map(of_run).collect();
        Some(Spread { mean: mean(&values)?, deviation: deviation(&values), runs: values.len() })
    }

    /// Whether several of its runs learn from one source agent.
    pub fn shares_sources(&self) -> bool {
        let mut learners: BTreeMap<&String, usize> = BTreeMap::new();
        for agent in self.runs.iter().flat_map(|run| run.ancestry.agents.keys()) {
            *learners.entry(agent).or_default() += 1;
        }
        learners.values().any(|count| *count > 1)
    }
}

/// The training returns of a run over `length` frames; all of them if no more frames were requested.
fn cut(run: &RunResult, series: &Series, length: Option<f64>) -> Curve {
    match length.filter(|length| run.steps as f64 > *length) {
        Some(length) => series.training.until(length),
        None => series.training.clone(),
    }
}
