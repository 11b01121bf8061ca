//! The sources of a method that starts from one at a time: which of them earned most and least.

use super::run_tables::tasks_of;
use super::tables::{Cell, Table};
use super::wording::spread;
use crate::results::{Progress, Results, RunResult};
use crate::statistics::{deviation, mean};
use std::collections::BTreeMap;

/// A row for each source of every method that starts from several, one at a time.
pub fn single_sources(results: &Results) -> Table {
    let about = "Overall return of the finished runs of each source, for methods that start from one source at a time; mean \u{b1} \
        standard deviation over runs. The best and the worst source are known only after all of them were tried: the mean is what a \
        source that is chosen at random earns."
        .to_owned();
    let mut found: BTreeMap<(String, &str), BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    // A meta-model reads all its sources, and an untrained source is a control.
    let starts_from_one = |run: &&RunResult| {
        let all_trained =
            |transfer: &transfer::Report| transfer.sources.iter().all(|source| source.provenance.updates > 0);
        run.transfer.as_ref().is_none_or(|transfer| transfer.meta_model.is_none() && all_trained(transfer))
    };
    for run in results.targets().filter(|run| run.progress == Progress::Finished).filter(starts_from_one) {
        let Some(source) = &run.source else { continue };
        let returns = run.series.iter().filter_map(|series| series.training.overall());
        found.entry((tasks_of(run), &run.method)).or_default().entry(source).or_default().extend(returns);
    }
    let mut rows = Vec::new();
    for ((task, method), sources) in found.iter().filter(|(_, sources)| sources.len() > 1) {
        let mut sources: Vec<(&str, &[f64], f64)> =
            sources.iter().filter_map(|(name, returns)| Some((*name, &**returns, mean(returns)?))).collect();
        sources.sort_by(|a, b| b.2.total_cmp(&a.2));
        let means: Vec<f64> = sources.iter().map(|source| source.2).collect();
        let row = |which: &str, source: &str, returns: &[f64], mean: f64| {
            let runs = Cell::of(returns.len().to_string());
            let earned = Cell::of(spread(mean, deviation(returns)));
            vec![Cell::of(task.as_str()), Cell::of(*method), Cell::of(which), Cell::of(source), earned, runs]
        };
        let last = sources.len().saturating_sub(1);
        for (index, (name, returns, mean)) in sources.iter().enumerate() {
            let which = if index == 0 {
                "best"
            } else if index == last {
                "worst"
            } else {
                ""
            };
            rows.push(row(which, name, returns, *mean));
        }
        if let Some(mean) = mean(&means) {
            rows.push(row("mean", "", &means, mean));
            let last = rows.last_mut().and_then(|row| row.last_mut()).expect("it was just added");
            *last = Cell::of(format!("{} sources", means.len()));
        }
    }
    let columns = ["Task", "Method", "Place", "Source", "Overall return", "Runs"].map(str::to_owned).to_vec();
    Table { id: "single-sources", title: "One source at a time".to_owned(), about, columns, rows }
}
