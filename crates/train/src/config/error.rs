//! Errors of a configuration.

use std::path::{Path, PathBuf};

/// A configuration that cannot be used. Each message names the key, the value, its origin and the allowed values.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file of settings cannot be read.
    #[error("cannot read the configuration {path}: {}", wording::of_system(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Settings that are not TOML.
    #[error("{source_name} is not valid TOML: {why}")]
    Syntax {
        /// The origin of the text.
        source_name: String,
        /// The parser's reason, on one line.
        why: String,
    },
    /// A typed setting without `=`.
    #[error("--set {text}: {advice}")]
    NotASetting {
        /// The text as typed.
        text: String,
        /// How to write it.
        advice: String,
    },
    /// A setting that follows from others.
    #[error("{key}: {advice}")]
    Derived {
        /// The key.
        key: String,
        /// What it follows from, and the next step.
        advice: &'static str,
    },
    /// A length of vectors for a run that observes none.
    #[error(
        "task.vector_length = {length}: this run does not observe vectors; set task.observe to vector or both, or leave this \
         out"
    )]
    NoVectors {
        /// The length.
        length: usize,
    },
    /// A task that is named twice.
    #[error("{task} is named twice; name each task once")]
    Repeated {
        /// The task.
        task: String,
    },
    /// A key that no setting has.
    #[error("unknown key {path:?} ({source_name}); {}", nearest_key(nearest))]
    UnknownKey {
        /// The key's full path.
        path: String,
        /// Its origin.
        source_name: String,
        /// The valid keys most like it; empty if none is.
        nearest: Vec<String>,
    },
    /// A section where a value should stand, or the other way round.
    #[error("{path:?} ({source_name}) is a section: set its keys, for example {example:?}")]
    Section {
        /// The section's path.
        path: String,
        /// Its origin.
        source_name: String,
        /// One of its keys.
        example: String,
    },
    /// A value of the wrong kind.
    #[error("{path} = {value} ({source_name}) cannot be used: {why}")]
    Kind {
        /// The key's full path.
        path: String,
        /// The value given.
        value: String,
        /// Its origin.
        source_name: String,
        /// The expected form.
        why: String,
    },
    /// A value out of range.
    #[error("{key} = {value}{} is out of range: it must be {range}", in_brackets(place))]
    Range {
        /// The key's full path.
        key: String,
        /// The value given.
        value: String,
        /// Its origin; empty if unknown.
        place: String,
        /// The allowed values.
        range: String,
    },
    /// The agent's own check.
    #[error(transparent)]
    Agent(#[from] dreamer::DreamerError),
    /// A run folder's configuration that cannot be used.
    #[error("{}; if the file was edited or cut off, restore it", in_file(path, source))]
    Stored {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: Box<Self>,
    },
    /// A preset that does not exist.
    #[error(
        "preset {name:?} does not exist{} `dreamgraft train --help` lists all presets",
        wording::did_you_mean(nearest)
    )]
    UnknownPreset {
        /// The text as typed.
        name: String,
        /// The preset most like it; empty if none is.
        nearest: String,
    },
}

fn in_brackets(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" ({place})") }
}

/// The message about a file, after its name.
fn in_file(path: &Path, source: &ConfigError) -> String {
    match source {
        ConfigError::Syntax { .. } => source.to_string(),
        _ => format!("{}: {source}", path.display()),
    }
}

fn nearest_key(nearest: &[String]) -> String {
    match nearest {
        [] => "the config.toml of a run folder lists all keys".to_owned(),
        [one] => format!("the nearest key is {one:?}"),
        several => {
            let quoted: Vec<String> = several.iter().map(|key| format!("{key:?}")).collect();
            format!("the nearest keys are {}", quoted.join(", "))
        }
    }
}
