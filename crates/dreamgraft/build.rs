//! Passes the commit that the program is built from to the program, as `DREAMGRAFT_COMMIT`, and its version with that
//! commit, as `DREAMGRAFT_VERSION`. Outside a clone of this repository, and without git, only the version is known.

use std::process::Command;

fn main() {
    let version = std::env::var("CARGO_PKG_VERSION").expect("Cargo sets it");
    println!("cargo:rerun-if-changed=build.rs");
    // Every commit and checkout appends to this log. If it does not exist, Cargo runs this script in every build.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    match commit() {
        Some(commit) => {
            println!("cargo:rustc-env=DREAMGRAFT_COMMIT={commit}");
            println!("cargo:rustc-env=DREAMGRAFT_VERSION={version} (commit {commit})");
        }
        None => println!("cargo:rustc-env=DREAMGRAFT_VERSION={version}"),
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
