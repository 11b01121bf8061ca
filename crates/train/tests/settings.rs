//! The page of settings lists every setting, once, with its default and its value in the presets.

use std::collections::BTreeMap;
use toml::{Table, Value};
use train::config::{Config, presets};

/// The leaves of a table by their paths. A list, and a table of any keys, is a leaf.
fn leaves(table: &Table, path: &str, out: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(below) if !below.is_empty() => leaves(below, &path, out),
            _ => {
                out.insert(path, value.clone());
            }
        }
    }
}

fn page() -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    std::fs::read_to_string(page).unwrap()
}

/// The rows of the page's tables whose first column is a setting: its key, and the other columns.
fn rows() -> Vec<(String, Vec<String>)> {
    let row = |line: &str| {
        let columns: Vec<String> = line.strip_prefix("| `")?.split('|').map(|cell| cell.trim().to_owned()).collect();
        let key = columns[0].trim_end_matches('`').to_owned();
        Some((key, columns[1..].to_vec()))
    };
    page().lines().filter_map(row).collect()
}

#[test]
fn the_page_lists_every_setting_once() {
    let mut settings = BTreeMap::new();
    leaves(&Table::try_from(Config::default()).unwrap(), "", &mut settings);
    // This one stands for others.
    settings.insert("agent.size".to_owned(), Value::String(String::new()));
    let mut listed: Vec<String> = rows().into_iter().map(|(key, _)| key).collect();
    listed.sort();
    // The arguments of an environment are a table of any keys.
    let listed: Vec<&str> =
        listed.iter().map(|key| if key.starts_with("task.arguments") { "task.arguments" } else { key }).collect();
    assert_eq!(listed, settings.keys().map(String::as_str).collect::<Vec<_>>());
}

fn preset_file(name: &str) -> String {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("presets/{name}.toml"));
    std::fs::read_to_string(file).unwrap()
}

fn plain(text: &str) -> String {
    text.replace(['_', ',', ' ', '"'], "")
}

/// What each size stands for.
fn sizes() -> Table {
    preset_file("sizes").parse().unwrap()
}

#[test]
fn the_page_has_the_presets_numbers() {
    let rows: BTreeMap<String, String> = rows().into_iter().map(|(key, columns)| (key, columns.join(" | "))).collect();
    for (name, _) in presets().filter(|(name, _)| !name.starts_with("v3")) {
        let mut set = BTreeMap::new();
        leaves(&preset_file(name).parse::<Table>().unwrap(), "", &mut set);
        if let Some(size) = set.get("agent.size").and_then(Value::as_str) {
            let size = sizes().remove(size).unwrap();
            leaves(size.as_table().unwrap(), "agent", &mut set);
        }
        for (key, value) in set {
            let number = value.to_string();
            let row = rows.get(&key).unwrap_or_else(|| panic!("{key} of the preset {name} is not on the page"));
            assert!(
                plain(row).contains(&plain(&number)),
                "{key} is {number} in the preset {name}; the page has: {row}"
            );
        }
    }
}

/// The preset `v3` stands on the page as a file of settings.
#[test]
fn the_page_has_the_settings_of_dreamer_v3() {
    let page = page();
    let section = page.split("\n## ").find(|section| section.starts_with("The presets `v3`")).expect("a section");
    let lines: Vec<&str> = section.lines().map(str::trim).collect();
    let settings = preset_file("v3");
    for setting in settings.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(lines.contains(&setting), "{setting} is not on the page");
    }
}

/// The sizes stand on the page as rows of a table, whose first row names their settings.
#[test]
fn the_page_has_every_size() {
    let page = page();
    let table: Vec<Vec<&str>> = page
        .lines()
        .skip_while(|line| !line.starts_with("| size |"))
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let (names, rows) = (&table[0][1..], &table[2..]);
    assert_eq!(rows.len(), sizes().len());
    for row in rows {
        let size = sizes().remove(row[0]).unwrap_or_else(|| panic!("there is no size {}", row[0]));
        let size = size.as_table().unwrap();
        assert_eq!(size.len(), names.len());
        for (name, cell) in names.iter().zip(&row[1..]) {
            let written: f64 = cell.replace(',', "").parse().unwrap();
            let value = &size[*name];
            let value = value.as_float().or(value.as_integer().map(|whole| whole as f64)).unwrap();
            assert_eq!(written, value, "{name} of the size {}", row[0]);
        }
    }
    let offered: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let mut known = train::config::sizes();
    known.sort_by_key(|name| offered.iter().position(|row| row == name));
    assert_eq!(offered, known);
}
