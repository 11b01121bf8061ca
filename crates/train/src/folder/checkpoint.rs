//! Checkpoints: everything that is needed to resume a run, in a folder that is complete or absent.
//!
//! Here: [`RunState`], writing a checkpoint, finding the newest good one, keeping the last few. Not here: the content
//! of the agent's file, and how a run uses the state.

use super::partial_files::Left;
use crate::agent::environments::ExternalEnvironment;
use crate::agent::{Actor, Trainable};
use crate::config::{Config, StopSettings};
use crate::run::meters::Meters;
use crate::run::returns::Returns;
use crate::run::schedule::{Position, Prefilled};
use crate::run::stop::{self, Stop};
use crate::streams::StreamsState;
use crate::{Frames, TrainError};
use environment::TaskOptions;
use files::layout::{AGENT, REPLACED, RUN_STATE};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::cmp::Reverse;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The version of `run.json`; another one is not read.
pub const FORMAT: u32 = 1;

/// The content of a checkpoint besides the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub dreamgraft: String,
    /// Names of the tasks.
    pub tasks: Vec<String>,
    /// How the tasks behave.
    pub task: TaskOptions,
    /// The tasks that are external environments.
    #[serde(default, rename = "worlds", skip_serializing_if = "Vec::is_empty")]
    pub external: Vec<ExternalEnvironment>,
    /// The position of the run. Its episodes are those numbered below `position.episodes`.
    pub position: Position,
    /// The random streams.
    pub streams: StreamsState,
    /// The measurements since the last line of metrics.
    pub meters: Meters,
    /// The returns that decide about an early end; checkpoints of earlier builds have none.
    #[serde(default, skip_serializing_if = "Returns::is_empty")]
    pub returns: Returns,
    /// Lines of `metrics.jsonl` that belong to the run at this place.
    pub metrics_lines: u64,
    /// Seconds worked on the run, over all its sessions.
    pub seconds: f64,
    /// Seconds that threads computed for the run; checkpoints of earlier builds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Whether the run had its last evaluation, with all its frames or when a rule ended it.
    pub finished: bool,
}

/// `run.json`: the text of the state, and checksums of it and of the agent's file.
#[derive(Serialize, Deserialize)]
struct RunFile<'a> {
    agent_bytes: u64,
    agent_crc32: u32,
    /// Of the text of `run`; checkpoints of earlier builds have none.
    #[serde(default)]
    run_crc32: Option<u32>,
    #[serde(borrow)]
    run: &'a RawValue,
}

/// The part of the state that is read first: a later format may have keys that this one does not know.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// The limit for the size of a `run.json` in bytes: a thousand times its usual size.
const LONGEST_STATE: u64 = 1 << 20;

/// A checkpoint as it was found.
#[derive(Debug)]
pub struct Loaded<L> {
    /// The checkpoint's folder.
    pub path: PathBuf,
    /// The run.
    pub state: RunState,
    /// The agent.
    pub agent: L,
}

/// A checkpoint that was passed over, and why.
#[derive(Debug)]
pub struct Damaged {
    /// Its folder.
    pub path: PathBuf,
    /// The reason, naming the file.
    pub why: TrainError,
}

/// A checkpoint that was written, and the older ones that could not be removed after it.
#[derive(Debug)]
pub struct Saved {
    /// The checkpoint's folder.
    pub path: PathBuf,
    /// Older checkpoints and unfinished folders that the system keeps. Every later checkpoint tries to remove them again.
    pub left: Vec<Left>,
}

/// Writes a checkpoint into the folder `checkpoints`, and removes all but the newest `kept` and those at the frames `best`.
///
/// # Errors
/// If a file cannot be written; earlier checkpoints are then untouched. An old checkpoint that cannot be removed is not
/// an error.
pub fn save(
    checkpoints: &Path,
    kept: usize,
    best: &[Frames],
    state: &RunState,
    agent: &impl Trainable,
) -> Result<Saved, TrainError> {
    let name = name(state.position.frames);
    let mut left = Vec::new();
    let temporary = unfinished(checkpoints, &name, &mut left);
    fs::create_dir(&temporary).map_err(TrainError::io(&temporary))?;
    if let Err(error) = fill(&temporary, state, agent) {
        // The first error is the one to report. Remaining files are removed when the run resumes.
        let _ = fs::remove_dir_all(&temporary);
        return Err(error);
    }
    let path = place(checkpoints, &name, &temporary, &mut left)?;
    match list(checkpoints) {
        Ok(all) => {
            let best: Vec<PathBuf> = best.iter().map(|frames| at(checkpoints, *frames)).collect();
            let old = all.into_iter().skip(kept).filter(|path| !best.contains(path));
            old.for_each(|old| remove(checkpoints, &old, &mut left));
        }
        Err(why) => left.push(Left { path: checkpoints.to_owned(), why }),
    }
    Ok(Saved { path, left })
}

