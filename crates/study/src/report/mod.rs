//! The report of a study: one page, and the same as Markdown, CSV and JSON.
//!
//! Here: [`Report`], what it says besides figures, and its files. Figures: `figures`; words in cells: `tables`, `run_tables`; the page:
//! `page`, `chart`, `media`; other forms: `markdown`, `data`. To add a table: a function in `tables`, and a line each in `page`
//! and `markdown`. docs/reports.md explains every figure.

mod axis;
mod chart;
mod data;
mod figures;
mod markdown;
mod media;
mod page;
mod published;
mod run_tables;
mod tables;
mod wording;

pub use data::{curves_json, figures_csv};
pub use figures::Figures;
pub use markdown::markdown;
pub use media::{MOST_BYTES, Media, mime, read as read_picture};
pub use page::page;

use crate::results::{Results, ResultsError, RunResult};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use wording::{counted, frames, listed};

/// The page's file.
pub const PAGE_FILE: &str = "report.html";

/// A report of these results.
#[derive(Debug)]
pub struct Report<'a> {
    /// What it is of.
    pub results: &'a Results,
    /// Its figures.
    pub figures: Figures,
}

/// What runs of one task and method took.
pub(crate) struct PlanOf<'a> {
    /// The runs that took the same.
    pub runs: Vec<&'a RunResult>,
    /// What they took.
    pub transfer: &'a transfer::Report,
}

impl<'a> Report<'a> {
    /// Computes the figures of these results.
    pub fn new(results: &'a Results) -> Self {
        Self { results, figures: Figures::new(results) }
    }

    /// Writes the report into `folder`, which is made: `report.html` with at most so many bytes of pictures, `report.md`,
    /// `figures.csv`, `curves.json`. Returns the files.
    ///
    /// # Errors
    /// If the folder cannot be made, or a file not be written.
    pub fn write(&self, folder: &Path, pictures: u64) -> Result<Vec<PathBuf>, ResultsError> {
        std::fs::create_dir_all(folder).map_err(ResultsError::io(folder))?;
        let media = Media::embed(self.results, pictures);
        let files = [
            (PAGE_FILE, page(self, &media, None)),
            ("report.md", markdown(self)),
            ("figures.csv", figures_csv(self)),
            ("curves.json", curves_json(self.results)),
        ];
        let mut written = Vec::new();
        for (name, text) in files {
            let path = folder.join(name);
            replay::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(ResultsError::io(&path))?;
            written.push(path);
        }
        Ok(written)
    }

    /// How many runs, tasks, methods, seeds.
    pub fn summary(&self) -> String {
        let (figures, results) = (&self.figures, self.results);
        let targets = results.targets().count();
        let seeds: BTreeSet<u64> = results.targets().map(|run| run.seed).collect();
        let mut parts = vec![
            counted(targets, "run"),
            counted(figures.tasks.len(), "task"),
            counted(figures.methods.len(), "method"),
            counted(seeds.len(), "seed"),
        ];
        let sources = results.runs.len() - targets;
        if sources > 0 {
            parts.push(counted(sources, "source run"));
        }
        parts.push(match self.unfinished() {
            0 => "all finished".to_owned(),
            count => format!("{} unfinished", wording::grouped(count as u64)),
        });
        parts.join(" \u{b7} ")
    }

    /// Runs that have not all their frames.
    pub fn unfinished(&self) -> usize {
        self.results.targets().filter(|run| !run.finished()).count()
    }

