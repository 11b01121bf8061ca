//! Errors of environments and catalogues, by their callers or by themselves.

/// Why a task cannot be made, or a step was refused. A refused step changes nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// No task has this name.
    #[error("task {name:?} does not exist{} All tasks: {known}", wording::did_you_mean(nearest))]
    UnknownTask {
        /// The requested name.
        name: String,
        /// The name that is most like it; empty if none is.
        nearest: String,
        /// Every task's name, separated by commas.
        known: String,
    },
    /// The action has a wrong number of elements.
    #[error("task {task} requires actions with {expected} elements, but this action has {given}")]
    ActionLength {
        /// The task.
        task: String,
        /// Elements that it needs.
        expected: usize,
        /// Elements that it was given.
        given: usize,
    },
    /// An element of the action is not a number that a motor can follow.
    #[error(
        "element {index} of the action for task {task} is {value}: actions must be finite; their useful range is -1 to \
         1"
    )]
    ActionValue {
        /// The task.
        task: String,
        /// The element's place, from 0.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// The episode has ended, or never began.
    #[error("task {task} has no episode in progress: call reset before step")]
    NoEpisode {
        /// The task.
        task: String,
    },
    /// The simulation left the numbers.
    #[error("the simulation of task {task} diverged in frame {frame}: call reset to start a new episode")]
    Diverged {
        /// The task.
        task: String,
        /// The frame since reset, from 1.
        frame: u32,
    },
    /// The action space to pad to is smaller than the task's own.
    #[error("actions of task {task} have {own} elements and cannot be padded to {size}: choose at least {own}")]
    TooNarrow {
        /// The task.
        task: String,
        /// Elements that it needs.
        own: usize,
        /// The requested number of elements.
        size: usize,
    },
    /// The vectors to pad to are shorter than the task's own.
    #[error("the vectors of task {task} have {own} numbers and cannot be padded to {size}: choose at least {own}")]
    TooShort {
        /// The task.
        task: String,
        /// Numbers of its vectors.
        own: usize,
        /// Numbers that were asked for.
        size: usize,
    },
    /// The simulator did not load the task's model.
    #[error("cannot load the model of task {task}: {source}")]
    Model {
        /// The task.
        task: String,
        /// The simulator's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A name of an external environment that cannot be one.
    #[error("the external environment {name:?} cannot be found: {why}")]
    ExternalName {
        /// The name.
        name: String,
        /// The fault, and the form of valid names.
        why: String,
    },
    /// An external environment failed.
    #[error("{why}")]
    External {
        /// The task.
        task: String,
        /// The failure, with the task's name, on one line.
        why: String,
        /// The environment's own report, such as a traceback; empty if the message contains all of it.
        details: String,
    },
}

impl TaskError {
    /// The report of an external environment about its failure, on several lines; `None` if the message contains all of
    /// the message.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::External { details, .. } if !details.is_empty() => Some(details),
            _ => None,
        }
    }
}
