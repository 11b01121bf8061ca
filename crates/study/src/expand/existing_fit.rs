//! Whether agents from before a study fit its targets: that must not come to light only after hours of other runs.
//!
//! Here: a transfer for one target of each method, whose result is dropped. Not here: the names of sources (`existing`), and transfers
//! from agents that the study has yet to train, which are checked when their targets begin.

use crate::StudyError;
use crate::manifest::{Entry, Manifest, Role};
use crate::study_file::LoadedStudy;
use environment::Catalogue;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use train::{Origin, RunRequest, TrainError, preview};

/// Tries the transfers of a study's targets that start only from agents which exist, one for each method, source and task.
///
/// # Errors
/// The first agent that cannot be read, or does not fit.
pub fn check_existing(read: &LoadedStudy, catalogue: &dyn Catalogue, manifest: &Manifest) -> Result<(), StudyError> {
    let trained: BTreeSet<&Path> = manifest.entries.iter().map(|entry| &*entry.folder).collect();
    let mut seen = BTreeSet::new();
    for entry in manifest.entries.iter().filter(|entry| entry.role != Role::Source) {
        let agents = agents_of(&entry.request.origin);
        let exist = !agents.is_empty() && agents.iter().all(|agent| !trained.contains(agent.as_path()));
        if !exist || !seen.insert((&entry.tasks, &entry.method, &entry.source)) {
            continue;
        }
        for request in one_by_one(&entry.request) {
            check(catalogue, &request).map_err(|error| StudyError::StudyFile {
                place: format!("{}, method {:?} on {}", read.path.display(), entry.method, named(entry)),
                why: error.to_string(),
            })?;
        }
    }
    Ok(())
}

fn named(entry: &Entry) -> String {
    entry.tasks.join(", ")
}

/// The agents that a run starts from; none if a plan names them itself.
fn agents_of(origin: &Origin) -> Vec<&PathBuf> {
    match origin {
        Origin::Random | Origin::Plan { .. } => Vec::new(),
        Origin::Agent { from, .. } => vec![from],
        Origin::Agents { from, .. } | Origin::Soup { from, .. } => from.iter().collect(),
        Origin::Universal { encoder, rewards, .. } => rewards.iter().chain([encoder]).collect(),
    }
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

fn check(catalogue: &dyn Catalogue, request: &RunRequest) -> Result<(), TrainError> {
    let Some(plan) = request.plan()? else { return Ok(()) };
    preview(catalogue, &request.configuration()?, &plan).map(|_| ())
}
