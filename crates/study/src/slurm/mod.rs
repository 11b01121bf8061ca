//! The launcher of Slurm clusters: scripts that a person can read, and their submission.
//!
//! A job array for the runs that come after the same runs. Here: writing and submitting scripts. What a run requests:
//! `profile`; which runs are an array: `arrays`; the text of a script: `script`. Not here: the work of a task of an array, which
//! is `dreamgraft study run-one`.

mod arrays;
mod profile;
mod script;

pub use profile::{Part, Profile};

use crate::manifest::Manifest;
use crate::status::is_finished;
use crate::{StudyError, layout};
use arrays::{Array, arrays};
use script::Paths;
use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use train::Needs;

/// In the folder of the scripts: numbers of the jobs that were submitted last, one a line.
const JOBS_FILE: &str = "jobs";

/// Slurm's default of `MaxArraySize`: one more than the highest number of a task.
const USUAL_ARRAY: usize = 1001;

/// The data of the scripts.
#[derive(Debug)]
pub struct Scripts<'a> {
    /// The program, by a path that the cluster's machines know.
    pub program: &'a Path,
    /// The study file, as an absolute path too.
    pub study_file: &'a Path,
    /// The study's folder, likewise.
    pub folder: &'a Path,
    /// Its runs.
    pub manifest: &'a Manifest,
    /// The estimated needs of each run.
    pub needs: &'a [Needs],
    /// Resources.
    pub profile: &'a Profile,
    /// The most tasks of an array ([`largest_array`]).
    pub most: usize,
    /// The store of shared runs, as an absolute path.
    pub share: Option<&'a Path>,
    /// The device of the gradient steps, as for `dreamgraft train --device`; `None` for the CPU.
    pub device: Option<&'a str>,
}

/// A job array that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its script.
    pub script: PathBuf,
    /// Numbers of its runs, by the index of the task.
    pub runs: Vec<usize>,
    /// Numbers of the unfinished runs that come before each of them.
    pub after: Vec<usize>,
}

impl Scripts<'_> {
    /// Writes a script for each array of runs that are not finished, in an order in which they can be submitted.
    ///
    /// # Errors
    /// If a path cannot stand in a script, or a file cannot be written.
    pub fn write(&self) -> Result<Vec<Written>, StudyError> {
        if let Some(entry) = self.manifest.entries.iter().find(|entry| entry.pilot.is_some()) {
            return Err(StudyError::PilotOnSlurm { method: entry.method.clone() });
        }
        let paths = [Some(self.program), Some(self.study_file), Some(self.folder), self.share];
        paths.into_iter().flatten().try_for_each(check_path)?;
        let folder = self.folder.join(layout::SLURM);
        for path in [&folder, &self.folder.join(layout::LOGS)] {
            files::create_folders(path).map_err(StudyError::io(path))?;
        }
        let paths = Paths {
            program: self.program,
            study_file: self.study_file,
            folder: self.folder,
            study: &self.manifest.header.study,
            share: self.share,
            device: self.device,
        };
        let arrays = arrays(self.manifest, |entry| is_finished(self.folder, entry), self.most);
        let mut written = Vec::new();
        for (number, array) in arrays.into_iter().enumerate() {
            let needs = || array.runs.iter().map(|run| &self.needs[*run]);
            let memory = |threads: usize| needs().map(|needs| needs.memory(threads)).max().unwrap_or(0);
            let checkpoint = needs().map(|needs| needs.checkpoint).max().unwrap_or(0);
            let resources = self.profile.resources(array.role, memory, checkpoint);
            let script = folder.join(format!("array-{number}.sh"));
            let text = paths.script(number, &array, &resources);
            files::write_atomically(&script, |file| file.write_all(text.as_bytes()))
                .map_err(StudyError::io(&script))?;
            let Array { after, runs, .. } = array;
            written.push(Written { script, runs, after });
        }
        remove_from(&folder, written.len())?;
        Ok(written)
    }
}

/// Refuses a path that a script of Slurm cannot contain: a line of it is text, and has an end.
fn check_path(path: &Path) -> Result<(), StudyError> {
    if path.to_str().is_some_and(|text| !text.chars().any(char::is_control)) {
        return Ok(());
    }
    let why = "a script for Slurm cannot contain this path, which is not UTF-8 or has a control character; rename the file or \
               folder";
    Err(StudyError::StudyFile { place: wording::shell_word(path), why: why.to_owned() })
}

/// Removes scripts of an earlier submission that had more arrays: those with the number `first` and above.
fn remove_from(folder: &Path, first: usize) -> Result<(), StudyError> {
    for number in first.. {
        let script = folder.join(format!("array-{number}.sh"));
        match std::fs::remove_file(&script) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(error) => return Err(StudyError::io(script)(error)),
        }
    }
    Ok(())
}

