//! Checks of the names in a study file, before any run is created from it.

use super::{Expansion, leaves};
use crate::StudyError;
use crate::study_file::Tasks;
use environment::TaskError;
use std::collections::BTreeSet;

impl Expansion<'_> {
    /// Everything that can be wrong before any run is made.
    pub(super) fn check_names(&self) -> Result<(), StudyError> {
        let study = self.study;
        check_name(&study.name).map_err(|why| self.error("name", why))?;
        for (key, empty) in
            [("tasks", study.tasks.is_empty()), ("seeds", study.seeds.is_empty()), ("method", study.method.is_empty())]
        {
            if empty {
                return Err(self.error(key, "the list is empty, so there is nothing to run; add at least one entry"));
            }
        }
        self.check_tasks("tasks", &study.tasks)?;
        if let Some(seed) = twice(&study.seeds) {
            return Err(self
                .error("seeds", format!("seed {seed} is listed twice, and equal seeds give equal runs; remove one")));
        }
        for (key, _) in leaves("", &study.set) {
            if matches!(&*key, "seed" | "steps" | "tasks" | "threads") {
                let why = if key == "threads" {
                    "`dreamgraft study run` divides the cores among the runs (--jobs)"
                } else {
                    "a study file has a separate key for it"
                };
                return Err(self.error(&format!("set.{key}"), format!("{why}; remove it")));
            }
        }
        let config = self.config(&study.tasks[..1], study.steps, study.seeds[0])?;
        for (key, set) in [
            ("frozen_encoder", config.agent.frozen_encoder),
            ("reward_sources", !config.agent.reward_sources.is_empty()),
        ] {
            if set {
                let why = "a transfer sets it; in all runs it would freeze random parameters; remove it";
                return Err(self.error(&format!("set.agent.{key}"), why));
            }
        }
        for (name, targets) in &study.combination {
            for (target, tasks) in targets {
                self.check_tasks(&format!("combination.{name}"), std::slice::from_ref(target))?;
                self.check_tasks(&format!("combination.{name}.{target}"), tasks)?;
            }
        }
        let names: Vec<&String> = study.source.iter().map(|source| &source.name).collect();
        if let Some(name) = twice(&names) {
            return Err(
                self.error("source", format!("two sources have the name {name:?}; give one of them another name"))
            );
        }
        for (index, source) in study.source.iter().enumerate() {
            check_name(&source.name).map_err(|why| self.error(&format!("source[{index}].name"), why))?;
            for (key, tasks) in [("tasks", &source.tasks), ("each", &source.each)] {
                if let Some(Tasks::List(tasks)) = tasks {
                    self.check_tasks(&format!("source[{index}].{key}"), tasks)?;
                }
            }
            if source.tasks.is_some() == source.each.is_some() {
                let why = "give either `tasks` (one agent learns all of them) or `each` (one agent per task)";
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
            return Err(self.error(key, format!("task {task:?} is listed twice; remove one")));
        }
        for task in tasks {
            match self.catalogue.check(task) {
                Ok(()) => {}
                Err(TaskError::UnknownTask { nearest, .. }) => {
                    let like = wording::did_you_mean(&nearest);
                    let why = format!("task {task:?} does not exist{like} `dreamgraft tasks` lists all tasks");
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
        false => Err(format!(
            "{name:?} is not a valid name: use 1 to 64 letters, digits and -+._, and do not start with a dot"
        )),
    }
}

/// A fraction of a transfer.
pub(super) fn check_fraction(fraction: f64) -> Result<(), String> {
    match (0.0..=1.0).contains(&fraction) {
        true => Ok(()),
        false => Err(format!("the fraction {fraction} is out of range: it must be from 0 to 1")),
    }
}

/// The first value that occurs twice.
pub(super) fn twice<T: Ord>(all: &[T]) -> Option<&T> {
    let mut seen = BTreeSet::new();
    all.iter().find(|one| !seen.insert(*one))
}
