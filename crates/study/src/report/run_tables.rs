//! The tables about single runs: the inputs of meta-models, all runs, settings, transfer plans.
//!
//! Here: the content of their cells. Not here: the returns of methods (`tables`).

use super::figures::last_tenth;
use super::published::title;
use super::tables::{Cell, Table};
use super::wording::{NONE, change, counted, duration, frames, listed, spread, value};
use crate::results::{Progress, Results, RunResult, Series};
use crate::statistics::{deviation, mean};
use std::collections::BTreeSet;

/// An input of reward meta-models: how much the runs of a task and method read it.
struct Input<'a> {
    task: String,
    method: &'a str,
    name: &'a str,
    latent: bool,
    /// Norms at the first evaluation, one a run.
    first: Vec<f64>,
    /// At the last.
    last: Vec<f64>,
}

/// The inputs of reward meta-models: a row for each task, method and input.
pub fn source_use(results: &Results) -> Table {
    let about = "Euclidean norm of the row of the meta-model's first kernel that reads a source's prediction, at the \
        first and the last evaluation, and of the rows that read the latent state (their root mean square); mean \
        \u{b1} standard deviation over runs. A growing norm suggests that the meta-model uses the source more; a norm \
        far below that of the latent state means that the source is hardly read. This holds only if the predictions of \
        the sources have similar magnitudes."
        .to_owned();
    let rows = inputs(results).into_iter().map(|input| {
        let found = |values: &[f64]| mean(values).map_or(NONE.to_owned(), |mean| spread(mean, deviation(values)));
        let changed = mean(&input.first).filter(|first| *first > 0.0).zip(mean(&input.last));
        let name = if input.latent { format!("latent state, {}", input.name) } else { input.name.to_owned() };
        vec![
            Cell::of(input.task.as_str()),
            Cell::of(input.method),
            Cell::of(name),
            Cell::of(found(&input.first)),
            Cell::of(found(&input.last)),
            Cell::of(changed.map_or(NONE.to_owned(), |(first, last)| change(last / first - 1.0))),
            Cell::of(input.first.len().to_string()),
        ]
    });
    let columns = ["Task", "Method", "Input", "First", "Last", "Change", "Runs"].map(str::to_owned).to_vec();
    let title = "Sources that the reward meta-model reads".to_owned();
    Table { id: "source-use", title, about, columns, rows: rows.collect() }
}

fn inputs(results: &Results) -> Vec<Input<'_>> {
    let mut inputs: Vec<Input<'_>> = Vec::new();
    for run in results.targets() {
        let (task, method) = (tasks_of(run), run.method.as_str());
        for used in &run.source_use {
            let (Some(first), Some(last)) = (used.points.first(), used.points.last()) else { continue };
            let same = |input: &&mut Input<'_>| {
                (input.task.as_str(), input.method, input.name, input.latent)
                    == (task.as_str(), method, used.name.as_str(), used.latent)
            };
            match inputs.iter_mut().find(same) {
                Some(input) => {
                    input.first.push(first.1);
                    input.last.push(last.1);
                }
                None => inputs.push(Input {
                    task: task.clone(),
                    method,
                    name: &used.name,
                    latent: used.latent,
                    first: vec![first.1],
                    last: vec![last.1],
                }),
            }
        }
    }
    inputs
}

/// Every run.
pub fn runs(results: &Results) -> Table {
    let about =
        "Every run with its overall and final return, and the command that repeats it in the study's folder. Wall time \
         is the sum over all sessions of the run."
            .to_owned();
    let columns =
        ["Task", "Method", "Seed", "State", "Overall", "Final", "Wall time", "Machine", "Command"].map(str::to_owned);
    let row = |run: &RunResult| {
        let returns = |figure: &dyn Fn(&RunResult, &Series) -> Option<f64>| {
            let each: Vec<String> =
                run.series.iter().map(|series| figure(run, series).map_or(NONE.to_owned(), value)).collect();
            Cell::of(if each.is_empty() { NONE.to_owned() } else { each.join(", ") })
        };
        let method = match &run.source {
            Some(source) if run.method == "source" => format!("source {source}"),
            _ => run.method.clone(),
        };
        let machine: Vec<String> =
            ["device", "processor", "system"].iter().filter_map(|key| run.made_by.get(*key).cloned()).collect();
        let version = run.made_by.get("dreamgraft").map(|version| format!("dreamgraft {version}"));
        let mut machine = Cell::of(if machine.is_empty() { NONE.to_owned() } else { machine.join(", ") });
        machine.notes.extend(version);
        vec![
            Cell::of(tasks_of(run)),
            Cell::of(method),
            Cell::of(run.seed.to_string()),
            state(run),
            returns(&|_, series| series.training.overall()),
            returns(&last_tenth),
            Cell::of(run.seconds.map_or(NONE.to_owned(), duration)),
            machine,
            Cell { code: true, ..Cell::of(run.command.as_str()) }.note(format!("folder {}", run.folder.display())),
        ]
    };
    let rows = results.runs.iter().map(row).collect();
    Table { id: "runs", title: "Runs".to_owned(), about, columns: columns.to_vec(), rows }
}

