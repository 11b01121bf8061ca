//! The tasks of a run, made by name, and the recorded parts of external environments.

use crate::agent::footprint::check_environments;
use crate::config::{Config, ConfigError};
use crate::{MisfitError, TrainError};
use dreamer::ActionDistribution;
use environment::{
    ActionSpace, Catalogue, Environment, ImageSpace, ObservationSpace, Outside, Padded, TaskInfo, TaskOptions,
};
use replay::{Sizes, WindowStarts};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::Path;

/// Environments of a run's tasks, in the order of its configuration, all of one action size and one length of vectors: those of
/// the largest, whose surplus elements the others ignore, or fill with zeros.
pub struct Environments {
    /// For training episodes.
    pub(crate) training: Vec<Box<dyn Environment>>,
    /// For evaluation episodes: environments of their own, so that an evaluation leaves nothing behind in the others.
    pub(crate) evaluation: Vec<Box<dyn Environment>>,
    /// The tasks that are external environments.
    pub(crate) external: Vec<ExternalEnvironment>,
    /// Notes for the user.
    pub(crate) notes: Vec<String>,
    sizes: Sizes,
    /// The shapes that an agent must fit to act in each task.
    shapes: Vec<TaskShape>,
}

/// The shapes that an agent must fit to act in a task.
#[derive(Clone, Debug)]
pub(crate) struct TaskShape {
    /// The task.
    pub task: String,
    /// Whether its actions are discrete.
    pub discrete: bool,
    /// The sizes of its transitions, as they are without other tasks.
    pub sizes: Sizes,
}

/// The part of an external environment that a run records: the spaces that an agent needs to act in it, and its
/// provenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalEnvironment {
    /// The task.
    pub task: String,
    /// The programs that it is made of.
    #[serde(rename = "made_by")]
    pub programs: String,
    /// Whether the same seed and the same actions gave the same episode when that was tried.
    pub repeatable: bool,
    /// Its observations.
    pub observations: ObservationSpace,
    /// Its actions.
    pub actions: ActionSpace,
}

impl Environments {
    /// The environments of the configuration's tasks.
    ///
    /// # Errors
    /// If a name is unknown; the nearest one is offered.
    pub fn make(catalogue: &dyn Catalogue, config: &Config) -> Result<Self, TrainError> {
        check_environments(config.tasks.iter().chain(&config.tasks))?;
        let make = |name: &String| catalogue.make(name, &config.task);
        let all = || config.tasks.iter().map(make).collect::<Result<Vec<_>, _>>();
        let training = all()?;
        check_arguments(training.iter().map(|task| task.info()), &config.task)?;
        Self::new(training, all()?, &config.task)
    }

    /// These environments, each task twice: for training and for evaluation. They were made with `options`.
    ///
    /// # Errors
    /// If an evaluation's action is larger than any in training, an agent cannot learn one of the tasks, or `options` ask
    /// for a length of vectors where there are none.
    pub fn new(
        training: Vec<Box<dyn Environment>>,
        evaluation: Vec<Box<dyn Environment>>,
        options: &TaskOptions,
    ) -> Result<Self, TrainError> {
        let sizes = common_sizes(&training, options)?;
        let shapes = training.iter().map(|environment| TaskShape::of(environment.info())).collect();
        let external = training.iter().filter_map(|environment| ExternalEnvironment::of(environment.info())).collect();
        let notes = training.iter().flat_map(|environment| notes_of(environment.info())).collect();
        let pad = |environments: Vec<Box<dyn Environment>>| {
            let padded = environments
                .into_iter()
                .map(|environment| Ok(Box::new(Padded::new(environment, sizes.action, sizes.vector())?) as _));
            padded.collect::<Result<Vec<_>, TrainError>>()
        };
        Ok(Self { training: pad(training)?, evaluation: pad(evaluation)?, external, notes, sizes, shapes })
    }

    /// Elements in an action of an agent for all of these tasks.
    pub fn action_size(&self) -> usize {
        self.sizes.action
    }

    /// The sizes of a transition in any of these tasks.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The shapes that an agent must fit to act in each of these tasks.
    pub(crate) fn shapes(&self) -> &[TaskShape] {
        &self.shapes
    }

    /// The most transitions that a run of `frames` frames has: those of the task with the shortest actions.
    pub(crate) fn transitions(&self, frames: u64) -> u64 {
        self.tasks().map(|task| task.timing.transitions(frames)).max().unwrap_or(0)
    }

