//! The record of a run that was copied from a store of finished runs, in the folder of that run.
//!
//! Not here: the store (`share`).

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file in the folder of a run that was copied from a store.
pub(crate) const COPIED_FILE: &str = "shared.json";

/// The most bytes of it.
const LARGEST: u64 = 1 << 20;

/// The store that a run was copied from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedRun {
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

/// The store that the run in the folder `root` was copied from; `None` if it was trained there.
pub fn copied(root: &Path) -> Option<CopiedRun> {
    let text = files::read_text(&root.join(COPIED_FILE), LARGEST).ok()?;
    serde_json::from_str(&text).ok()
}
