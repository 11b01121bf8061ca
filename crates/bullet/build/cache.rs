//! A cache of the compiled library, next to the folders of the profiles. All profiles share it, because Bullet is
//! compiled in the same way for each of them.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{HEADERS, LIBRARY, OURS, source};

/// A hash of everything that determines the library: the compiler, its options, the lock file of the stub, the list of
/// files and our own sources. An error gives the reason why the compiler does not run.
pub fn identity(tool: &cc::Tool, here: &Path) -> Result<String, String> {
    let version = Command::new(tool.path())
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot run {}: {error}", tool.path().display()))?;
    let mut hasher = DefaultHasher::new();
    (tool.path(), tool.args(), version.stdout).hash(&mut hasher);
    (std::env::var("TARGET").ok(), std::env::var("CXXFLAGS").ok()).hash(&mut hasher);
    for file in ["stub.lock", "files.txt"].into_iter().chain(OURS).chain(HEADERS) {
        let path = here.join("source").join(file);
        std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Puts the kept library into `out`, if there is one.
pub fn take(out: &Path, identity: &str) -> bool {
    std::env::var_os(source::OVERRIDE).is_none()
        && folder(out).is_some_and(|folder| copy(&kept(&folder, identity), &out.join(archive())).is_ok())
}

/// Keeps `out`'s library for other profiles. Failing to only costs them the time to compile it.
pub fn keep(out: &Path, identity: &str) {
    if let Some(folder) = folder(out)
        && std::fs::create_dir_all(&folder).is_ok()
    {
        let _ = copy(&out.join(archive()), &kept(&folder, identity));
    }
}

/// Copies through a temporary name, so that no process reads an incomplete file.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let part = to.with_extension(format!("part{}", std::process::id()));
    std::fs::copy(from, &part)?;
    std::fs::rename(&part, to)
}

fn archive() -> String {
    format!("lib{LIBRARY}.a")
}

fn kept(folder: &Path, identity: &str) -> PathBuf {
    folder.join(format!("lib{LIBRARY}-{identity}.a"))
}

/// `target/bullet`, found from `target/<profile>/build/<package>/out`; `None` where cargo lays out its folder otherwise.
fn folder(out: &Path) -> Option<PathBuf> {
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"))?;
    Some(build.parent()?.parent()?.join("bullet"))
}
