//! The record of a run that was taken from a store of finished runs, in the folder of that run.
//!
//! Not here: the store (`share`).

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file in the folder of a run that was taken from a store.
pub(crate) const TAKEN_FILE: &str = "shared.json";

/// The most bytes of it.
const LARGEST: u64 = 1 << 20;

/// Where a run was taken from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// The store.
    #[serde(with = "files::path_text")]
    pub store: PathBuf,
    /// The study that trained it.
    pub study: String,
    /// The folder of the run in that study.
    #[serde(with = "files::path_text")]
    pub folder: PathBuf,
    /// The checksum of its identity.
    pub identity: String,
}

/// Where the run in the folder `root` was taken from; `None` if it was trained there.
pub fn taken(root: &Path) -> Option<Taken> {
    let text = files::read_text(&root.join(TAKEN_FILE), LARGEST).ok()?;
    serde_json::from_str(&text).ok()
}
