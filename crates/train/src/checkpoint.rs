//! Checkpoints: everything that going on needs, in a folder that appears as a whole or not at all.
//!
//! Here: [`RunState`], writing a checkpoint, finding the newest good one, keeping the last few. Not here: what the
//! agent's file holds, and what a run does with the state.

use crate::meters::Meters;
use crate::schedule::Position;
use crate::streams::StreamsState;
use crate::trainable::Trainable;
use crate::{Frames, TrainError};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use tasks::TaskOptions;

/// The version of `run.json`; another one is not read.
pub const FORMAT: u32 = 1;

/// The agent's file in a checkpoint.
pub(crate) const AGENT_FILE: &str = "agent.safetensors";

/// The run's file in a checkpoint.
pub(crate) const RUN_FILE: &str = "run.json";

/// Ending of a checkpoint that is being replaced by another of the same frames.
const REPLACED: &str = ".replaced";

/// What a checkpoint keeps beside the agent.
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
    /// Where the run stands. Its episodes are those numbered below `position.episodes`.
    pub position: Position,
    /// The random streams.
    pub streams: StreamsState,
    /// What has been measured since the last line of metrics.
    pub meters: Meters,
    /// Lines of `metrics.jsonl` that belong to the run at this place.
    pub metrics_lines: u64,
    /// Seconds worked on the run, over all its sessions.
    pub seconds: f64,
    /// Whether the run had all its frames and its last evaluation.
    pub finished: bool,
}

/// `run.json`: the state and how to tell whether the agent's file is whole.
#[derive(Serialize, Deserialize)]
struct RunFile {
    agent_bytes: u64,
    agent_crc32: u32,
    run: RunState,
}

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

/// Writes a checkpoint into the folder `checkpoints`, and removes all but the newest `kept`.
///
/// # Errors
/// If a file cannot be written; earlier checkpoints are then untouched.
pub fn save(checkpoints: &Path, kept: usize, state: &RunState, agent: &impl Trainable) -> Result<PathBuf, TrainError> {
    let name = name(state.position.frames);
    let path = checkpoints.join(&name);
    let temporary = unfinished(checkpoints, &name)?;
    fs::create_dir(&temporary).map_err(TrainError::io(&temporary))?;
    let agent_file = temporary.join(AGENT_FILE);
    agent.save(&agent_file)?;
    let (agent_bytes, agent_crc32) = checksum(&agent_file)?;
    let text = serde_json::to_string_pretty(&RunFile { agent_bytes, agent_crc32, run: state.clone() })
        .map_err(|error| TrainError::Io { path: temporary.join(RUN_FILE), source: error.into() })?;
    let run_file = temporary.join(RUN_FILE);
    replay::write_atomically(&run_file, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(&run_file))?;
    let replaced = checkpoints.join(format!("{name}{REPLACED}"));
    if path.exists() {
        remove(checkpoints, &replaced)?;
        fs::rename(&path, &replaced).map_err(TrainError::io(&path))?;
    }
    fs::rename(&temporary, &path).map_err(TrainError::io(&path))?;
    replay::sync_folder(checkpoints).map_err(TrainError::io(checkpoints))?;
    remove(checkpoints, &replaced)?;
    for old in candidates(checkpoints)?.into_iter().skip(kept) {
        remove(checkpoints, &old)?;
    }
    Ok(path)
}

/// The name of the checkpoint at `frames` frames.
fn name(frames: Frames) -> String {
    format!("{:010}", frames.0)
}

/// The newest checkpoint in `checkpoints` that can be used, and the newer ones that cannot. `None` if there is none at
/// all.
///
/// # Errors
/// If there are checkpoints and none can be used, or the folder cannot be read.
pub fn newest<L: Trainable>(checkpoints: &Path) -> Result<(Option<Loaded<L>>, Vec<Damaged>), TrainError> {
    let mut damaged = Vec::new();
    for path in candidates(checkpoints)? {
        match load(&path) {
            Ok(loaded) => return Ok((Some(loaded), damaged)),
            Err(why) => damaged.push(Damaged { path, why }),
        }
    }
    match damaged.into_iter().next() {
        None => Ok((None, Vec::new())),
        Some(Damaged { why, .. }) => Err(why),
    }
}