/// Gives the folder `temporary` the name of a checkpoint, durably, in place of one that has it.
fn place(checkpoints: &Path, name: &str, temporary: &Path, left: &mut Vec<Left>) -> Result<PathBuf, TrainError> {
    let mut path = checkpoints.join(name);
    let replaced = checkpoints.join(format!("{name}{REPLACED}"));
    if path.exists() {
        remove(checkpoints, &replaced, left);
        // One that cannot be moved keeps its name. The new one then has the same number with one more zero.
        while path.exists() && fs::rename(&path, &replaced).is_err() {
            let longer = format!("0{}", path.file_name().unwrap_or_default().to_string_lossy());
            path = checkpoints.join(longer);
        }
    }
    fs::rename(temporary, &path).map_err(TrainError::io(&path))?;
    // Before the old one is removed: a file system may make a later removal durable first.
    files::sync_folder(checkpoints).map_err(TrainError::io(checkpoints))?;
    remove(checkpoints, &replaced, left);
    Ok(path)
}

/// Writes the files of a checkpoint into the folder `temporary`, and makes them durable.
fn fill(temporary: &Path, state: &RunState, agent: &impl Trainable) -> Result<(), TrainError> {
    let agent_file = temporary.join(AGENT);
    agent.save(&agent_file)?;
    let (agent_bytes, agent_crc32) = files::crc32_of_file(&agent_file).map_err(TrainError::io(&agent_file))?;
    let run_file = temporary.join(RUN_STATE);
    let text = encode_state(agent_bytes, agent_crc32, state)
        .map_err(|error| TrainError::Io { path: run_file.clone(), source: error.into() })?;
    files::write_atomically(&run_file, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(run_file))
}

fn encode_state(agent_bytes: u64, agent_crc32: u32, state: &RunState) -> Result<String, serde_json::Error> {
    // Strings in JSON do not contain line breaks, so indenting changes only the layout.
    let run = RawValue::from_string(serde_json::to_string_pretty(state)?.replace('\n', "\n  "))?;
    let run_crc32 = Some(crc32fast::hash(run.get().as_bytes()));
    serde_json::to_string_pretty(&RunFile { agent_bytes, agent_crc32, run_crc32, run: &run })
}

/// The folder of the checkpoint at `frames` frames.
pub(crate) fn at(checkpoints: &Path, frames: Frames) -> PathBuf {
    checkpoints.join(name(frames))
}

/// The name of the checkpoint at `frames` frames.
fn name(frames: Frames) -> String {
    format!("{:010}", frames.0)
}

/// The newest checkpoint in `checkpoints` that can be used, and the newer ones that cannot. `None` if there is none at
/// all.
///
/// # Errors
/// If there are checkpoints and none can be used, or the folder or a file in it cannot be read: a file that cannot be
/// read now may be intact, so no older checkpoint replaces it.
pub fn newest<L: Actor>(checkpoints: &Path) -> Result<(Option<Loaded<L>>, Vec<Damaged>), TrainError> {
    let mut damaged = Vec::new();
    for path in candidates(checkpoints)? {
        match load(&path) {
            Ok(loaded) => return Ok((Some(loaded), damaged)),
            // One that another version wrote is not damaged: older ones must not take its place.
            Err(why) if why.is_of_the_system() || matches!(why, TrainError::OtherVersion { .. }) => return Err(why),
            Err(why) => damaged.push(Damaged { path, why }),
        }
    }
    match damaged.into_iter().next() {
        None => Ok((None, Vec::new())),
        Some(Damaged { why, .. }) => {
            Err(TrainError::NoneUsable { folder: checkpoints.to_owned(), newest: Box::new(why) })
        }
    }
}

