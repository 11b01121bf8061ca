//! The errors of the operating system, and their next steps.

use std::io::{Error, ErrorKind};

/// The system's message, and the next step where the kind of the error has one.
pub fn of_system(error: &Error) -> String {
    /// Too many links on the way, as Linux and macOS number it: the standard library has no stable kind for it.
    const LOOP: i32 = if cfg!(target_os = "macos") { 62 } else { 40 };
    /// Too many open files, in the system and in this process: as above.
    const TOO_MANY: [i32; 2] = [23, 24];
    let step = match error.kind() {
        _ if error.raw_os_error() == Some(LOOP) => "a link in the path leads back to itself; correct it",
        ErrorKind::InvalidFilename => "choose a shorter name",
        ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied => "check its permissions and those of its folder",
        ErrorKind::ReadOnlyFilesystem => "choose a place that can be written",
        ErrorKind::FileTooLarge => "raise the limit of the size of files (`ulimit -f`), or choose another place",
        _ if error.raw_os_error().is_some_and(|code| TOO_MANY.contains(&code)) => {
            "raise the limit of open files (`ulimit -n`)"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space",
        ErrorKind::IsADirectory => "it is a folder where a file is needed; check the path",
        ErrorKind::NotADirectory => "it is a file, or lies below one, where a folder is needed; check the path",
        ErrorKind::AlreadyExists => "move the existing file or folder away, or choose another path",
        _ => return error.to_string(),
    };
    format!("{error}; {step}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_follows_from_what_the_system_said() {
        for (kind, step) in [
            (ErrorKind::NotFound, "; check the path"),
            (ErrorKind::PermissionDenied, "; check its permissions and those of its folder"),
            (ErrorKind::StorageFull, "; free some space"),
            (ErrorKind::IsADirectory, "; it is a folder where a file is needed; check the path"),
            (ErrorKind::FileTooLarge, "; raise the limit of the size of files (`ulimit -f`), or choose another place"),
        ] {
            let text = of_system(&Error::from(kind));
            assert_eq!(text, format!("{}{step}", Error::from(kind)));
        }
        assert_eq!(of_system(&Error::other("it broke")), "it broke");
        assert!(of_system(&Error::from_raw_os_error(24)).ends_with("; raise the limit of open files (`ulimit -n`)"));
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("a", path("a")).unwrap();
        assert!(
            of_system(&std::fs::read(path("a")).unwrap_err())
                .ends_with("; a link in the path leads back to itself; correct it")
        );
        assert!(of_system(&std::fs::read(path(&"x".repeat(300))).unwrap_err()).ends_with("; choose a shorter name"));
    }
}
