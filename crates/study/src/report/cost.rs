//! The costs of the runs of a method: frames, gradient steps, core-seconds, and those of their sources.
//!
//! Here: the numbers, their table, and how far core-seconds can be compared. Not here: curves over them (`curves`).

use super::groups::Group;
use super::published::title;
use super::report_statistics::ReportStatistics;
use super::tables::{Cell, Table};
use super::task_statistics::Spread;
use super::wording::{NONE, counted, frames, hours, listed};
use crate::results::{Cost, Results, RunResult};
use crate::statistics::{deviation, mean};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most processors that are named.
const MOST_NAMED: usize = 3;

/// The costs of the finished runs of a task and method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MethodCost {
    /// The finished runs.
    pub runs: usize,
    /// Their own costs.
    pub own: Costs,
    /// The costs of all agents that a run learned from, each counted once, as if they had been trained for this run
    /// alone; `None` if the runs have no sources.
    pub sources: Option<Costs>,
}

/// The costs of runs, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    /// Environment frames.
    pub frames: Amount,
    /// Gradient steps.
    pub updates: Amount,
    /// Core-seconds.
    pub core_seconds: Amount,
}

/// A cost, over the runs whose folders record it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    /// Mean and deviation; `None` if no run records it.
    pub spread: Option<Spread>,
    /// Whether it may be more, because it is not known of all sources.
    pub at_least: bool,
}

impl Amount {
    fn of(values: &[f64], at_least: bool) -> Self {
        let spread = mean(values).map(|mean| Spread { mean, deviation: deviation(values), runs: values.len() });
        Self { spread, at_least }
    }
}

/// The runs that others may have learned from, by their folders.
pub struct Agents<'a> {
    root: &'a Path,
    named: BTreeMap<String, &'a RunResult>,
    placed: OnceCell<BTreeMap<PathBuf, &'a RunResult>>,
    runs: &'a [RunResult],
}

impl<'a> Agents<'a> {
    /// Those of a report.
    pub fn new(results: &'a Results) -> Self {
        let root = results.root.as_path();
        let named = results.runs.iter().map(|run| (run.folder.display().to_string(), run)).collect();
        Self { root, named, placed: OnceCell::new(), runs: &results.runs }
    }

    fn find(&self, agent: &str) -> Option<&'a RunResult> {
        let named = self.named.get(agent);
        // A record of a transfer may name its sources by other paths.
        let placed = || self.runs.iter().map(|run| (place(self.root, &run.folder), run)).collect();
        named.or_else(|| self.placed.get_or_init(placed).get(&place(self.root, Path::new(agent)))).copied()
    }

    /// The costs of all agents that a run learned from, and whether that is only a part; `None` if it is not known
    /// of any.
    fn spent(&self, run: &RunResult, cost: Cost) -> (Option<f64>, bool) {
        let agents = run.ancestry.agents.iter();
        let each: Vec<Option<f64>> =
            agents.map(|(agent, frames)| self.find(agent)?.spent_until(cost, *frames as f64)).collect();
        let known: Vec<f64> = each.iter().copied().flatten().collect();
        let is_part = known.len() < each.len() || !run.ancestry.gaps.is_empty() || each.is_empty();
        ((!known.is_empty()).then(|| known.iter().sum()), is_part)
    }
}

/// A folder without links, if it exists.
fn place(root: &Path, folder: &Path) -> PathBuf {
    let path = root.join(folder);
    path.canonicalize().unwrap_or(path)
}

/// The costs of the finished runs of `group`.
pub fn method_cost(group: &Group<'_>, agents: &Agents<'_>) -> MethodCost {
    let finished: Vec<&RunResult> = group.runs.iter().copied().filter(|run| run.finished()).collect();
    let own = |cost: Cost| {
        let each: Vec<f64> = finished.iter().filter_map(|run| run.spent_in_all(cost)).collect();
        Amount::of(&each, false)
    };
    let learned: Vec<&RunResult> = finished.iter().copied().filter(|run| has_sources(run)).collect();
    let of_sources = |cost: Cost| {
        let each: Vec<(Option<f64>, bool)> = learned.iter().map(|run| agents.spent(run, cost)).collect();
        let known: Vec<f64> = each.iter().filter_map(|(spent, _)| *spent).collect();
        Amount::of(&known, each.iter().any(|(_, is_part)| *is_part))
    };
    let steps: Vec<f64> = finished.iter().map(|run| run.all_frames() as f64).collect();
    let source_frames: Vec<f64> = learned.iter().map(|run| run.ancestry.frames() as f64).collect();
    let sources = Costs {
        frames: Amount::of(&source_frames, learned.iter().any(|run| !run.ancestry.gaps.is_empty())),
        updates: of_sources(Cost::Updates),
        core_seconds: of_sources(Cost::CoreSeconds),
    };
    MethodCost {
        runs: finished.len(),
        own: Costs {
            frames: Amount::of(&steps, false),
            updates: own(Cost::Updates),
            core_seconds: own(Cost::CoreSeconds),
        },
        sources: (!learned.is_empty()).then_some(sources),
    }
}

