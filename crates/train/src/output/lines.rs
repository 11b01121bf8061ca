//! The whole lines of `metrics.jsonl`: reading, recognising and counting them.
//!
//! Not here: writing them (`jsonl`).

use super::error::OutputError;
use crate::Frames;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longest line that is read, a hundred times the longest that is expected.
const LONGEST_LINE: u64 = 1 << 20;

/// The part that every line of metrics has, by which it is recognised.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "step")]
    _step: Frames,
}

/// Gives each whole line with its end to `visit`, at most `most` lines.
pub(super) fn for_each_line(path: &Path, most: u64, visit: impl FnMut(&[u8])) -> Result<(), OutputError> {
    let file = files::open_file(path).map_err(|source| OutputError::io("read", path, source))?;
    lines_of(path, BufReader::new(file), most, visit)
}

/// Whole lines of metrics in the file at `path`, up to the first other line; 0 if it cannot be read.
pub(crate) fn metrics_lines(path: &Path) -> u64 {
    let mut lines = 0;
    let _ = for_each_line(path, u64::MAX, |_| lines += 1);
    lines
}

/// Whole lines in a metrics file of these bytes, of any content.
///
/// # Errors
/// If a whole line is not one of metrics.
pub fn count_lines(text: &[u8]) -> Result<u64, OutputError> {
    let mut lines = 0;
    lines_of(Path::new("metrics.jsonl"), text, u64::MAX, |_| lines += 1)?;
    Ok(lines)
}

/// As [`for_each_line`], of a file that is open.
fn lines_of(path: &Path, mut file: impl BufRead, most: u64, mut visit: impl FnMut(&[u8])) -> Result<(), OutputError> {
    let io_error = |source| OutputError::io("read", path, source);
    let mut line = Vec::new();
    for number in 1..=most {
        line.clear();
        (&mut file).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(io_error)?;
        let wrong = |reason: String| OutputError::Line { path: path.to_owned(), line: number, reason };
        if line.last() != Some(&b'\n') {
            if line.len() as u64 == LONGEST_LINE {
                return Err(wrong(format!("a line of metrics, because it has {LONGEST_LINE} bytes or more")));
            }
            break;
        }
        let Line { .. } = serde_json::from_slice(&line).map_err(|error| wrong(what_is_not(&line, &error)))?;
        visit(&line);
    }
    Ok(())
}

/// The fault of a line, and its beginning.
fn what_is_not(line: &[u8], error: &serde_json::Error) -> String {
    let text = String::from_utf8_lossy(line);
    let mut start: String = text.trim_end().chars().take(40).collect();
    if start.len() < text.trim_end().len() {
        start.push_str("...");
    }
    let what = if error.is_data() { "a line of metrics, which have a step" } else { "JSON" };
    format!("{what} ({start:?})")
}
