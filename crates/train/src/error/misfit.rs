//! Errors of agents and tasks that do not fit each other.

use super::phrases::{kind, of_actions, of_vectors, other};
use dreamer::ActionDistribution;
use environment::ObservationSpace;
use std::path::PathBuf;

/// An agent and a task, or a task and its arguments, that do not fit each other.
#[derive(Debug, thiserror::Error)]
pub enum MisfitError {
    /// The agent does not fit the task.
    #[error("{}", of_actions(path, *agent, task, *needed, learned))]
    ActionSize {
        /// The checkpoint.
        path: PathBuf,
        /// The agent's action size.
        agent: usize,
        /// The task.
        task: String,
        /// The task's action size.
        needed: usize,
        /// The tasks that the agent was trained for.
        learned: Vec<String>,
    },
    /// An environment whose vectors have another length than those that the agent was trained with.
    #[error("{}", of_vectors(path, task, *was, *now, *typed))]
    VectorsChanged {
        /// The checkpoint or the run.
        path: PathBuf,
        /// The task.
        task: String,
        /// The length that the agent was trained with.
        was: usize,
        /// The length now; 0 if there are no vectors.
        now: usize,
        /// Whether the user has typed arguments of the environment.
        typed: bool,
    },
    /// Arguments for a task that does not accept any.
    #[error(
        "task.arguments.{key} has no effect on {task}: only external environments (gymnasium:, python: and program:) \
         take arguments; remove it"
    )]
    NoArguments {
        /// The task.
        task: String,
        /// The first of the arguments.
        key: String,
    },
    /// The agent observes a space that the task does not offer.
    #[error(
        "the agent of {path} observes {agent}, but the observations of {task} are {shown}; choose a task that it was \
         trained for, with the same task.observe and task.vector_length"
    )]
    Observations {
        /// The checkpoint.
        path: PathBuf,
        /// The observations of the agent.
        agent: Box<ObservationSpace>,
        /// The task.
        task: String,
        /// The observations of the task.
        shown: Box<ObservationSpace>,
    },
    /// A video of episodes without images.
    #[error(
        "episodes of {task} have no images to make a video of, because the environment does not provide any; leave out the video"
    )]
    NoImages {
        /// The task.
        task: String,
    },
    /// A task that agents of this version cannot learn.
    #[error("{task} has {what}: not supported by this agent yet")]
    Unsupported {
        /// The task.
        task: String,
        /// The unsupported part.
        what: String,
    },
    /// Tasks with discrete and with continuous actions for one agent.
    #[error(
        "{discrete} has discrete actions and {continuous} continuous ones: one agent cannot learn both; train an agent for each"
    )]
    MixedActions {
        /// A task with discrete actions.
        discrete: String,
        /// One with continuous actions.
        continuous: String,
    },
    /// A task that needs other actions than the agent makes.
    #[error(
        "{task} has {} actions, but agent.actor = \"{}\" produces {} ones; set agent.actor = \"{}\"",
        kind(other(*actor)), actor.name(), kind(*actor), other(*actor).name()
    )]
    Actions {
        /// The task.
        task: String,
        /// How the agent acts.
        actor: ActionDistribution,
    },
}