/// Whether a run learned from other agents, or spent frames on the choice of one.
pub fn has_sources(run: &RunResult) -> bool {
    !run.from_scratch || !run.ancestry.agents.is_empty()
}

/// The cost of a finished run of each task and method.
pub fn costs(statistics: &ReportStatistics) -> Table {
    let about =
        "What a finished run cost, and what all its sources and their sources cost, as if they had been trained for \
         this run alone; means over runs, of core-hours with the standard deviation. Core-hours are the hours that \
         the threads of a run computed or, if its metrics do not have `cpu_seconds`, the hours of work on it times its \
         threads. Whole runs are counted, also where only their first frames are compared. A run of \
         several tasks is listed under each of them with all that it cost."
            .to_owned();
    let columns = [
        "Task",
        "Method",
        "Frames",
        "Gradient steps",
        "Core-hours",
        "Sources' frames",
        "Sources' gradient steps",
        "Sources' core-hours",
    ];
    let (mut rows, mut is_known) = (Vec::new(), false);
    for task in &statistics.tasks {
        for (name, method) in statistics.methods.iter().zip(&task.methods) {
            let Some(cost) = method.as_ref().map(|method| &method.cost).filter(|cost| cost.runs > 0) else { continue };
            is_known |= cost.own.updates.spread.is_some() || cost.own.core_seconds.spread.is_some();
            let mut row = vec![Cell::of(title(&task.task)), Cell::of(name.as_str()).note(counted(cost.runs, "run"))];
            row.extend(cells(Some(&cost.own), cost.runs));
            row.extend(cells(cost.sources.as_ref(), cost.runs));
            rows.push(row);
        }
    }
    if !is_known {
        rows.clear();
    }
    Table { id: "cost", title: String::new(), about, columns: columns.map(str::to_owned).to_vec(), rows }
}

/// The cells of three costs, over so many runs.
fn cells(costs: Option<&Costs>, runs: usize) -> [Cell; 3] {
    let Some(costs) = costs else { return [NONE; 3].map(Cell::of) };
    let cell = |amount: &Amount, text: &dyn Fn(Spread) -> String| {
        let Some(spread) = amount.spread else { return Cell::of("not recorded") };
        let at_least = if amount.at_least { "at least " } else { "" };
        let cell = Cell::of(format!("{at_least}{}", text(spread)));
        if spread.runs < runs { cell.note(format!("of {} of {runs} runs", spread.runs)) } else { cell }
    };
    let count = |spread: Spread| frames(spread.mean);
    let time = |spread: Spread| hours(spread.mean / 3600.0, spread.deviation.map(|deviation| deviation / 3600.0));
    [cell(&costs.frames, &count), cell(&costs.updates, &count), cell(&costs.core_seconds, &time)]
}

/// How far the core-seconds of these runs can be compared: sentences; empty if there is no known objection.
pub fn cautions(results: &Results) -> Vec<String> {
    let timed: Vec<&RunResult> =
        results.runs.iter().filter(|run| run.spent_in_all(Cost::CoreSeconds).is_some()).collect();
    let mut sentences = Vec::new();
    let processors: BTreeSet<&str> =
        timed.iter().map(|run| run.provenance.get("processor").map_or("unknown", |name| &**name)).collect();
    if processors.len() > 1 {
        let mut names: Vec<String> = processors.iter().take(MOST_NAMED).map(|name| (*name).to_owned()).collect();
        if processors.len() > MOST_NAMED {
            names.push(format!("{} others", processors.len() - MOST_NAMED));
        }
        sentences.push(format!(
            "Core-seconds come from different processors ({}) and can only be compared with care, because the same \
             work takes each of them a different time.",
            listed(&names)
        ));
    }
    let runs = |is: &dyn Fn(f64, f64) -> bool| {
        let with = timed.iter().filter(|run| !run.clock.measures_threads()).filter(|run| {
            let cores = run.provenance.get("cores").and_then(|cores| cores.parse().ok());
            run.threads.zip(cores).is_some_and(|(threads, cores)| is(threads, cores))
        });
        with.count()
    };
    // Without times of their threads, runs that shared cores seem to have computed longer than they did.
    let of_all = |count: usize| format!("{} of {}", frames(count as f64), counted(timed.len(), "run"));
    let fewer = runs(&|threads, cores| threads < cores);
    if fewer > 0 {
        sentences.push(format!(
            "{} used fewer threads than their machine has cores. If other runs worked on the same machine at that time, \
             they slowed each other down, and their core-seconds can only be compared with care.",
            of_all(fewer)
        ));
    }
    let more = runs(&|threads, cores| threads > cores);
    if more > 0 {
        sentences.push(format!(
            "{} used more threads than their machine has cores, so their threads shared cores, and their core-seconds \
             are more than the cores worked.",
            of_all(more)
        ));
    }
    let on_device = timed.iter().filter(|run| run.provenance.contains_key("device")).count();
    if on_device > 0 {
        sentences.push(format!(
            "{} computed gradient steps on a device. Core-seconds count the threads of the CPU, not the device.",
            of_all(on_device)
        ));
    }
    sentences
}
