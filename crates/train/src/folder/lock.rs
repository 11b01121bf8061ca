//! One process per run folder.
//!
//! An advisory lock of the system on the file `run.lock`, which contains the owner's process number for people. The
//! system releases the lock when the process ends in any way, so a remaining file does no harm.

use crate::TrainError;
use files::layout::RUN_LOCK;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held as long as a process works in a run folder.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    file: File,
}

impl RunLock {
    /// Takes the lock of the run folder `root`.
    ///
    /// # Errors
    /// [`TrainError::Busy`] names the process that holds it; [`TrainError::Folder`] if the file cannot be made, and
    /// [`TrainError::Io`] if it is there and cannot be opened.
    pub fn take(root: &Path) -> Result<Self, TrainError> {
        Self::take_file(root, RUN_LOCK)
    }

    /// Like [`RunLock::take`], for the lock of another folder with another file name.
    ///
    /// # Errors
    /// As [`RunLock::take`].
    pub fn take_file(root: &Path, name: &str) -> Result<Self, TrainError> {
        let path = root.join(name);
        if path.is_dir() {
            return Err(TrainError::WrongKind { path, found: "folder", needed: "file" });
        }
        // A file that is there and cannot be opened, such as an immutable one, is to blame itself, and not its folder.
        let is_there = path.symlink_metadata().is_ok();
        let unwritable = |source| match is_there {
            true => TrainError::io(&path)(source),
            false => TrainError::Folder { path: root.to_owned(), source },
        };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // Not readable, or not yet written: the message then does not have a number.
                let _ = file.read_to_string(&mut owner);
                let owner = Some(owner.trim().to_owned()).filter(|owner| !owner.is_empty());
                let process = owner.unwrap_or_else(|| "of unknown number".to_owned());
                const NEXT: &str =
                    "wait until it ends (`dreamgraft train --wait` does that), or use another run folder";
                return Err(TrainError::Busy { path: root.to_owned(), process, next: NEXT });
            }
            Err(TryLockError::Error(source)) => return Err(unwritable(source)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(unwritable)?;
        Ok(Self { path, file })
    }

    /// Takes the lock again if its file was removed or replaced: another process could take it, and two would work in one folder.
    /// Whether that was so.
    ///
    /// # Errors
    /// As [`RunLock::take`], if another process has it by now.
    pub fn keep(&mut self) -> Result<bool, TrainError> {
        use std::os::unix::fs::MetadataExt;
        let number = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let own = self.file.metadata().map(number);
        if matches!((own, self.path.metadata().map(number)), (Ok(own), Ok(there)) if own == there) {
            return Ok(false);
        }
        let (root, name) = (self.path.parent().unwrap_or(Path::new("")), self.path.file_name().unwrap_or_default());
        match Self::take_file(root, &name.to_string_lossy()) {
            Ok(lock) => {
                *self = lock;
                Ok(true)
            }
            // Some file systems give a file a new number each time they are asked.
            Err(TrainError::Busy { process, .. }) if process == std::process::id().to_string() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether a process of this machine uses the run folder `root`, where the system reports it (Linux). It does not lock
/// anything, so that a run that starts at the same moment is not refused.
pub fn in_use(root: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(metadata) = root.join(RUN_LOCK).metadata() else { return false };
    let ending = format!(":{}", metadata.ino());
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.get(1) == Some(&"FLOCK") && words.get(5).is_some_and(|place| place.ends_with(&ending))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_with_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = RunLock::take(folder.path()).unwrap();
        let message = RunLock::take(folder.path()).unwrap_err().to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        assert!(in_use(folder.path()));
        drop(first);
        assert!(!in_use(folder.path()));
        RunLock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_that_is_there_and_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let message = RunLock::take(&missing).unwrap_err().to_string();
        assert!(message.contains("cannot write to the run folder"), "{message}");
        let file = folder.path().join(RUN_LOCK);
        std::os::unix::fs::symlink(missing.join("file"), &file).unwrap();
        let message = RunLock::take(folder.path()).unwrap_err().to_string();
        assert!(message.starts_with(&file.display().to_string()), "{message}");
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_taken_again_unless_another_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = RunLock::take(folder.path()).unwrap();
        assert!(!first.keep().unwrap());
        std::fs::remove_file(folder.path().join(RUN_LOCK)).unwrap();
        assert!(first.keep().unwrap() && !first.keep().unwrap());
        assert!(RunLock::take(folder.path()).is_err());
        std::fs::remove_file(folder.path().join(RUN_LOCK)).unwrap();
        let second = RunLock::take(folder.path()).unwrap();
        std::fs::write(folder.path().join(RUN_LOCK), "1\n").unwrap();
        let message = first.keep().unwrap_err().to_string();
        assert!(message.contains("in use by process 1"), "{message}");
        drop(second);
    }

    #[test]
    fn a_stale_file_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        // The number of no process, and of a process that exists: another process may have it by now.
        for stale in ["999999999\nlonger than a number", "1\n"] {
            std::fs::write(folder.path().join(RUN_LOCK), stale).unwrap();
            RunLock::take(folder.path()).unwrap();
            let owner = std::fs::read_to_string(folder.path().join(RUN_LOCK)).unwrap();
            assert_eq!(owner, format!("{}\n", std::process::id()));
        }
    }
}
