//! Reading a file without trusting the size that the system reports for it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why a file could not be read. The caller adds the path of the file.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is larger than any file of its kind.
    #[error("it has more than {limit} bytes, the limit for such a file")]
    TooLarge {
        /// The most bytes that are read.
        limit: u64,
    },
    /// The file holds bytes that are not UTF-8.
    #[error("it is not text (UTF-8)")]
    NotText,
}

impl ReadError {
    /// Whether the file does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// The bytes of the file at `path`, if there are at most `limit`. No more than that is ever held in memory.
///
/// # Errors
/// If the file cannot be read or is larger.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { limit });
    }
    Ok(bytes)
}

/// The text of the file at `path`, if it has at most `limit` bytes.
///
/// # Errors
/// As [`read_bytes`], or if the file is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, ReadError> {
    String::from_utf8(read_bytes(path, limit)?).map_err(|_| ReadError::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "four");
        assert!(matches!(read_text(&path, 3), Err(ReadError::TooLarge { limit: 3 })));
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert_eq!(read_bytes(&path, 2).unwrap(), b"\xff\xfe");
        assert!(matches!(read_text(&path, 3), Err(ReadError::NotText)));
        assert!(read_text(&folder.path().join("none"), 1).unwrap_err().is_not_found());
    }

    #[test]
    #[cfg(unix)]
    fn an_endless_device_is_too_large() {
        // The system reports a size of zero for it.
        assert!(matches!(read_text(Path::new("/dev/zero"), 100), Err(ReadError::TooLarge { limit: 100 })));
    }
}
