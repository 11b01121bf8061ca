//! `dreamgraft study report`: the results of a study, as a page and as data.

use crate::args::study::ReportArgs;
use crate::exit::{Exit, Failure};
use crate::print;
use std::path::Path;
use study::report::{MOST_BYTES, Report};
use study::results::Results;
use train::TrainError;

/// Writes the report of the study or runs in `folder`, and prints where.
///
/// # Errors
/// If there are no runs, or a file cannot be read or written.
pub fn report(folder: &Path, typed: &ReportArgs) -> Result<Exit, Failure> {
    let out = typed.out.clone().unwrap_or_else(|| folder.join(study::layout::REPORT));
    if folder.is_dir() {
        // What stands in the way is known before anything is read.
        let first = out.join("report.html");
        files::check_writable(&first, true).map_err(|source| TrainError::Io { path: first, source })?;
    }
    let mut results = Results::read(folder)?;
    results.baseline = typed.baseline.clone().or(results.baseline);
    let report = Report::new(&results);
    report.check_baseline()?;
    let images = typed.images.map_or(MOST_BYTES, |mebibytes| mebibytes << 20);
    let files = report.write(&out, images)?;
    let problems = report.problems();
    let mut lines = vec![format!("{}: {}", results.name, report.summary())];
    lines.extend(problems.iter().map(|problem| format!("could not read: {problem}")));
    lines.extend(files.iter().map(|file| file.display().to_string()));
    let _ = lines.iter().try_for_each(|line| print::line(line));
    Ok(Exit::Done)
}
