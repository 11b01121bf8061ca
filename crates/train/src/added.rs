//! Episodes that other programs collected, added to those that a run learns from.
//!
//! Here: which ones a run can take. Not here: their files (`replay`).

use crate::TrainError;
use crate::agent::environments::Environments;
use crate::folder::{episodes_of, lock::RunLock, stored_config};
use environment::Catalogue;
use replay::{Episode, FileError, ReplayError, Sizes};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The most bytes of an episode, uncompressed: what a replay memory of any budget takes.
const LARGEST: u64 = 1 << 30;

/// What was added to a run.
#[derive(Debug)]
pub struct Added {
    /// The folder that they are in now.
    pub folder: PathBuf,
    /// How many episodes.
    pub episodes: u64,
    /// Their transitions.
    pub transitions: u64,
}

/// Adds the episodes in `files`, which other Dreamer programs may have written, to the run in `root`. With `task`, they are
/// episodes of that task, whatever they say; otherwise one that names none is of the run's only task. Either all are added or
/// none is.
///
/// # Errors
/// If there is no run, a process works on it, or a file is not an episode that it can learn from.
pub fn add_episodes(
    catalogue: &dyn Catalogue,
    root: &Path,
    files: &[PathBuf],
    task: Option<&str>,
) -> Result<Added, TrainError> {
    let config = stored_config(root)?;
    let _lock = RunLock::take(root)?;
    let sizes = Environments::make(catalogue, &config)?.sizes();
    let only = task.or(if let [one] = &*config.tasks { Some(one) } else { None });
    let mut episodes = Vec::new();
    for path in files {
        let mut episode = replay::read_episode_of(path, LARGEST, only)?;
        if let Some(task) = task {
            let damaged = |source| TrainError::Episode { task: task.to_owned(), source };
            episode = episode.of_task(task).map_err(damaged)?;
        }
        episodes.push(fitting(episode, path, &config.tasks, &sizes)?);
    }
    let folder = replay::add_episodes(&episodes_of(root), &replay::stamp(SystemTime::now()), &episodes)?;
    let transitions = episodes.iter().map(|episode| episode.len() as u64).sum();
    Ok(Added { folder, episodes: episodes.len() as u64, transitions })
}

/// The episode of the file at `path` for a run of `tasks` with transitions of these sizes.
fn fitting(episode: Episode, path: &Path, tasks: &[String], sizes: &Sizes) -> Result<Episode, TrainError> {
    let (task, found) = (episode.task().to_owned(), episode.action_size());
    if !tasks.contains(&task) {
        return Err(FileError::OtherTask { path: path.to_owned(), task, learned: tasks.to_vec() }.into());
    }
    // Of several tasks, the shorter actions and vectors are padded, as the run does with those that it plays itself.
    let size = sizes.action;
    if found != size && (tasks.len() == 1 || found > size) {
        return Err(ReplayError::ActionSize { path: Some(path.to_owned()), task, expected: size, found }.into());
    }
    let episode = if tasks.len() > 1 { episode.with_vectors_padded(sizes.vector()) } else { episode };
    let (expected, found) = (sizes.observations, episode.sizes().observations);
    if found != expected {
        return Err(ReplayError::Observations { path: Some(path.to_owned()), task, expected, found }.into());
    }
    Ok(episode.padded(size))
}
