//! The tables of a report, which are the same in all its forms.
//!
//! Here: the returns of methods. Tables of single runs: `run_tables`. Not here: HTML, Markdown.

use super::pooled::{NOT_ABOVE_RANDOM, Pooled};
use super::published::title;
use super::report_statistics::ReportStatistics;
use super::task_statistics::{MethodStatistics, Spread, TaskStatistics};
use super::wording::{
    NONE, change, counted, estimate, estimated_difference, estimated_return, frames, listed, share, spread, value,
};
use crate::statistics::Estimate;

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its title, which is also its name in other files.
    pub id: &'static str,
    /// Its heading.
    pub title: String,
    /// How to read it.
    pub about: String,
    /// Headings of its columns.
    pub columns: Vec<String>,
    /// Its rows; each has a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

/// The most methods that are columns; more are rows.
const MOST_COLUMNS: usize = 8;

impl Table {
    /// With a row for each method, if it has more columns of methods than people can compare.
    fn upright(self) -> Self {
        if self.columns.len() <= MOST_COLUMNS + 1 || self.rows.is_empty() {
            return self;
        }
        let heading = |row: &Vec<Cell>| {
            let Some(first) = row.first() else { return String::new() };
            let notes = if first.notes.is_empty() { String::new() } else { format!(" ({})", first.notes.join(", ")) };
            format!("{}{notes}", first.text)
        };
        let columns = ["Method".to_owned()].into_iter().chain(self.rows.iter().map(heading)).collect();
        let row = |(index, method): (usize, &String)| {
            let cells = self.rows.iter().map(|row| row.get(index).cloned().unwrap_or_default());
            [Cell::of(method.as_str())].into_iter().chain(cells).collect()
        };
        let rows = self.columns.iter().enumerate().skip(1).map(row).collect();
        Self { columns, rows, ..self }
    }
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// Smaller, below it.
    pub notes: Vec<String>,
    /// The best of its task.
    pub best: bool,
    /// To be typed, so shown as code.
    pub code: bool,
    /// A share from 0 to 1 with its interval, drawn too.
    pub bar: Option<Estimate>,
}

impl Cell {
    /// A cell with this text.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// With a note more.
    pub fn note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }
}

/// The paper's way: mean and standard deviation over runs.
pub fn overall(statistics: &ReportStatistics) -> Table {
    let about =
        "Mean return of all training episodes of a run, including the random episodes at its start; mean \u{b1} \
         standard deviation over runs. The best mean of a task is bold, among methods whose runs are all finished. Bold \
         does not mean that the difference is more than chance."
            .to_owned();
    let cell = |method: &MethodStatistics| returns(method, method.overall, true);
    by_method(statistics, "overall", "Overall return", about, |method| of_finished(method, method.overall), cell)
        .upright()
}

/// As [`overall`], of the last tenth.
pub fn last(statistics: &ReportStatistics) -> Table {
    let about =
        "Mean return of the training episodes in the last tenth of a run, or of the frames that are compared (the last \
         1e5 of 1e6 frames). Only runs that have reached these frames count."
            .to_owned();
    let cell = |method: &MethodStatistics| returns(method, method.last, false);
    by_method(statistics, "final", "Final return", about, |method| of_finished(method, method.last), cell).upright()
}

/// The mean, if it can be compared with that of other methods: unfinished runs are shorter, not worse.
fn of_finished(method: &MethodStatistics, earned: Option<Spread>) -> Option<f64> {
    earned.filter(|_| method.runs == method.finished).map(|earned| earned.mean)
}

fn returns(method: &MethodStatistics, earned: Option<Spread>, with_published: bool) -> Cell {
    let mut cell = Cell::of(earned.map_or(NONE.to_owned(), |earned| spread(earned.mean, earned.deviation)));
    let runs = earned.map_or(0, |earned| earned.runs);
    let unfinished = method.runs - method.finished;
    if unfinished > 0 {
        cell.text.push_str(" \u{2020}");
        cell.notes.push(format!("{runs} of {}, {unfinished} unfinished", counted(method.runs, "run")));
    } else {
        cell.notes.push(counted(runs, "run"));
    }
    if with_published {
        for published in &method.published {
            let numbers = spread(published.mean, Some(published.deviation));
            let apart = if method.published_apart.is_empty() { "" } else { ", not comparable \u{2021}" };
            cell.notes.push(format!("published {numbers} ({}, {} runs){apart}", published.table, published.seeds));
        }
    }
    cell
}