    /// The fewest and the most frames that an action of any task is held for.
    pub(crate) fn action_repeat(&self) -> RangeInclusive<u32> {
        let repeats = || self.tasks().map(|task| task.timing.action_repeat);
        repeats().min().unwrap_or(1)..=repeats().max().unwrap_or(1)
    }

    /// Checks that the agent's sequences fit into episodes of every task, unless they may cross from one into the next: nothing could
    /// be learned of a task otherwise.
    ///
    /// # Errors
    /// [`ConfigError::Range`] with the task whose episodes are shortest.
    pub(crate) fn check_length(&self, config: &Config) -> Result<(), ConfigError> {
        if config.replay.starts == WindowStarts::Stream {
            return Ok(());
        }
        let longest = |task: &&TaskInfo| task.timing.longest_episode();
        match self.tasks().min_by_key(longest) {
            Some(task) if config.agent.length as u64 > u64::from(longest(&task)) => Err(ConfigError::Range {
                key: "agent.length".to_owned(),
                value: config.agent.length.to_string(),
                place: String::new(),
                range: format!(
                    "a whole number from 2 to {longest}, the transitions of the longest episode of {}, which has {} \
                     frames, {} for each action",
                    task.name,
                    task.timing.frame_limit,
                    task.timing.action_repeat,
                    longest = longest(&task)
                ),
            }),
            _ => Ok(()),
        }
    }

    /// The configuration with the settings that follow from the tasks, so that the user does not have to set them: the
    /// observations, and the distribution of actions, which is one-hot if the actions of all are discrete.
    ///
    /// # Errors
    /// [`MisfitError::MixedActions`] names two tasks with different kinds of actions, [`MisfitError::Actions`] a task whose actions
    /// the requested actor does not produce.
    pub(crate) fn adapted(&self, config: &Config) -> Result<Config, TrainError> {
        let mut config = config.clone();
        let of_kind = |discrete: bool| self.tasks().find(|task| task.actions.is_discrete() == discrete);
        if let (Some(discrete), Some(continuous)) = (of_kind(true), of_kind(false)) {
            let (discrete, continuous) = (discrete.name.clone(), continuous.name.clone());
            return Err(MisfitError::MixedActions { discrete, continuous }.into());
        }
        adapt(&mut config, self.sizes, self.tasks());
        let actor = config.agent.actor;
        match of_kind(actor != ActionDistribution::OneHot) {
            Some(task) => Err(MisfitError::Actions { task: task.name.clone(), actor }.into()),
            None => Ok(config),
        }
    }

    fn tasks(&self) -> impl Iterator<Item = &TaskInfo> {
        self.training.iter().map(|environment| environment.info())
    }
}

impl TaskShape {
    fn of(info: &TaskInfo) -> Self {
        let sizes = Sizes { action: info.actions.size, observations: info.observations };
        Self { task: info.name.clone(), discrete: info.actions.is_discrete(), sizes }
    }
}

impl ExternalEnvironment {
    /// Checks that the task of this record still has vectors of the same length, if the agent observes any: it would read others as
    /// if they were those that it knows. `path` is the agent; `typed` is whether the user has typed arguments of the environment.
    ///
    /// # Errors
    /// [`MisfitError::VectorsChanged`].
    pub(crate) fn check_vectors(&self, now: ObservationSpace, path: &Path, typed: bool) -> Result<(), TrainError> {
        let (was, now) = (self.observations.vector, now.vector);
        if was == now || was == 0 {
            return Ok(());
        }
        Err(MisfitError::VectorsChanged { path: path.to_owned(), task: self.task.clone(), was, now, typed }.into())
    }

    /// [`Self::check_vectors`] of all these records whose tasks are among `now`.
    ///
    /// # Errors
    /// [`MisfitError::VectorsChanged`] for the first that has changed.
    pub(crate) fn check_all(recorded: &[Self], now: &[Self], path: &Path) -> Result<(), TrainError> {
        recorded.iter().try_for_each(|known| match now.iter().find(|now| now.task == known.task) {
            Some(now) => known.check_vectors(now.observations, path, false),
            None => Ok(()),
        })
    }

    /// The record of a task; `None` for a built-in one.
    fn of(info: &TaskInfo) -> Option<Self> {
        let Outside { programs, repeatable, .. } = info.outside.clone()?;
        let (observations, actions) = (info.observations, info.actions.clone());
        Some(Self { task: info.name.clone(), programs, repeatable, observations, actions })
    }
}

