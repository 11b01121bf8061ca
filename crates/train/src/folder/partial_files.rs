//! Unfinished files and folders of a process that was stopped while it wrote.
//!
//! Here: removing them from the folders of a run or a study. Not here: their names, which `replay` gives files and `checkpoint` folders.

use crate::TrainError;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// A file or folder that the system did not remove: an open file on NFS, for example, or one that must not be changed.
#[derive(Debug)]
pub struct Left {
    /// The file or folder.
    pub path: PathBuf,
    /// The system's reason.
    pub why: io::Error,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot remove {}: {}; the run continues and tries again later", self.path.display(), self.why)
    }
}

/// Removes what an earlier process left unfinished in each of `folders`; what cannot be removed is returned. The run or
/// study must be locked: unfinished files then belong to no process any more.
///
/// # Errors
/// If a folder cannot be listed.
pub fn remove_unfinished(folders: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Vec<Left>, TrainError> {
    let mut left = Vec::new();
    for folder in folders {
        let folder = folder.as_ref();
        for entry in fs::read_dir(folder).map_err(TrainError::io(folder))? {
            let entry = entry.map_err(TrainError::io(folder))?;
            if !entry.file_name().to_str().is_some_and(files::is_partial) {
                continue;
            }
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(why) if why.kind() != ErrorKind::NotFound => left.push(Left { path, why }),
                _ => {}
            }
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_files_are_removed_and_all_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join(".0000001000.partial")).unwrap();
        fs::write(root.join(".0000001000.partial/agent.safetensors"), "half").unwrap();
        fs::write(root.join(".config.toml.77-0.partial"), "half").unwrap();
        fs::create_dir(root.join("0000001000")).unwrap();
        fs::write(root.join(".mine"), "").unwrap();
        fs::write(root.join("notes.partial"), "").unwrap();
        assert!(remove_unfinished([root]).unwrap().is_empty());
        let mut names: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".mine", "0000001000", "notes.partial"]);
        assert!(remove_unfinished([root.join("gone")]).unwrap_err().to_string().contains("gone"));
    }
}
