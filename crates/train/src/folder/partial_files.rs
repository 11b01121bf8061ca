//! Unfinished files and folders of a process that was stopped while it wrote.
//!
//! Here: removing them from a run's folders. Not here: their names, which `replay` gives files and `checkpoint` folders.

use crate::TrainError;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Removes unfinished files of an earlier process in each of `folders`. The run must be locked, so that no other
/// process uses them.
///
/// # Errors
/// If a folder cannot be listed, or something in it not be removed.
pub(crate) fn clean<'f>(folders: impl IntoIterator<Item = &'f Path>) -> Result<(), TrainError> {
    for folder in folders {
        for entry in fs::read_dir(folder).map_err(TrainError::io(folder))? {
            let entry = entry.map_err(TrainError::io(folder))?;
            if !entry.file_name().to_str().is_some_and(files::is_partial) {
                continue;
            }
            let path = entry.path();
            let is_folder = entry.file_type().map_err(TrainError::io(&path))?.is_dir();
            let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(TrainError::io(path)(error)),
                _ => {}
            }
        }
    }
    Ok(())
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
        clean([root]).unwrap();
        let mut names: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".mine", "0000001000", "notes.partial"]);
        assert!(clean([&*root.join("gone")]).unwrap_err().to_string().contains("gone"));
    }
}
