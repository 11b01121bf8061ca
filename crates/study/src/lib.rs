//! Studies: grids of runs that answer a question, such as whether what other agents learned helps on a task.
//!
//! Here: the document that asks ([`manifest`] is what becomes of it: a line for each run), the order of the runs and how
//! they are started. Not here: how a run works inside (`train`). A run does not know that it belongs to a study: what a
//! study does is to type commands and to read folders.

mod error;
pub mod manifest;

pub use error::StudyError;
pub use manifest::{Entry, Header, Manifest, Role};
