//! The processes of a pool, and why one of them failed. When they start, and which of them start again, is decided in
//! `local`.

use crate::StudyError;
use crate::local::RESTARTS;
use crate::status::end_of;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus};

/// The code that Rust's runtime ends a program with after a panic.
const PANICKED: i32 = 101;

/// The last bytes of a log, in which its last lines are.
const END: u64 = 1 << 16;

/// The worker processes, by the number of their run. Dropping one sends it a signal to stop.
pub struct Workers {
    /// The processes.
    pub children: BTreeMap<usize, Child>,
}

impl Workers {
    /// Those that have ended since the last look.
    pub fn ended(&mut self) -> Result<Vec<(usize, ExitStatus)>, StudyError> {
        let mut ended = Vec::new();
        for (index, child) in &mut self.children {
            let status = child
                .try_wait()
                .map_err(|error| StudyError::Launch { program: format!("run {index}"), why: error.to_string() })?;
            ended.extend(status.map(|status| (*index, status)));
        }
        for (index, _) in &ended {
            self.children.remove(index);
        }
        Ok(ended)
    }

    /// Asks all to save a checkpoint and to end.
    pub fn stop(&self) {
        for child in self.children.values() {
            // One that has ended by itself meanwhile needs no asking.
            let _ = kill_process(Pid::from_child(child), Signal::TERM);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Why a worker failed, with the last line that it wrote to `log`.
pub fn failure(status: ExitStatus, log: &Path) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => {
            format!("killed by signal {signal}, as {RESTARTS} times before, and it saved no new checkpoint in between")
        }
        (None, None) => "ended without an exit code".to_owned(),
    };
    let text = end_of(log, END).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let panic = lines.iter().rposition(|line| line.starts_with("thread '") && line.contains("panicked at"));
    let last = match panic.filter(|_| status.code() == Some(PANICKED)) {
        // The message is on the line below its place; the lines after it explain how to get a backtrace.
        Some(place) => lines[place..].iter().take(2).copied().collect::<Vec<_>>().join(" "),
        None => lines.last().map_or_else(|| "it did not print anything".to_owned(), |line| (*line).to_owned()),
    };
    format!("{how}: {} ({})", wording::printable(&last), log.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_panic_is_its_message() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("0.log");
        let text = "new run\n\nthread 'main' (7) panicked at src/a.rs:1:2:\nthe path \u{1b}[1m is odd\n\
            note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        std::fs::write(&log, text).unwrap();
        let panicked = failure(ExitStatus::from_raw(PANICKED << 8), &log);
        let expected = "exit code 101: thread 'main' (7) panicked at src/a.rs:1:2: the path \\u001b[1m is odd (";
        assert!(panicked.starts_with(expected), "{panicked}");
        std::fs::write(&log, text.to_owned() + "error: the disk is full\n").unwrap();
        assert!(failure(ExitStatus::from_raw(1 << 8), &log).starts_with("exit code 1: error: the disk is full ("));
    }
}
