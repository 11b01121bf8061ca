//! Episodes that other programs collected, added to those that a run learns from.
//!
//! Here: which ones a run can learn from. Not here: their files (`replay`).

use crate::TrainError;
use crate::agent::environments::Environments;
use crate::config::Config;
use crate::folder::{config_of_run, episodes_of, lock::RunLock};
use environment::Catalogue;
use replay::{Addition, Episode, FileError, LARGEST_EPISODE, ReplayError, Sizes};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The result of adding episodes to a run.
#[derive(Debug)]
pub struct Added {
    /// The folder that they are in now.
    pub folder: PathBuf,
    /// How many episodes.
    pub episodes: u64,
    /// Their transitions.
    pub transitions: u64,
    /// Those that name another task than the one that was asked for: the files, and the tasks that they name.
    pub renamed: Vec<(PathBuf, String)>,
    /// Those that were not added because the run has them already: the files, and the run's files that are equal.
    pub known: Vec<(PathBuf, PathBuf)>,
}

/// Adds the episodes in `files`, which other Dreamer programs may have written, to the run in `root`. With `task`, they
/// are episodes of that task, independent of the task in the files; otherwise one that names none is of the run's only
/// task. Either all are added or none is, but for those that the run has already.
///
/// # Errors
/// If there is no run, a process works on it, or a file is not an episode that it can learn from.
pub fn add_episodes(
    catalogue: &dyn Catalogue,
    root: &Path,
    files: &[PathBuf],
    task: Option<&str>,
) -> Result<Added, TrainError> {
    let config = config_of_run(root)?;
    if let Some(task) = task.filter(|task| !config.tasks.iter().any(|known| known == task)) {
        return Err(TrainError::OtherTask { task: task.to_owned(), learned: config.tasks });
    }
    let _lock = RunLock::take(root).map_err(|error| of_adding(error, root))?;
    let sizes = Environments::make(catalogue, &config)?.sizes();
    let only = task.or(if let [one] = &*config.tasks { Some(one) } else { None });
    let (mut episodes, mut renamed) = (Vec::new(), Vec::new());
    for (index, path) in files.iter().enumerate() {
        let mut episode = replay::read_episode_of(path, LARGEST_EPISODE, only).map_err(not_added)?;
        if let Some(task) = task {
            if episode.task() != task {
                renamed.push((index, episode.task().to_owned()));
            }
            let damaged = |source| TrainError::Episode { task: task.to_owned(), source };
            episode = episode.of_task(task).map_err(damaged)?;
        }
        episodes.push(fitting(episode, path, &config, &sizes)?);
    }
    let stamp = replay::stamp(SystemTime::now());
    let Addition { folder, known } = replay::add_episodes(&episodes_of(root), &stamp, &episodes)?;
    let is_new = |index: &usize| known.iter().all(|(other, _)| other != index);
    let lengths = (0..episodes.len()).filter(is_new).map(|index| episodes[index].len() as u64);
    let (count, transitions) = (lengths.clone().count() as u64, lengths.sum());
    renamed.retain(|(index, _)| is_new(index));
    let renamed = renamed.into_iter().map(|(index, named)| (files[index].clone(), named)).collect();
    let known = known.into_iter().map(|(index, path)| (files[index].clone(), path)).collect();
    Ok(Added { folder, episodes: count, transitions, renamed, known })
}

/// The error of a lock, with the next step of a command that adds episodes and does not train.
fn of_adding(error: TrainError, root: &Path) -> TrainError {
    match error {
        TrainError::Busy { path, process, .. } => {
            let next = "wait until it ends, or stop it; episodes can be added while no process trains the run";
            TrainError::Busy { path, process, next }
        }
        TrainError::Folder { source, .. } => TrainError::io(root)(source),
        other => other,
    }
}

/// The episode of the file at `path` for a run of `config` with transitions of these sizes.
fn fitting(episode: Episode, path: &Path, config: &Config, sizes: &Sizes) -> Result<Episode, TrainError> {
    let tasks = &config.tasks;
    let (task, found) = (episode.task().to_owned(), episode.action_size());
    if !tasks.contains(&task) {
        let why = format!("it is an episode of {task}, and this run learns {}", tasks.join(", "));
        return Err(TrainError::NotAdded { path: path.to_owned(), why });
    }
    // Of several tasks, the shorter actions and vectors are padded, as the run does with those that it plays itself.
    let size = sizes.action;
    if found != size && (tasks.len() == 1 || found > size) {
        return Err(ReplayError::ActionSize { path: Some(path.to_owned()), task, expected: size, found }.into());
    }
    let pads_vectors = tasks.len() > 1 || config.task.vector_length > 0;
    let episode = if pads_vectors { episode.with_vectors_padded(sizes.vector()) } else { episode };
    let (expected, found) = (sizes.observations, episode.sizes().observations);
    if found != expected {
        let (expected, found) = (Box::new(expected), Box::new(found));
        return Err(ReplayError::Observations { path: Some(path.to_owned()), task, expected, found }.into());
    }
    Ok(episode.with_actions_padded(size))
}

/// The error of a file that was named on the command line: it stays where it is, and is not renamed as damaged.
fn not_added(error: FileError) -> TrainError {
    match error {
        FileError::Damaged { path, damage } => {
            TrainError::NotAdded { path, why: format!("it cannot be read as an episode: {damage}") }
        }
        other => other.into(),
    }
}
