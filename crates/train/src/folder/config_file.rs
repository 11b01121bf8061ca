//! The resolved configuration of a run, and who last worked on it: the file `config.toml` of its folder.

use crate::TrainError;
use crate::agent::environments::ExternalEnvironment;
use crate::config::{Config, ConfigError, Layer, PROVENANCE, resolve};
use crate::folder::provenance::{Arithmetic, RunProvenance};
use files::layout::CONFIG;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most bytes of a configuration that are read.
const LARGEST_FILE: u64 = 1 << 20;

/// Whether `root` is a run's folder.
pub(crate) fn is_run(root: &Path) -> bool {
    root.join(CONFIG).exists()
}

/// The configuration that the run in `root` was made with.
///
/// # Errors
/// If the folder does not have a readable `config.toml`, or if it has values that this version does not know.
pub fn stored_config(root: &Path) -> Result<Config, TrainError> {
    let path = root.join(CONFIG);
    let stored = |source| ConfigError::Stored { path: path.clone(), source: Box::new(source) };
    let layer = Layer::read(&path).map_err(|error| match error {
        // The file is not at fault if the system refuses.
        ConfigError::Read { .. } => error,
        other => stored(other),
    })?;
    Ok(resolve(&[layer]).map_err(stored)?)
}

/// The message about a run folder that does not exist, after its path.
pub(crate) fn no_folder(path: &Path) -> String {
    match nearest_path(path) {
        Some(nearest) => format!("does not exist; did you mean {}?", nearest.display()),
        None => "does not exist; give a run folder, for example runs/TASK/small/0".to_owned(),
    }
}

/// The path that exists and differs from `path` in its first part that does not exist, by letters that are easily mistyped.
fn nearest_path(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1).find(|above| above.as_os_str().is_empty() || above.is_dir())?;
    let mut rest = path.strip_prefix(above).ok()?.components();
    let wrong = rest.next()?.as_os_str().to_str()?;
    let listed = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    let mut names: Vec<String> =
        listed.read_dir().ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let near = |name: &&String| wording::distance(wrong, name) <= 2.min(wrong.chars().count() / 2);
    let found = names.iter().filter(near).min_by_key(|name| wording::distance(wrong, name))?;
    Some(above.join(found).join(rest.as_path())).filter(|path| path.exists())
}

/// The first run folder below `folder`, in the order of names, not deeper than `depth`.
pub(crate) fn run_below(folder: &Path, depth: u32) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        folder.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    folders.sort();
    let first = folders.iter().find(|path| is_run(path)).cloned();
    first.or_else(|| if depth > 1 { folders.iter().find_map(|path| run_below(path, depth - 1)) } else { None })
}

/// [`stored_config`], of a folder that a user named as a run's.
///
/// # Errors
/// As [`stored_config`]; [`TrainError::NoRun`] if there is no such folder, [`TrainError::NotARunFolder`] if it is not a run's.
pub(crate) fn config_of_run(root: &Path) -> Result<Config, TrainError> {
    if root.metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let why = no_folder(root);
        return Err(TrainError::NoRun { path: root.to_owned(), why });
    }
    if root.join(CONFIG).metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let why = format!("is not a run folder: it has no {CONFIG}");
        return Err(TrainError::NotARunFolder { path: root.to_owned(), why });
    }
    stored_config(root)
}

/// The arithmetic of the last session of the run in `root`; values that are not in its `config.toml` are unknown.
pub(crate) fn stored_arithmetic(root: &Path) -> Arithmetic {
    let text = files::read_text(&root.join(CONFIG), LARGEST_FILE).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    table.get(PROVENANCE).cloned().and_then(|provenance| provenance.try_into().ok()).unwrap_or_default()
}

/// The resolved configuration as a run folder keeps it, and who made it, on a device if one is named, in which external
/// environments.
pub fn config_text(config: &Config, device: Option<&str>, external: &[ExternalEnvironment]) -> String {
    let settings = toml::to_string(config).expect("a configuration is made of what TOML can hold");
    let provenance = BTreeMap::from([(PROVENANCE, RunProvenance::here(device.map(str::to_owned), external))]);
    let provenance = toml::to_string(&provenance).expect("a description is made of texts and numbers");
    format!(
        "# The resolved configuration of this run, which can be used with `dreamgraft train TASK \
         --config`.\n{settings}\n# The program and the machine of the last session.\n{provenance}"
    )
}
