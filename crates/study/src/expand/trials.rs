//! Whether the transfers of a study can be done: that must not come to light only after its sources have been trained.
//!
//! Here: each method's transfer to each target, from agents as they are at the beginning of their runs, whose result is dropped. Not here:
//! the names of sources (`sources`, `existing`), and what a transfer needs from training, such as episodes to rank by.

use crate::StudyError;
use crate::manifest::{Entry, Manifest, Role};
use crate::study_file::LoadedStudy;
use environment::{Catalogue, Environment, Outcome, TaskError, TaskInfo, TaskOptions};
use random::Stream;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use train::{Origin, RunRequest, TrainError, try_beginning};
use transfer::{Source, TransferError};

/// Tries the transfers of a study's runs, one for each way in which they differ: not for each seed and fraction. Those from or to an
/// external environment that cannot be opened here are left out: its runs, which may be on other machines, say why.
///
/// # Errors
/// The first transfer that cannot be done.
pub fn check_transfers(read: &LoadedStudy, catalogue: &dyn Catalogue, manifest: &Manifest) -> Result<(), StudyError> {
    let folders = manifest.entries.iter().map(|entry| (&*entry.folder, entry)).collect();
    let (catalogue, agents) = (Described(catalogue), BTreeMap::new());
    let mut trials = Trials { catalogue, manifest, folders, agents, closed: BTreeSet::new() };
    let mut seen = BTreeSet::new();
    for entry in &manifest.entries {
        let request = &entry.request;
        if !transfers(&request.origin) || !seen.insert(way(entry)) || !trials.can_open(entry) {
            continue;
        }
        for request in one_by_one(request) {
            let from: Vec<String> =
                agents_of(&request.origin).iter().map(|agent| agent.display().to_string()).collect();
            let from = wording::first_of(&from, ", ", "agents");
            trials.begin(&request).map_err(|error| {
                let place = match entry.role {
                    Role::Source => format!("{}, the source in {}", read.path.display(), entry.folder.display()),
                    _ => {
                        let (method, tasks) = (&entry.method, entry.tasks.join(", "));
                        format!("{}, method {method:?} on {tasks} from {from}", read.path.display())
                    }
                };
                match error {
                    // The agent, not what the study does with it, is at fault.
                    TrainError::Transfer(TransferError::Source(_)) => StudyError::Agent { place, why: Box::new(error) },
                    _ => StudyError::StudyFile { place, why: error.to_string() },
                }
            })?;
        }
        // Agents of one target's sources in memory are enough.
        trials.agents.clear();
    }
    Ok(())
}

/// Whether a run starts from agents that the study trains, or names. The sources of a plan may be anything that exists when it begins.
fn transfers(origin: &Origin) -> bool {
    !agents_of(origin).is_empty()
}

/// The agents that a run starts from; none if a plan names them itself.
pub(crate) fn agents_of(origin: &Origin) -> Vec<&PathBuf> {
    match origin {
        Origin::Random | Origin::Plan { .. } => Vec::new(),
        Origin::Agent { from, .. } => vec![from],
        Origin::Agents { from, .. } | Origin::Soup { from, .. } => from.iter().collect(),
        Origin::Universal { encoder, rewards, .. } => rewards.iter().chain([encoder]).collect(),
    }
}

/// Everything about a run on which it depends whether its transfer can be done.
fn way(entry: &Entry) -> (&[String], &[String], &str, Option<&Path>, &str) {
    let RunRequest { settings, origin, .. } = &entry.request;
    let (kind, plan) = match origin {
        Origin::Agent { plan, .. } => ("agent", plan.as_deref()),
        Origin::Agents { plan, .. } => ("agents", plan.as_deref()),
        Origin::Universal { plan, .. } => ("universal", plan.as_deref()),
        Origin::Soup { plan, .. } => ("soup", Some(&**plan)),
        Origin::Random | Origin::Plan { .. } => ("", None),
    };
    let source = match entry.role {
        // Without the seed.
        Role::Source => entry.folder.parent().and_then(Path::to_str).unwrap_or_default(),
        Role::Target => entry.source.as_deref().unwrap_or_default(),
        // Without the plan and the fraction.
        Role::Candidate => entry.source.as_deref().and_then(|source| source.split(", ").next()).unwrap_or_default(),
    };
    (&entry.tasks, settings, source, plan, kind)
}

