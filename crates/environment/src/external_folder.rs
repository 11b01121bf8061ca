//! The folder in which external environments are started: names of files and modules that an environment's name contains are
//! relative to it.

use std::path::PathBuf;

/// The environment variable that names the folder. A study sets it for its runs, which start in the study's folder.
pub const EXTERNAL_FOLDER: &str = "DREAMGRAFT_ENVIRONMENT_FOLDER";

/// The absolute path of the folder that the variable names; `None` if it is not set: then it is the current folder.
pub fn external_folder() -> Option<PathBuf> {
    let named = std::env::var_os(EXTERNAL_FOLDER).filter(|named| !named.is_empty())?;
    std::path::absolute(named).ok()
}
