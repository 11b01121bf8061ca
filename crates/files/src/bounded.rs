//! Reading a file without trusting the size that the system reports for it, and without waiting for ever.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a pipe or a device may take to give as many bytes as a file of its kind holds.
const PATIENCE: Duration = Duration::from_secs(30);

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
        matches!(self, Self::Io(error) if error.kind() == ErrorKind::NotFound)
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            other => Self::new(ErrorKind::InvalidData, other),
        }
    }
}

/// Opens a regular file, or a link to one, for reading.
///
/// # Errors
/// If the file cannot be opened, or is not a regular file: opening a pipe may wait for ever, and a device may never
/// end.
pub fn open_file(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a folder, a pipe or a device, but a file is needed",
        ));
    }
    Ok(file)
}

/// Opens a file of any kind, without waiting for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path);
    // The system's error for a socket: "no such device or address".
    let is_socket = |error: &io::Error| error.raw_os_error() == Some(Errno::NXIO.raw_os_error());
    opened.map_err(|error| match is_socket(&error) {
        true => io::Error::new(ErrorKind::InvalidInput, "it is a socket, but a file is needed"),
        false => error,
    })
}

/// The bytes of the file at `path`, if there are at most `limit`. No more than that is ever held in memory. A pipe or a device is
/// read as well, if it ends soon.
///
/// # Errors
/// If the file cannot be read, is larger, or takes too long.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    read_within(path, limit, PATIENCE)
}

fn read_within(path: &Path, limit: u64, patience: Duration) -> Result<Vec<u8>, ReadError> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    if file.metadata()?.is_file() {
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    } else {
        read_what_comes(file, limit, patience, &mut bytes)?;
    }
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { limit });
    }
    Ok(bytes)
}

/// Reads a pipe or a device up to its end, or one byte more than `limit`.
fn read_what_comes(mut file: File, limit: u64, patience: Duration, bytes: &mut Vec<u8>) -> io::Result<()> {
    let began = Instant::now();
    let mut piece = [0; 1 << 13];
    while bytes.len() as u64 <= limit {
        let left = patience.saturating_sub(began.elapsed());
        let timeout = Timespec { tv_sec: left.as_secs() as _, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => {
                let seconds = patience.as_secs_f64();
                let why = if bytes.is_empty() {
                    format!(
                        "nothing was written to this pipe or device within {seconds} seconds; give a file, or start the program \
                         that writes to it first"
                    )
                } else {
                    format!("this pipe or device did not end within {seconds} seconds")
                };
                return Err(io::Error::new(ErrorKind::TimedOut, why));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        }
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(usize::try_from(limit.saturating_add(1)).unwrap_or(usize::MAX));
    Ok(())
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
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::io::Write;
    use std::path::PathBuf;

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
    fn an_endless_device_is_too_large() {
        // The system reports a size of zero for it.
        assert!(matches!(read_text(Path::new("/dev/zero"), 100), Err(ReadError::TooLarge { limit: 100 })));
        assert_eq!(read_text(Path::new("/dev/null"), 100).unwrap(), "");
    }

    /// A named pipe in a new folder.
    fn pipe() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        (folder, path)
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_given_up() {
        let (_folder, path) = pipe();
        let error = read_within(&path, 100, Duration::from_millis(10)).unwrap_err();
        assert!(
            error.to_string().contains("nothing was written to this pipe or device within 0.01 seconds"),
            "{error}"
        );
        // One that is written to, and never closed.
        let mut other_end = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        other_end.write_all(b"some").unwrap();
        let error = read_within(&path, 100, Duration::from_millis(10)).unwrap_err();
        assert!(error.to_string().contains("did not end within 0.01 seconds"), "{error}");
    }

    #[test]
    fn a_pipe_is_read_to_its_end() {
        let (_folder, path) = pipe();
        let text = std::thread::scope(|scope| {
            scope.spawn(|| std::fs::write(&path, "steps = 5\n").unwrap());
            read_text(&path, 100).unwrap()
        });
        assert_eq!(text, "steps = 5\n");
    }

    #[test]
    fn a_socket_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        for error in [open_file(&path).unwrap_err(), read_text(&path, 1).unwrap_err().into()] {
            assert_eq!(
                (error.to_string(), error.kind()),
                ("it is a socket, but a file is needed".to_owned(), ErrorKind::InvalidInput)
            );
        }
    }

    #[test]
    fn only_files_and_links_to_them_are_opened() {
        let (folder, pipe) = pipe();
        for path in [&*pipe, folder.path(), Path::new("/dev/null")] {
            assert!(open_file(path).unwrap_err().to_string().contains("but a file is needed"), "{path:?}");
        }
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        open_file(&link).unwrap();
    }
}
