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

/// The rows of the page's tables whose first column is a setting: its key, and the other columns.
fn rows() -> Vec<(String, Vec<String>)> {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let page = std::fs::read_to_string(page).unwrap();
    let row = |line: &str| {
        let columns: Vec<String> = line.strip_prefix("| `")?.split('|').map(|cell| cell.trim().to_owned()).collect();
        let key = columns[0].trim_end_matches('`').to_owned();
        Some((key, columns[1..].to_vec()))
    };
    page.lines().filter_map(row).collect()
}

#[test]
fn the_page_lists_every_setting_once() {
    let mut settings = BTreeMap::new();
    leaves(&Table::try_from(Config::default()).unwrap(), "", &mut settings);
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

#[test]
fn the_page_has_the_presets_numbers() {
    let rows: BTreeMap<String, String> = rows().into_iter().map(|(key, columns)| (key, columns.join(" | "))).collect();
    for (name, _) in presets().filter(|(name, _)| !name.starts_with("v3")) {
        let mut set = BTreeMap::new();
        leaves(&preset_file(name).parse::<Table>().unwrap(), "", &mut set);
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

/// The preset `v3` stands on the page as a file of settings, its sizes as rows of a table.
#[test]
fn the_page_has_the_settings_and_sizes_of_dreamer_v3() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("The presets `v3`")).expect("a section");
    let lines: Vec<&str> = section.lines().map(str::trim).collect();
    let settings = preset_file("v3");
    for setting in settings.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(lines.contains(&setting), "{setting} is not on the page");
    }
    let sizes: Vec<&str> = presets().filter_map(|(name, _)| name.strip_prefix("v3-")).collect();
    assert!(sizes.len() > 4);
    for size in sizes {
        let numbers: Vec<String> = preset_file(&format!("v3/{size}"))
            .lines()
            .map(|line| line.split_once(" = ").expect("a setting").1.to_owned())
            .collect();
        let row = format!("|v3-{size}|{}|", numbers.join("|"));
        assert!(lines.iter().any(|line| plain(line) == row), "the page has no row {row}");
    }
}
