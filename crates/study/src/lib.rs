//! Studies: grids of runs that answer a question, such as whether what other agents learned helps on a task.
//!
//! [`manifest`] is what a study runs, a line each; [`results`] are what runs have come to, read from their folders;
//! [`statistics`] say what many runs mean together; [`report`] tells it, and [`watch`] serves that while runs go on. Not here:
//! how a run works inside (`train`). A run does not know that it belongs to a study.

mod error;
pub mod manifest;
pub mod report;
pub mod results;
pub mod statistics;
pub mod watch;

pub use error::StudyError;
pub use manifest::{Entry, Header, Manifest, Role};
