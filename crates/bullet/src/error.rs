//! The only error: a model cannot be loaded.

/// A model that could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Bullet's importer refused the text.
    #[error(
        "Bullet cannot read this {format} model: {reason}. Check the element that this message names, or the first \
         line of the text"
    )]
    Refused {
        /// `MJCF`, `URDF` or `SDF`.
        format: &'static str,
        /// The message of the importer.
        reason: String,
    },
    /// The model has more joints than Bullet's interface can address.
    #[error("body {name:?} has {count} joints, but Bullet's interface addresses at most {most}: split the model")]
    TooLarge {
        /// The body's name in the model.
        name: String,
        /// Its joints.
        count: usize,
        /// Joints that can be addressed.
        most: usize,
    },
    /// Bullet reads files only, and the private ones for it could not be written.
    #[error("cannot write the model to a temporary file in {folder:?}: {source}. {}", of_file(source))]
    File {
        /// The folder for temporary files.
        folder: std::path::PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// What to do about a temporary file that cannot be written.
fn of_file(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::FileTooLarge => "Raise the limit of the size of files (`ulimit -f`)",
        _ => "Free some space there, or set TMPDIR to another folder",
    }
}
