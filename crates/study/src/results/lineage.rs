//! The ancestors of a run: the runs that a manifest has before it.

use super::Ancestry;
use crate::expand::agents_of;
use crate::manifest::{Entry, Role};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use train::Origin;

/// The runs of a manifest, by which come after which.
pub struct Lineage<'a> {
    entries: &'a [Entry],
}

impl<'a> Lineage<'a> {
    /// That of these runs.
    pub fn new(entries: &'a [Entry]) -> Self {
        Self { entries }
    }

    /// Whether `entry` may start from agents that are not runs of the manifest, whose folders are relative to the study's.
    pub fn is_incomplete(&self, entry: &Entry) -> bool {
        let is_outside = |path: &PathBuf| path.is_absolute();
        entry.after.is_empty() || agents_of(&entry.request.origin).into_iter().any(is_outside)
    }

    /// Every source of `entry`, and theirs, each once.
    fn sources(&self, entry: &Entry) -> BTreeSet<usize> {
        let mut known = BTreeSet::new();
        let mut next: Vec<usize> = entry.after.clone();
        while let Some(index) = next.pop() {
            let source = self.entries.get(index).filter(|source| source.role == Role::Source);
            if let Some(source) = source.filter(|_| known.insert(index)) {
                next.extend(&source.after);
            }
        }
        known
    }

    /// The agents that `entry` learns from.
    pub fn ancestry(&self, entry: &Entry) -> Ancestry {
        let sources = self.sources(entry);
        let own = self.own(entry, &sources);
        let tasks: BTreeSet<&String> = own.iter().flat_map(|index| &self.entries[*index].tasks).collect();
        Ancestry {
            tasks: tasks.into_iter().cloned().collect(),
            direct: own.len(),
            agents: sources.iter().map(|index| agent(&self.entries[*index])).collect(),
            gaps: Vec::new(),
        }
    }

    /// The sources among `sources` whose tasks count as source tasks of `entry`. For a reward meta-model, these are the
    /// agents whose reward models it reads, but not the agent whose encoder it has. Otherwise, they are all sources
    /// except one from which other sources start. The agent that guides it, and the run whose
    /// episodes it rehearses, are always among them.
    fn own(&self, entry: &Entry, sources: &BTreeSet<usize>) -> BTreeSet<usize> {
        let read: BTreeSet<&Path> = match &entry.request.origin {
            Origin::Universal { rewards, .. } => rewards.iter().map(PathBuf::as_path).collect(),
            _ => BTreeSet::new(),
        };
        let rewards: BTreeSet<usize> =
            sources.iter().copied().filter(|index| read.contains(self.entries[*index].folder.as_path())).collect();
        let guide = entry.request.guide.as_deref();
        let rehearsed = entry.request.rehearse.as_ref().map(|rehearse| &*rehearse.from);
        let others = sources.iter().copied().filter(|index| {
            let folder = Some(&*self.entries[*index].folder);
            guide == folder || rehearsed == folder
        });
        if !rewards.is_empty() {
            return rewards.into_iter().chain(others).collect();
        }
        let below: BTreeSet<usize> = sources.iter().flat_map(|index| self.entries[*index].after.clone()).collect();
        sources.difference(&below).copied().chain(others).collect()
    }
}

/// The agent of a run: its folder, and the frames that it trains for.
fn agent(entry: &Entry) -> (String, u64) {
    (entry.folder.display().to_string(), entry.steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::RunRequest;

    fn entry(index: usize, role: Role, tasks: &[&str], steps: u64, after: &[usize]) -> Entry {
        Entry {
            pilot: None,
            index,
            role,
            tasks: tasks.iter().map(|task| (*task).to_owned()).collect(),
            method: "x".to_owned(),
            source: None,
            seed: 0,
            steps,
            folder: format!("{index}").into(),
            after: after.to_vec(),
            request: RunRequest::new(Vec::new(), "smoke"),
            arguments: Vec::new(),
        }
    }

    #[test]
    fn a_meta_model_has_the_sources_of_its_sources() {
        let entries = [
            entry(0, Role::Source, &["hopper", "ant"], 200, &[]),
            entry(1, Role::Source, &["walker2d"], 100, &[0]),
            entry(2, Role::Source, &["ant"], 100, &[0]),
            entry(3, Role::Target, &["half-cheetah"], 100, &[0, 1, 2]),
            entry(4, Role::Target, &["walker2d"], 100, &[0]),
            entry(5, Role::Target, &["walker2d"], 100, &[]),
        ];
        let found = |index: usize| {
            let found = Lineage::new(&entries).ancestry(&entries[index]);
            let (frames, Ancestry { tasks, direct, agents, .. }) = (found.frames(), found);
            (tasks, direct, frames, agents.into_keys().collect::<Vec<_>>())
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
        assert_eq!(found(3), (words(&["ant", "walker2d"]), 2, 400, words(&["0", "1", "2"])));
        assert_eq!(found(4), (words(&["ant", "hopper"]), 1, 200, words(&["0"])));
        assert_eq!(found(5), (vec![], 0, 0, vec![]));
    }

    #[test]
    fn an_encoder_that_no_reward_source_has_is_still_no_reward_source() {
        let universal = |rewards: &[&str]| Origin::Universal {
            encoder: "0".into(),
            rewards: rewards.iter().map(PathBuf::from).collect(),
            any_encoder: false,
            untrained: false,
            plan: None,
        };
        let mut target = entry(3, Role::Target, &["half-cheetah"], 100, &[0, 1, 2]);
        target.request.origin = universal(&["1", "2"]);
        let mut both = entry(4, Role::Target, &["half-cheetah"], 100, &[0, 1]);
        both.request.origin = universal(&["0", "1"]);
        let entries = [
            entry(0, Role::Source, &["hopper", "inverted-pendulum-swingup"], 200, &[]),
            entry(1, Role::Source, &["walker2d"], 100, &[]),
            entry(2, Role::Source, &["ant"], 100, &[]),
            target,
            both,
        ];
        let found = |index: usize| Lineage::new(&entries).ancestry(&entries[index]);
        assert_eq!(
            (found(3).tasks, found(3).direct, found(3).frames()),
            (vec!["ant".into(), "walker2d".into()], 2, 400)
        );
        assert_eq!(found(4).tasks, ["hopper", "inverted-pendulum-swingup", "walker2d"]);
    }

    #[test]
    fn runs_in_a_circle_or_out_of_range_do_no_harm() {
        let entries = [entry(0, Role::Source, &["ant"], 5, &[1, 9]), entry(1, Role::Source, &["ant"], 5, &[0])];
        assert_eq!(Lineage::new(&entries).ancestry(&entries[0]).frames(), 10);
    }
}
