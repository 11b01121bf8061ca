//! The tables of a report: figures in words, the same for every form.
//!
//! Here: what methods earned. Tables of single runs: `run_tables`. Not here: HTML, Markdown.

use super::figures::{Figures, MethodFigures, Spread};
use super::published::title;
use super::wording::{
    NONE, change, counted, estimate, estimated_difference, estimated_return, frames, share, spread, value,
};
use crate::statistics::Estimate;
use std::collections::BTreeSet;

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it is, in a few words: its name in other files.
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

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// Smaller, below it.
    pub notes: Vec<String>,
    /// The best of its row.
    pub best: bool,
    /// To be typed, so shown as code.
    pub code: bool,
    /// A share from 0 to 1 with its interval, drawn too.
    pub bar: Option<Estimate>,
}

impl Cell {
    /// A cell that says this.
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
pub fn overall(figures: &Figures) -> Table {
    let about =
        "Mean return of all training episodes of a run, the random ones at its beginning included; mean \u{b1} \
                 standard deviation over runs. The best mean of a row is bold, which says nothing of whether it is \
                 better by more than chance."
            .to_owned();
    let cell = |method: &MethodFigures| returns(method, method.overall, true);
    by_method(figures, "overall", "Overall return", about, |method| method.overall.map(|it| it.mean), cell)
}

/// As [`overall`], of the last tenth.
pub fn last(figures: &Figures) -> Table {
    let about = "Mean return of the training episodes in the last tenth of a run: of 1e6 frames the last 1e5. Of the \
                 runs that have come so far."
        .to_owned();
    let cell = |method: &MethodFigures| returns(method, method.last, false);
    by_method(figures, "final", "Final return", about, |method| method.last.map(|it| it.mean), cell)
}

fn returns(method: &MethodFigures, earned: Option<Spread>, with_published: bool) -> Cell {
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
            cell.notes.push(format!("published {numbers} ({}, {} runs)", published.table, published.seeds));
        }
    }
    cell
}

/// Interquartile means.
pub fn interquartile_means(figures: &Figures) -> Table {
    let about = "Mean of the middle half of finished runs' overall returns (of three runs or fewer, of all), with the \
                 95\u{a0}% interval of a stratified bootstrap. \u{201c}All tasks\u{201d} pools the runs of all tasks, each on a \
                 scale where 0 is random actions and 1 the baseline's mean."
        .to_owned();
    let figure = |method: &MethodFigures| method.interquartile_mean.map(|it| it.value);
    let cell = |method: &MethodFigures| {
        let text = method.interquartile_mean.map_or(NONE.to_owned(), |it| estimated_return(&it));
        Cell::of(text).note(counted(method.finished, "finished run"))
    };
    let mut table =
        by_method(figures, "interquartile-mean", "Interquartile mean of the overall return", about, figure, cell);
    let together = figures.together.iter().map(|together| {
        let mean = together.as_ref().and_then(|together| together.interquartile_mean);
        Cell::of(mean.map_or(NONE.to_owned(), |it| estimated_return(&it)))
    });
    if figures.tasks.len() > 1 {
        table.rows.push([Cell::of("All tasks")].into_iter().chain(together).collect());
    }
    table
}

