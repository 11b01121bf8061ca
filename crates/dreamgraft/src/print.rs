//! Lines of results on stdout, which its reader may close at any time (`| head`).

use std::io::{self, Write};

/// Writes a line to stdout.
///
/// # Errors
/// What the system says; [`io::ErrorKind::BrokenPipe`] if nobody reads any more.
pub fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}
