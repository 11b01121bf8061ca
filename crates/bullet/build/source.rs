//! The origin of Bullet's sources: cargo's own registry folder, or a folder that the user names.
//!
//! The crate `rubullet-sys` contains the complete sources. It is not a dependency of ours, because its own build needs
//! cmake. Instead, a stub package names it (`source/stub.toml`, with the lock file `source/stub.lock`), and cargo fetches
//! it and verifies its checksum as for any dependency: mirrors, vendoring and offline mode as configured. Nothing else is
//! downloaded. The files of the stub have other names than cargo's, because cargo would leave a folder with a `Cargo.toml`
//! out of the published crate; the build copies them to its own folder.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment variable that names another source folder.
pub const OVERRIDE: &str = "BULLET_SRC";

/// The crate that carries the sources, and their folder in it.
const CARRIER: (&str, &str) = ("rubullet-sys", "bullet3/libbullet3");

/// Bullet's top folder.
pub struct Sources {
    pub folder: PathBuf,
    /// Whether the content is known from the lock file's checksum.
    pub fixed: bool,
}

/// The folder in `BULLET_SRC`, or that of the carrier crate, which is fetched if necessary.
pub fn find(here: &Path, out: &Path) -> Result<Sources, String> {
    if let Some(folder) = std::env::var_os(OVERRIDE) {
        println!("cargo:rerun-if-changed={}", folder.to_string_lossy());
        return Ok(Sources { folder: folder.into(), fixed: false });
    }
    let stub = stub(here, out)?;
    // Sources that are already here do not need the network, so a build after `cargo fetch` works offline.
    let metadata = match metadata(here, &stub, true) {
        Ok(metadata) => metadata,
        Err(_) => metadata(here, &stub, false).map_err(|reason| {
            format!(
                "The C++ sources of the simulator Bullet (inside crate {}) could not be fetched:\n{reason}\n\
                 For a build without a network, run `cargo fetch --manifest-path {}` once with a network,\n\
                 or unpack Bullet 3.08 and set {OVERRIDE} to its folder.",
                CARRIER.0,
                stub.display()
            )
        })?,
    };
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata).map_err(|error| format!("cargo metadata did not answer in JSON: {error}"))?;
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == CARRIER.0)
        .and_then(|package| package["manifest_path"].as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .ok_or_else(|| format!("cargo metadata does not name {} for {}", CARRIER.0, stub.display()))?;
    Ok(Sources { folder: manifest.join(CARRIER.1), fixed: true })
}

/// The manifest of the stub package, in the build's own folder.
fn stub(here: &Path, out: &Path) -> Result<PathBuf, String> {
    let folder = out.join("stub");
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    std::fs::write(folder.join("none.rs"), "").map_err(failed)?;
    for (from, to) in [("stub.toml", "Cargo.toml"), ("stub.lock", "Cargo.lock")] {
        std::fs::copy(here.join("source").join(from), folder.join(to)).map_err(failed)?;
    }
    Ok(folder.join("Cargo.toml"))
}

/// The metadata of the stub's dependencies, which are fetched first unless `offline`.
fn metadata(here: &Path, stub: &Path, offline: bool) -> Result<Vec<u8>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    // From this folder, so that the same configuration files apply as to the build around us.
    command.current_dir(here).args(["metadata", "--format-version", "1", "--locked", "--quiet", "--manifest-path"]);
    command.arg(stub);
    if offline {
        command.arg("--offline");
    }
    let output = command.output().map_err(|error| format!("cannot run {}: {error}", Path::new(&cargo).display()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