/// Whether the files of the checkpoint in the folder `path` are all as they were written.
pub(crate) fn is_whole(path: &Path) -> bool {
    load_state(path).is_ok()
}

/// The newest checkpoint in `checkpoints` whose files are all as they were written.
pub(crate) fn newest_whole(checkpoints: &Path) -> Option<PathBuf> {
    list(checkpoints).ok()?.into_iter().find(|path| is_whole(path))
}

/// The newest intact checkpoint of the run in `root`, if the run has finished there with at least `steps` frames. Its agent's file
/// is compared with its checksum.
pub fn finished_checkpoint(root: &Path, steps: Frames) -> Option<PathBuf> {
    let path = newest_whole(&crate::folder::checkpoints_of(root))?;
    load_state(&path).is_ok_and(|state| state.has_all(steps)).then_some(path)
}

/// The state in the newest readable checkpoint of the run in `root`, without reading its agent; `None` if there is
/// none.
pub fn newest_state(root: &Path) -> Option<RunState> {
    let checkpoints = crate::folder::checkpoints_of(root);
    candidates(&checkpoints)
        .ok()?
        .into_iter()
        .find_map(|path| decode_state(&read_state(&path.join(RUN_STATE)).ok()?).ok())
}

/// The state of the run in the checkpoint folder `checkpoint`; `None` if it cannot be read.
pub fn state_of(checkpoint: &Path) -> Option<RunState> {
    decode_state(&read_state(&checkpoint.join(RUN_STATE)).ok()?).ok()
}

/// The state of the run in the checkpoint of the agent's file `agent`; `None` if it cannot be read.
pub(crate) fn state_next_to(agent: &Path) -> Option<RunState> {
    decode_state(&read_state(&agent.with_file_name(RUN_STATE)).ok()?).ok()
}

/// The checkpoint in the folder `path`.
///
/// # Errors
/// [`TrainError::Checkpoint`] names the file that is missing, damaged or foreign.
pub fn load<L: Actor>(path: &Path) -> Result<Loaded<L>, TrainError> {
    let state = load_state(path)?;
    let agent = L::load(&path.join(AGENT))?;
    if agent.updates() != state.position.updates {
        let why = format!(
            "it has {} gradient steps, but its {RUN_STATE} has {}, so the two files are from different checkpoints; use \
             another checkpoint",
            agent.updates(),
            state.position.updates
        );
        return Err(TrainError::Checkpoint { path: path.join(AGENT), why });
    }
    Ok(Loaded { path: path.to_owned(), state, agent })
}

/// The state of the run in the checkpoint folder `path`, after a check that the agent's file in it is complete.
fn load_state(path: &Path) -> Result<RunState, TrainError> {
    let file = path.join(RUN_STATE);
    let agent_file = path.join(AGENT);
    let unusable = |path: &Path, why: String| TrainError::Checkpoint { path: path.to_owned(), why };
    let text = match read_state(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound && agent_file.is_file() => {
            let why = format!("its {RUN_STATE} is missing; give the folder of a complete checkpoint, with both files");
            return Err(unusable(&agent_file, why));
        }
        other => other.map_err(cannot_be_read(&file))?,
    };
    let (agent_bytes, agent_crc32, run) = decode(&text).map_err(|fault| match fault {
        Fault::Damage(why) => unusable(&file, why),
        Fault::OtherVersion(why) => TrainError::OtherVersion { path: file.clone(), why },
    })?;
    let named = path.file_name().and_then(|name| frames_of(&name.to_string_lossy()));
    if let Some(named) = named.filter(|named| *named != run.position.frames) {
        let why = format!(
            "its folder is named after {named} frames, but it contains {}; use another checkpoint",
            run.position.frames
        );
        return Err(unusable(&file, why));
    }
    let size = agent_file.metadata().map_err(cannot_be_read(&agent_file))?.len();
    if size != agent_bytes {
        let what = if size < agent_bytes {
            "is truncated, or was written again without a part such as the optimiser"
        } else {
            "was changed"
        };
        let why = format!("it {what} ({size} bytes instead of {agent_bytes}); use another checkpoint");
        return Err(unusable(&agent_file, why));
    }
    let (_, crc32) = files::crc32_of_file(&agent_file).map_err(TrainError::io(&agent_file))?;
    if crc32 != agent_crc32 {
        let why =
            format!("it was changed (its CRC-32 is {crc32:08x} instead of {agent_crc32:08x}); use another checkpoint");
        return Err(unusable(&agent_file, why));
    }
    Ok(run)
}