/// The request, or, if it leaves a choice among agents, a request for each of them: the choice itself needs episodes.
fn one_by_one(request: &RunRequest) -> Vec<RunRequest> {
    let Origin::Agents { from, plan, fraction, .. } = &request.origin else { return vec![request.clone()] };
    let of_one = |from: &PathBuf| {
        let (from, plan, fraction) = (from.clone(), plan.clone(), *fraction);
        RunRequest { origin: Origin::Agent { from, plan, fraction, untrained: false }, ..request.clone() }
    };
    from.iter().map(of_one).collect()
}

/// The tasks of a catalogue, for those who want to know their shapes alone: an external environment is opened once, to ask for its
/// description, and cannot be played.
#[derive(Clone, Copy)]
struct Described<'a>(&'a dyn Catalogue);

impl Catalogue for Described<'_> {
    fn tasks(&self) -> &[TaskInfo] {
        self.0.tasks()
    }

    fn make(&self, name: &str, options: &TaskOptions) -> Result<Box<dyn Environment>, TaskError> {
        match is_external(name) {
            true => Ok(Box::new(Description(self.info(name, options)?))),
            false => self.0.make(name, options),
        }
    }

    fn info(&self, name: &str, options: &TaskOptions) -> Result<TaskInfo, TaskError> {
        self.0.info(name, options)
    }
}

/// The description of an environment in its place.
struct Description(TaskInfo);

impl Description {
    fn refuse(&self) -> TaskError {
        TaskError::NoEpisode { task: self.0.name.clone() }
    }
}

impl Environment for Description {
    fn info(&self) -> &TaskInfo {
        &self.0
    }

    fn reset(&mut self, _: &mut Stream, _: &mut [u8]) -> Result<(), TaskError> {
        Err(self.refuse())
    }

    fn step(&mut self, _: &[f32], _: &mut [u8]) -> Result<Outcome, TaskError> {
        Err(self.refuse())
    }
}

/// Whether a task is an external environment.
pub(crate) fn is_external(task: &str) -> bool {
    task.contains(':')
}

/// The agents of a study at the beginning of their runs.
struct Trials<'a> {
    catalogue: Described<'a>,
    manifest: &'a Manifest,
    folders: BTreeMap<&'a Path, &'a Entry>,
    /// Those that were made.
    agents: BTreeMap<PathBuf, Source<f32>>,
    /// The external environments that could not be opened.
    closed: BTreeSet<String>,
}

impl Trials<'_> {
    /// Whether the external environments of the run, and of those that it starts from, can be opened.
    fn can_open(&mut self, entry: &Entry) -> bool {
        // What is wrong with a configuration is said when the run is tried.
        let Ok(options) = entry.request.configuration().map(|config| config.task) else { return true };
        for task in entry.tasks.iter().filter(|task| is_external(task)) {
            // One that failed may have taken its time.
            if self.closed.contains(task) || self.catalogue.info(task, &options).is_err() {
                self.closed.insert(task.clone());
                return false;
            }
        }
        let manifest = self.manifest;
        entry.after.iter().all(|index| self.can_open(&manifest.entries[*index]))
    }

    /// The agent with which the run would begin.
    fn begin(&mut self, request: &RunRequest) -> Result<Source<f32>, TrainError> {
        let (plan, config, catalogue) = (request.plan()?, request.configuration()?, self.catalogue);
        try_beginning(&catalogue, &config, plan.as_ref(), &mut |path| self.planned(path))
    }

    /// The agent with which the run in this folder will begin; `None` if it is not one of the study.
    fn planned(&mut self, folder: &Path) -> Result<Option<Source<f32>>, TrainError> {
        let Some(entry) = self.folders.get(folder).copied() else { return Ok(None) };
        if !self.agents.contains_key(folder) {
            let agent = self.begin(&entry.request)?;
            self.agents.insert(folder.to_owned(), agent);
        }
        Ok(self.agents.get(folder).cloned())
    }
}