/// The checkpoint in the folder `path`.
///
/// # Errors
/// [`TrainError::Checkpoint`] names the file that is missing, damaged or of something else.
pub fn load<L: Trainable>(path: &Path) -> Result<Loaded<L>, TrainError> {
    let state = load_state(path)?;
    let agent = L::load(&path.join(AGENT_FILE))?;
    if agent.updates() != state.position.updates {
        let why = format!(
            "it has {} gradient steps, the {RUN_FILE} beside it says {}: they are of two checkpoints; use another one",
            agent.updates(),
            state.position.updates
        );
        return Err(TrainError::Checkpoint { path: path.join(AGENT_FILE), why });
    }
    Ok(Loaded { path: path.to_owned(), state, agent })
}

/// The run's state in the checkpoint folder `path`, after a check that the agent's file beside it is whole.
fn load_state(path: &Path) -> Result<RunState, TrainError> {
    let file = path.join(RUN_FILE);
    let unusable = |path: &Path, why: String| TrainError::Checkpoint { path: path.to_owned(), why };
    let text = fs::read_to_string(&file)
        .map_err(|error| unusable(&file, format!("it cannot be read ({error}); use another checkpoint")))?;
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| unusable(&file, format!("it is damaged ({error}); use another checkpoint")))?;
    if let Some(format) = value["run"]["format"].as_u64().filter(|&format| format != u64::from(FORMAT)) {
        let why = format!("its format is {format}, this version reads {FORMAT}; use the version that wrote it");
        return Err(unusable(&file, why));
    }
    let RunFile { agent_bytes, agent_crc32, run } = serde_json::from_value(value)
        .map_err(|error| unusable(&file, format!("it does not hold a run ({error}); use another checkpoint")))?;
    let agent_file = path.join(AGENT_FILE);
    let (bytes, crc32) = checksum(&agent_file)
        .map_err(|error| unusable(&agent_file, format!("it cannot be read ({error}); use another checkpoint")))?;
    if (bytes, crc32) != (agent_bytes, agent_crc32) {
        let what = if bytes < agent_bytes { "truncated" } else { "changed" };
        let why = format!("it is {what} ({bytes} bytes, {agent_bytes} were written); use another checkpoint");
        return Err(unusable(&agent_file, why));
    }
    Ok(run)
}

/// The checkpoints in a folder, newest first; of equal frames, the one that replaces before the one replaced.
pub(crate) fn candidates(checkpoints: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(checkpoints).map_err(TrainError::io(checkpoints))? {
        let entry = entry.map_err(TrainError::io(checkpoints))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_suffix(REPLACED).unwrap_or(&name);
        if let Some(frames) = number.parse::<u64>().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit())) {
            found.push((std::cmp::Reverse(Frames(frames)), name.len(), entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

/// Moves a damaged checkpoint out of the way under another name: it is never deleted, nor counted among the kept.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, TrainError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = (1..).map(|number| path.with_file_name(format!("damaged-{number}-{name}"))).find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| path.to_owned());
    fs::rename(path, &aside).map_err(TrainError::io(path))?;
    Ok(aside)
}

/// A free name for an unfinished folder; what an earlier process left there is removed.
fn unfinished(checkpoints: &Path, name: &str) -> Result<PathBuf, TrainError> {
    let path = checkpoints.join(format!(".{name}.partial"));
    if path.exists() {
        fs::remove_dir_all(&path).map_err(TrainError::io(&path))?;
    }
    Ok(path)
}

/// Removes a checkpoint, which first loses its name: a half-removed one is never taken for a checkpoint.
fn remove(checkpoints: &Path, path: &Path) -> Result<(), TrainError> {
    if !path.exists() {
        return Ok(());
    }
    let doomed = unfinished(checkpoints, "removed")?;
    fs::rename(path, &doomed).map_err(TrainError::io(path))?;
    fs::remove_dir_all(&doomed).map_err(TrainError::io(&doomed))
}

/// Size and CRC-32 of a file.
fn checksum(path: &Path) -> Result<(u64, u32), TrainError> {
    let mut file = fs::File::open(path).map_err(TrainError::io(path))?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer).map_err(TrainError::io(path))?;
        if read == 0 {
            return Ok((bytes, hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}