/// The bytes of a `run.json`, within [`LONGEST_STATE`].
fn read_state(file: &Path) -> std::io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        let why = "it is a folder, a pipe or a device, but a file is needed";
        return Err(std::io::Error::new(ErrorKind::IsADirectory, why));
    }
    Ok(files::read_bytes(file, LONGEST_STATE)?)
}

/// For `map_err`: a missing file, or one that is not a regular file, makes a checkpoint unusable; a failed read does
/// not.
fn cannot_be_read(file: &Path) -> impl FnOnce(std::io::Error) -> TrainError {
    let path = file.to_owned();
    move |source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory => {
            TrainError::Checkpoint { path, why: format!("it cannot be read ({source}); use another checkpoint") }
        }
        _ => TrainError::Io { path, source },
    }
}

/// The state in a `run.json` with these arbitrary bytes.
///
/// # Errors
/// A description of the problem.
pub fn decode_state(text: &[u8]) -> Result<RunState, String> {
    decode(text).map(|(_, _, run)| run).map_err(|fault| match fault {
        Fault::Damage(why) | Fault::OtherVersion(why) => why,
    })
}

/// Why a `run.json` cannot be used.
enum Fault {
    /// It is not as it was written.
    Damage(String),
    /// It is as it was written, by a version that knows more or other things.
    OtherVersion(String),
}

/// Size and CRC-32 of the agent's file, and the state.
fn decode(text: &[u8]) -> Result<(u64, u32, RunState), Fault> {
    if text.len() as u64 > LONGEST_STATE {
        return Err(Fault::Damage(format!("it is larger than {LONGEST_STATE} bytes; use another checkpoint")));
    }
    let damaged = |error: serde_json::Error| Fault::Damage(format!("it is damaged ({error}); use another checkpoint"));
    let RunFile { agent_bytes, agent_crc32, run_crc32, run } = serde_json::from_slice(text).map_err(damaged)?;
    let Version { format } = serde_json::from_str(run.get()).map_err(damaged)?;
    if format != FORMAT {
        return Err(Fault::OtherVersion(format!("its format is {format}, but this version reads format {FORMAT}")));
    }
    let found = crc32fast::hash(run.get().as_bytes());
    if let Some(written) = run_crc32.filter(|written| *written != found) {
        return Err(Fault::Damage(format!(
            "it was changed (the CRC-32 of its run is {found:08x} instead of {written:08x}); use another checkpoint"
        )));
    }
    let run: RunState = serde_json::from_str(run.get()).map_err(|error| {
        let why = error.to_string();
        // The checksum shows that it is whole.
        if run_crc32.is_some() && why.starts_with("unknown field") { Fault::OtherVersion(why) } else { damaged(error) }
    })?;
    run.check().map_err(|why| Fault::Damage(format!("it contradicts itself: {why}; use another checkpoint")))?;
    Ok((agent_bytes, agent_crc32, run))
}

impl RunState {
    /// Whether the run has `steps` frames and its last evaluation. A run that was made longer is not finished.
    pub fn has_all(&self, steps: Frames) -> bool {
        self.finished && self.position.frames >= steps
    }

    /// Whether the run has its last evaluation, and all its frames or an end by a rule, as `config` has them. A run that was made
    /// longer is not finished, nor is one whose rule was changed so that it no longer ends the run.
    pub fn is_finished(&self, config: &Config) -> bool {
        self.has_all(config.steps) || self.finished && self.rule(&config.stop).is_some()
    }

    /// The task, the mean return and the frames of the best scheduled evaluation of each task.
    pub fn best_evaluations(&self) -> impl Iterator<Item = (&str, f64, Frames)> {
        let of = |(index, task)| self.returns.best_evaluation(index).map(|best| (task, best.mean, best.frames));
        self.tasks.iter().map(String::as_str).enumerate().filter_map(of)
    }

