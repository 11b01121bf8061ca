//! [`SingleTask`]: a catalogue of one task.

use crate::catalogue::Catalogue;
use crate::environment::Environment;
use crate::error::TaskError;
use crate::info::TaskInfo;
use crate::options::TaskOptions;

/// A catalogue of one task, for programs that bring an environment of their own.
///
/// ```
/// use environment::{Catalogue, Environment, Outcome, SingleTask, TaskError, TaskInfo, TaskOptions};
///
/// /// Every step earns 1.
/// struct Still(TaskInfo);
///
/// impl Environment for Still {
///     fn info(&self) -> &TaskInfo {
///         &self.0
///     }
///     fn reset(&mut self, _: &mut random::Stream, image: &mut [u8]) -> Result<(), TaskError> {
///         image.fill(0);
///         Ok(())
///     }
///     fn step(&mut self, action: &[f32], _: &mut [u8]) -> Result<Outcome, TaskError> {
///         self.0.check_action(action)?;
///         Ok(Outcome { reward: 1.0, terminal: false, truncated: false, frames: self.0.timing.action_repeat })
///     }
/// }
///
/// let catalogue = SingleTask::new(TaskInfo::new("still", "earn 1 in each step", 2), Still);
/// assert_eq!(catalogue.make("still", &TaskOptions::default())?.action_size(), 2);
/// assert!(catalogue.make("hopper", &TaskOptions::default()).is_err());
/// # Ok::<(), TaskError>(())
/// ```
#[derive(Debug)]
pub struct SingleTask<M> {
    info: [TaskInfo; 1],
    make: M,
}

impl<M> SingleTask<M> {
    /// The task that `info` describes. `make` makes its environment from this description, in which the observations
    /// and the timing are those that are asked for.
    pub const fn new(info: TaskInfo, make: M) -> Self {
        Self { info: [info], make }
    }
}

impl<E: Environment + 'static, M: Fn(TaskInfo) -> E + Sync> Catalogue for SingleTask<M> {
    fn tasks(&self) -> &[TaskInfo] {
        &self.info
    }

    fn make(&self, name: &str, options: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
        Ok(Box::new((self.make)(self.info(name, options)?)))
    }
}
