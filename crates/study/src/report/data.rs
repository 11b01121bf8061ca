//! The report for other programs: statistics as CSV, curves as JSON.

use super::Report;
use super::comparable::FRAMES;
use super::cost::{Amount, MethodCost};
use super::pooled::Pooled;
use super::task_statistics::{MethodStatistics, Spread, TaskStatistics};
use crate::results::{Cost, Results, RunResult};
use crate::statistics::{Curve, Estimate};
use serde::Serialize;

/// A line of the CSV.
#[derive(Clone, Copy, Default, Serialize)]
struct Line<'a> {
    /// A task, or `all`.
    task: &'a str,
    method: &'a str,
    #[serde(rename = "figure")]
    statistic: &'a str,
    value: Option<f64>,
    /// Standard deviation over runs.
    deviation: Option<f64>,
    /// The 95 % interval.
    low: Option<f64>,
    high: Option<f64>,
    /// The number of runs in the statistic.
    runs: Option<usize>,
    /// Runs of the task and method that are not finished.
    unfinished: Option<usize>,
    /// Environment frames over which runs are compared.
    frames: Option<f64>,
    /// A note: the tasks of a pooled statistic, or why a number is not comparable.
    note: &'a str,
}

/// Every statistic, one per line: `task,method,figure,value,deviation,low,high,runs,unfinished,frames,note`.
pub fn figures_csv(report: &Report<'_>) -> String {
    let statistics = &report.statistics;
    let joined = |notes: Vec<String>| notes.join("; ");
    let pooled = |pooled: &Pooled| joined(pooled.notes());
    let notes: Vec<[String; 2]> = statistics
        .together
        .iter()
        .map(|together| {
            [pooled(&together.interquartile_mean), together.improvement.as_ref().map(pooled).unwrap_or_default()]
        })
        .collect();
    let mut lines = Vec::new();
    for task in &statistics.tasks {
        for (name, method) in statistics.methods.iter().zip(&task.methods) {
            let Some(method) = method else { continue };
            of_method(task, name, method, &mut lines);
        }
    }
    for ((name, together), [mean_note, improvement_note]) in
        statistics.methods.iter().zip(&statistics.together).zip(&notes)
    {
        let line = Line { task: "all", method: name, ..Line::default() };
        let mean = together.interquartile_mean.estimate;
        lines.extend(estimated("interquartile_mean_normalised", &Line { note: mean_note, ..line }, mean));
        let improvement = together.improvement.as_ref().and_then(|pooled| pooled.estimate);
        lines.extend(estimated("improvement", &Line { note: improvement_note, ..line }, improvement));
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.serialize(line).expect("texts and numbers");
    }
    String::from_utf8(writer.into_inner().expect("memory")).expect("texts")
}

fn of_method<'a>(task: &'a TaskStatistics, name: &'a str, method: &'a MethodStatistics, lines: &mut Vec<Line<'a>>) {
    let of_task = Line { task: &task.task, method: name, ..Line::default() };
    let line = Line { unfinished: Some(method.runs - method.finished), frames: task.length, ..of_task };
    let spread = |statistic, spread: Option<Spread>| {
        spread.map(|it| Line { statistic, value: Some(it.mean), deviation: it.deviation, runs: Some(it.runs), ..line })
    };
    lines.extend(spread("overall", method.overall));
    lines.extend(spread("final", method.last));
    let finished = Line { runs: Some(method.compared), ..line };
    lines.extend(estimated("interquartile_mean", &finished, method.interquartile_mean));
    lines.extend(estimated("improvement", &finished, method.improvement));
    if let Some(measures) = &method.transfer {
        lines.extend(estimated("jumpstart", &finished, measures.jumpstart));
        lines.extend(estimated("area_ratio", &finished, measures.area_ratio));
        lines.extend(estimated("area_ratio_with_sources", &finished, measures.area_ratio_with_sources));
        let numbers = [
            ("threshold", measures.threshold),
            ("time_to_threshold", measures.time),
            ("time_to_threshold_with_sources", measures.time_with_sources),
            ("time_to_threshold_of_baseline", measures.baseline_time),
        ];
        for (statistic, value) in numbers.into_iter().filter(|(_, value)| value.is_some()) {
            lines.push(Line { statistic, value, ..finished });
        }
        let note = if method.source_frames_at_least { "a lower bound: not all sources are known" } else { "" };
        lines.push(Line { statistic: "source_frames", value: Some(method.source_frames as f64), note, ..finished });
    }
    lines.extend(costs(&Line { frames: None, ..line }, &method.cost));
    for published in &method.published {
        lines.push(Line {
            statistic: "overall_published",
            value: Some(published.mean),
            deviation: Some(published.deviation),
            runs: Some(published.seeds as usize),
            frames: Some(FRAMES as f64),
            note: if method.published_apart.is_empty() { "" } else { "not comparable with our runs (see the report)" },
            ..of_task
        });
    }
}

