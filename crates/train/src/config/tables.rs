//! Configurations as tables of TOML, and dotted paths in them.

use super::Config;
use toml::{Table, Value};

/// A configuration as TOML.
pub(super) fn table_of(config: &Config) -> Table {
    Table::try_from(config).expect("a configuration is made of what TOML can hold")
}

/// Paths of all values, in alphabetic order.
pub(super) fn paths(table: &Table) -> Vec<String> {
    let mut paths = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => paths.extend(self::paths(inner).into_iter().map(|path| format!("{key}.{path}"))),
            _ => paths.push(key.clone()),
        }
    }
    paths
}

/// The value at a dotted path.
pub(super) fn get<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((section, rest)) => get(table.get(section)?.as_table()?, rest),
    }
}

/// Sets the value at the path whose parts are `path`.
pub(super) fn set(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [section, rest @ ..] => {
            let inner = table.entry(section.clone()).or_insert_with(|| Table::new().into());
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}
