//! Writing a whole file, so that it is never seen half written.

use super::error::OutputError;
use std::io::Write;
use std::path::Path;

/// Writes a whole file.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    files::write_atomically(path, |file| file.write_all(bytes)).map_err(|source| OutputError::io("write", path, source))
}
