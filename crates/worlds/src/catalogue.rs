//! [`Worlds`]: the tasks of another catalogue, and worlds of other programs.

use crate::World;
use crate::name::Server;
use environment::{Catalogue, Environment, TaskError, TaskInfo, TaskOptions};
use std::sync::{Mutex, PoisonError};

/// The tasks of a catalogue, and every world whose name says which program serves it.
pub struct Worlds<'a> {
    own: &'a dyn Catalogue,
    /// What is known of worlds that were opened to ask them.
    asked: Mutex<Vec<(String, TaskOptions, TaskInfo)>>,
}

impl<'a> Worlds<'a> {
    /// Adds the worlds of other programs to the tasks of `own`.
    pub const fn and(own: &'a dyn Catalogue) -> Self {
        Self { own, asked: Mutex::new(Vec::new()) }
    }
}

impl Catalogue for Worlds<'_> {
    fn tasks(&self) -> &[TaskInfo] {
        self.own.tasks()
    }

    fn make(&self, name: &str, options: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
        match Server::of(name)? {
            Some(server) => Ok(Box::new(World::open(name, &server, options)?)),
            None => self.own.make(name, options),
        }
    }

    fn info(&self, name: &str, options: &TaskOptions) -> Result<TaskInfo, TaskError> {
        if Server::of(name)?.is_none() {
            return self.own.info(name, options);
        }
        // Only the world itself knows.
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
            None => self.own.check(name),
        }
    }
}
