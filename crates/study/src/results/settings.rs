//! The settings of a run, read from its folder, and the tasks that they name.

use super::RunResult;
use files::layout;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The most bytes of a configuration that are read.
const LONGEST_CONFIG: u64 = 1 << 20;

/// Values by their paths, such as `agent.horizon`. Runs of a study have nearly the same settings, so that they can share
/// the text (`Texts`).
pub type Settings = BTreeMap<Arc<str>, Arc<str>>;

/// Text that runs share.
#[derive(Default)]
pub struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    /// Replaces the text of the settings of `run` by that of earlier runs with the same text.
    pub fn share(&mut self, run: &mut RunResult) {
        for settings in [&mut run.settings, &mut run.provenance] {
            let own = std::mem::take(settings).into_iter();
            *settings = own.map(|(key, value)| (self.one(key), self.one(value))).collect();
        }
    }

    fn one(&mut self, text: Arc<str>) -> Arc<str> {
        match self.0.get(&text) {
            Some(known) => Arc::clone(known),
            None => {
                self.0.insert(Arc::clone(&text));
                text
            }
        }
    }
}

/// The tasks that a run's settings name; empty if they do not.
pub fn tasks_of(settings: &Settings) -> Vec<String> {
    let list = settings.get("tasks").and_then(|text| toml::from_str::<toml::Table>(&format!("x = {text}")).ok());
    let list = list.and_then(|table| table.get("x")?.as_array().cloned()).unwrap_or_default();
    list.iter().filter_map(|task| task.as_str().map(str::to_owned)).collect()
}

/// The settings in the `config.toml` of a run folder, by their paths; `None` if the file does not exist.
///
/// # Errors
/// Why the file cannot be used.
pub fn settings(folder: &Path) -> Result<Option<Settings>, String> {
    let path = folder.join(layout::CONFIG);
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = match files::read_text(&path, LONGEST_CONFIG) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let table: toml::Table = toml::from_str(&text).map_err(|error| failed(&error.message()))?;
    let mut flat = Settings::new();
    flatten("", &toml::Value::Table(table), &mut flat);
    Ok(Some(flat))
}

fn flatten(path: &str, value: &toml::Value, flat: &mut Settings) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, flat);
            }
        }
        toml::Value::String(text) => {
            flat.insert(path.into(), text.as_str().into());
        }
        other => {
            flat.insert(path.into(), other.to_string().into());
        }
    }
}
