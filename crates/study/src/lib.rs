//! Studies: grids of runs that answer a question, such as whether what other agents learned helps on a task.
//!
//! Here: the document that asks ([`study_file`]; [`manifest`] is what becomes of it: a line for each run), the order of the runs
//! and how they are started ([`local`], [`slurm`]); what runs have come to ([`results`]), what many mean together ([`statistics`]), and telling it
//! ([`report`], and [`watch`] while runs go on). Not here: how a run works inside (`train`). A run does not know that it
//! belongs to a study: what a study does is to type commands and to read folders.

mod error;
pub mod estimate;
mod expand;
pub mod local;
pub mod manifest;
mod place;
pub mod report;
pub mod results;
pub mod slurm;
pub mod statistics;
pub mod status;
pub mod study_file;
pub mod watch;

pub use error::StudyError;
pub use expand::{default_folder, manifest_of, prepare, recorded};
pub use manifest::{Entry, Header, Manifest, Role};
