//! The tables about single runs: the inputs of meta-models, all runs, settings, transfer plans.
//!
//! Here: the content of their cells. Not here: the returns of methods (`tables`).

use super::groups::names;
use super::published::title;
use super::report_statistics::last_tenth;
use super::tables::{Cell, Table};
use super::wording::{NONE, change, counted, duration, frames, listed, spread, value};
use crate::results::{Progress, Results, RunResult, Series};
use crate::statistics::{deviation, mean};
use std::collections::{BTreeMap, BTreeSet};

/// An input of reward meta-models: how much the runs of a task and method read it.
struct Input<'a> {
    task: String,
    method: String,
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
            Cell::of(input.method.as_str()),
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
    let (mut inputs, mut places) = (Vec::<Input<'_>>::new(), BTreeMap::new());
    // Meta-models over different sources may have the same method.
    let names = names(results);
    for run in results.targets() {
        let task = tasks_of(run);
        for used in &run.source_use {
            // A run whose tasks cannot be read is of no group.
            let method = names.get(&*run.folder).unwrap_or(&run.method).as_str();
            let (Some(first), Some(last)) = (used.points.first(), used.points.last()) else { continue };
            let name = used.name.as_str();
            let place = *places.entry((task.clone(), method, name, used.latent)).or_insert(inputs.len());
            if place == inputs.len() {
                let (task, method, latent) = (task.clone(), method.to_owned(), used.latent);
                inputs.push(Input { task, method, name, latent, first: Vec::new(), last: Vec::new() });
            }
            inputs[place].first.push(first.1);
            inputs[place].last.push(last.1);
        }
    }
    inputs
}

/// The runs of a task and method.
pub struct GroupOfRuns<'a> {
    /// Its tasks, as papers call them.
    pub task: String,
    /// Its method, and the source that it is or has.
    pub method: String,
    /// The runs.
    pub runs: Vec<&'a RunResult>,
}

impl GroupOfRuns<'_> {
    /// How many runs, how many of them are finished, which seeds, and how many have files that could not be read.
    pub fn summary(&self) -> String {
        let finished = self.runs.iter().filter(|run| run.finished()).count();
        let broken = self.runs.iter().filter(|run| !run.problems.is_empty()).count();
        let finished = if finished == self.runs.len() { "all".to_owned() } else { finished.to_string() };
        let problems = if broken == 0 {
            String::new()
        } else {
            format!(", files of {} could not be read", counted(broken, "run"))
        };
        let seeds = seeds(self.runs.iter().map(|run| run.seed));
        format!("{}, {finished} finished{problems}, {seeds}", counted(self.runs.len(), "run"))
    }
}

/// The runs by task and method, in the order in which these come first.
pub fn grouped(results: &Results) -> Vec<GroupOfRuns<'_>> {
    let (mut groups, mut places) = (Vec::<GroupOfRuns<'_>>::new(), BTreeMap::new());
    for run in &results.runs {
        let (task, method) = (tasks_of(run), method_of(run));
        let place = *places.entry((task.clone(), method.clone())).or_insert(groups.len());
        if place == groups.len() {
            groups.push(GroupOfRuns { task, method, runs: Vec::new() });
        }
        groups[place].runs.push(run);
    }
    groups
}

/// Seeds in few words: `seeds 0 to 9, 12`.
pub fn seeds(seeds: impl Iterator<Item = u64>) -> String {
    const MOST: usize = 8;
    let all: BTreeSet<u64> = seeds.collect();
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &seed in &all {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seed) => *last = seed,
            _ => ranges.push((seed, seed)),
        }
    }
    let text = |(first, last): &(u64, u64)| match last - first {
        0 => vec![first.to_string()],
        1 => vec![first.to_string(), last.to_string()],
        _ => vec![format!("{first} to {last}")],
    };
    let mut words: Vec<String> = ranges.iter().flat_map(text).collect();
    if words.len() > MOST {
        let others =
            all.len() - ranges[..MOST - 1].iter().map(|(first, last)| (last - first + 1) as usize).sum::<usize>();
        words = ranges[..MOST - 1].iter().flat_map(text).collect();
        words.push(format!("{others} others"));
    }
    format!("{} {}", if all.len() == 1 { "seed" } else { "seeds" }, listed(&words))
}

/// A run's method, and the source that it is.
fn method_of(run: &RunResult) -> String {
    match &run.source {
        Some(source) if run.method == "source" => format!("source {source}"),
        _ => run.method.clone(),
    }
}

