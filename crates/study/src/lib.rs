//! Studies: many runs that answer a question, such as whether transfer from other agents helps on a task.
//!
//! Here: the study file ([`study_file`]) and the manifest of its runs ([`manifest`]), the launchers ([`local`],
//! [`slurm`]), a store of runs that studies share ([`share`]), the results of runs ([`results`]), statistics over runs ([`statistics`]), and the report ([`report`],
//! and [`watch`] as a live page). Not here: a single run (`train`). A run does not know that it belongs to a study:
//! studies start commands and read folders.
//!
//! ```
//! use std::path::Path;
//! use study::study_file::{LoadedStudy, parse};
//!
//! let text = r#"
//!     name = "mine"
//!     preset = "smoke"
//!     steps = 2_000
//!     seeds = [0, 1]
//!     tasks = ["hopper"]
//!     [[method]]
//!     kind = "baseline"
//! "#;
//! let path = Path::new("mine.toml");
//! let read = LoadedStudy { study: parse(path, text)?, path: path.into(), text: text.into(), checksum: String::new() };
//! let manifest = study::manifest_of(&read, tasks::catalogue())?;
//! assert_eq!(manifest.entries.len(), 2); // one run per seed
//! # Ok::<(), study::StudyError>(())
//! ```

pub mod copied;
mod error;
pub mod estimate;
mod expand;
mod launch;
pub mod layout;
pub mod local;
pub mod manifest;
mod method;
pub mod pilot;
mod place;
mod prepare;
pub mod report;
pub mod results;
pub mod share;
pub mod slurm;
pub mod statistics;
pub mod status;
pub mod study_file;
pub mod watch;
mod workers;

pub use error::StudyError;
pub use expand::{check_transfers, manifest_of, unused};
pub use launch::request as launch_request;
pub use manifest::{Entry, Header, Manifest, Role};
pub use prepare::{check_folder, check_unchanged, default_folder, prepare, recorded, unchanged};
