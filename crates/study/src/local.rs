//! The launcher of this machine: a pool of processes, each one run.
//!
//! A run starts when the runs on which it depends are finished. A failed run stops only the runs that depend on it. A
//! worker that was killed is restarted; if its run makes no progress, only a few times. Not here: resuming a run
//! (`train`), and why a worker failed (`workers`).

use crate::copied::CopiedRun;
use crate::launch::request;
use crate::manifest::{Entry, Manifest};
use crate::pilot::{self, Candidate, Next};
use crate::share::Sharing;
use crate::status::{failure_file, is_finished};
use crate::workers::{Workers, failure};
use crate::{StudyError, layout};
use environment::{EXTERNAL_FOLDER, external_folder};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use train::checkpoint::newest_state;
use train::{Frames, RunLock, RunRequest, TrainError};

/// The exit code of a run that was stopped by a signal after it saved a checkpoint, and resumes with the same command.
pub const STOPPED: i32 = 75;

/// How often a run whose worker was killed is started again without having saved a newer checkpoint meanwhile.
pub(crate) const RESTARTS: u32 = 5;

/// Time between two looks at the workers.
const LOOK: Duration = Duration::from_millis(100);

/// The runs to start, and how to start them.
pub struct Pool<'a> {
    /// The program.
    pub program: &'a Path,
    /// The study's folder.
    pub folder: &'a Path,
    /// Its runs.
    pub manifest: &'a Manifest,
    /// The most runs at once.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
    /// The runs as they are shared; `None` if nothing is recorded or shared.
    pub sharing: Option<&'a Sharing<'a>>,
    /// Whether the study file, its plans and its agents still are what the manifest was made from; asked before each start.
    pub unchanged: &'a dyn Fn() -> Result<(), StudyError>,
    /// The device of their gradient steps, as for `dreamgraft train --device`; `None` for the CPU.
    pub device: Option<&'a str>,
}

/// The events of a pool.
#[derive(Debug)]
pub enum PoolEvent<'a> {
    /// A run was started, or started again.
    Started {
        /// The run.
        entry: &'a Entry,
        /// How often its worker was killed.
        killed: u32,
    },
    /// A run is finished.
    Finished {
        /// The run.
        entry: &'a Entry,
    },
    /// A finished run was copied from the store.
    Copied {
        /// The run.
        entry: &'a Entry,
        /// The record of the copy.
        copied: &'a CopiedRun,
    },
    /// A run cannot be copied from the store or into it. It is trained, or stays finished.
    NotShared {
        /// The run.
        entry: &'a Entry,
        /// Why.
        why: &'a StudyError,
    },
    /// A candidate of a choice by pilot runs is dropped.
    Dropped {
        /// The run.
        entry: &'a Entry,
        /// Frames of the slice in which others were better.
        slice: u64,
    },
    /// A run failed.
    Failed {
        /// The run.
        entry: &'a Entry,
        /// Why, and where more stands.
        why: &'a str,
    },
    /// Another process works on a run: its end is waited for.
    Elsewhere {
        /// The run.
        entry: &'a Entry,
    },
    /// The workers received a signal to stop.
    Stopping {
        /// How many there are.
        workers: usize,
    },
}

/// How a pool ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Runs that are finished.
    pub finished: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Runs that were not started because another failed, or were stopped.
    pub left: usize,
    /// Whether it received a signal to stop.
    pub stopped: bool,
}

/// The pool's record of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Waiting,
    Finished,
    Failed,
}

/// How often the worker of a run was killed.
#[derive(Clone, Debug, Default)]
struct Tries {
    /// In all.
    killed: u32,
    /// Since the run last saved a newer checkpoint than the one that its worker began with.
    in_vain: u32,
    /// Frames and gradient steps in the checkpoint that its worker began with.
    began_at: Option<(u64, u64)>,
    /// The frames that its worker was asked for.
    until: u64,
}

