//! The parts of a page of many runs that are shown only when somebody opens them: their rows, their images, their
//! plans.
//!
//! A browser does not lay out what is folded, so that a page of ten thousand runs is as long as one of ten. Not here: the
//! content of what is folded.

use super::run_tables::{GroupOfRuns, grouped, runs};
use super::tables::Table;
use crate::results::Results;
use maud::{Markup, html};

/// The most runs whose rows are shown at once, without folds.
const MOST_ROWS: usize = 40;

/// The most things in a row that are shown without a fold around them.
const MOST_OPEN: usize = 12;

/// The runs: all rows, or of many runs a fold for each task and method, in a fold for each task if there are many.
pub fn of_runs(results: &Results, table: impl Fn(&Table) -> Markup) -> Markup {
    let untitled = |table: Table| Table { title: String::new(), ..table };
    if results.runs.len() <= MOST_ROWS {
        return table(&untitled(runs(&results.runs)));
    }
    let groups = grouped(results);
    let about = untitled(runs([])).about;
    let fold = |group: &GroupOfRuns<'_>| {
        html! {
            details data-keep={ "runs-" (group.task) "-" (group.method) } {
                summary { strong { (group.task) } ", " (group.method) span.count { " " (group.summary()) } }
                (table(&of_group(group)))
            }
        }
    };
    html! {
        p.about { (about) }
        @if groups.len() <= MOST_OPEN {
            @for group in &groups { (fold(group)) }
        } @else {
            @for task in in_order(groups.iter().map(|group| group.task.as_str())) {
                @let of_task = || groups.iter().filter(|group| group.task == task);
                @let count = of_task().map(|group| group.runs.len()).sum::<usize>();
                details data-keep={ "runs-" (task) } {
                    summary {
                        strong { (task) }
                        span.count {
                            " " (super::wording::counted(count, "run")) " of "
                            (super::wording::counted(of_task().count(), "method"))
                        }
                    }
                    @for group in of_task() { (fold(group)) }
                }
            }
        }
    }
}

/// The rows of a group without the task and the method, which stand above them: the seed comes first.
fn of_group(group: &GroupOfRuns<'_>) -> Table {
    let Table { id, columns, rows, .. } = runs(group.runs.iter().copied());
    let columns = columns.into_iter().skip(2).collect();
    let rows = rows.into_iter().map(|row| row.into_iter().skip(2).collect()).collect();
    Table { id, columns, rows, ..Table::default() }
}

/// Several things: unchanged, or, if there are many, a fold for each heading, in the order in which these come first.
/// `key` separates the folds of a page apart; `around` puts the things of one heading together.
pub fn under_headings(
    key: &str,
    things: Vec<(String, Markup)>,
    one: &str,
    around: impl Fn(&[&Markup]) -> Markup,
) -> Markup {
    if things.len() <= MOST_OPEN {
        return around(&things.iter().map(|(_, thing)| thing).collect::<Vec<_>>());
    }
    html! {
        @for heading in in_order(things.iter().map(|(heading, _)| heading.as_str())) {
            @let of_heading: Vec<&Markup> = things.iter().filter(|(own, _)| own == heading).map(|(_, it)| it).collect();
            details data-keep={ (key) "-" (heading) } {
                summary {
                    strong { (heading) } span.count { " " (super::wording::counted(of_heading.len(), one)) }
                }
                (around(&of_heading))
            }
        }
    }
}

/// Each of these once.
fn in_order<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    all.filter(|one| seen.insert(*one)).collect()
}
