//! The settings of a run, read from its folder, and the tasks that they name.

use files::layout;
use std::collections::BTreeMap;
use std::path::Path;

/// The most bytes of a configuration that are read.
const LONGEST_CONFIG: u64 = 1 << 20;

/// The tasks that a run's settings name; empty if they do not.
pub fn tasks_of(settings: &BTreeMap<String, String>) -> Vec<String> {
    let list = settings.get("tasks").and_then(|text| toml::from_str::<toml::Table>(&format!("x = {text}")).ok());
    let list = list.and_then(|table| table.get("x")?.as_array().cloned()).unwrap_or_default();
    list.iter().filter_map(|task| task.as_str().map(str::to_owned)).collect()
}

/// The settings in the `config.toml` of a run folder, by their paths; `None` if the file does not exist.
///
/// # Errors
/// Why the file cannot be used.
pub fn settings(folder: &Path) -> Result<Option<BTreeMap<String, String>>, String> {
    let path = folder.join(layout::CONFIG);
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = match files::read_text(&path, LONGEST_CONFIG) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let table: toml::Table = toml::from_str(&text).map_err(|error| failed(&error.message()))?;
    let mut flat = BTreeMap::new();
    flatten("", &toml::Value::Table(table), &mut flat);
    Ok(Some(flat))
}

fn flatten(path: &str, value: &toml::Value, flat: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, flat);
            }
        }
        toml::Value::String(text) => {
            flat.insert(path.to_owned(), text.clone());
        }
        other => {
            flat.insert(path.to_owned(), other.to_string());
        }
    }
}
