//! The fractions that runs fitted to their random episodes, and the error with other fractions.

use super::run_tables::tasks_of;
use super::tables::{Cell, Table};
use crate::results::{Results, RunResult};
use wording::significant;

/// The tasks of a source of a run; its name in the plan if they are not known.
fn source_of(run: &RunResult, name: &str) -> String {
    let sources = run.transfer.iter().flat_map(|transfer| &transfer.sources);
    let mut tasks = sources.filter(|source| source.name == name).map(|source| source.provenance.tasks.join("+"));
    tasks.find(|tasks| !tasks.is_empty()).unwrap_or_else(|| name.to_owned())
}

/// A row for each target, head and source whose fraction was fitted.
pub fn fitted_fractions(results: &Results) -> Table {
    let about = "The fraction of each source with which the output layer of a model predicts the random episodes best, found before \
        the first gradient step; and the error of the prediction with other fractions of this source alone: the mean squared error \
        after the best constant has been added or, for the discount model, the negative log-likelihood. The fraction is 0 if the \
        improvement by other fractions could be chance."
        .to_owned();
    let mut rows = Vec::new();
    for run in results.targets() {
        let fitted = run.transfer.iter().flat_map(|transfer| &transfer.fractions);
        for (fitted, source) in fitted.flat_map(|fitted| fitted.sources.iter().map(move |source| (fitted, source))) {
            let mut fraction = Cell::of(format!("{:.3}", source.fraction));
            if source.fraction != source.best {
                fraction.notes.push(format!("{:.3} could be chance", source.best));
            }
            let mut row = vec![
                Cell::of(tasks_of(run)),
                Cell::of(run.method.as_str()),
                Cell::of(run.seed.to_string()),
                Cell::of(fitted.head.as_str()),
                Cell::of(source_of(run, &source.source)),
                fraction,
            ];
            row.extend(source.errors.iter().map(|error| Cell::of(significant(*error))));
            rows.push(row);
        }
    }
    let mut columns = ["Task", "Method", "Seed", "Model", "Source", "Fraction"].map(str::to_owned).to_vec();
    columns.extend((0..=10).map(|step| format!("Error at {:.1}", f64::from(step) / 10.0)));
    Table { id: "fitted-fractions", title: "Fractions that were fitted".to_owned(), about, columns, rows }
}
