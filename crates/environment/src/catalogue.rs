//! [`Catalogue`]: environments by name.

use crate::environment::Environment;
use crate::error::TaskError;
use crate::info::TaskInfo;
use crate::options::TaskOptions;

/// Environments by name. The program chooses a catalogue and passes it to all code that needs environments or their
/// names.
pub trait Catalogue: Sync {
    /// Every task, in the order in which lists show them.
    fn tasks(&self) -> &[TaskInfo];

    /// Makes the task called `name`.
    ///
    /// # Errors
    /// [`TaskError::UnknownTask`] (from [`Catalogue::unknown`]) if the task does not exist; otherwise the reason why
    /// the environment cannot be created.
    fn make(&self, name: &str, options: &TaskOptions) -> Result<Box<dyn Environment>, TaskError>;

    /// The description of the task called `name`, made with these options.
    ///
    /// # Errors
    /// [`TaskError::UnknownTask`] if there is no such task.
    fn info(&self, name: &str, options: &TaskOptions) -> Result<TaskInfo, TaskError> {
        let found = self.tasks().iter().find(|task| task.name == name).cloned();
        Ok(found.ok_or_else(|| self.unknown(name))?.with(options))
    }

    /// Checks that `name` can be one of its tasks, without making it.
    ///
    /// # Errors
    /// As for [`Catalogue::make`], if the name alone prevents it.
    fn check(&self, name: &str) -> Result<(), TaskError> {
        match self.tasks().iter().any(|task| task.name == name) {
            true => Ok(()),
            false => Err(self.unknown(name)),
        }
    }

    /// Every task's name, in the same order.
    fn names(&self) -> Vec<&str> {
        self.tasks().iter().map(|task| task.name.as_str()).collect()
    }

    /// The error for a name that this catalogue does not have, with the most similar one that it has.
    fn unknown(&self, name: &str) -> TaskError {
        let known = self.names();
        let asked = name.to_lowercase().replace(['_', ' '], "-");
        let nearest = wording::nearest(&asked, known.iter().copied()).unwrap_or_default().to_owned();
        TaskError::UnknownTask { name: name.to_owned(), nearest, known: known.join(", ") }
    }
}