    /// How many runs there are of each task and method, and what these cannot show.
    pub fn limits(&self) -> Vec<String> {
        let cells = || self.figures.tasks.iter().flat_map(|task| task.methods.iter().flatten());
        let counts: BTreeSet<usize> = cells().map(|method| method.finished).collect();
        let (Some(&fewest), Some(&most)) = (counts.first(), counts.last()) else {
            return vec!["There is no run to compare yet.".to_owned()];
        };
        let each = if fewest == most {
            counted(fewest, "finished run")
        } else {
            format!("{fewest} to {}", counted(most, "finished run"))
        };
        let mut said = vec![format!("Each task and method has {each}, one a seed.")];
        if self.figures.methods.len() > 1 {
            said.push(
                "Methods are paired: runs of one task and seed share their random prefill episodes and the starts of their \
                 evaluations, whatever the method."
                    .to_owned(),
            );
        }
        said.extend(match fewest {
            0 => Some(
                "Where there is none, nothing can be compared yet; means over unfinished runs are of their beginnings."
                    .to_owned(),
            ),
            1 => Some(
                "One run says nothing of how much another seed would change it: there are no deviations and no intervals, \
                 and any difference may be the seed\u{2019}s."
                    .to_owned(),
            ),
            runs @ 2..=9 => Some(format!(
                "If two methods were equal, all {runs} runs of one would still be above all {runs} of the other in 1 of {} \
                 comparisons. {}",
                wording::grouped(orders(runs)),
                if runs < 5 {
                    "Deviations and intervals of so few runs are rough, and intervals tend to be too narrow: a bootstrap \
                     can only draw again what is there."
                } else {
                    "Differences that are small beside the deviations stay undecided."
                }
            )),
            _ => None,
        });
        let compared = cells().filter(|method| method.improvement.is_some()).count();
        if compared > 3 {
            said.push(format!(
                "There are {} with the baseline here: among many, some look striking by chance.",
                counted(compared, "comparison")
            ));
        }
        let lengths: BTreeSet<u64> =
            self.results.targets().map(|run| run.steps).filter(|steps| *steps < u64::MAX).collect();
        let lengths: Vec<String> = lengths.into_iter().map(|steps| frames(steps as f64)).collect();
        if !lengths.is_empty() {
            said.push(format!(
                "Runs have {} environment frames; what would happen after them is not known.",
                listed(&lengths)
            ));
        }
        if self.figures.from_scratch != 1 {
            said.push(format!(
                "There {} here, so nothing is measured against a baseline where a task has not exactly one.",
                match self.figures.from_scratch {
                    0 => "is no method that begins from scratch".to_owned(),
                    count => format!("are {}", counted(count, "method")) + " that begin from scratch",
                }
            ));
        }
        said
    }

    /// What could not be read, each with its run.
    pub fn problems(&self) -> Vec<String> {
        let of_runs = self.results.runs.iter();
        let of_runs =
            of_runs.flat_map(|run| run.problems.iter().map(|problem| format!("{}: {problem}", run.folder.display())));
        self.results.notes.iter().cloned().chain(of_runs).collect()
    }

    /// What was taken, told once for all runs that took the same.
    pub(crate) fn plans(&self) -> Vec<PlanOf<'a>> {
        let mut plans: Vec<PlanOf<'a>> = Vec::new();
        for run in &self.results.runs {
            let Some(transfer) = &run.transfer else { continue };
            let same = |plan: &&mut PlanOf<'a>| {
                let first = plan.runs[0];
                let names = |report: &transfer::Report| -> Vec<String> {
                    report.sources.iter().map(|source| source.provenance.sha256.clone()).collect()
                };
                first.tasks == run.tasks
                    && first.method == run.method
                    && plan.transfer.rules == transfer.rules
                    && names(plan.transfer) == names(transfer)
            };
            match plans.iter_mut().find(same) {
                Some(plan) => plan.runs.push(run),
                None => plans.push(PlanOf { runs: vec![run], transfer }),
            }
        }
        plans
    }
}

impl PlanOf<'_> {
    /// For which seeds.
    pub fn told(&self) -> String {
        let seeds: Vec<String> = self.runs.iter().map(|run| run.seed.to_string()).collect();
        format!("{} {}", if seeds.len() == 1 { "seed" } else { "seeds" }, listed(&seeds))
    }
}

/// In how many orders runs of two methods, `runs` of each, can stand: `(2 runs)! / (runs!)^2`.
fn orders(runs: usize) -> u64 {
    (1..=runs as u64).fold(1, |count, index| count * (runs as u64 + index) / index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_counted() {
        assert_eq!([1, 2, 3, 9].map(orders), [2, 6, 20, 48_620]);
    }
}