/// Interquartile means.
pub fn interquartile_means(statistics: &ReportStatistics) -> Table {
    let about = "Mean of the middle half of the finished runs' overall returns (of all of them, if there are three or \
        fewer), with the 95\u{a0}% interval of a stratified bootstrap. \u{201c}All tasks\u{201d} pools the runs of the \
        tasks that it names, each on a scale where 0 is random actions and 1 is the baseline's mean."
        .to_owned();
    let statistic = |method: &MethodStatistics| method.interquartile_mean.map(|it| it.value);
    let cell = |method: &MethodStatistics| {
        let text = method.interquartile_mean.map_or(NONE.to_owned(), |it| estimated_return(&it));
        let of = counted(method.finished, "finished run");
        Cell::of(text).note(if method.compared == method.finished {
            of
        } else {
            format!("{} of {of}", method.compared)
        })
    };
    let mut table =
        by_method(statistics, "interquartile-mean", "Interquartile mean of the overall return", about, statistic, cell);
    let together = statistics.together.iter().map(|together| {
        let mean = &together.interquartile_mean;
        noted(Cell::of(mean.estimate.map_or(NONE.to_owned(), |it| estimated_return(&it))), mean)
    });
    if statistics.tasks.len() > 1 {
        table.rows.push([Cell::of("All tasks")].into_iter().chain(together).collect());
    }
    table.upright()
}

/// Probabilities of improvement.
pub fn improvements(statistics: &ReportStatistics) -> Table {
    let about =
        "Probability that a run of the method has a higher overall return than a run of the baseline: the share of \
         such pairs, with ties counted half, and its 95\u{a0}% interval. An interval that contains 0.5 does not show a \
         difference. If the method wins all pairs, every resample gives 1, so [1.00, 1.00] does not mean certainty \
         (see above)."
            .to_owned();
    let cell_of = |estimated: Option<Estimate>| Cell {
        text: estimated.map_or(NONE.to_owned(), |it| estimate(&it, share)),
        bar: estimated,
        ..Cell::default()
    };
    let cell = |method: &MethodStatistics| Cell {
        notes: method.uncompared.iter().cloned().collect(),
        ..cell_of(method.improvement)
    };
    let title = "Probability of improvement over the baseline";
    let mut table = by_method(statistics, "improvement", title, about, |_| None, cell);
    if statistics.tasks.len() > 1 {
        let together = statistics.together.iter().map(|together| match &together.improvement {
            Some(pooled) => noted(cell_of(pooled.estimate), pooled),
            None => Cell::of(NONE),
        });
        table.rows.push([Cell::of("All tasks")].into_iter().chain(together).collect());
    }
    // The baseline is not compared with itself.
    let keep = |column: &usize| *column == 0 || statistics.together[column - 1].improvement.is_some();
    table.columns = (0..table.columns.len()).filter(keep).map(|column| table.columns[column].clone()).collect();
    for row in &mut table.rows {
        *row = (0..row.len()).filter(keep).map(|column| row[column].clone()).collect();
    }
    // Why nothing is compared stands above the tables.
    if table.rows.iter().flatten().all(|cell| cell.bar.is_none()) {
        table.rows.clear();
    }
    table.upright()
}

/// A cell with the tasks of its statistic.
fn noted(mut cell: Cell, pooled: &Pooled) -> Cell {
    cell.notes.extend(pooled.notes());
    cell
}

/// The cell that names a task, and the frames over which its runs are compared if they are not all of them.
fn task_cell(task: &TaskStatistics) -> Cell {
    let mut cell = Cell::of(title(&task.task));
    if let Some(length) = task.length.filter(|_| !task.lengths.is_empty()) {
        cell.notes.push(format!("first {} frames", frames(length)));
    }
    cell
}

/// A row for each task, a column for each method.
fn by_method(
    statistics: &ReportStatistics,
    id: &'static str,
    heading: &str,
    about: String,
    statistic: impl Fn(&MethodStatistics) -> Option<f64>,
    cell: impl Fn(&MethodStatistics) -> Cell,
) -> Table {
    let columns = ["Task".to_owned()].into_iter().chain(statistics.methods.iter().cloned()).collect();
    let mut rows = Vec::new();
    for task in &statistics.tasks {
        let known = task.methods.iter().flatten().filter_map(&statistic);
        let best = known.clone().fold(f64::NEG_INFINITY, f64::max);
        let rivals = known.count() > 1;
        let cells = task.methods.iter().map(|method| {
            let Some(method) = method else { return Cell::of(NONE) };
            Cell { best: rivals && statistic(method) == Some(best), ..cell(method) }
        });
        rows.push([task_cell(task)].into_iter().chain(cells).collect());
    }
    Table { id, title: heading.to_owned(), about, columns, rows }
}

