//! Source agents: runs of the study, and agents that were trained before it.
//!
//! Here: [`SourceAgent`], and the agents that a `[[source]]` names by their paths. Not here: the runs of sources (`sources`), and
//! whether an agent's parameters fit a target (`trials`).

use super::Expansion;
use crate::StudyError;
use crate::place::place_of;
use crate::study_file::{Source, next_to};
use environment::file_name;
use std::path::PathBuf;
use train::{Policy, find_newest};
use transfer::TransferError;

/// An agent that methods start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceAgent {
    /// That of the run with this number.
    Run(usize),
    /// One that was trained before the study: its place among those of the expansion.
    Existing(usize),
}

/// An agent that was trained before the study.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    /// Its absolute path: a run, a checkpoint or an export.
    path: PathBuf,
    /// The tasks that it learned.
    tasks: Vec<String>,
    /// Its name among those of its source.
    name: String,
    /// SHA-256 of its file.
    sha256: String,
}

impl Existing {
    /// Its name in folders: those of two agents differ.
    pub fn of_folder(&self) -> String {
        format!("{}-{}", self.name, &self.sha256[..8])
    }
}

impl SourceAgent {
    /// The run that must be finished before its agent is there.
    pub fn run(self) -> Option<usize> {
        match self {
            Self::Run(index) => Some(index),
            Self::Existing(_) => None,
        }
    }
}

impl Expansion<'_> {
    /// The agent's folder: of a run, relative to the study's folder.
    pub(super) fn folder_of(&self, agent: SourceAgent) -> PathBuf {
        match agent {
            SourceAgent::Run(index) => self.entries[index].folder.clone(),
            SourceAgent::Existing(place) => self.existing[place].path.clone(),
        }
    }

    /// The tasks that the agent learns or learned.
    pub(super) fn tasks_of(&self, agent: SourceAgent) -> &[String] {
        match agent {
            SourceAgent::Run(index) => &self.entries[index].tasks,
            SourceAgent::Existing(place) => &self.existing[place].tasks,
        }
    }

    /// The agent's name among others: its tasks, and whether it is an untrained control.
    pub(super) fn name_of_agent(&self, agent: SourceAgent, untrained: bool) -> String {
        match agent {
            SourceAgent::Existing(place) => self.existing[place].name.clone(),
            SourceAgent::Run(_) => {
                let tasks = file_name(&self.tasks_of(agent).join("+"));
                if untrained { format!("{tasks}-untrained") } else { tasks }
            }
        }
    }

    /// Whether these are one agent, in one file or in copies of it.
    pub(super) fn is_same(&self, one: SourceAgent, other: SourceAgent) -> bool {
        match (one, other) {
            (SourceAgent::Existing(one), SourceAgent::Existing(other)) => {
                self.existing[one].sha256 == self.existing[other].sha256
            }
            _ => one == other,
        }
    }

    /// The agents that a source names by their paths.
    pub(super) fn add_existing(&mut self, key: &str, source: &Source) -> Result<Vec<SourceAgent>, StudyError> {
        let mut found: Vec<SourceAgent> = Vec::new();
        for (place, path) in source.agents.iter().flat_map(|agents| &agents.0).enumerate() {
            let key = format!("{key}.agents[{place}]");
            let path = next_to(&self.read.path, path);
            let path = path.canonicalize().map_err(|error| self.error(&key, format!("{}: {error}", path.display())))?;
            if path.to_str().is_none() {
                let why = "its path is not UTF-8, so the manifest cannot contain it; rename it";
                return Err(self.error(&key, format!("{}: {why}", path.display())));
            }
            if let Some(known) = self.existing.iter().position(|existing| existing.path == path) {
                let known = SourceAgent::Existing(known);
                if found.contains(&known) {
                    return Err(self.error(&key, format!("{} is listed twice; remove one", path.display())));
                }
                found.push(known);
                continue;
            }
            let unfit =
                |why| StudyError::Agent { place: place_of(&self.read.path, &self.read.text, &key), why: Box::new(why) };
            let learned = find_newest::<Policy>(&path).map_err(unfit)?;
            let sha256 =
                transfer::sha256_of(&source.name, &path).map_err(|error| unfit(TransferError::from(error).into()))?;
            // A checkpoint and its run, or a copy, would count as two agents.
            let same = |agent: &&SourceAgent| matches!(agent, SourceAgent::Existing(place) if self.existing[*place].sha256 == sha256);
            if let Some(same) = found.iter().find(same) {
                let same = self.folder_of(*same);
                let why = format!("it is the same agent as {}; remove one of them", same.display());
                return Err(self.error(&key, format!("{}: {why}", path.display())));
            }
            let tasks = learned.about.tasks;
            let base = file_name(&tasks.join("+"));
            let taken = |name: &String| self.existing.iter().any(|existing| existing.name == *name);
            let numbered = (2..).map(|number| format!("{base}-{number}"));
            let name = std::iter::once(base.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or_default();
            self.existing.push(Existing { path, tasks, name, sha256 });
            found.push(SourceAgent::Existing(self.existing.len() - 1));
        }
        Ok(found)
    }
}
