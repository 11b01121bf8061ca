//! The profile of a cluster: the resources that each run requests from it.
//!
//! Here: its keys, and which of them hold for a run. Not here: the scripts (`script`).

use crate::StudyError;
use crate::manifest::Role;
use crate::place::place_of;
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
    /// `--mem`; if none is given, the estimated memory of the run; if it is empty, the cluster's default.
    pub memory: Option<String>,
    /// `--time`.
    pub time: Option<String>,
    /// Seconds before its time limit at which a task receives the signal to save a checkpoint; if none are given, more for larger
    /// checkpoints.
    pub signal_lead: Option<u64>,
    /// More lines for the top of the scripts, such as `#SBATCH --account=mine` or `module load gcc`.
    pub lines: Vec<String>,
    /// The differences for sources.
    pub source: Part,
    /// The differences for targets.
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

impl Part {
    /// As [`Profile::check`].
    fn check(&self) -> Option<(String, String)> {
        let out_of_range = |key: &str, value: String, range: String| {
            Some((key.to_owned(), format!("{value} is out of range: it must be {range}")))
        };
        let refuse =
            |key: &str, value: &str, expected: &str| Some((key.to_owned(), format!("{value:?} is not {expected}")));
        if let Some(cpus) = self.cpus.filter(|cpus| !(1..=MOST_CPUS).contains(cpus)) {
            return out_of_range("cpus", cpus.to_string(), format!("a whole number from 1 to {MOST_CPUS}"));
        }
        if let Some(lead) = self.signal_lead.filter(|lead| !(1..=LONGEST_LEAD).contains(lead)) {
            return out_of_range("signal_lead", lead.to_string(), format!("from 1 to {LONGEST_LEAD} seconds"));
        }
        if let Some(name) = self.partition.as_deref().filter(|name| !is_name(name)) {
            let expected = "the name of a partition, or several with commas between them: it must have no spaces, quotes, \
                            backslashes or control characters";
            return refuse("partition", name, expected);
        }
        if let Some(memory) = self.memory.as_deref().filter(|memory| !memory.is_empty() && !is_memory(memory)) {
            let expected = "an amount of memory, such as \"8G\" or \"500M\"; \"\" stands for the cluster's default";
            return refuse("memory", memory, expected);
        }
        if let Some(time) = self.time.as_deref().filter(|time| !is_time(time)) {
            let expected = "a time, such as \"90\" (minutes), \"12:00:00\" or \"2-00:00:00\" (days first)";
            return refuse("time", time, expected);
        }
        let unprintable =
            |line: &&String| line.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t'));
        let (number, line) = self.lines.iter().enumerate().find(|(_, line)| unprintable(line))?;
        refuse(&format!("lines[{number}]"), line, "a line of a script: it has a control character; remove it")
    }
}

/// Whether Slurm can read it as the name of a partition, or several.
fn is_name(text: &str) -> bool {
    let letter = |letter: char| !letter.is_control() && !letter.is_whitespace() && !matches!(letter, '"' | '\'' | '\\');
    !text.is_empty() && !text.starts_with('-') && text.chars().all(letter)
}

/// Whether Slurm can read it as an amount of memory: a number with a unit, or without one for megabytes.
fn is_memory(text: &str) -> bool {
    let number = text.strip_suffix(['B', 'b']).filter(|rest| !rest.ends_with(|last: char| last.is_ascii_digit()));
    let number = number.unwrap_or(text);
    is_number(number.strip_suffix(['K', 'M', 'G', 'T', 'k', 'm', 'g', 't']).unwrap_or(number))
}

/// Whether Slurm can read it as a time: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, each of these after `days-` with hours
/// first, or none at all.
fn is_time(text: &str) -> bool {
    if ["infinite", "unlimited"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    is_number(days) && rest.split(':').count() <= 3 && rest.split(':').all(is_number)
}

/// Whether it is a whole number of a size that a cluster may have.
fn is_number(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
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

/// The most threads of a run.
const MOST_CPUS: usize = 4096;

/// The longest lead that Slurm accepts, in seconds.
const LONGEST_LEAD: u64 = 65_535;

/// Bytes of a checkpoint that a slow network file system is trusted to write in a second.
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
        match profile.check() {
            Some((key, why)) => Err(wrong(place_of(path, &text, &key), why)),
            None => Ok(profile),
        }
    }

    /// The first value that Slurm or the scripts could not read: its key, and why.
    fn check(&self) -> Option<(String, String)> {
        let general = Part {
            partition: self.partition.clone(),
            cpus: self.cpus,
            memory: self.memory.clone(),
            time: self.time.clone(),
            signal_lead: self.signal_lead,
            lines: self.lines.clone(),
        };
        let parts = [("", &general), ("source.", &self.source), ("target.", &self.target)];
        parts.into_iter().find_map(|(above, part)| {
            let (key, why) = part.check()?;
            Some((format!("{above}{key}"), why))
        })
    }

    /// The resources of runs of a role that are estimated to need `memory` bytes with this many threads and write checkpoints of
    /// `checkpoint` bytes.
    pub(super) fn resources(&self, role: Role, memory: impl Fn(usize) -> u64, checkpoint: u64) -> Resources {
        let part = match role {
            Role::Source => &self.source,
            Role::Target | Role::Candidate => &self.target,
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
        for (text, part) in [
            ("[source]\ncpu = 3", "(line 2)"),
            (
                "[target]\ncpus = 0",
                "(line 2), target.cpus: 0 is out of range: it must be a whole number from 1 to 4096",
            ),
            ("cpus = -1", "(line 1): "),
            ("cpus = 5000", "cpus: 5000 is out of range"),
            ("signal_lead = 65536", "signal_lead: 65536 is out of range: it must be from 1 to 65535 seconds"),
            ("[source]\nsignal_lead = 0", "source.signal_lead: 0 is out of range"),
            ("partition = \"a\\nb\"", "partition: \"a\\nb\" is not the name of a partition"),
            ("partition = \"\"", "partition: \"\" is not"),
            ("partition = \"a b\"", "no spaces"),
            ("partition = \"-a\"", "partition: "),
            ("[target]\nmemory = \"-3G\"", "(line 2), target.memory: \"-3G\" is not an amount of memory"),
            ("memory = \"much\"", "memory: \"much\""),
            ("memory = \"8 G\"", "memory: \"8 G\""),
            ("memory = \"1.5G\"", "memory: \"1.5G\""),
            ("time = \"-1\"", "time: \"-1\" is not a time"),
            ("time = \"1h\"", "time: \"1h\""),
            ("time = \"1:2:3:4\"", "time: \"1:2:3:4\""),
            ("time = \"\"", "time: \"\""),
            ("time = 60", "(line 1): "),
            ("lines = [\"a\", \"b\\u001b[31m\"]", "lines, entry 2: "),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = Profile::read(&path).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("profile.toml"), "{text}: {message}");
        }
    }

    #[test]
    fn what_slurm_reads_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.toml");
        for text in [
            "partition = \"long,gpu-a_100.x\"",
            "memory = \"\"",
            "memory = \"0\"",
            "memory = \"500\"",
            "memory = \"9G\"",
            "memory = \"9GB\"",
            "memory = \"2000m\"",
            "time = \"90\"",
            "time = \"90:30\"",
            "time = \"12:00:00\"",
            "time = \"2-00\"",
            "time = \"2-00:00:00\"",
            "time = \"UNLIMITED\"",
            "lines = [\"#SBATCH --account=mine\", \"\", \"module load gcc\\n\\tx\"]",
        ] {
            std::fs::write(&path, text).unwrap();
            Profile::read(&path).unwrap();
        }
    }
}
