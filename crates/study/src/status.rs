//! How far the runs of a study are, read from their folders.
//!
//! Here: the state of each run, for launchers and people. Not here: the results of runs (`results`).

use crate::copied::{CopiedRun, copied};
use crate::manifest::{Entry, Manifest};
use crate::pilot::{self, End, Next};
use crate::results::read_metrics;
use files::layout;
use serde::Serialize;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use train::Frames;
use train::checkpoint::{RunState, newest_state};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has not started; or it is one of several candidates, and waits for the others.
    Waiting,
    /// A process of this machine works on it.
    Running,
    /// It has started, but no process works on it.
    Stopped,
    /// It ended with an error; a launcher noted it.
    Failed,
    /// It has its last evaluation, and all its frames or an end by a rule of its settings.
    Finished,
    /// It was one of several candidates, and others were better.
    Dropped,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Finished => "finished",
            Self::Dropped => "dropped",
        }
    }
}

/// A run's state, and how far it is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Its number.
    pub index: usize,
    /// Its state.
    pub state: State,
    /// Frames in its newest checkpoint.
    pub frames: u64,
    /// Frames at its end; those of a candidate that may be dropped or continue are the next at which that is decided.
    pub steps: u64,
    /// Frames at its end, where those of the candidates of a group add up to what the whole group is expected to have.
    #[serde(skip)]
    pub expected: u64,
    /// Gradient steps in its newest checkpoint.
    pub updates: u64,
    /// Seconds worked on it until its newest checkpoint.
    pub seconds: f64,
    /// The last evaluation's mean return (of several tasks, of the first).
    pub eval_return: Option<f64>,
    /// Its folder, relative to the study's.
    #[serde(with = "files::path_text")]
    pub folder: PathBuf,
    /// The store that it was copied from, if it was not trained here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<CopiedRun>,
    /// Of a failed run: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The file in which a launcher notes why run `index` failed.
pub fn failure_file(folder: &Path, index: usize) -> PathBuf {
    folder.join(crate::layout::LOGS).join(format!("{index}.failed"))
}

/// Why a run failed when its launcher last started it; `None` if it did not, or is finished, or a process works on it.
pub fn failure(folder: &Path, entry: &Entry) -> Option<String> {
    let text = end_of(&failure_file(folder, entry.index), END).ok()?;
    if train::in_use(&folder.join(&entry.folder)) || is_finished(folder, entry) {
        return None;
    }
    Some(wording::printable(String::from_utf8_lossy(&text).trim()).into_owned())
}

/// Whether a run has its last evaluation, and all its frames or an end by a rule of its settings.
pub fn is_finished(folder: &Path, entry: &Entry) -> bool {
    newest_state(&folder.join(&entry.folder)).is_some_and(|state| ended(&state, entry))
}

/// Whether the run of `entry`, whose newest checkpoint has `state`, is finished.
fn ended(state: &RunState, entry: &Entry) -> bool {
    // The settings are only needed for a run that ended early.
    let by_rule = || entry.request.configuration().is_ok_and(|config| state.is_finished(&config));
    state.has_all(Frames(entry.steps)) || state.finished && by_rule()
}

/// Checks that the runs that run `index` comes after are finished.
///
/// # Errors
/// The first unfinished one, or that the run does not exist.
pub fn check_ready(folder: &Path, manifest: &Manifest, index: usize) -> Result<(), crate::StudyError> {
    let runs = manifest.entries.len();
    let no_run = || crate::StudyError::NoRun { index, folder: folder.to_owned(), runs };
    let entry = manifest.entries.get(index).ok_or_else(no_run)?;
    match entry.after.iter().find(|first| !is_finished(folder, &manifest.entries[**first])) {
        None => Ok(()),
        Some(&first) => {
            Err(crate::StudyError::NotReady { index, first, path: folder.join(&manifest.entries[first].folder) })
        }
    }
}

/// The states of all runs.
pub fn status(folder: &Path, manifest: &Manifest) -> Vec<Status> {
    let pilots = pilot::outcomes(folder, manifest);
    let of_run = |entry: &Entry| {
        let status = of_run(folder, entry);
        let state = match (status.state, pilot::candidate(&pilots, entry).map(|candidate| candidate.next)) {
            (State::Stopped, Some(Next::Dropped(_))) => State::Dropped,
            (State::Stopped, Some(Next::Wait)) => State::Waiting,
            (state, _) => state,
        };
        match pilot::end(&pilots, entry) {
            // A slice ends with an episode, so later than it is long.
            Some(End { least, expected }) => {
                let (steps, expected) = (least.max(status.frames), expected.max(status.frames));
                Status { state, steps, expected, ..status }
            }
            None => Status { state, ..status },
        }
    };
    manifest.entries.iter().map(of_run).collect()
}

/// The state of one run.
pub fn of_run(folder: &Path, entry: &Entry) -> Status {
    let root = folder.join(&entry.folder);
    let newest = newest_state(&root);
    let finished = newest.as_ref().is_some_and(|state| ended(state, entry));
    let failure = failure(folder, entry);
    let state = match () {
        () if train::in_use(&root) => State::Running,
        () if finished => State::Finished,
        () if failure.is_some() => State::Failed,
        () if root.join(layout::CONFIG).exists() => State::Stopped,
        () => State::Waiting,
    };
    let (frames, updates, seconds) =
        newest.map_or((0, 0, 0.0), |state| (state.position.frames.0, state.position.updates, state.seconds));
    Status {
        index: entry.index,
        state,
        frames,
        steps: entry.steps,
        expected: entry.steps,
        updates,
        seconds,
        eval_return: last_evaluation(&root, &entry.tasks),
        folder: entry.folder.clone(),
        shared: copied(&root),
        failure,
    }
}

/// The last evaluation's mean return of the first task. It is looked for at the end of the metrics, and in all of them only if it
/// is not there.
fn last_evaluation(root: &Path, tasks: &[String]) -> Option<f64> {
    let name = match tasks {
        [_] => "eval_return".to_owned(),
        [first, ..] => format!("eval_return/{first}"),
        [] => return None,
    };
    let end = end_of(&root.join(layout::METRICS), END).unwrap_or_default();
    let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |last| &end[..last]);
    let found = whole
        .rsplit(|byte| *byte == b'\n')
        .find_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok()?.get(&name)?.as_f64());
    found.or_else(|| last_of_all(root, tasks))
}

/// The most bytes at the end of metrics in which the last evaluation is looked for: tens of lines.
const END: u64 = 1 << 16;

/// The last `most` bytes of a file.
pub(crate) fn end_of(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut file = files::open_file(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn last_of_all(root: &Path, tasks: &[String]) -> Option<f64> {
    let metrics = read_metrics(&root.join(layout::METRICS), tasks)?;
    metrics.series.first()?.evaluation.points().last().map(|point| point.value)
}
