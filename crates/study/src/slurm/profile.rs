//! The profile of a cluster: what each run requests from it.
//!
//! Here: its keys, and which of them hold for a run. Not here: the scripts (`script`).

use crate::StudyError;
use crate::manifest::Role;
use crate::study_file::contents;
use serde::Deserialize;
use std::path::Path;

/// The resources that runs request from the cluster: `--profile FILE`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// `--partition`; the cluster's default if none is given.
    pub partition: Option<String>,
    /// Cores of a task, and threads of its run.
    pub cpus: Option<usize>,
    /// `--mem`; if none is given, what the run is estimated to need; if it is empty, the cluster's default.
    pub memory: Option<String>,
    /// `--time`.
    pub time: Option<String>,
    /// Seconds before its time limit at which a task receives the signal to save a checkpoint; if none are given, more for larger
    /// checkpoints.
    pub signal_lead: Option<u64>,
    /// More lines for the head of the scripts, such as `#SBATCH --account=mine` or `module load gcc`.
    pub lines: Vec<String>,
    /// What differs for sources.
    pub source: Part,
    /// What differs for targets.
    pub target: Part,
}

/// The keys of a profile that replace the general ones for sources or for targets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Part {
    /// As [`Profile::partition`].
    pub partition: Option<String>,
    /// As [`Profile::cpus`].
    pub cpus: Option<usize>,
    /// As [`Profile::memory`].
    pub memory: Option<String>,
    /// As [`Profile::time`].
    pub time: Option<String>,
    /// As [`Profile::signal_lead`].
    pub signal_lead: Option<u64>,
    /// Lines after the general ones.
    pub lines: Vec<String>,
}

/// The resources of the runs of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resources {
    pub partition: Option<String>,
    pub cpus: usize,
    pub memory: Option<String>,
    pub time: Option<String>,
    pub signal_lead: u64,
    pub lines: Vec<String>,
}

/// Seconds before the time limit at which a run is asked to save a checkpoint, at least.
const SHORTEST_LEAD: u64 = 120;

/// Seconds for everything but writing the checkpoint: a gradient step, and Slurm's signals, which may come a minute late.
const LEAD: u64 = 90;

/// The longest lead that Slurm accepts, in seconds.
const LONGEST_LEAD: u64 = 65_535;

/// Bytes of a checkpoint that a slow network file system is trusted to take in a second.
const BYTES_PER_SECOND: u64 = 10_000_000;

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// If the file cannot be read, or a key of it not be used.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let text = contents(path)?;
        let wrong = |place: String, why: String| StudyError::StudyFile { place, why };
        let profile: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            let why = transfer::plain(&error.message().split_whitespace().collect::<Vec<_>>().join(" "));
            wrong(format!("{} (line {line})", path.display()), why)
        })?;
        let parts = [("", profile.cpus), ("source.", profile.source.cpus), ("target.", profile.target.cpus)];
        match parts.iter().find(|(_, cpus)| *cpus == Some(0)) {
            Some((part, _)) => {
                let why = format!("{part}cpus = 0 is out of range: it must be at least 1");
                Err(wrong(path.display().to_string(), why))
            }
            None => Ok(profile),
        }
    }

    /// The resources of runs of a role that are estimated to need `memory` bytes with this many threads and write checkpoints of
    /// `checkpoint` bytes.
    pub(super) fn resources(&self, role: Role, memory: impl Fn(usize) -> u64, checkpoint: u64) -> Resources {
        let part = match role {
            Role::Source => &self.source,
            Role::Target => &self.target,
        };
        let cpus = part.cpus.or(self.cpus).unwrap_or(1);
        let estimated = || format!("{}M", memory(cpus).div_ceil(1 << 20));
        let lead = SHORTEST_LEAD.max(LEAD + checkpoint / BYTES_PER_SECOND).min(LONGEST_LEAD);
        Resources {
            partition: part.partition.clone().or_else(|| self.partition.clone()),
            cpus,
            memory: Some(part.memory.clone().or_else(|| self.memory.clone()).unwrap_or_else(estimated))
                .filter(|memory| !memory.is_empty()),
            time: part.time.clone().or_else(|| self.time.clone()),
            signal_lead: part.signal_lead.or(self.signal_lead).unwrap_or(lead),
            lines: self.lines.iter().chain(&part.lines).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_targets_have_resources_of_their_own() {
        let text = "partition = \"long\"\ncpus = 2\nlines = [\"a\"]\n[source]\ncpus = 10\nmemory = \"9G\"\n\
                    lines = [\"b\"]\n[target]\nmemory = \"\"\nsignal_lead = 7";
        let profile: Profile = toml::from_str(text).unwrap();
        let source = profile.resources(Role::Source, |cpus| (cpus as u64) << 30, 5_000_000_000);
        assert_eq!((source.cpus, source.memory.as_deref(), source.signal_lead), (10, Some("9G"), 590));
        assert_eq!((source.partition.as_deref(), source.lines), (Some("long"), vec!["a".to_owned(), "b".to_owned()]));
        let target = profile.resources(Role::Target, |_| 1, 0);
        assert_eq!((target.cpus, target.memory, target.signal_lead), (2, None, 7));
        let none = Profile::default().resources(Role::Target, |cpus| (cpus as u64) * (300 << 20) + 1, 1_000_000);
        assert_eq!((none.cpus, none.memory.as_deref(), none.signal_lead), (1, Some("301M"), 120));
        assert_eq!(Profile::default().resources(Role::Source, |_| 1, u64::MAX).signal_lead, 65_535);
    }

    #[test]
    fn profiles_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.toml");
        for (text, part) in [("[source]\ncpu = 3", "(line 2)"), ("[target]\ncpus = 0", "target.cpus = 0")] {
            std::fs::write(&path, text).unwrap();
            let message = Profile::read(&path).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("profile.toml"), "{message}");
        }
    }
}
