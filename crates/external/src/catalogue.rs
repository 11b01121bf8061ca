//! [`ExternalCatalogue`]: the tasks of another catalogue, and external environments.

use crate::ExternalEnvironment;
use crate::name::Server;
use environment::{Catalogue, Environment, TaskError, TaskInfo, TaskOptions};
use std::sync::{Mutex, PoisonError};

/// The tasks of a catalogue, and every external environment whose name determines its server.
pub struct ExternalCatalogue<'a> {
    own: &'a dyn Catalogue,
    /// The descriptions of external environments that were opened to ask for them.
    asked: Mutex<Vec<(String, TaskOptions, TaskInfo)>>,
}

impl<'a> ExternalCatalogue<'a> {
    /// Adds the external environments to the tasks of `own`.
    pub const fn and(own: &'a dyn Catalogue) -> Self {
        Self { own, asked: Mutex::new(Vec::new()) }
    }

    /// The error of an unknown name, with the name that was probably meant: an environment of Gymnasium, whose names
    /// end in a version, or several tasks.
    fn suggested(&self, error: TaskError) -> TaskError {
        let TaskError::UnknownTask { name, nearest, known } = error else { return error };
        let versioned = name.rsplit_once("-v").is_some_and(|(_, version)| version.parse::<u32>().is_ok());
        let several: Vec<&str> = name.split(['+', ',', ' ']).filter(|part| !part.is_empty()).collect();
        let nearest = if versioned {
            let id = ["gymnasium/", "gym/"].into_iter().find_map(|start| name.strip_prefix(start)).unwrap_or(&name);
            format!("gymnasium:{id}")
        } else if several.len() > 1 && several.iter().all(|part| self.own.check(part).is_ok()) {
            several.join(" ")
        } else {
            nearest
        };
        TaskError::UnknownTask { name, nearest, known }
    }
}

impl Catalogue for ExternalCatalogue<'_> {
    fn tasks(&self) -> &[TaskInfo] {
        self.own.tasks()
    }

    fn make(&self, name: &str, options: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
        match Server::of(name)? {
            Some(server) => Ok(Box::new(ExternalEnvironment::open(name, &server, options)?)),
            None => self.own.make(name, options).map_err(|error| self.suggested(error)),
        }
    }

    fn info(&self, name: &str, options: &TaskOptions) -> Result<TaskInfo, TaskError> {
        if Server::of(name)?.is_none() {
            return self.own.info(name, options).map_err(|error| self.suggested(error));
        }
        // Only the environment itself knows.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, info)) = asked.iter().find(|(known, with, _)| known == name && with == options) {
            return Ok(info.clone());
        }
        let info = self.make(name, options)?.info().clone();
        asked.push((name.to_owned(), options.clone(), info.clone()));
        Ok(info)
    }

    fn check(&self, name: &str) -> Result<(), TaskError> {
        match Server::of(name)? {
            Some(_) => Ok(()),
            None => self.own.check(name).map_err(|error| self.suggested(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One task.
    struct One([TaskInfo; 1]);

    impl Catalogue for One {
        fn tasks(&self) -> &[TaskInfo] {
            &self.0
        }

        fn make(&self, name: &str, _: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
            Err(self.unknown(name))
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_what_was_probably_meant() {
        let own = One([TaskInfo::new("hopper", "", 3)]);
        let catalogue = ExternalCatalogue::and(&own);
        for (name, meant) in [
            ("Pendulum-v1", "did you mean \"gymnasium:Pendulum-v1\"?"),
            ("gymnasium/Pendulum-v1", "did you mean \"gymnasium:Pendulum-v1\"?"),
            ("hopper+hopper", "did you mean \"hopper hopper\"?"),
            ("hoper", "did you mean \"hopper\"?"),
        ] {
            let errors =
                [catalogue.check(name).unwrap_err(), catalogue.make(name, &TaskOptions::default()).err().unwrap()];
            for error in errors {
                assert!(error.to_string().contains(meant), "{error}");
            }
        }
    }
}
