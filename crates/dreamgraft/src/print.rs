//! Lines of results on stdout, which its reader may close at any time (`| head`).

use crate::exit::Exit;
use std::io::{self, Write};
use std::sync::Mutex;
use train::TrainError;

/// Writes a line to stdout. Names in it may be anything; control characters are escaped.
///
/// # Errors
/// The error of the operating system; [`io::ErrorKind::BrokenPipe`] if stdout is closed.
pub fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", wording::printable(text))?;
    stdout.flush()
}

/// The first failed write of [`say`].
static UNSAID: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes a line about work that must not stop because nobody can read it. A failed write is remembered
/// ([`unsaid`]), unless the reader closed stdout.
pub fn say(text: &str) {
    if let Err(error) = line(text)
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        UNSAID.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
    }
}

/// Why a line of [`say`] was not written; `None` if all were. Only the first call returns the error.
pub fn unsaid() -> Option<io::Error> {
    UNSAID.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

/// Writes a text of several lines to stdout, like [`line()`].
///
/// # Errors
/// As [`line()`].
pub fn text(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", wording::printable_lines(text))?;
    stdout.flush()
}

/// Writes a note to stderr, on one line. A reader that has closed it is not an error.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {}", wording::printable(text));
}

/// Writes an error after which the command continues, or of which it has printed everything else, to stderr, on one line. A reader
/// that has closed it is not an error.
pub fn error(text: &str) {
    let _ = writeln!(io::stderr(), "error: {}", wording::printable(text));
}

/// The end of a command that printed results. A reader that closed stdout has seen enough, so this is not an error.
///
/// # Errors
/// If stdout cannot be written for another reason.
pub fn done(printed: io::Result<()>) -> Result<Exit, TrainError> {
    match printed {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(TrainError::Io { path: "stdout".into(), source })
        }
        _ => Ok(Exit::Done),
    }
}