/// The costs of a whole run, and of its sources.
fn costs<'a>(line: &Line<'a>, cost: &MethodCost) -> Vec<Line<'a>> {
    let mut named = vec![("updates", cost.own.updates), ("core_seconds", cost.own.core_seconds)];
    if let Some(sources) = &cost.sources {
        named.extend([("source_updates", sources.updates), ("source_core_seconds", sources.core_seconds)]);
    }
    let of = |(statistic, amount): (&'static str, Amount)| {
        let spread = amount.spread?;
        let note = if amount.at_least { "a lower bound: not all sources are known" } else { "" };
        let (value, deviation, runs) = (Some(spread.mean), spread.deviation, Some(spread.runs));
        Some(Line { statistic, value, deviation, runs, note, ..*line })
    };
    named.into_iter().filter_map(of).collect()
}

fn estimated<'a>(statistic: &'a str, line: &Line<'a>, estimate: Option<Estimate>) -> Option<Line<'a>> {
    let estimate = estimate?;
    let (low, high) = (estimate.interval.map(|it| it.low), estimate.interval.map(|it| it.high));
    Some(Line { statistic, value: Some(estimate.value), low, high, ..*line })
}

/// A curve, in the form in which the field exchanges them.
#[derive(Serialize)]
struct Exchanged<'a> {
    task: &'a str,
    method: &'a str,
    seed: u64,
    /// Environment frames.
    xs: Vec<f64>,
    /// Mean return of the training episodes that ended since the frame before.
    ys: Vec<f64>,
    /// Gradient steps so far, at each of `xs`; null where they are not recorded.
    updates: Vec<Option<f64>>,
    /// The same of core-seconds.
    core_seconds: Vec<Option<f64>>,
    /// The same of evaluation episodes.
    eval_xs: Vec<f64>,
    eval_ys: Vec<f64>,
    eval_updates: Vec<Option<f64>>,
    eval_core_seconds: Vec<Option<f64>>,
    finished: bool,
}

/// Every run's curves, one object for each run and task: `{task, method, seed, xs, ys}` and more.
pub fn curves_json(results: &Results) -> String {
    let xs = |curve: &Curve| curve.points().iter().map(|point| point.frames).collect();
    let ys = |curve: &Curve| curve.points().iter().map(|point| point.value).collect();
    // Milliseconds are enough, and keep the file small.
    let rounded = |number: f64| (1e3 * number).round() / 1e3;
    let spent = |run: &RunResult, cost: Cost, curve: &Curve| -> Vec<Option<f64>> {
        curve.points().iter().map(|point| run.spent(cost, point.frames).map(rounded)).collect()
    };
    let mut curves = Vec::new();
    for run in &results.runs {
        for series in &run.series {
            curves.push(Exchanged {
                task: &series.task,
                method: &run.method,
                seed: run.seed,
                xs: xs(&series.training),
                ys: ys(&series.training),
                updates: spent(run, Cost::Updates, &series.training),
                core_seconds: spent(run, Cost::CoreSeconds, &series.training),
                eval_xs: xs(&series.evaluation),
                eval_ys: ys(&series.evaluation),
                eval_updates: spent(run, Cost::Updates, &series.evaluation),
                eval_core_seconds: spent(run, Cost::CoreSeconds, &series.evaluation),
                finished: run.finished(),
            });
        }
    }
    let mut text = serde_json::to_string(&curves).expect("texts and finite numbers");
    text.push('\n');
    text
}
