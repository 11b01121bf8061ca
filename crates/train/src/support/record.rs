//! The records of a run's support: small JSON files in its folder, with the version of their format.
//!
//! Not here: their contents (`guide`, `rehearsal`).

use crate::TrainError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::Path;

/// The version of the format of all records; another one is not read.
pub(super) const FORMAT: u32 = 1;

/// The most bytes that a record may have.
const LARGEST: u64 = 1 << 20;

/// A record.
pub(super) trait Record: Serialize + DeserializeOwned {
    /// The name of its file.
    const FILE: &'static str;
    /// The kind of the record, such as `a guide`.
    const WHAT: &'static str;

    /// The version of its format.
    fn format(&self) -> u32;

    /// Checks the values that a file of the right form may have wrong.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Writes a record into the folder of a run.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write<R: Record>(record: &R, root: &Path) -> Result<(), TrainError> {
    let path = root.join(R::FILE);
    let text = serde_json::to_string_pretty(record).expect("plain data") + "\n";
    files::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(path))
}

/// The record in the folder of a run; `None` if there is none.
///
/// # Errors
/// [`TrainError::TransferRecord`] if it is damaged; or it cannot be read.
pub(super) fn read<R: Record>(root: &Path) -> Result<Option<R>, TrainError> {
    let path = root.join(R::FILE);
    let damaged = |why: String| TrainError::TransferRecord { path: path.clone(), what: format!("is damaged ({why})") };
    let bytes = match files::read_bytes(&path, LARGEST) {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other.map_err(|error| TrainError::io(&path)(error.into()))?,
    };
    decode(&bytes).map(Some).map_err(damaged)
}

/// The record with these arbitrary bytes.
///
/// # Errors
/// A description of the problem.
pub(super) fn decode<R: Record>(bytes: &[u8]) -> Result<R, String> {
    let record: R = serde_json::from_slice(bytes).map_err(|error| format!("it is not that of {}: {error}", R::WHAT))?;
    match record.format() {
        FORMAT => record.check().map(|()| record),
        other => Err(format!("its format is {other}, but this program reads format {FORMAT}")),
    }
}