impl Tries {
    /// Counts a worker that was killed and left a checkpoint with `saved`; whether it is started again.
    fn again(&mut self, saved: Option<(u64, u64)>) -> bool {
        self.killed += 1;
        self.in_vain = if saved > self.began_at { 0 } else { self.in_vain + 1 };
        self.in_vain <= RESTARTS
    }
}

impl Pool<'_> {
    /// Starts all runs that are not finished, until they are, or `interrupted` is set.
    ///
    /// # Errors
    /// If another `study run` works in the folder, a file or process cannot be made, or the study was changed meanwhile: then the
    /// runs that were started end first.
    pub fn run(&self, interrupted: &AtomicBool, listen: &mut dyn FnMut(&PoolEvent<'_>)) -> Result<Ended, StudyError> {
        let _lock = lock(self.folder)?;
        let logs = self.folder.join(layout::LOGS);
        files::create_folders(&logs).map_err(StudyError::io(&logs))?;
        // Files that cannot be removed do no harm.
        train::remove_unfinished(self.written(&logs))?;
        let entries = &self.manifest.entries;
        let done = |entry: &Entry| if is_finished(self.folder, entry) { Mark::Finished } else { Mark::Waiting };
        let mut marks: Vec<Mark> = entries.iter().map(done).collect();
        let mut workers = Workers { children: BTreeMap::new() };
        let mut tries = vec![Tries::default(); entries.len()];
        let mut elsewhere = vec![false; entries.len()];
        let (mut stopping, mut changed) = (false, None);
        let mut pilots = pilot::outcomes(self.folder, self.manifest);
        loop {
            if !stopping && interrupted.load(Ordering::Relaxed) {
                stopping = true;
                workers.stop();
                listen(&PoolEvent::Stopping { workers: workers.children.len() });
            }
            let ended = workers.ended()?;
            if ended.iter().any(|(index, _)| entries[*index].pilot.is_some()) {
                pilots = pilot::outcomes(self.folder, self.manifest);
            }
            for (index, status) in ended {
                let entry = &entries[index];
                match status.code() {
                    // A finished run that could not write to its log is finished all the same.
                    Some(0 | FAILED) if is_finished(self.folder, entry) => {
                        marks[index] = Mark::Finished;
                        listen(&PoolEvent::Finished { entry });
                        let sharing = self.sharing.filter(|_| entry.pilot.is_none());
                        if let Some(Err(why)) = sharing.map(|sharing| sharing.put(entry)) {
                            listen(&PoolEvent::NotShared { entry, why: &why });
                        }
                    }
                    // A candidate that has its slice waits for the others, or learns for longer.
                    Some(0) if pilot::has_more(&pilots, entry, tries[index].until) => {}
                    Some(STOPPED) | None if stopping => {}
                    // Killed, or stopped by another process.
                    Some(STOPPED) | None if tries[index].again(self.saved(entry)) => {}
                    _ => {
                        marks[index] = Mark::Failed;
                        let why = failure(status, &self.log(index));
                        let path = failure_file(self.folder, index);
                        files::write_atomically(&path, |file| writeln!(file, "{why}")).map_err(StudyError::io(path))?;
                        listen(&PoolEvent::Failed { entry, why: &why });
                    }
                }
            }
            let mut others = false;
            for entry in entries {
                if stopping || changed.is_some() {
                    break;
                }
                let index = entry.index;
                let ready = marks[index] == Mark::Waiting
                    && !workers.children.contains_key(&index)
                    && entry.after.iter().all(|first| marks[*first] == Mark::Finished);
                if !ready || workers.children.len() >= self.jobs {
                    continue;
                }
                let until = match pilot::candidate(&pilots, entry).map(|Candidate { next, .. }| next) {
                    None => entry.steps,
                    Some(Next::LearnUntil(frames)) => frames,
                    Some(Next::Wait) => continue,
                    Some(Next::Dropped(slice)) => {
                        marks[index] = Mark::Finished;
                        let slice = entry.pilot.as_ref().map_or(0, |pilot| pilot.slices[slice]);
                        listen(&PoolEvent::Dropped { entry, slice });
                        others = true;
                        continue;
                    }
                };
                if train::in_use(&self.folder.join(&entry.folder)) {
                    others = true;
                    if !std::mem::replace(&mut elsewhere[index], true) {
                        listen(&PoolEvent::Elsewhere { entry });
                    }
                    continue;
                }
                if elsewhere[index] && is_finished(self.folder, entry) {
                    marks[index] = Mark::Finished;
                    listen(&PoolEvent::Finished { entry });
                    others = true;
                    continue;
                }
                if let Err(error) = (self.unchanged)() {
                    changed = Some(error);
                    break;
                }
                // A candidate may end early, so it is not one of the runs that studies share.
                if let Some(sharing) = self.sharing.filter(|_| entry.pilot.is_none()) {
                    match sharing.fetch(entry) {
                        Ok(Some(copied)) => {
                            marks[index] = Mark::Finished;
                            listen(&PoolEvent::Copied { entry, copied: &copied });
                            others = true;
                            continue;
                        }
                        Ok(None) => {}
                        Err(why) => listen(&PoolEvent::NotShared { entry, why: &why }),
                    }
                    sharing.begin(entry)?;
                }
                listen(&PoolEvent::Started { entry, killed: tries[index].killed });
                (tries[index].began_at, tries[index].until) = (self.saved(entry), until);
                workers.children.insert(index, self.start(entry, until)?);
            }
            if workers.children.is_empty()
                && let Some(error) = changed
            {
                return Err(error);
            }
            if workers.children.is_empty() && !others {
                let count = |which: Mark| marks.iter().filter(|mark| **mark == which).count();
                let (finished, failed, left) = (count(Mark::Finished), count(Mark::Failed), count(Mark::Waiting));
                return Ok(Ended { finished, failed, left, stopped: stopping && left > 0 });
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The folders in which this process writes files.
    fn written(&self, logs: &Path) -> BTreeSet<PathBuf> {
        let records = self.folder.join(layout::IDENTITIES);
        let of_records = self.manifest.entries.iter().filter_map(|entry| entry.folder.parent());
        let of_records: BTreeSet<PathBuf> = of_records.map(|folder| records.join(folder)).collect();
        let of_records = of_records.into_iter().filter(|folder| folder.is_dir());
        of_records.chain([self.folder.to_owned(), logs.to_owned()]).collect()
    }

    /// Frames and gradient steps in the newest checkpoint of a run.
    fn saved(&self, entry: &Entry) -> Option<(u64, u64)> {
        let position = newest_state(&self.folder.join(&entry.folder))?.position;
        Some((position.frames.0, position.updates))
    }

    fn log(&self, index: usize) -> PathBuf {
        self.folder.join(layout::LOGS).join(format!("{index}.log"))
    }

    /// Starts a run as if its arguments had been typed in the folder of the study, but for a candidate that has only
    /// `until` frames for now.
    fn start(&self, entry: &Entry, until: u64) -> Result<Child, StudyError> {
        let path = self.log(entry.index);
        let _ = std::fs::remove_file(failure_file(self.folder, entry.index));
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            // Opening a pipe could wait for ever.
            return Err(TrainError::WrongKind { path, found: "folder, a pipe or a device", needed: "file" }.into());
        }
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(StudyError::io(&path))?;
        let errors = log.try_clone().map_err(StudyError::io(&path))?;
        // The number of threads changes no result; a device changes it by rounding.
        let (threads, device) = (Some(self.threads), self.device.map(str::to_owned));
        let request = RunRequest { threads, device, steps: Some(Frames(until)), ..request(entry) };
        let mut command = command(self.program, self.folder, &request);
        // In its own process group: only this process receives Ctrl-C, and it signals the workers.
        command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        command.spawn().map_err(|error| StudyError::Launch {
            program: self.program.display().to_string(),
            why: format!("cannot be started ({error}); `ulimit -a` shows the limits of processes and memory"),
        })
    }
}

/// Locks a study's folder.
fn lock(folder: &Path) -> Result<RunLock, StudyError> {
    RunLock::take_file(folder, layout::LOCK).map_err(|error| match error {
        TrainError::Busy { path, process, .. } => StudyError::Busy { folder: path, process },
        TrainError::Folder { path, source } => StudyError::Io { path, source },
        other => other.into(),
    })
}

/// The command that asks `program` for a run, in the study's folder.
pub fn command(program: &Path, folder: &Path, request: &RunRequest) -> Command {
    let mut command = Command::new(program);
    command.args(request.to_arguments()).current_dir(folder);
    // The run's environments are found from where this command was typed, as they are when a run is started alone.
    if let Some(here) = external_folder().or_else(|| std::env::current_dir().ok()) {
        command.env(EXTERNAL_FOLDER, here);
    }
    command
}

/// The code of a run that failed because of the system.
const FAILED: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Role;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_restarts_in_vain_are_counted() {
        let mut tries = Tries::default();
        let killed = |tries: &mut Tries, began_at, saved| {
            tries.began_at = began_at;
            tries.again(saved)
        };
        // A checkpoint each time: as often as it likes.
        for frames in 1..50 {
            assert!(killed(&mut tries, (frames > 1).then_some((frames - 1, 9)), Some((frames, 9))));
        }
        let (at, later) = (Some((49, 9)), Some((49, 10)));
        for _ in 0..RESTARTS {
            assert!(killed(&mut tries, at, at));
        }
        // Gradient steps alone are progress too.
        assert!(killed(&mut tries, at, later));
        for _ in 0..RESTARTS {
            assert!(killed(&mut tries, later, later));
        }
        assert!(!killed(&mut tries, later, later));
        assert_eq!(tries.killed, 49 + 2 * RESTARTS + 2);
    }

    #[test]
    fn a_worker_that_is_killed_before_any_checkpoint_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "#!/bin/sh\necho here >> started\nkill -KILL $$\n").unwrap();
        std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let entry = Entry {
            pilot: None,
            index: 0,
            role: Role::Target,
            tasks: vec!["hopper".into()],
            method: "baseline".into(),
            source: None,
            seed: 0,
            steps: 1000,
            folder: "runs/0".into(),
            after: Vec::new(),
            request: RunRequest::new(vec!["hopper".into()], "smoke"),
            arguments: Vec::new(),
        };
        let manifest = Manifest::new("mine", "", vec![entry]);
        let pool = Pool {
            program: &program,
            folder: folder.path(),
            manifest: &manifest,
            jobs: 1,
            threads: 1,
            sharing: None,
            unchanged: &|| Ok(()),
            device: None,
        };
        let unfinished = folder.path().join(".manifest.jsonl.77-0.partial");
        std::fs::write(&unfinished, "half").unwrap();
        let records = folder.path().join(layout::IDENTITIES).join("runs");
        std::fs::create_dir_all(&records).unwrap();
        let of_record = records.join(".0.77-1.partial");
        std::fs::write(&of_record, "half").unwrap();
        let mut failed = Vec::new();
        let ended = pool.run(&AtomicBool::new(false), &mut |event| {
            if let PoolEvent::Failed { why, .. } = event {
                failed.push((*why).to_owned());
            }
        });
        assert_eq!(ended.unwrap(), Ended { finished: 0, failed: 1, left: 0, stopped: false });
        assert!(failed[0].contains("signal 9") && failed[0].contains("no new checkpoint"), "{failed:?}");
        assert!(!unfinished.exists() && !of_record.exists());
        let started = std::fs::read_to_string(folder.path().join("started")).unwrap();
        assert_eq!(started.lines().count(), 1 + RESTARTS as usize);
    }
}
