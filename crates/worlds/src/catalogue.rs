//! [`Worlds`]: the tasks of another catalogue, and worlds of other programs.

use crate::World;
use crate::name::Server;
use environment::{Catalogue, Environment, TaskError, TaskInfo, TaskOptions};

/// The tasks of a catalogue, and every world whose name says which program serves it.
pub struct Worlds<'a> {
    own: &'a dyn Catalogue,
}

impl<'a> Worlds<'a> {
    /// Adds the worlds of other programs to the tasks of `own`.
    pub const fn and(own: &'a dyn Catalogue) -> Self {
        Self { own }
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

    fn check(&self, name: &str) -> Result<(), TaskError> {
        match Server::of(name)? {
            Some(_) => Ok(()),
            None => self.own.check(name),
        }
    }
}
