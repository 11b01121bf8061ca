//! The list of unsafe code: every file that has any is in `docs/safety.md`, with its reason.

use std::path::{Path, PathBuf};

/// Rust files below a folder.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push(path);
        }
    }
    all
}

/// Whether a line begins unsafe code: a block, a function, an implementation, a trait or an external block.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait", "unsafe extern"].iter().any(|word| code.contains(word))
}

#[test]
fn every_file_with_unsafe_code_is_listed_with_its_reason() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let listed = std::fs::read_to_string(workspace.join("docs/safety.md")).unwrap();
    let named = |text: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `crates/"));
        let mut files: Vec<String> =
            rows.filter_map(|row| Some(format!("crates/{}", row.split_once('`')?.0))).collect();
        files.sort();
        files
    };
    let this = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/safety.rs").canonicalize().unwrap();
    let mut found = Vec::new();
    for path in sources(&workspace.join("crates")).into_iter().filter(|path| *path != this) {
        if std::fs::read_to_string(&path).unwrap().lines().any(is_unsafe) {
            found.push(path.strip_prefix(&workspace).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    assert_eq!(found, named(&listed), "the table of docs/safety.md and the files with unsafe code");
}