/// These runs.
pub fn runs<'a>(runs: impl IntoIterator<Item = &'a RunResult>) -> Table {
    let about =
        "Every run with its overall and final return, and the command that repeats it: of a study, in the study's folder; of other \
         runs, in the folder in which this page was made. Wall time is the sum over all sessions of the run. A run that \
         was copied from another study was trained there, by the \
         same program with the same settings."
            .to_owned();
    let columns =
        ["Task", "Method", "Seed", "State", "Overall", "Final", "Wall time", "Machine", "Command"].map(str::to_owned);
    let row = |run: &RunResult| {
        let returns = |statistic: &dyn Fn(&RunResult, &Series) -> Option<f64>| {
            let each: Vec<String> =
                run.series.iter().map(|series| statistic(run, series).map_or(NONE.to_owned(), value)).collect();
            Cell::of(if each.is_empty() { NONE.to_owned() } else { each.join(", ") })
        };
        let machine: Vec<String> = ["device", "processor", "system"]
            .iter()
            .filter_map(|key| Some((**run.provenance.get(*key)?).to_owned()))
            .collect();
        let commit = run.provenance.get("commit").map(|commit| format!(", commit {commit}")).unwrap_or_default();
        let version = run.provenance.get("dreamgraft").map(|version| format!("dreamgraft {version}{commit}"));
        let mut machine = Cell::of(if machine.is_empty() { NONE.to_owned() } else { machine.join(", ") });
        machine.notes.extend(version);
        machine.notes.extend(run.shared.as_ref().map(|copied| format!("copied from the study {}", copied.study)));
        vec![
            Cell::of(tasks_of(run)),
            Cell::of(method_of(run)),
            Cell::of(run.seed.to_string()),
            state(run),
            returns(&|_, series| series.training.overall()),
            returns(&last_tenth),
            Cell::of(run.seconds.map_or(NONE.to_owned(), duration)),
            machine,
            Cell { code: true, ..Cell::of(run.command.as_str()) }.note(format!("folder {}", run.folder.display())),
        ]
    };
    let rows = runs.into_iter().map(row).collect();
    Table { id: "runs", title: "Runs".to_owned(), about, columns: columns.to_vec(), rows }
}

/// How far a run is.
fn state(run: &RunResult) -> Cell {
    let cell = Cell::of(match run.progress {
        Progress::NotBegun if run.failure.is_some() => "failed".to_owned(),
        Progress::Underway(at) if run.failure.is_some() => format!("failed at {}", frames(at as f64)),
        Progress::NotBegun => "not started".to_owned(),
        Progress::Underway(at) if run.steps == u64::MAX => format!("at {}", frames(at as f64)),
        Progress::Underway(at) => format!("at {} of {}", frames(at as f64), frames(run.steps as f64)),
        Progress::Dropped(at) => format!("dropped at {}", frames(at as f64)),
        Progress::Finished => format!("finished, {}", frames(run.steps as f64)),
    });
    let cell = match &run.failure {
        Some(why) => cell.note(why.clone()),
        None => cell,
    };
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

/// A value of a setting.
struct Value<'a> {
    value: &'a str,
    /// The methods that have it, by their numbers, in the order of the runs.
    methods: Vec<usize>,
    /// Whether each method has it.
    is_of: Vec<bool>,
}

/// The settings: those of all runs, and those in which they differ.
pub fn settings(results: &Results) -> Table {
    let known: Vec<&RunResult> = results.runs.iter().filter(|run| !run.settings.is_empty()).collect();
    let mut methods: Vec<&str> = Vec::new();
    let mut numbers = BTreeMap::new();
    let mut method_of = Vec::new();
    for run in &known {
        method_of.push(*numbers.entry(run.method.as_str()).or_insert(methods.len()));
        if numbers.len() > methods.len() {
            methods.push(&run.method);
        }
    }
    // The settings of each run are in the order of their keys, too.
    let mut rest: Vec<_> = known.iter().map(|run| run.settings.iter().peekable()).collect();
    let mut rows = Vec::new();
    while let Some(key) = rest.iter_mut().filter_map(|rest| Some(rest.peek()?.0)).min() {
        let mut values: Vec<Value<'_>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (rest, method) in rest.iter_mut().zip(&method_of) {
            let value = rest.next_if(|(own, _)| *own == key).map_or(NONE, |(_, value)| &**value);
            let place = *places.entry(value).or_insert_with(|| {
                values.push(Value { value, methods: Vec::new(), is_of: vec![false; methods.len()] });
                values.len() - 1
            });
            let Value { methods, is_of, .. } = &mut values[place];
            if !std::mem::replace(&mut is_of[*method], true) {
                methods.push(*method);
            }
        }
        if ["seed", "tasks"].contains(&&**key) {
            continue;
        }
        let cell = match values.as_slice() {
            [only] => Cell { code: true, ..Cell::of(only.value) },
            several => {
                let each = several.iter().map(|Value { value, methods: of, .. }| {
                    let of: Vec<String> = of.iter().map(|method| methods[*method].to_owned()).collect();
                    format!("{value}: {}", listed(&of))
                });
                Cell { notes: each.collect(), ..Cell::of("differs") }
            }
        };
        rows.push(vec![Cell { code: true, ..Cell::of(&**key) }, cell]);
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
    let columns = ["Parameters", "Transferred", "Count", "Numbers"].map(str::to_owned).to_vec();
    Table { id: "plan", title: report.plan.clone(), about: report.description.clone(), columns, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_named_in_few_words() {
        let text = |all: &[u64]| seeds(all.iter().copied());
        assert_eq!(text(&[3]), "seed 3");
        assert_eq!(text(&[2, 0, 1]), "seeds 0 to 2");
        assert_eq!(text(&[0, 1, 5, 7, 8, 9, 9]), "seeds 0, 1, 5 and 7 to 9");
        assert_eq!(text(&[u64::MAX - 2, u64::MAX - 1, u64::MAX]), format!("seeds {} to {}", u64::MAX - 2, u64::MAX));
        let odd: Vec<u64> = (0..100).map(|index| 2 * index).collect();
        assert_eq!(text(&odd), "seeds 0, 2, 4, 6, 8, 10, 12 and 93 others");
    }
}
