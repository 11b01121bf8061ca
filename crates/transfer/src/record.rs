//! The files that a transfer leaves in a run's folder: `transfer.toml`, the plan, and `transfer.json`, the report.

use crate::error::TransferError;
use crate::plan::{Plan, SourceRef};
use crate::report::{REPORT_FORMAT, Report};
use files::layout::{TRANSFER_PLAN, TRANSFER_REPORT};
use std::io::{Error, ErrorKind, Write};
use std::path::Path;

/// The most bytes that a report may have: a part of it has some hundreds.
const LARGEST_REPORT: u64 = 64 << 20;

/// The beginning of every plan that a transfer left.
const HEADER: &str = "# The transfer with which this run started";

/// Whether the file at `path` is the plan that a transfer left in a run's folder.
pub fn is_record(path: &Path) -> bool {
    files::read_text(path, LARGEST_REPORT).is_ok_and(|text| text.starts_with(HEADER))
}

/// Writes the plan and the report of a transfer into a folder. The plan then names the very files that were read, with
/// their checksums: used again, it gives the same transfer or an error.
///
/// # Errors
/// [`TransferError::Record`] if a file cannot be written.
pub fn write_record(folder: &Path, plan: &Plan, report: &Report) -> Result<(), TransferError> {
    let sources = report.provenances().map(|(name, provenance)| {
        let (path, sha256) = (provenance.file.clone(), provenance.sha256.clone());
        (name.to_owned(), SourceRef { path, sha256: Some(sha256).filter(|sha256| !sha256.is_empty()) })
    });
    let pinned = plan.with_sources(sources.collect())?;
    let header = format!("{HEADER}, written by {}.\n", one_line(plan.name()));
    // The report first: if it exists, the plan next to it is not a plan that the user wrote.
    write_report(folder, report)?;
    write(&folder.join(TRANSFER_PLAN), &(header + &pinned.to_toml()))
}

/// Writes the report of a transfer into a folder that has its record: after its fractions were fitted.
///
/// # Errors
/// [`TransferError::Record`] if the file cannot be written.
pub fn write_report(folder: &Path, report: &Report) -> Result<(), TransferError> {
    write(&folder.join(TRANSFER_REPORT), &(report.to_json() + "\n"))
}

/// Reads the report that a transfer left in a run's folder; `None` if the run has no transfer.
///
/// # Errors
/// [`TransferError::Record`] if there is one that cannot be read.
pub fn read_report(folder: &Path) -> Result<Option<Report>, TransferError> {
    let path = folder.join(TRANSFER_REPORT);
    let unusable = |source| TransferError::Record { path: path.clone(), source };
    let bytes = match files::read_bytes(&path, LARGEST_REPORT) {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other.map_err(|error| unusable(error.into()))?,
    };
    decode_report(&bytes).map(Some).map_err(|why| unusable(Error::new(ErrorKind::InvalidData, why)))
}

/// The report in a `transfer.json` with these arbitrary bytes.
///
/// # Errors
/// A description of the problem.
pub fn decode_report(bytes: &[u8]) -> Result<Report, String> {
    if bytes.len() as u64 > LARGEST_REPORT {
        return Err(format!("it is larger than {LARGEST_REPORT} bytes"));
    }
    // Nearly all are of this format; reports of large studies read thousands.
    if let Ok(report) = serde_json::from_slice::<Report>(bytes)
        && report.format == REPORT_FORMAT
    {
        return Ok(report);
    }
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON ({error})"))?;
    if let Some(format) = value["format"].as_u64().filter(|&format| format != u64::from(REPORT_FORMAT)) {
        return Err(format!("its format is {format}, but this program reads format {REPORT_FORMAT}"));
    }
    serde_json::from_value(value).map_err(|error| format!("it is not the report of a transfer ({error})"))
}

fn write(path: &Path, text: &str) -> Result<(), TransferError> {
    files::write_atomically(path, |file| file.write_all(text.as_bytes()))
        .map_err(|source| TransferError::Record { path: path.to_owned(), source })
}

/// A text for a comment: no character of it may end the line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
