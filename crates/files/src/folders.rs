//! Folders whose names survive a loss of power.
//!
//! Here: making folders, and making the names in a folder durable. Not here: files (`atomic`).

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Makes the folder `path` and the missing ones above it, and makes their names durable: each is synced in the folder
/// that holds it. Without that, a loss of power could delete a whole new folder, however carefully its files were
/// written.
///
/// # Errors
/// If a folder cannot be made or synced.
pub fn create_folders(path: &Path) -> io::Result<()> {
    create(path, &mut |folder| match sync_folder(folder) {
        // A folder that may be written but not read cannot be opened to be synced. Those above a run are often other people's.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        other => other,
    })
}

fn create(path: &Path, sync: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let named = |folder: &&Path| !folder.as_os_str().is_empty();
    let missing: Vec<&Path> = path.ancestors().filter(named).take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(path).map_err(|error| broken_link(path).unwrap_or(error))?;
    missing.into_iter().rev().try_for_each(|folder| sync(folder_of(folder)))
}

/// The error if `path` is, or lies below, a broken link: the system only reports that the link exists.
fn broken_link(path: &Path) -> Option<io::Error> {
    let (link, why) = path
        .ancestors()
        .find_map(|above| Some((above, fs::metadata(above).err()?)).filter(|(link, _)| link.is_symlink()))?;
    let target = fs::read_link(link).ok()?;
    let (link, target) = (link.display(), target.display());
    Some(io::Error::other(format!(
        "{link} is a link to {target}, which cannot be followed ({why}); correct or remove it"
    )))
}

/// Makes the names in `folder` durable, as is needed after creating, renaming or deleting a file in it.
///
/// # Errors
/// If the folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder that holds `path`, `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn every_new_name_is_synced_in_the_folder_that_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        let synced = |name: &str| {
            let mut synced: Vec<PathBuf> = Vec::new();
            create(&path(name), &mut |folder| {
                synced.push(folder.to_owned());
                Ok(())
            })
            .unwrap();
            assert!(path(name).is_dir(), "{name}");
            synced
        };
        assert_eq!(synced("a/b/c"), [root.path().to_owned(), path("a"), path("a/b")]);
        assert_eq!(synced("a/b/d"), [path("a/b")]);
        assert_eq!(synced("a/b"), Vec::<PathBuf>::new());
        assert_eq!((folder_of(Path::new("a")), folder_of(Path::new("/a"))), (Path::new("."), Path::new("/")));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_named() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        std::os::unix::fs::symlink("itself", path("itself")).unwrap();
        std::os::unix::fs::symlink("missing", path("dangling")).unwrap();
        for (name, target) in
            [("itself", "itself"), ("itself/run", "itself"), ("dangling", "missing"), ("dangling/a/b", "missing")]
        {
            let error = create_folders(&path(name)).unwrap_err().to_string();
            let text = format!("is a link to {target}, which cannot be followed");
            assert!(error.contains(&text) && error.contains("correct or remove it"), "{name}: {error}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_or_synced_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        assert!(create_folders(&root.path().join("file/a")).is_err());
        assert!(create_folders(Path::new("")).is_ok(), "as `std::fs::create_dir_all`");
        let failing = &mut |_: &Path| Err(io::Error::other("the disk fails"));
        assert_eq!(create(&root.path().join("a"), failing).unwrap_err().to_string(), "the disk fails");
        create_folders(&root.path().join("b/c")).unwrap();
        assert!(root.path().join("b/c").is_dir());
    }
}
