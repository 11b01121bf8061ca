//! Which program on which machine made a run: kept with it, so that figures can be compared later.

use serde::{Deserialize, Serialize};

/// Program and machine, as a run folder's `config.toml` keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// The program's version.
    pub dreamgraft: String,
    /// How it was built: profile, architecture, system.
    pub build: String,
    /// The processor's model name.
    pub processor: String,
    /// Cores that the program may use.
    pub cores: usize,
    /// The operating system.
    pub system: String,
    /// The device that gradient steps were taken on; none if it was the processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl MadeBy {
    /// This program on this machine, and the device that it learns on, if any. What the system does not tell is `unknown`.
    pub fn here(device: Option<String>) -> Self {
        use std::env::consts::{ARCH, OS};
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        let processor = field_of("/proc/cpuinfo", "model name", ':');
        let system = field_of("/etc/os-release", "PRETTY_NAME", '=').map(|name| name.trim_matches('"').to_owned());
        Self {
            dreamgraft: env!("CARGO_PKG_VERSION").to_owned(),
            build: format!("{profile} {ARCH} {OS}"),
            processor: processor.unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: system.unwrap_or_else(|| OS.to_owned()),
            device,
        }
    }
}

/// Bytes of memory that this process holds now, where the system tells (Linux).
pub fn resident_bytes() -> Option<u64> {
    // Field 24 of stat and field 2 of statm count pages; status gives kibibytes, whatever the page size.
    let kibibytes = field_of("/proc/self/status", "VmRSS", ':')?;
    kibibytes.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The most bytes of memory that this process ever held, where the system tells (Linux).
pub fn peak_resident_bytes() -> Option<u64> {
    let kibibytes = field_of("/proc/self/status", "VmHWM", ':')?;
    kibibytes.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The first value of `key` in a file of `key<separator>value` lines.
fn field_of(path: &str, key: &str, separator: char) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(separator)?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        let here = MadeBy::here(None);
        assert!(here.cores >= 1 && !here.dreamgraft.is_empty() && !here.processor.is_empty(), "{here:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn resident_memory_covers_what_is_allocated() {
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(resident_bytes().unwrap() >= block.len() as u64);
    }
}
