//! `dreamgraft study report`: the results of a study, as a page and as data.

use crate::args::study::ReportArgs;
use crate::exit::{Exit, Failure};
use crate::print;
use dreamer::footprint::available;
use std::path::Path;
use study::report::{MOST_BYTES, Report};
use study::results::Results;
use train::TrainError;
use wording::bytes;

/// Writes the report of the study or runs in `folder`, and prints where.
///
/// # Errors
/// If there are no runs, or a file cannot be read or written.
pub fn report(folder: &Path, typed: &ReportArgs) -> Result<Exit, Failure> {
    let out = typed.out.clone().unwrap_or_else(|| folder.join(study::layout::REPORT));
    if folder.is_dir() {
        // Checked before anything is read.
        let first = out.join("report.html");
        files::check_writable(&first, true).map_err(|source| TrainError::Io { path: first, source })?;
    }
    let mut results = Results::read(folder)?;
    results.baseline = typed.baseline.clone().or(results.baseline);
    let report = Report::new(&results);
    report.check_baseline()?;
    let images = typed.images.map_or(MOST_BYTES, |mebibytes| mebibytes << 20);
    check_memory(report.memory(images))?;
    let files = report.write(&out, images)?;
    let problems = report.problems();
    let mut lines = vec![format!("{}: {}", results.name, report.summary())];
    lines.extend(problems.iter().map(|problem| format!("could not read: {problem}")));
    lines.extend(files.iter().map(|file| file.display().to_string()));
    lines.iter().for_each(|line| print::say(line));
    Ok(Exit::Done)
}

/// Refuses a page whose images need more memory than there is: the program would end without a message.
fn check_memory(needed: u64) -> Result<(), Failure> {
    match available().filter(|available| available.bytes < needed) {
        None => Ok(()),
        Some(available) => Err(Failure::Arguments(format!(
            "the images of the page may take {} of memory, and {} are available within {}; give `study report --images` fewer MiB \
             (0 for none), or raise the limit",
            bytes(needed),
            bytes(available.bytes),
            available.limit
        ))),
    }
}
