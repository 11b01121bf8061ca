//! Trained agents: found by the path of a run's folder, of a checkpoint, or of an export.
//!
//! Here: [`find_learned`]. Not here: the uses of an agent (`play`, and the program's commands).

use crate::agent::Actor;
use crate::agent::environments::ExternalEnvironment;
use crate::folder::checkpoint::{self, Damaged, Loaded, RunState};
use crate::folder::{checkpoints_of, is_run, no_folder, run_below, stored_config};
use crate::{Frames, TrainError};
use environment::{Observe, TaskOptions};
use files::layout::{AGENT, CONFIG, RUN_STATE};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// An agent, with its description.
#[derive(Debug)]
pub struct Learned<L> {
    /// Its folder: that of a checkpoint, or of an export.
    pub path: PathBuf,
    /// Its description.
    pub about: About,
    /// The agent.
    pub agent: L,
}

/// The description of an agent besides its parameters: everything that acting needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Names of the tasks that it was trained for.
    pub tasks: Vec<String>,
    /// How the tasks behaved.
    pub task: TaskOptions,
    /// The tasks that are external environments.
    #[serde(default, rename = "worlds")]
    pub external: Vec<ExternalEnvironment>,
    /// Frames that it was trained on.
    pub frames: Frames,
}

impl From<RunState> for About {
    fn from(state: RunState) -> Self {
        let RunState { tasks, task, external, position, .. } = state;
        Self { tasks, task, external, frames: position.frames }
    }
}

impl<L> From<Loaded<L>> for Learned<L> {
    fn from(loaded: Loaded<L>) -> Self {
        let Loaded { path, state, agent } = loaded;
        Self { path, about: state.into(), agent }
    }
}

/// The agent in the file `path`, if that is alone: without the rest of its checkpoint or export. The file does not
/// record its training, but its observations; whoever plays it names the task. `None` if it is not alone, or not a
/// file.
///
/// # Errors
/// If the file cannot be read as an agent.
pub(crate) fn alone<L: Actor>(path: &Path) -> Result<Option<Learned<L>>, TrainError> {
    let is_of_checkpoint =
        path.file_name().is_some_and(|name| name == AGENT) && folder_of(path).join(RUN_STATE).exists();
    if !path.is_file() || is_of_checkpoint || crate::export::is_model(path) {
        return Ok(None);
    }
    let agent = L::load(path)?;
    let observed = agent.observation_space();
    let observe = match (observed.image.is_some(), observed.vector > 0) {
        (true, true) => Observe::Both,
        (false, true) => Observe::Vector,
        _ => Observe::Image,
    };
    let task = TaskOptions { observe, ..TaskOptions::default() };
    let about = About { tasks: Vec::new(), task, external: Vec::new(), frames: Frames(0) };
    Ok(Some(Learned { path: path.to_owned(), about, agent }))
}

/// The folder of a file.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The first export in a folder, in the order of names.
fn export_below(folder: &Path) -> Option<PathBuf> {
    let folders = folder.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    folders.filter(|path| crate::export::is_export(path)).min()
}

/// The agent of [`find_learned`] as a source: a damaged newest checkpoint is an error, and no older one takes its place.
///
/// # Errors
/// Those of [`find_learned`], or the damage.
pub fn find_newest<L: Actor>(path: &Path) -> Result<Learned<L>, TrainError> {
    let (learned, damaged) = find_learned(path)?;
    damaged.into_iter().next().map_or(Ok(learned), |damaged| Err(damaged.why))
}

/// The agent that `path` stands for (a run folder's newest good checkpoint, a checkpoint's folder or its agent's file, an
/// export or its agent's file), and the newer checkpoints of a run folder that cannot be used.
///
/// # Errors
/// If there is no agent, or it cannot be read.
pub fn find_learned<L: Actor>(run: &Path) -> Result<(Learned<L>, Vec<Damaged>), TrainError> {
    let none = |why: &str| TrainError::NoCheckpoint { path: run.to_owned(), why: why.to_owned() };
    let one = |path: &Path| Ok((checkpoint::load(path)?.into(), Vec::new()));
    if let Err(error) = run.metadata() {
        return match error.kind() {
            std::io::ErrorKind::NotFound => Err(none(&no_folder(run))),
            _ => Err(TrainError::io(run)(error)),
        };
    }
    if run.is_file() {
        let folder = folder_of(run);
        if crate::export::is_model(run) {
            return Ok((crate::export::load(folder)?, Vec::new()));
        }
        if run.file_name().is_some_and(|name| name == AGENT) {
            return one(folder);
        }
        return Err(none(
            "is not a run folder and not the agent.safetensors of a checkpoint; give one of these (`dreamgraft eval FILE --task TASK` \
             plays an agent's file that is alone)",
        ));
    }
    let checkpoints = checkpoints_of(run);
    if !run.is_dir() {
        return Err(none("is not a folder; give a run folder, a checkpoint or an export"));
    }
    if !checkpoints.is_dir() {
        // The contents of a folder that may not be listed are unknown.
        drop(run.read_dir().map_err(TrainError::io(run))?);
        if run.join(AGENT).exists() || run.join(RUN_STATE).exists() {
            return one(run);
        }
        if crate::export::is_export(run) {
            return Ok((crate::export::load(run)?, Vec::new()));
        }
        if is_run(run) {
            return Err(none("is a run folder without a checkpoint; train it for longer first"));
        }
        if let Some(one) = run_below(run, 3) {
            let which = one.display();
            return Err(none(&format!(
                "is not a run folder, but a folder with runs in it; give one of them, such as {which}"
            )));
        }
        if let Some(one) = export_below(run) {
            let which = one.display();
            return Err(none(&format!(
                "is not an agent, but a folder with agents in it; give one of them, such as {which}"
            )));
        }
        let text = "is not a run folder and not a checkpoint or an export; give one of these (`dreamgraft inspect FOLDER` lists the \
                    runs in a folder)";
        return Err(none(text));
    }
    // An error in the configuration comes before the faults of a checkpoint.
    if !is_run(run) {
        let why = format!(
            "has checkpoints but no {CONFIG}; restore it, or give one of the checkpoints in {}",
            checkpoints.display()
        );
        return Err(TrainError::NotARunFolder { path: run.to_owned(), why });
    }
    stored_config(run)?;
    let (newest, damaged) = checkpoint::newest::<L>(&checkpoints)?;
    let newest = newest.ok_or_else(|| none("has no checkpoint yet; train it for longer first"))?;
    Ok((newest.into(), damaged))
}
