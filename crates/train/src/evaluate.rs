//! Evaluating what a run left: playing episodes with the agent of a checkpoint.
//!
//! Here: finding the checkpoint, playing, the figures. Not here: the evaluations that a run makes of itself (`run`).

use crate::checkpoint::{self, AGENT_FILE, Loaded};
use crate::folder::{checkpoints_of, stored_config};
use crate::run::evaluate_episode;
use crate::streams::EvaluationStreams;
use crate::trainable::Trainable;
use crate::{Frames, TrainError, pictures};
use replay::Episode;
use std::path::{Path, PathBuf};

/// What is to be played.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// Episodes.
    pub episodes: u64,
    /// From which starts and actions are made. Episode i of a seed is the same however many are played.
    pub seed: u64,
    /// The task; the one that the agent was trained for if none is given.
    pub task: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The task played.
    pub task: String,
    /// The checkpoint played with.
    pub checkpoint: PathBuf,
    /// Frames that the agent was trained on.
    pub frames: Frames,
    /// The seed.
    pub seed: u64,
    /// Each episode's return.
    pub returns: Vec<f64>,
    /// Each episode's environment frames.
    pub lengths: Vec<Frames>,
    last: Option<Episode>,
}

/// Plays episodes with the agent of `run`: a run folder (its newest checkpoint), a checkpoint's folder, or the agent's
/// file in one. `each` hears index and return of every episode and says whether to go on. Runs on the present thread pool.
///
/// # Errors
/// If there is no such checkpoint, it cannot be used, or the agent does not fit the task.
pub fn evaluate_with<L: Trainable>(
    run: &Path,
    options: &EvaluateOptions,
    mut each: impl FnMut(u64, f64) -> bool,
) -> Result<Evaluation, TrainError> {
    let path = find(run)?;
    let Loaded { path, state, agent } = checkpoint::load::<L>(&path)?;
    let task = match (&options.task, &state.tasks[..]) {
        (Some(task), _) => task.clone(),
        (None, [task]) => task.clone(),
        (None, tasks) => {
            let why = format!("was trained on {}; choose one with --task", tasks.join(", "));
            return Err(TrainError::NoCheckpoint { path, why });
        }
    };
    let mut world = tasks::make(&task, &state.task)?;
    let (own, needed) = (agent.action_size(), world.action_size());
    if own < needed || (own > needed && !state.tasks.contains(&task)) {
        return Err(TrainError::ActionSize { path, agent: own, task, needed });
    }
    let frames = state.position.frames;
    let mut evaluation = Evaluation {
        task,
        checkpoint: path,
        frames,
        seed: options.seed,
        returns: Vec::new(),
        lengths: Vec::new(),
        last: None,
    };
    for index in 0..options.episodes {
        let mut random = EvaluationStreams::asked_for(options.seed, index);
        let Some(played) = evaluate_episode(world.as_mut(), &agent, &mut random, || false)? else { break };
        let score = played.episode.score();
        evaluation.returns.push(score);
        evaluation.lengths.push(played.frames);
        evaluation.last = Some(played.episode);
        if !each(index, score) {
            break;
        }
    }
    Ok(evaluation)
}

/// The checkpoint folder that `run` stands for.
fn find(run: &Path) -> Result<PathBuf, TrainError> {
    let none = |why: &str| TrainError::NoCheckpoint { path: run.to_owned(), why: why.to_owned() };
    if !run.exists() {
        return Err(none("does not exist; give a run folder, for example runs/TASK/small/0"));
    }
    if run.is_file() {
        if run.file_name().is_some_and(|name| name == AGENT_FILE) {
            return Ok(run
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
                .unwrap_or(Path::new("."))
                .to_owned());
        }
        return Err(none("is neither a run folder nor a checkpoint's agent.safetensors; give one of these"));
    }
    let checkpoints = checkpoints_of(run);
    if !checkpoints.is_dir() {
        if run.join(AGENT_FILE).exists() || run.join(checkpoint::RUN_FILE).exists() {
            return Ok(run.to_owned());
        }
        return Err(none("is neither a run folder nor a checkpoint; give one of these"));
    }
    // What is wrong with the configuration is told before what may be wrong with a checkpoint.
    stored_config(run)?;
    let newest = checkpoint::candidates(&checkpoints)?.into_iter().next();
    newest.ok_or_else(|| none("has no checkpoint yet; train it for longer first"))
}

impl Evaluation {
    /// Mean of the returns; NaN without any.
    pub fn mean(&self) -> f64 {
        self.returns.iter().sum::<f64>() / self.returns.len() as f64
    }

    /// Standard deviation of the returns (that of these episodes: divided by their number); NaN without any.
    pub fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares = self.returns.iter().map(|score| (score - mean).powi(2)).sum::<f64>();
        (squares / self.returns.len() as f64).sqrt()
    }

    /// Everything but the episode as one line of JSON.
    pub fn json(&self) -> String {
        serde_json::json!({
            "task": self.task,
            "checkpoint": self.checkpoint.display().to_string(),
            "frames": self.frames,
            "seed": self.seed,
            "episodes": self.returns.len(),
            "returns": self.returns,
            "lengths": self.lengths,
            "mean": self.mean(),
            "std": self.deviation(),
        })
        .to_string()
    }

    /// Writes the last episode as a GIF.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_video(&self, path: &Path) -> Result<(), TrainError> {
        match &self.last {
            Some(episode) => pictures::video(path, episode),
            None => Ok(()),
        }
    }
}
