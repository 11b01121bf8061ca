//! The resolved configuration of a run, and who last worked on it: the file `config.toml` of its folder.

use crate::TrainError;
use crate::agent::environments::WorldRecord;
use crate::config::{Config, Layer, PROVENANCE, resolve};
use crate::folder::provenance::{Arithmetic, Provenance};
use std::collections::BTreeMap;
use std::path::Path;

/// The file of the resolved configuration in a run folder.
pub(super) const CONFIG_FILE: &str = "config.toml";

/// Whether `root` is a run's folder.
pub(crate) fn is_run(root: &Path) -> bool {
    root.join(CONFIG_FILE).exists()
}

/// The configuration that the run in `root` was made with.
///
/// # Errors
/// If the folder has no readable `config.toml`, or one with values that this version does not know.
pub fn stored_config(root: &Path) -> Result<Config, TrainError> {
    Ok(resolve(&[Layer::read(&root.join(CONFIG_FILE))?])?)
}

/// The arithmetic that the run in `root` was last computed with; what its `config.toml` does not say is unknown.
pub(crate) fn stored_arithmetic(root: &Path) -> Arithmetic {
    let text = std::fs::read_to_string(root.join(CONFIG_FILE)).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    table.get(PROVENANCE).cloned().and_then(|made_by| made_by.try_into().ok()).unwrap_or_default()
}

/// The resolved configuration as a run folder keeps it, and who made it, on a device if one is named, in which worlds of other
/// programs.
pub fn config_text(config: &Config, device: Option<&str>, worlds: &[WorldRecord]) -> String {
    let settings = toml::to_string(config).expect("a configuration is made of what TOML can hold");
    let made_by = BTreeMap::from([(PROVENANCE, Provenance::here(device.map(str::to_owned), worlds))]);
    let made_by = toml::to_string(&made_by).expect("a description is made of texts and numbers");
    format!(
        "# The resolved configuration of this run. It can be given to `dreamgraft train TASK --config`.\n{settings}\n\
         # The program and the machine that last worked on it.\n{made_by}"
    )
}