/// Probabilities of improvement.
pub fn improvements(figures: &Figures) -> Table {
    let about = "How likely a run of the method has a higher overall return than one of the baseline: the share of \
                 pairs in which it has, ties counting half, with its 95\u{a0}% interval. An interval that holds 0.5 shows no \
                 difference. Where all pairs are won, there is nothing else to draw again: [1.00, 1.00] is no certainty \
                 (see above)."
        .to_owned();
    let cell_of = |estimated: Option<Estimate>| Cell {
        text: estimated.map_or(NONE.to_owned(), |it| estimate(&it, share)),
        bar: estimated,
        ..Cell::default()
    };
    let cell = |method: &MethodFigures| cell_of(method.improvement);
    let title = "Probability of improvement over the baseline";
    let mut table = by_method(figures, "improvement", title, about, |_| None, cell);
    if figures.tasks.len() > 1 {
        let together = figures.together.iter();
        let together = together.map(|together| cell_of(together.as_ref().and_then(|together| together.improvement)));
        table.rows.push([Cell::of("All tasks")].into_iter().chain(together).collect());
    }
    // The baseline is not compared with itself.
    let empty: BTreeSet<usize> =
        (1..table.columns.len()).filter(|column| table.rows.iter().all(|row| row[*column].text == NONE)).collect();
    let keep = |column: &usize| !empty.contains(column);
    table.columns = (0..table.columns.len()).filter(keep).map(|column| table.columns[column].clone()).collect();
    for row in &mut table.rows {
        *row = (0..row.len()).filter(keep).map(|column| row[column].clone()).collect();
    }
    if table.columns.len() == 1 {
        table.rows.clear();
    }
    table
}

/// A row for each task, a column for each method.
fn by_method(
    figures: &Figures,
    id: &'static str,
    heading: &str,
    about: String,
    figure: impl Fn(&MethodFigures) -> Option<f64>,
    cell: impl Fn(&MethodFigures) -> Cell,
) -> Table {
    let columns = ["Task".to_owned()].into_iter().chain(figures.methods.iter().cloned()).collect();
    let mut rows = Vec::new();
    for task in &figures.tasks {
        let known = task.methods.iter().flatten().filter_map(&figure);
        let best = known.clone().fold(f64::NEG_INFINITY, f64::max);
        let rivals = known.count() > 1;
        let cells = task.methods.iter().map(|method| {
            let Some(method) = method else { return Cell::of(NONE) };
            Cell { best: rivals && figure(method) == Some(best), ..cell(method) }
        });
        rows.push([Cell::of(title(&task.task))].into_iter().chain(cells).collect());
    }
    Table { id, title: heading.to_owned(), about, columns, rows }
}

/// Measures of transfer, a row for each task and method.
pub fn transfers(figures: &Figures) -> Table {
    let about = "Of finished runs, against the baseline. Jumpstart: mean return of the first tenth of what comes after a \
                 run's random episodes, less the baseline's. Area: by how much the area between learning curve and random \
                 actions is larger than the baseline's. Time: frames until the mean return first reaches three quarters \
                 of the way from random actions to the baseline's final return. \u{201c}Sources counted\u{201d}: the \
                 curve begins when all sources of the run are trained, as if for this run alone."
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
    let mut rows = Vec::new();
    for task in &figures.tasks {
        for (name, method) in figures.methods.iter().zip(&task.methods) {
            let Some((method, measures)) = method.as_ref().and_then(|it| Some((it, it.transfer?))) else { continue };
            let changed =
                |changed: Option<Estimate>| below(changed.map_or(NONE.to_owned(), |it| estimate(&it, change)));
            let never = if measures.threshold.is_some() { "never" } else { NONE };
            let time = |time: Option<f64>| Cell::of(time.map_or(never.to_owned(), frames));
            let mut first = time(measures.time);
            first.notes.extend(measures.threshold.map(|threshold| format!("return {}", value(threshold))));
            rows.push(vec![
                Cell::of(title(&task.task)),
                Cell::of(name.as_str()),
                below(measures.jumpstart.map_or(NONE.to_owned(), |it| estimated_difference(&it))),
                changed(measures.area_ratio),
                changed(measures.area_ratio_with_sources),
                first,
                time(measures.time_with_sources),
                time(measures.baseline_time),
                Cell::of(frames(method.source_frames as f64)),
            ]);
        }
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

/// Whether any published number stands in a table.
pub fn any_published(figures: &Figures) -> bool {
    figures.tasks.iter().any(|task| task.methods.iter().flatten().any(|method| !method.published.is_empty()))
}
