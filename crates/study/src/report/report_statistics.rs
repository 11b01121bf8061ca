//! All statistics of a report, computed once for all its forms.
//!
//! Here: statistics over the runs of a task and method. Not here: the choice of these runs (`groups`), statistics over
//! all tasks (`pooled`), tables (`tables`) and plots (`chart`).

use super::comparable::differences;
use super::cost::{Agents, has_sources, method_cost};
use super::curves::{Drawn, plots};
use super::groups::{Group, baseline, common_length, groups, overall, returns_of_both};
use super::pooled::{Together, together};
use super::published::published;
use super::task_statistics::{MethodStatistics, TaskStatistics};
use crate::results::{Results, RunResult, Series};
use crate::statistics::{Curve, LAST, TransferInput, improvement, mean, pooled_interquartile_mean, transfer};
use std::collections::BTreeSet;

/// The statistics of a report.
#[derive(Debug)]
pub struct ReportStatistics {
    /// Methods by their names in tables: the named baseline first, then those from scratch.
    pub methods: Vec<String>,
    /// The one method that the others are compared with on every task; `None` if there is none, or another on each task.
    pub baseline: Option<String>,
    /// The number of methods that start from scratch: with more than one, there may be no baseline for comparisons.
    pub from_scratch: usize,
    /// Which curves are drawn.
    pub drawn: Drawn,
    /// The tasks, in the order of the runs.
    pub tasks: Vec<TaskStatistics>,
    /// The statistics of each method over all tasks.
    pub together: Vec<Together>,
}

impl ReportStatistics {
    /// The statistics of these runs.
    pub fn new(results: &Results) -> Self {
        let groups = groups(results);
        let mut methods: Vec<String> = Vec::new();
        let mut tasks: Vec<&str> = Vec::new();
        let mut ordered: Vec<&Group<'_>> = groups.iter().collect();
        let named = results.baseline.as_deref();
        ordered.sort_by_key(|group| (named != Some(&*group.method), !group.is_from_scratch()));
        let mut from_scratch = 0;
        for group in ordered {
            if !methods.contains(&group.method) {
                methods.push(group.method.clone());
                from_scratch += usize::from(group.is_from_scratch());
            }
        }
        for group in &groups {
            if !tasks.contains(&group.task) {
                tasks.push(group.task);
            }
        }
        let baselines: BTreeSet<&str> =
            tasks.iter().filter_map(|task| Some(&*baseline(task, &groups, named)?.method)).collect();
        let baseline = baselines.first().filter(|_| baselines.len() == 1).map(|name| (*name).to_owned());
        let (drawn, agents) = (Drawn::new(&groups), Agents::new(results));
        let tasks: Vec<TaskStatistics> =
            tasks.iter().map(|task| of_task(task, &methods, &groups, named, &agents, &drawn)).collect();
        let together = together(&methods, &tasks, &groups, named);
        Self { methods, baseline, from_scratch, drawn, tasks, together }
    }
}

/// The mean return of a run's last tenth, if it has come to that.
pub fn last_tenth(run: &RunResult, series: &Series) -> Option<f64> {
    series.training.mean_between((1.0 - LAST) * run.steps as f64, f64::INFINITY)
}

fn of_task(
    task: &str,
    methods: &[String],
    groups: &[Group<'_>],
    named: Option<&str>,
    agents: &Agents<'_>,
    drawn: &Drawn,
) -> TaskStatistics {
    let of_task: Vec<&Group<'_>> = groups.iter().filter(|group| group.task == task).collect();
    let length = common_length(task, groups);
    let lengths: Vec<_> = of_task.iter().map(|group| (group.method.clone(), group.lengths())).collect();
    let differ = lengths.iter().flat_map(|(_, lengths)| lengths).collect::<BTreeSet<_>>().len() > 1;
    let frames = of_task.iter().map(|group| group.frames()).fold(1.0, f64::max);
    let baseline = baseline(task, groups, named);
    let begun = of_task.iter().flat_map(|group| group.series());
    let random = mean(&begun.filter_map(|series| Some(series.training.random()?.value)).collect::<Vec<_>>());
    // Methods are described with the note that guided episodes do not measure random actions.
    let runs = of_task.iter().flat_map(|group| &group.runs).filter(|run| run.guide.is_none());
    let unknown = runs.filter_map(|run| Some((run.folder.display().to_string(), run.random_unknown.clone()?)));
    let ground = Ground { random, length, agents };
    let statistics = methods.iter().map(|method| {
        let group = of_task.iter().find(|group| group.method == *method)?;
        Some(of_group(group, baseline, &ground))
    });
    let statistics = statistics.collect();
    TaskStatistics {
        task: task.to_owned(),
        frames,
        length,
        lengths: lengths.into_iter().filter(|(_, lengths)| differ && !lengths.is_empty()).collect(),
        random,
        random_unknown: unknown.collect(),
        plots: plots(methods, &of_task, frames, drawn),
        methods: statistics,
    }
}

/// The settings that all methods of a task share.
struct Ground<'a, 'b> {
    random: Option<f64>,
    length: Option<f64>,
    agents: &'a Agents<'b>,
}

fn of_group(group: &Group<'_>, baseline: Option<&Group<'_>>, ground: &Ground<'_, '_>) -> MethodStatistics {
    let length = ground.length;
    let finished = group.finished(length);
    let returns = overall(&finished);
    let is_baseline = baseline.is_some_and(|baseline| baseline.method == group.method);
    let both = returns_of_both(group, baseline, length);
    let source_frames = group.runs.iter().map(|run| run.ancestry.frames()).max().unwrap_or(0);
    let measures = baseline.filter(|_| !is_baseline).and_then(|baseline| {
        let theirs = baseline.finished(length);
        transfer(&TransferInput {
            method: &finished.iter().collect::<Vec<_>>(),
            baseline: &theirs.iter().collect::<Vec<_>>(),
            random: ground.random,
            frames: length?,
            source_frames: source_frames as f64,
        })
    });
    let first = group.runs[0];
    let of_one_kind =
        |run: &&RunResult| (&run.ancestry.tasks, run.ancestry.direct) == (&first.ancestry.tasks, first.ancestry.direct);
    let published = if group.runs.iter().all(of_one_kind) {
        published(group.task, &first.method, &first.ancestry.tasks, first.ancestry.direct)
    } else {
        Vec::new()
    };
    let last = |run: &RunResult, curve: &Curve| {
        let end = length.unwrap_or(run.steps as f64);
        curve.mean_between((1.0 - LAST) * end, f64::INFINITY)
    };
    MethodStatistics {
        runs: group.runs.len(),
        guided: group.runs.iter().any(|run| run.guide.is_some()),
        finished: finished.len(),
        begun: group.series().iter().filter(|series| !series.training.is_empty()).count(),
        compared: returns.len(),
        overall: group.spread(length, |_, curve| curve.overall()),
        last: group.spread(length, last),
        interquartile_mean: pooled_interquartile_mean(&[&returns]),
        improvement: both
            .as_ref()
            .ok()
            .filter(|_| !is_baseline)
            .and_then(|both| improvement(std::slice::from_ref(both))),
        uncompared: both.err().filter(|_| !is_baseline),
        transfer: measures,
        source_frames,
        source_frames_at_least: group.runs.iter().any(|run| !run.ancestry.gaps.is_empty()),
        has_sources: group.runs.iter().any(|run| has_sources(run)),
        shares_sources: group.shares_sources(),
        published_apart: if published.is_empty() { Vec::new() } else { differences(&group.runs, length) },
        published,
        cost: method_cost(group, ground.agents),
    }
}