/// Measures of transfer, a row for each task and method.
pub fn transfers(statistics: &ReportStatistics) -> Table {
    let about =
        "Finished runs compared with the baseline. Jumpstart: the mean return in the first tenth of a run after its \
         random episodes, minus that of the baseline. Area: how much larger the area between the learning curve and \
         the return of random actions is than for the baseline. Time: frames until the mean return first reaches three \
         quarters of the way from random actions to the baseline's final return. \u{201c}Sources counted\u{201d}: the \
         curve starts after the training of all sources of the run, as if they were trained for this run alone."
            .to_owned();
    let columns = [
        "Task",
        "Method",
        "Jumpstart",
        "Area",
        "Area, sources counted",
        "Time to threshold",
        "Time, sources counted",
        "Baseline's time",
        "Sources' frames",
    ];
    let (mut rows, mut measured) = (Vec::new(), false);
    for task in &statistics.tasks {
        for (name, method) in statistics.methods.iter().zip(&task.methods) {
            let Some(method) = method else { continue };
            let Some(measures) = method.transfer else {
                if let Some(why) = &method.uncompared {
                    let mut row = vec![Cell::of(NONE); columns.len()];
                    row[..2].clone_from_slice(&[task_cell(task), Cell::of(name.as_str()).note(why.clone())]);
                    rows.push(row);
                }
                continue;
            };
            measured = true;
            // If the return of random actions is not known, the method's cell says why.
            let because = |cell: Cell, why: Option<&str>| match why.filter(|_| task.random.is_some()) {
                Some(why) => cell.note(why.to_owned()),
                None => cell,
            };
            let no_area = measures.area_ratio.is_none().then_some(NOT_ABOVE_RANDOM);
            let changed = |changed: Option<Estimate>| {
                because(below(changed.map_or(NONE.to_owned(), |it| estimate(&it, change))), no_area)
            };
            let no_start = measures.jumpstart.is_none() && task.random_unknown.is_empty();
            let no_start = no_start.then_some("not all runs have a return there; with a smaller log.every they may");
            let never = if measures.threshold.is_some() { "never" } else { NONE };
            let no_threshold = "the baseline's final return is not above random actions";
            let no_threshold = measures.threshold.is_none().then_some(no_threshold);
            let time = |time: Option<f64>| because(Cell::of(time.map_or(never.to_owned(), frames)), no_threshold);
            let mut first = time(measures.time);
            first.notes.extend(measures.threshold.map(|threshold| format!("return {}", value(threshold))));
            let mut method_cell = Cell::of(name.as_str());
            if task.random.is_none() || measures.jumpstart.is_none() {
                method_cell.notes.extend(random_unknown(task));
            }
            let at_least = if method.source_frames_at_least { "at least " } else { "" };
            rows.push(vec![
                task_cell(task),
                method_cell,
                because(below(measures.jumpstart.map_or(NONE.to_owned(), |it| estimated_difference(&it))), no_start),
                changed(measures.area_ratio),
                changed(measures.area_ratio_with_sources),
                first,
                time(measures.time_with_sources),
                time(measures.baseline_time),
                Cell::of(format!("{at_least}{}", frames(method.source_frames as f64))),
            ]);
        }
    }
    if !measured {
        rows.clear();
    }
    let columns = columns.map(str::to_owned).to_vec();
    Table { id: "transfer", title: "Measures of transfer".to_owned(), about, columns, rows }
}

/// An estimate whose interval stands below it, so that a wide table stays narrow.
fn below(estimate: String) -> Cell {
    match estimate.split_once(" [") {
        Some((value, interval)) => Cell::of(value).note(format!("[{interval}")),
        None => Cell::of(estimate),
    }
}

/// The number of runs of a task whose random episodes cannot be separated from others, if there are any.
fn random_unknown(task: &TaskStatistics) -> Option<String> {
    let count = task.random_unknown.len();
    (count > 0).then(|| format!("the random episodes of {} are not known", counted(count, "run")))
}

/// Notes about the published numbers in the tables: their source, and the runs with which they must not be compared.
/// Empty if there are no published numbers.
pub fn about_published(statistics: &ReportStatistics) -> Vec<String> {
    let cells = || {
        let of_tasks = statistics.tasks.iter();
        let all =
            of_tasks.flat_map(|task| statistics.methods.iter().zip(&task.methods).map(move |it| (task, it.0, it.1)));
        all.filter_map(|(task, name, method)| Some((task, name, method.as_ref()?)))
            .filter(|(_, _, method)| !method.published.is_empty())
    };
    if cells().next().is_none() {
        return Vec::new();
    }
    let mut sentences = vec![
        "Published: Sasso, Sabatelli and Wiering, Multi-Source Transfer Learning for Deep Model-Based Reinforcement \
         Learning (2022), runs of 1e6 environment frames at the published sizes. Its tables of final returns and of \
         fractions on the pendulum tasks are not included here."
            .to_owned(),
    ];
    let mut apart: Vec<(&[String], Vec<String>)> = Vec::new();
    for (task, name, method) in cells().filter(|(_, _, method)| !method.published_apart.is_empty()) {
        let place = format!("{name} on {}", title(&task.task));
        match apart.iter_mut().find(|(why, _)| *why == method.published_apart.as_slice()) {
            Some((_, places)) => places.push(place),
            None => apart.push((&method.published_apart, vec![place])),
        }
    }
    let everywhere = apart.len() == 1 && apart[0].1.len() == cells().count();
    sentences.extend(apart.into_iter().map(|(why, places)| {
        let places = if everywhere { "our runs".to_owned() } else { listed(&places) };
        format!("\u{2021} Not comparable with the published numbers: {places}, with {}.", listed(why))
    }));
    sentences
}
