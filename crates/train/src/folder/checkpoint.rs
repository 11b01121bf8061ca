//! Checkpoints: everything that is needed to resume a run, in a folder that is complete or absent.
//!
//! Here: writing a checkpoint, finding the newest good one, keeping the last few. Not here: the state of the run in it
//! (`run_state`), the content of the agent's file, and how a run uses the state.

use super::partial_files::Left;
pub use super::run_state::{FORMAT, RunState, decode_state};
use super::run_state::{Fault, LONGEST, decode, encode};
use crate::agent::{Actor, Trainable};
use crate::{Frames, TrainError};
use files::layout::{AGENT, REPLACED, RUN_STATE};
use std::cmp::Reverse;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

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
    let text = encode(agent_bytes, agent_crc32, state)
        .map_err(|error| TrainError::Io { path: run_file.clone(), source: error.into() })?;
    files::write_atomically(&run_file, |file| file.write_all(text.as_bytes())).map_err(TrainError::io(run_file))
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
    candidates(&crate::folder::checkpoints_of(root)).ok()?.iter().find_map(|path| state_of(path))
}

/// The state of the run in the checkpoint folder `checkpoint`; `None` if it cannot be read.
pub fn state_of(checkpoint: &Path) -> Option<RunState> {
    decode_state(&read_state(&checkpoint.join(RUN_STATE)).ok()?).ok()
}

/// The state of the run in the checkpoint of the agent's file `agent`; `None` if it cannot be read.
pub(crate) fn state_next_to(agent: &Path) -> Option<RunState> {
    state_of(agent.parent()?)
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

/// The bytes of a `run.json`, within [`LONGEST`].
fn read_state(file: &Path) -> std::io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        let why = "it is a folder, a pipe or a device, but a file is needed";
        return Err(std::io::Error::new(ErrorKind::IsADirectory, why));
    }
    Ok(files::read_bytes(file, LONGEST)?)
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
