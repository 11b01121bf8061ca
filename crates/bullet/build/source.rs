//! Where Bullet's sources come from: cargo's own registry folder, or one that the user names.
//!
//! The crate `rubullet-sys` carries the whole source. It is not a dependency of ours, since its own build wants cmake; a
//! stub package (`source/Cargo.toml`, with its lock file) names it instead, and cargo fetches it and verifies its
//! checksum as it would any dependency: mirrors, vendoring and offline mode as configured.

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

/// The folder in `BULLET_SRC`, else that of the carrier crate, fetched if need be.
pub fn find(here: &Path) -> Result<Sources, String> {
    if let Some(folder) = std::env::var_os(OVERRIDE) {
        println!("cargo:rerun-if-changed={}", folder.to_string_lossy());
        return Ok(Sources { folder: folder.into(), fixed: false });
    }
    let stub = here.join("source/Cargo.toml");
    // Sources that are already here do not need the network, so a build after `cargo fetch` works offline.
    let metadata = match metadata(here, &stub, true) {
        Ok(metadata) => metadata,
        Err(_) => metadata(here, &stub, false).map_err(|reason| {
            format!(
                "The C++ sources of the simulator Bullet (inside crate {}) could not be fetched:\n{reason}\n\
                 Without network: run `cargo fetch --manifest-path {}` once where there is one,\n\
                 or unpack Bullet 3.08 and name its folder in {OVERRIDE}.",
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