/// Sets the settings that follow from others: from the tasks the observations, and the distribution of actions, which is one-hot if
/// the actions of all are discrete; from the windows whether states are reset within sequences.
pub(crate) fn adapt<'a>(config: &mut Config, sizes: Sizes, mut tasks: impl Iterator<Item = &'a TaskInfo>) {
    let ObservationSpace { image, vector } = sizes.observations;
    (config.agent.images, config.agent.vector) = (image.is_some(), vector);
    config.agent.resets = config.replay.starts == WindowStarts::Stream;
    if tasks.all(|task| task.actions.is_discrete()) {
        config.agent.actor = ActionDistribution::OneHot;
    }
}

/// The configuration of a run of these tasks: `config`, with what follows from them.
pub fn for_tasks(config: &Config, tasks: &[TaskInfo]) -> Config {
    let mut config = config.clone();
    let sizes = sizes_of(tasks.iter(), &config.task);
    adapt(&mut config, sizes, tasks.iter());
    config
}

/// The sizes of a transition that can be one of any of these tasks, which were made with `options`, if they show observations of
/// one kind.
pub(crate) fn sizes_of<'a>(tasks: impl Iterator<Item = &'a TaskInfo> + Clone, options: &TaskOptions) -> Sizes {
    let image = tasks.clone().next().map_or(ObservationSpace::IMAGE, |task| task.observations).image;
    let longest = tasks.clone().map(|task| task.observations.vector).max().unwrap_or(0);
    let vector = if longest > 0 { longest.max(options.vector_length) } else { 0 };
    let action = tasks.map(|task| task.actions.size).max().unwrap_or(0);
    Sizes { action, observations: ObservationSpace { image, vector } }
}

/// Notes about a task for the user, a line each.
pub(crate) fn notes_of(info: &TaskInfo) -> Vec<String> {
    let Some(Outside { repeatable, notes, .. }) = &info.outside else { return Vec::new() };
    let name = &info.name;
    let mut all: Vec<String> = notes.iter().map(|note| format!("{name}: {note}")).collect();
    if !repeatable {
        all.push(format!(
            "{name} is not repeatable: the same seed and the same actions did not give the same episode. A run that resumes is \
             valid, but not bitwise identical to an uninterrupted one"
        ));
    }
    all
}

/// Refuses arguments that no task accepts: only external environments do.
///
/// # Errors
/// [`MisfitError::NoArguments`] names the first of them.
pub(crate) fn check_arguments<'a>(
    mut tasks: impl Iterator<Item = &'a TaskInfo>,
    options: &TaskOptions,
) -> Result<(), TrainError> {
    let Some(key) = options.arguments.keys().next() else { return Ok(()) };
    match tasks.next() {
        Some(task) if task.outside.is_none() && tasks.all(|task| task.outside.is_none()) => {
            Err(MisfitError::NoArguments { task: task.name.clone(), key: key.clone() }.into())
        }
        _ => Ok(()),
    }
}

/// The sizes of a transition that can be one of any of these tasks.
///
/// # Errors
/// [`MisfitError::Unsupported`] if a task does not offer observations, or offers others than the first one;
/// [`ConfigError::NoVectors`] if `options` ask for a length of vectors and there are none.
fn common_sizes(tasks: &[Box<dyn Environment>], options: &TaskOptions) -> Result<Sizes, TrainError> {
    tasks.iter().try_for_each(|task| check_observations(task.info()))?;
    let spaces = || tasks.iter().map(|task| task.info().observations);
    let kind = |space: &ObservationSpace| (space.image, space.vector > 0);
    let first = spaces().next().unwrap_or(ObservationSpace::IMAGE);
    if let Some(other) = tasks.iter().find(|task| kind(&task.info().observations) != kind(&first)) {
        let what = format!("observations of another kind than those of {}", tasks[0].task());
        return Err(MisfitError::Unsupported { task: other.task().to_owned(), what }.into());
    }
    if options.vector_length > 0 && first.vector == 0 {
        return Err(ConfigError::NoVectors { length: options.vector_length }.into());
    }
    Ok(sizes_of(tasks.iter().map(|task| task.info()), options))
}

/// Checks that an agent can observe a task.
///
/// # Errors
/// [`MisfitError::Unsupported`] if not.
pub(crate) fn check_observations(info: &TaskInfo) -> Result<(), TrainError> {
    let ObservationSpace { image, vector } = info.observations;
    let what = match image {
        Some(image) if image != ImageSpace::STANDARD => {
            format!("images of shape [{}, {}, {}]", image.height, image.width, image.channels)
        }
        None if vector == 0 => "no vector observation, which task.observe asks for".to_owned(),
        _ => return Ok(()),
    };
    Err(MisfitError::Unsupported { task: info.name.clone(), what }.into())
}