    /// The rule among `stop` that ends the run here, however many frames it has.
    pub fn rule(&self, stop: &StopSettings) -> Option<Stop> {
        stop::reached(stop, &self.returns)
    }

    /// Checks that its counts are consistent, so that an edited file does not give a run that could not have existed.
    fn check(&self) -> Result<(), String> {
        const MOST: u64 = 1 << 50;
        let position = &self.position;
        let Position { frames, agent_steps, episodes, prefill, updates, .. } = position;
        let random = |of: fn(&Prefilled) -> u64| prefill.iter().map(of).fold(0, u64::saturating_add);
        let evaluated = position.evaluated.unwrap_or_default();
        let claims = [
            (frames.0.max(*updates).max(*episodes) <= MOST, "a count is too large for any run"),
            (agent_steps.0 <= frames.0, "it has more steps than frames"),
            (*episodes <= agent_steps.0, "it has more episodes than steps"),
            (prefill.len() <= self.tasks.len(), "more tasks are prefilled than the run has"),
            (random(|task| task.episodes) <= *episodes, "it has more random episodes than episodes"),
            (random(|task| task.frames.0) <= frames.0, "it has more random frames than frames"),
            (
                random(|task| task.transitions) <= agent_steps.0.saturating_add(*episodes),
                "it has too many random transitions",
            ),
            (evaluated <= *frames && position.logged <= *frames, "it was evaluated or logged in the future"),
            (self.seconds.is_finite() && self.seconds >= 0.0, "its time is not a valid time"),
            (
                self.cpu_seconds.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0),
                "its time of the processor is not a valid time",
            ),
        ];
        match claims.iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err((*why).to_owned()),
            None => self.returns.check(self.tasks.len(), *frames).map_err(str::to_owned),
        }
    }
}

/// The frames that a checkpoint's folder is named after; one that is being replaced has the same.
fn frames_of(name: &str) -> Option<Frames> {
    let number = name.strip_suffix(REPLACED).unwrap_or(name);
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| digits).map(Frames)
}

/// The checkpoints in a folder, newest first; of equal frames, the one that replaces before the one replaced.
pub(crate) fn candidates(checkpoints: &Path) -> Result<Vec<PathBuf>, TrainError> {
    list(checkpoints).map_err(TrainError::io(checkpoints))
}

fn list(checkpoints: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(checkpoints)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(frames) = frames_of(&name) {
            // Of equal frames, a longer number is that of a later checkpoint (`place`).
            let (replaced, length) = (name.ends_with(REPLACED), Reverse(name.len()));
            found.push((Reverse(frames), replaced, length, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(.., path)| path).collect())
}

/// Moves a damaged checkpoint out of the way under another name: it is never deleted, nor counted among the kept.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, TrainError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = (1..).map(|number| path.with_file_name(format!("damaged-{number}-{name}"))).find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| path.to_owned());
    fs::rename(path, &aside).map_err(TrainError::io(path))?;
    Ok(aside)
}

/// A free name for an unfinished folder. A folder that an earlier process left under such a name is removed, or passed
/// over.
fn unfinished(checkpoints: &Path, name: &str, left: &mut Vec<Left>) -> PathBuf {
    let mut path = checkpoints.join(format!(".{name}.partial"));
    let mut number = 0;
    while path.symlink_metadata().is_ok() {
        match fs::remove_dir_all(&path) {
            Ok(()) => break,
            Err(why) => left.push(Left { path, why }),
        }
        number += 1;
        path = checkpoints.join(format!(".{name}-{number}.partial"));
    }
    path
}

/// Removes a checkpoint, which first loses its name, durably: a half-removed one never looks like a checkpoint.
fn remove(checkpoints: &Path, path: &Path, left: &mut Vec<Left>) {
    if !path.exists() {
        return;
    }
    let doomed = unfinished(checkpoints, "removed", left);
    let removed = match fs::rename(path, &doomed) {
        Ok(()) => files::sync_folder(checkpoints)
            .and_then(|()| fs::remove_dir_all(&doomed))
            .map_err(|why| Left { path: doomed, why }),
        Err(why) => Err(Left { path: path.to_owned(), why }),
    };
    left.extend(removed.err());
}
