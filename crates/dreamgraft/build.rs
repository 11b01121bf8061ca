//! Passes the commit that the program is built from to the program, as `DREAMGRAFT_COMMIT`, and its version with that
//! commit, as `DREAMGRAFT_VERSION`. Outside a clone of this repository, and without git, only the version is known.

use std::path::Path;
use std::process::Command;

fn main() {
    let version = std::env::var("CARGO_PKG_VERSION").expect("Cargo sets it");
    println!("cargo:rerun-if-changed=build.rs");
    let Some(commit) = commit() else {
        println!("cargo:rustc-env=DREAMGRAFT_VERSION={version}");
        return;
    };
    println!("cargo:rustc-env=DREAMGRAFT_COMMIT={commit}");
    println!("cargo:rustc-env=DREAMGRAFT_VERSION={version} (commit {commit})");
    // Every commit and checkout appends to this log. Cargo would run a script that names a missing file again each time.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).is_file()) {
        println!("cargo:rerun-if-changed={log}");
    }
}

/// The commit that is checked out, if this file belongs to it. Changes that are not committed are not seen.
fn commit() -> Option<String> {
    // A package that was unpacked somewhere below another repository is not part of that one.
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// What git prints in the folder of this package, without the end of the line; `None` if it fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim_end().to_owned())
}
