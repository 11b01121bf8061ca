//! What can be wrong with a document's names before any run is made of it.

use super::{Expansion, leaves};
use crate::StudyError;
use crate::document::Tasks;
use environment::TaskError;
use std::collections::BTreeSet;

impl Expansion<'_> {
    /// Everything that can be wrong before any run is made.
    pub(super) fn check_names(&self) -> Result<(), StudyError> {
        let document = self.document;
        check_name(&document.name).map_err(|why| self.error("name", why))?;
        for (key, empty) in [
            ("tasks", document.tasks.is_empty()),
            ("seeds", document.seeds.is_empty()),
            ("method", document.method.is_empty()),
        ] {
            if empty {
                return Err(self.error(key, "the list is empty: there is nothing to run"));
            }
        }
        self.check_tasks("tasks", &document.tasks)?;
        if let Some(seed) = twice(&document.seeds) {
            return Err(
                self.error("seeds", format!("{seed} is there twice: equal seeds are equal runs; leave one out"))
            );
        }
        for (key, _) in leaves("", &document.set) {
            if matches!(&*key, "seed" | "steps" | "tasks" | "threads") {
                let why = if key == "threads" {
                    "it is divided by whoever starts the runs (--jobs)"
                } else {
                    "the study has a key of its own for it"
                };
                return Err(self.error(&format!("set.{key}"), format!("{why}; leave it out")));
            }
        }
        self.config(&document.tasks[..1], document.steps, document.seeds[0])?;
        for (name, targets) in &document.combination {
            for (target, tasks) in targets {
                self.check_tasks(&format!("combination.{name}"), std::slice::from_ref(target))?;
                self.check_tasks(&format!("combination.{name}.{target}"), tasks)?;
            }
        }
        let names: Vec<&String> = document.source.iter().map(|source| &source.name).collect();
        if let Some(name) = twice(&names) {
            return Err(self.error("source", format!("{name:?} is the name of two; give each its own")));
        }
        for (index, source) in document.source.iter().enumerate() {
            check_name(&source.name).map_err(|why| self.error(&format!("source[{index}].name"), why))?;
            for (key, tasks) in [("tasks", &source.tasks), ("each", &source.each)] {
                if let Some(Tasks::List(tasks)) = tasks {
                    self.check_tasks(&format!("source[{index}].{key}"), tasks)?;
                }
            }
            if source.tasks.is_some() == source.each.is_some() {
                let why = "give one of `tasks` (one agent learns all) and `each` (an agent for each)";
                return Err(self.error(&format!("source[{index}]"), why));
            }
        }
        Ok(())
    }

    pub(super) fn check_tasks(&self, key: &str, tasks: &[String]) -> Result<(), StudyError> {
        if tasks.is_empty() {
            return Err(self.error(key, "the list is empty; name at least one task"));
        }
        if let Some(task) = twice(tasks) {
            return Err(self.error(key, format!("{task:?} is there twice; leave one out")));
        }
        for task in tasks {
            match self.catalogue.check(task) {
                Ok(()) => {}
                Err(TaskError::UnknownTask { nearest, .. }) => {
                    let why =
                        format!("there is no task {task:?}; did you mean {nearest:?}? `dreamgraft tasks` lists them");
                    return Err(self.error(key, why));
                }
                Err(other) => return Err(self.error(key, other.to_string())),
            }
        }
        Ok(())
    }
}

/// Names become names of folders and columns.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_');
    match !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(letter) {
        true => Ok(()),
        false => Err(format!("{name:?} must have 1 to 64 letters, digits and -+._, and not begin with a dot")),
    }
}

/// A fraction of a transfer.
pub(super) fn check_fraction(fraction: f64) -> Result<(), String> {
    match (0.0..=1.0).contains(&fraction) {
        true => Ok(()),
        false => Err(format!("the fraction {fraction} is not from 0 to 1")),
    }
}

/// The first that is there twice.
pub(super) fn twice<T: Ord>(all: &[T]) -> Option<&T> {
    let mut seen = BTreeSet::new();
    all.iter().find(|one| !seen.insert(*one))
}