/// How far a run is.
fn state(run: &RunResult) -> Cell {
    let cell = Cell::of(match run.progress {
        Progress::NotBegun => "not started".to_owned(),
        Progress::Underway(at) if run.steps == u64::MAX => format!("at {}", frames(at as f64)),
        Progress::Underway(at) => format!("at {} of {} \u{2020}", frames(at as f64), frames(run.steps as f64)),
        Progress::Finished => format!("finished, {}", frames(run.steps as f64)),
    });
    if run.problems.is_empty() {
        cell
    } else {
        cell.note(format!("see the files that could not be read ({})", run.problems.len()))
    }
}

/// A run's tasks as papers call them.
pub fn tasks_of(run: &RunResult) -> String {
    run.tasks.iter().map(|task| title(task)).collect::<Vec<_>>().join(" + ")
}

/// The settings: those of all runs, and those in which they differ.
pub fn settings(results: &Results) -> Table {
    let keys: BTreeSet<&String> = results.runs.iter().flat_map(|run| run.settings.keys()).collect();
    let known: Vec<&RunResult> = results.runs.iter().filter(|run| !run.settings.is_empty()).collect();
    let mut rows = Vec::new();
    for key in keys.into_iter().filter(|key| !["seed", "tasks"].contains(&key.as_str())) {
        let mut values: Vec<(&str, Vec<String>)> = Vec::new();
        for run in &known {
            let value = run.settings.get(key).map_or(NONE, String::as_str);
            let who = run.method.clone();
            match values.iter_mut().find(|(known, _)| *known == value) {
                Some((_, methods)) if methods.contains(&who) => {}
                Some((_, methods)) => methods.push(who),
                None => values.push((value, vec![who])),
            }
        }
        let cell = match values.as_slice() {
            [(value, _)] => Cell { code: true, ..Cell::of(*value) },
            several => {
                let each = several.iter().map(|(value, methods)| format!("{value}: {}", listed(methods)));
                Cell { notes: each.collect(), ..Cell::of("differs") }
            }
        };
        rows.push(vec![Cell { code: true, ..Cell::of(key.as_str()) }, cell]);
    }
    let about =
        "The resolved settings of all runs, and the settings in which methods differ. Seeds and tasks are in the table \
         of runs."
            .to_owned();
    let columns = vec!["Setting".to_owned(), "Value".to_owned()];
    Table { id: "settings", title: "Configuration".to_owned(), about, columns, rows }
}

/// A transfer, rule by rule.
pub fn plan(report: &transfer::Report) -> Table {
    let row = |rule: &transfer::report::RuleReport| {
        let rows: Vec<String> = rule.rows.iter().map(ToString::to_string).collect();
        let mut take = rule.take.to_string();
        if rule.frozen {
            take.push_str(", frozen");
        }
        let of_rows = if rows.is_empty() { String::new() } else { format!(" (rows {})", rows.join(", ")) };
        let mut parts = Cell::of(counted(rule.parts, "parameter"));
        if rule.misfits > 0 {
            parts.notes.push(format!("{} did not fit and stayed random", rule.misfits));
        }
        vec![
            Cell { code: true, ..Cell::of(format!("{}{of_rows}", rule.patterns.join(", "))) },
            Cell::of(take),
            parts,
            Cell::of(frames(rule.numbers as f64)),
        ]
    };
    let rows = report.rules.iter().map(row).collect();
    let columns = ["Parameters", "Taken", "Count", "Numbers"].map(str::to_owned).to_vec();
    Table { id: "plan", title: report.plan.clone(), about: report.description.clone(), columns, rows }
}
