//! Writing a whole file so that a reader, or a crash at any moment, meets the old file or the new one, never half of one.
//!
//! Here: the temporary file, its name, and the order of syncs. Not here: the content of files, and files that grow by
//! appending.

use crate::folders::{folder_of, sync_folder};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Ending of the names of unfinished files.
const PARTIAL_ENDING: &str = ".partial";

/// Whether `name` is that of an unfinished file, left in a folder by a program that was stopped while it wrote.
///
/// Such a file is never read. It may be deleted whenever nothing writes into the folder.
pub fn is_partial(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(PARTIAL_ENDING)
}

/// Writes `path` as a whole: `write` fills a temporary file in the same folder, which is synced, renamed to `path`, and
/// made durable by syncing the folder. An existing file at `path` is replaced.
///
/// # Errors
/// Any error of `write` or of the file system. The temporary file is then removed, and `path` is unchanged (only if the
/// last sync of the folder fails, it may already be the new file).
pub fn write_atomically<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path to write does not end in a file name"))?;
    let folder = folder_of(path);
    let (temporary, file) = create_temporary(folder, name)?;
    let written = fill(file, write).and_then(|()| fs::rename(&temporary, path).map_err(E::from));
    if let Err(error) = written {
        // The first error is the one to report; a temporary file that stays behind is recognised by its name.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_folder(folder).map_err(E::from)
}

/// Whether [`write_atomically`] could write `path` now, tested by creating and removing a temporary file next to it. With
/// `make_folders`, folders above it may be missing.
///
/// # Errors
/// The error that writing would meet, such as a missing permission.
pub fn check_writable(path: &Path, make_folders: bool) -> io::Result<()> {
    if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = folder_of(path);
    let missing = |folder: &&Path| make_folders && folder.symlink_metadata().is_err();
    let existing = folder.ancestors().find(|folder| !missing(folder)).unwrap_or(Path::new("."));
    let existing = if existing == Path::new("") { Path::new(".") } else { existing };
    let (temporary, _) = create_temporary(existing, name)?;
    fs::remove_file(temporary)
}

/// A new file of a name that no other process or thread uses.
fn create_temporary(folder: &Path, name: &OsStr) -> io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let mut temporary = OsStr::new(".").to_owned();
        temporary.push(name);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        temporary.push(format!(".{}-{count}{PARTIAL_ENDING}", std::process::id()));
        let path = folder.join(temporary);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            // Left by an earlier process of the same number: the next count is free sooner or later.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((path, file)),
        }
    }
}

fn fill<E: From<io::Error>>(file: File, write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>) -> Result<(), E> {
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush()?;
    writer.get_ref().sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for text in ["first", "second, longer", "3"] {
            write_atomically::<io::Error>(&path, |file| file.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_failing_writer_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "old").unwrap();
        let result = write_atomically::<io::Error>(&path, |file| {
            file.write_all(b"half of the ne")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(result.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn while_writing_the_temporary_file_is_recognised_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        write_atomically::<io::Error>(&folder.path().join("episode.npz"), |_| {
            let names = names(folder.path());
            assert_eq!(names.len(), 1);
            assert!(is_partial(&names[0]), "{names:?}");
            assert!(!names[0].ends_with(".npz"));
            Ok(())
        })
        .unwrap();
        assert!(!is_partial("episode.npz"));
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::write(path("file"), "old").unwrap();
        for name in ["new", "file"] {
            check_writable(&path(name), false).unwrap();
        }
        check_writable(&path("a/b/c"), true).unwrap();
        for (name, make_folders) in
            [("a/new", false), ("file/new", false), ("file/new", true), ("new/", true), ("", true), ("..", false)]
        {
            assert!(check_writable(&path(name), make_folders).is_err(), "{name}");
        }
        assert_eq!((names(root.path()), fs::read(path("file")).unwrap()), (vec!["file".to_owned()], b"old".to_vec()));
    }

    #[test]
    fn a_missing_folder_and_a_path_without_name_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("missing/a.txt"), PathBuf::from("/"), PathBuf::from("..")] {
            assert!(write_atomically::<io::Error>(&path, |_| Ok(())).is_err(), "{path:?}");
        }
    }
}
