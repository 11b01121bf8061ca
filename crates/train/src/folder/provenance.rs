//! The program and the machine of a run. They are stored with it, so that metrics can be compared later, and so that a
//! run that resumes with other arithmetic reports it.

use super::fingerprint::fingerprint;
use crate::agent::environments::ExternalEnvironment;
use crate::system::field_of;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The commit that the program is built from, once the program has said so.
static COMMIT: OnceLock<&str> = OnceLock::new();

/// Lets every run folder that this process writes to name the commit that the program is built from. Only the first call
/// has an effect.
pub fn record_commit(commit: &'static str) {
    let _ = COMMIT.set(commit);
}

/// Program and machine, as a run folder's `config.toml` keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProvenance {
    /// The program's version.
    pub dreamgraft: String,
    /// The commit that it was built from, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How it was built: profile, architecture, system.
    pub build: String,
    /// The model name of the CPU.
    pub processor: String,
    /// Cores that the program may use.
    pub cores: usize,
    /// The operating system.
    pub system: String,
    /// The device of the gradient steps; `None` for the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The parts of the arithmetic on which the last bits of results depend.
    #[serde(flatten)]
    pub arithmetic: Arithmetic,
    /// The external environments that it was trained in, by the task's name.
    #[serde(default, rename = "worlds", skip_serializing_if = "BTreeMap::is_empty")]
    pub external: BTreeMap<String, ExternalProvenance>,
}

/// The recorded part of an external environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalProvenance {
    /// The programs that it is made of.
    #[serde(rename = "made_by")]
    pub programs: String,
    /// Whether the same seed and the same actions gave the same episode when that was tried.
    pub repeatable: bool,
}

/// The values on which the last bits of a run depend besides the program. Run folders of earlier versions do not record
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arithmetic {
    /// The SIMD instruction set of the kernels, such as `avx512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simd: Option<String>,
    /// A hash of results of mathematical functions: 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl Arithmetic {
    /// That of this process.
    pub fn here() -> Self {
        Self { simd: Some(tape::SimdInstructionSet::current().name().to_owned()), fingerprint: Some(fingerprint()) }
    }

    /// A note for a run that was computed with `self` so far and resumes with `now`; `None` if no difference is known.
    pub fn change(&self, now: &Self) -> Option<String> {
        let changed = |what: &str, was: &Option<String>, now: &Option<String>| match (was, now) {
            (Some(was), Some(now)) if was != now => Some(format!("{what} (was {was}, now {now})")),
            _ => None,
        };
        let changes = [
            changed("the SIMD instruction set", &self.simd, &now.simd),
            changed("the fingerprint of the mathematical functions", &self.fingerprint, &now.fingerprint),
        ];
        let changes: Vec<String> = changes.into_iter().flatten().collect();
        (!changes.is_empty()).then(|| {
            format!(
                "{} changed since the last session of this run: the run is still valid, but it will not be bitwise \
                 identical to an uninterrupted run",
                changes.join(" and ")
            )
        })
    }
}

impl RunProvenance {
    /// This program on this machine, the device that it learns on, if any, and the environments of other programs. Values that
    /// the system does not report are `unknown`.
    pub fn here(device: Option<String>, external: &[ExternalEnvironment]) -> Self {
        use std::env::consts::{ARCH, OS};
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        let processor = field_of("/proc/cpuinfo", "model name", ':');
        let system = field_of("/etc/os-release", "PRETTY_NAME", '=').map(|name| name.trim_matches('"').to_owned());
        Self {
            dreamgraft: env!("CARGO_PKG_VERSION").to_owned(),
            commit: COMMIT.get().map(|&commit| commit.to_owned()),
            build: format!("{profile} {ARCH} {OS}"),
            processor: processor.unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: system.unwrap_or_else(|| OS.to_owned()),
            device,
            arithmetic: Arithmetic::here(),
            external: external.iter().map(ExternalProvenance::of).collect(),
        }
    }
}

impl ExternalProvenance {
    fn of(external: &ExternalEnvironment) -> (String, Self) {
        (external.task.clone(), Self { programs: external.programs.clone(), repeatable: external.repeatable })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        let here = RunProvenance::here(None, &[]);
        assert!(here.cores >= 1 && !here.dreamgraft.is_empty() && !here.processor.is_empty(), "{here:?}");
    }

    #[test]
    fn a_change_of_arithmetic_is_named() {
        let of = |simd: &str, fingerprint: &str| Arithmetic {
            simd: Some(simd.to_owned()),
            fingerprint: Some(fingerprint.to_owned()),
        };
        let was = of("avx512", "00ff");
        let change = |now: &Arithmetic| was.change(now).unwrap_or_default();
        assert_eq!(change(&of("avx512", "00ff")), "");
        let (simd, math) =
            ("SIMD instruction set (was avx512, now avx2)", "mathematical functions (was 00ff, now 11ee)");
        let notes = [of("avx2", "00ff"), of("avx512", "11ee"), of("avx2", "11ee")].map(|now| change(&now));
        assert_eq!([0, 1, 2].map(|one| notes[one].contains(simd)), [true, false, true], "{notes:?}");
        assert_eq!([0, 1, 2].map(|one| notes[one].contains(math)), [false, true, true], "{notes:?}");
        // A value that an earlier version did not record is not a change.
        assert_eq!(Arithmetic::default().change(&was), None);
    }

    #[test]
    fn arithmetic_is_written_and_read() {
        let here = RunProvenance::here(None, &[]);
        let text = toml::to_string(&here).unwrap();
        assert_eq!(toml::from_str::<RunProvenance>(&text).unwrap(), here, "{text}");
        assert_eq!(toml::from_str::<Arithmetic>(&text).unwrap(), Arithmetic::here(), "{text}");
    }
}