/// The most tasks that an array may have on this cluster: the value that `scontrol` reports, or Slurm's default if it
/// does not answer.
pub fn largest_array() -> usize {
    let output = Command::new("scontrol").args(["show", "config"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    array_size(&text).unwrap_or(USUAL_ARRAY)
}

/// `MaxArraySize` in the output of `scontrol show config`.
fn array_size(config: &str) -> Option<usize> {
    let (_, value) =
        config.lines().find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == "MaxArraySize"))?;
    value.trim().parse().ok()
}

/// Submits the scripts, each so that it starts once all runs before its own have succeeded; the number of each job.
///
/// # Errors
/// If jobs that were submitted before are still queued or running, or `sbatch` is not there, or refuses.
pub fn submit(folder: &Path, arrays: &[Written]) -> Result<Vec<String>, StudyError> {
    let noted = folder.join(layout::SLURM).join(JOBS_FILE);
    let queued = queued(&noted)?;
    if !queued.is_empty() {
        return Err(StudyError::Queued { folder: folder.to_owned(), jobs: queued.join(" ") });
    }
    let mut jobs: Vec<String> = Vec::new();
    // The task of each submitted run, as Slurm names it.
    let mut tasks: BTreeMap<usize, String> = BTreeMap::new();
    for array in arrays {
        let mut command = Command::new("sbatch");
        command.args(["--parsable", "--kill-on-invalid-dep=yes"]);
        let after: Vec<&str> = array.after.iter().filter_map(|run| Some(tasks.get(run)?.as_str())).collect();
        if !after.is_empty() {
            command.arg(format!("--dependency=afterok:{}", after.join(":")));
        }
        let refuse = |why: String| StudyError::Launch { program: "sbatch".to_owned(), why };
        let output = command.arg(&array.script).output();
        let output = output.map_err(|error| {
            refuse(format!(
                "cannot be started ({error}); run this command on a machine that can submit jobs, or submit {} by hand",
                array.script.display()
            ))
        })?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let submitted = match jobs.as_slice() {
                [] => String::new(),
                jobs => format!("; the arrays before it were submitted (scancel {} cancels them)", jobs.join(" ")),
            };
            return Err(refuse(format!(
                "rejects {}: {}{submitted}",
                array.script.display(),
                text.trim().replace('\n', "; ")
            )));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let job = text.trim().split(';').next().unwrap_or_default().to_owned();
        tasks.extend(array.runs.iter().enumerate().map(|(task, run)| (*run, format!("{job}_{task}"))));
        jobs.push(job);
        // After each: if a later one is refused, these are queued all the same.
        files::write_atomically(&noted, |file| writeln!(file, "{}", jobs.join("\n")))
            .map_err(StudyError::io(&noted))?;
    }
    Ok(jobs)
}

/// The most bytes of a list of jobs.
const LARGEST_NOTE: u64 = 1 << 20;

/// Of the jobs that the file `noted` names, those that Slurm still has in its queue.
fn queued(noted: &Path) -> Result<Vec<String>, StudyError> {
    let noted = match files::read_text(noted, LARGEST_NOTE) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        other => other.map_err(|error| StudyError::io(noted)(error.into()))?,
    };
    let refuse = |why: String| StudyError::Launch { program: "squeue".to_owned(), why };
    // The whole queue: `--jobs` refuses numbers that Slurm has forgotten.
    let output = Command::new("squeue").args(["--noheader", "--format=%F"]).output();
    let output = output.map_err(|error| {
        refuse(format!(
            "cannot be started ({error}), so the queued jobs are unknown; run this command on a machine that can \
             submit jobs"
        ))
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(refuse(format!("cannot list the queued jobs: {}", text.trim().replace('\n', "; "))));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let queue: HashSet<&str> = text.split_whitespace().collect();
    Ok(noted.lines().filter(|job| queue.contains(job)).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_array_is_what_slurm_reports() {
        let text = "Configuration data as of 2026\nMaxArraySize            = 40\nMaxJobCount             = 10000\n";
        assert_eq!(array_size(text), Some(40));
        assert_eq!(array_size("slurm_load_ctl_conf error"), None);
    }

    #[test]
    fn scripts_of_earlier_submissions_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["array-0.sh", "array-1.sh", "array-2.sh", "mine.sh"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        remove_from(folder.path(), 1).unwrap();
        let left = |name: &str| folder.path().join(name).exists();
        assert!(left("array-0.sh") && left("mine.sh") && !left("array-1.sh") && !left("array-2.sh"));
    }
}
