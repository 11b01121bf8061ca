//! The errors of an external environment.

use crate::child::Lost;
use crate::protocol::Malformed;
use environment::TaskError;
use std::path::PathBuf;

/// Why an external environment cannot be used any more. Every message names the environment, its present activity, and
/// the next step where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// A name that no external environment can have.
    #[error("the external environment {name:?} cannot be found: {why}")]
    Name {
        /// The name.
        name: String,
        /// The fault.
        why: String,
    },
    /// The program cannot be started.
    #[error("the external environment {task} cannot be opened: {program} cannot be started ({source}); {next}")]
    Start {
        /// The environment.
        task: String,
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: std::io::Error,
        /// The next step.
        next: String,
    },
    /// Its arguments are too long.
    #[error(
        "the external environment {task} cannot be opened: task.arguments has {bytes} bytes, but an environment \
         accepts at most {most}"
    )]
    Arguments {
        /// The environment.
        task: String,
        /// Bytes of the arguments.
        bytes: usize,
        /// The most that there may be.
        most: usize,
    },
    /// The environment reported an error.
    #[error("the external environment {task} failed {during}: {}", conclusion(.text))]
    Failed {
        /// The environment.
        task: String,
        /// Its activity at that moment.
        during: String,
        /// Its own report: often a traceback.
        text: String,
    },
    /// It did not answer in time.
    #[error(
        "the external environment {task} did not answer {during} within {seconds} seconds, and was ended; if it needs longer, set task.timeout"
    )]
    TimedOut {
        /// The environment.
        task: String,
        /// Its activity at that moment.
        during: String,
        /// Seconds that were waited for.
        seconds: u64,
    },
    /// Its process is gone.
    #[error("the external environment {task} ended unexpectedly: {how} {during}")]
    Gone {
        /// The environment.
        task: String,
        /// Its activity at that moment.
        during: String,
        /// How it ended.
        how: String,
    },
    /// Its answer cannot be used.
    #[error("the external environment {task} gave an answer {during} that cannot be used: {source}")]
    Malformed {
        /// The environment.
        task: String,
        /// Its activity at that moment.
        during: String,
        /// The fault.
        source: Malformed,
    },
    /// The system refuses to read from it or to write to it.
    #[error("the external environment {task} cannot be reached {during}: {source}")]
    Pipe {
        /// The environment.
        task: String,
        /// Its activity at that moment.
        during: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It failed before.
    #[error("the external environment {task} failed before, and its process was ended: open it again")]
    Ended {
        /// The environment.
        task: String,
    },
}

impl ExternalError {
    /// The environment whose answer was lost.
    pub(crate) fn lost(task: &str, during: &str, seconds: u64, lost: Lost) -> Self {
        let (task, during) = (task.to_owned(), during.to_owned());
        match lost {
            Lost::TimedOut => Self::TimedOut { task, during, seconds },
            Lost::Gone(how) => Self::Gone { task, during, how },
            Lost::Malformed(source) => Self::Malformed { task, during, source },
            Lost::Pipe(source) => Self::Pipe { task, during, source },
        }
    }

    /// The environment's own report, if it has more than a line.
    fn details(&self) -> String {
        match self {
            Self::Failed { text, .. } if text.trim().lines().count() > 1 => text.trim_end().to_owned(),
            _ => String::new(),
        }
    }
}

/// The most characters of a report in a message; the whole of it follows the message.
const LONGEST: usize = 400;

/// The conclusion of a report, on one line: in a traceback in Python, all that follows the last place in the code;
/// otherwise its last paragraph.
fn conclusion(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let place = lines.iter().rposition(|line| line.starts_with("  File \""));
    let rest = match place {
        Some(place) => {
            let code = lines[place + 1..].iter().take_while(|line| line.starts_with("    ")).count();
            &lines[place + 1 + code..]
        }
        None => {
            let paragraph = lines.iter().rposition(|line| line.trim().is_empty()).map_or(0, |empty| empty + 1);
            &lines[paragraph..]
        }
    };
    let line = rest.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
    match line.chars().count() {
        0 => "it gave no reason".to_owned(),
        count if count > LONGEST => line.chars().take(LONGEST).chain("...".chars()).collect(),
        _ => line,
    }
}

impl From<ExternalError> for TaskError {
    fn from(error: ExternalError) -> Self {
        let (why, details) = (error.to_string(), error.details());
        match error {
            ExternalError::Name { name, why } => Self::ExternalName { name, why },
            ExternalError::Start { task, .. }
            | ExternalError::Arguments { task, .. }
            | ExternalError::Failed { task, .. }
            | ExternalError::TimedOut { task, .. }
            | ExternalError::Gone { task, .. }
            | ExternalError::Malformed { task, .. }
            | ExternalError::Pipe { task, .. }
            | ExternalError::Ended { task } => Self::External { task, why, details },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_of_several_lines_is_shown_on_one() {
        let traceback = "Traceback (most recent call last):\n  File \"w.py\", line 3, in f\n    raise ValueError(text)\n    ^^^\n\
                         ValueError: the map is wrong:\n    row 3 has 7 tiles\n\ngive 8\n";
        assert_eq!(conclusion(traceback), "ValueError: the map is wrong: row 3 has 7 tiles give 8");
        assert_eq!(conclusion("loading\n\nno such level\nlevels are 1 to 3\n"), "no such level levels are 1 to 3");
        assert_eq!(conclusion(" \n"), "it gave no reason");
        assert!(conclusion(&"x".repeat(9999)).len() < 500);
    }

    #[test]
    fn a_traceback_comes_to_its_last_line_and_is_kept_whole() {
        let text = "Traceback (most recent call last):\n  File \"w.py\", line 3\nValueError: boom\n".to_owned();
        let error = ExternalError::Failed { task: "gymnasium:X".to_owned(), during: "in step 7".to_owned(), text };
        let error = TaskError::from(error);
        assert_eq!(error.to_string(), "the external environment gymnasium:X failed in step 7: ValueError: boom");
        assert!(error.details().unwrap().starts_with("Traceback"));
    }
}
