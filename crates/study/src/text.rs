//! Small files of text, read without trust in their size.

use crate::StudyError;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The text in the file at `path`, if it has no more than `most` bytes; inside, what is wrong with it if it has more, or is no
/// text. No more than that is ever read, whatever the system says of the file's size.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn text(path: &Path, most: u64) -> Result<Result<String, String>, StudyError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    let read = read.map_err(StudyError::io(path))?;
    if read as u64 > most {
        return Ok(Err(format!("it has more than {most} bytes, which no such file has")));
    }
    Ok(String::from_utf8(bytes).map_err(|_| "it is no text (UTF-8)".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_may_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(text(&path, 4).unwrap().unwrap(), "four");
        assert!(text(&path, 3).unwrap().unwrap_err().contains("more than 3 bytes"));
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert!(text(&path, 3).unwrap().unwrap_err().contains("no text"));
        // Of no size, as the system says, and without end.
        assert!(text(Path::new("/dev/zero"), 100).unwrap().unwrap_err().contains("more than 100 bytes"));
        assert!(text(&folder.path().join("none"), 1).is_err());
    }
}
