//! The report of a study: one page, and the same as Markdown, CSV and JSON.
//!
//! Here: [`Report`] and its files. Statistics: `groups`, `report_statistics`, `pooled`; their limits: `limits`; cells:
//! `tables`, `run_tables`; the curves: `curves`, over the axes of `abscissa`; the page: `page`, `chart`, `media`; other
//! forms: `markdown`, `data`. To add a table: a function in `tables`, and a line each in `page` and `markdown`.
//! docs/reports.md explains every statistic.

mod abscissa;
mod axis;
mod axis_notes;
mod chart;
mod choices;
mod comparable;
mod cost;
mod curves;
mod data;
mod fitted_fractions;
mod folds;
mod groups;
mod limits;
mod markdown;
mod media;
mod mixtures;
mod page;
mod pilots;
mod pooled;
mod published;
mod report_statistics;
mod run_tables;
mod single_sources;
mod tables;
mod task_statistics;
mod wording;

pub use data::{curves_json, figures_csv};
pub use markdown::markdown;
pub use media::{MOST_BYTES, Media, mime, read as read_image};
pub use page::page;
pub use report_statistics::ReportStatistics;

use self::wording::counted;
use crate::manifest::Role;
use crate::results::{Results, ResultsError, RunResult};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The page's file.
pub const PAGE_FILE: &str = "report.html";

/// A report of these results.
#[derive(Debug)]
pub struct Report<'a> {
    /// The results.
    pub results: &'a Results,
    /// Their statistics.
    pub statistics: ReportStatistics,
}

/// The transfer of the runs of one task and method.
pub(crate) struct PlanOf<'a> {
    /// Their method by its name in tables.
    pub method: String,
    /// The runs with the same transfer.
    pub runs: Vec<&'a RunResult>,
    /// The transfer.
    pub transfer: &'a transfer::Report,
}

impl<'a> Report<'a> {
    /// Computes the statistics of these results.
    pub fn new(results: &'a Results) -> Self {
        Self { results, statistics: ReportStatistics::new(results) }
    }

    /// Checks that the named baseline is one of the methods.
    ///
    /// # Errors
    /// If it is not; the message has the most similar name.
    pub fn check_baseline(&self) -> Result<(), ResultsError> {
        let methods = &self.statistics.methods;
        match &self.results.baseline {
            Some(name) if !methods.contains(name) => Err(ResultsError::NoMethod {
                name: name.clone(),
                nearest: ::wording::nearest(name, methods.iter().map(String::as_str)).unwrap_or_default().to_owned(),
                methods: methods.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "),
            }),
            _ => Ok(()),
        }
    }

    /// Bytes of memory that a page with at most this many bytes of images may need for them.
    pub fn memory(&self, images: u64) -> u64 {
        /// Copies of an image, as text, while a page is put together. Measured: 4.1 times the bytes of all images; the
        /// buffers that grow may need more of the address space.
        const COPIES: u64 = 6;
        let all = self.results.targets().flat_map(|run| &run.images).map(|image| image.bytes);
        let embedded = all.filter(|bytes| *bytes <= media::LARGEST).fold(0, u64::saturating_add).min(images);
        embedded.saturating_mul(COPIES)
    }

    /// Writes the report to `folder`, which is created: `report.html` with at most this many bytes of images,
    /// `report.md`, `figures.csv`, `curves.json`. Returns the files.
    ///
    /// # Errors
    /// If the folder cannot be made, or a file not be written.
    pub fn write(&self, folder: &Path, images: u64) -> Result<Vec<PathBuf>, ResultsError> {
        files::create_folders(folder).map_err(ResultsError::io(folder))?;
        let media = Media::embed(self.results, images);
        // Each text is made when those before it are written and dropped: of ten thousand runs, they are large.
        let files: [(&str, &dyn Fn() -> String); 4] = [
            (PAGE_FILE, &|| page(self, &media, None)),
            ("report.md", &|| markdown(self)),
            ("figures.csv", &|| figures_csv(self)),
            ("curves.json", &|| curves_json(self.results)),
        ];
        let mut written = Vec::new();
        for (name, text) in files {
            let path = folder.join(name);
            let text = text();
            files::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(ResultsError::io(&path))?;
            written.push(path);
        }
        Ok(written)
    }

    /// How many runs, tasks, methods, seeds.
    pub fn summary(&self) -> String {
        let (statistics, results) = (&self.statistics, self.results);
        let targets = results.targets().count();
        let seeds: BTreeSet<u64> = results.targets().map(|run| run.seed).collect();
        let mut parts = vec![
            counted(targets, "run"),
            counted(statistics.tasks.len(), "task"),
            counted(statistics.methods.len(), "method"),
            counted(seeds.len(), "seed"),
        ];
        for (role, name) in [(Role::Source, "source run"), (Role::Candidate, "other candidate")] {
            let count = results.runs.iter().filter(|run| run.role == role).count();
            if count > 0 {
                parts.push(counted(count, name));
            }
        }
        parts.push(match self.unfinished() {
            0 => "all finished".to_owned(),
            count => format!("{} unfinished", wording::grouped(count as u64)),
        });
        parts.join(" \u{b7} ")
    }

    /// Runs that are not finished.
    pub fn unfinished(&self) -> usize {
        self.results.targets().filter(|run| !run.finished()).count()
    }

    /// Files that could not be read, each with its run.
    pub fn problems(&self) -> Vec<String> {
        let of_runs = self.results.runs.iter();
        let of_runs = of_runs.flat_map(|run| {
            run.problems.iter().map(|problem| match run.folder.as_os_str().is_empty() {
                // A report of a run alone: the problem names the file.
                true => problem.clone(),
                false => format!("{}: {problem}", run.folder.display()),
            })
        });
        self.results.notes.iter().cloned().chain(of_runs).collect()
    }

    /// The transfers, each listed once for all runs that share it.
    pub(crate) fn plans(&self) -> Vec<PlanOf<'a>> {
        let mut plans: Vec<PlanOf<'a>> = Vec::new();
        // The plans of each task and method with the same sources: they differ in their rules, if at all.
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let names = groups::names(self.results);
        for run in &self.results.runs {
            let Some(transfer) = &run.transfer else { continue };
            let method = names.get(&*run.folder).unwrap_or(&run.method);
            let sources: Vec<&str> = transfer.sources.iter().map(|source| &*source.provenance.sha256).collect();
            let near = places.entry((&run.tasks, method, sources)).or_default();
            match near.iter().find(|place| plans[**place].transfer.rules == transfer.rules) {
                Some(place) => plans[*place].runs.push(run),
                None => {
                    near.push(plans.len());
                    plans.push(PlanOf { method: method.clone(), runs: vec![run], transfer });
                }
            }
        }
        plans
    }
}

impl PlanOf<'_> {
    /// For which seeds.
    pub fn summary(&self) -> String {
        run_tables::seeds(self.runs.iter().map(|run| run.seed))
    }
}
