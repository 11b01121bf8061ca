//! Where a run's knowledge comes from: the runs that a manifest has before it.

use crate::manifest::{Entry, Role};
use std::collections::BTreeSet;

/// The runs of a manifest, by which come after which.
pub struct Lineage<'a> {
    entries: &'a [Entry],
}

impl<'a> Lineage<'a> {
    /// That of these runs.
    pub fn new(entries: &'a [Entry]) -> Self {
        Self { entries }
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

    /// Environment frames that the sources of `entry` train for, each once.
    pub fn frames(&self, entry: &Entry) -> u64 {
        self.sources(entry).iter().map(|index| self.entries[*index].steps).fold(0, u64::saturating_add)
    }

    /// The tasks that the sources of `entry` learn, sorted, but for those of a source that other sources begin with: it gives
    /// sight, and no reward.
    pub fn tasks(&self, entry: &Entry) -> Vec<String> {
        let sources = self.sources(entry);
        let below: BTreeSet<usize> = sources.iter().flat_map(|index| self.entries[*index].after.clone()).collect();
        let own = sources.iter().filter(|index| !below.contains(index));
        let tasks: BTreeSet<&String> = own.flat_map(|index| &self.entries[*index].tasks).collect();
        tasks.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: usize, role: Role, tasks: &[&str], steps: u64, after: &[usize]) -> Entry {
        Entry {
            index,
            role,
            tasks: tasks.iter().map(|task| (*task).to_owned()).collect(),
            method: "x".to_owned(),
            source: None,
            seed: 0,
            steps,
            folder: format!("{index}").into(),
            after: after.to_vec(),
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
        let lineage = Lineage::new(&entries);
        assert_eq!(
            (lineage.frames(&entries[3]), lineage.tasks(&entries[3])),
            (400, vec!["ant".into(), "walker2d".into()])
        );
        assert_eq!(
            (lineage.frames(&entries[4]), lineage.tasks(&entries[4])),
            (200, vec!["ant".into(), "hopper".into()])
        );
        assert_eq!((lineage.frames(&entries[5]), lineage.tasks(&entries[5])), (0, vec![]));
    }

    #[test]
    fn runs_in_a_circle_or_out_of_range_do_no_harm() {
        let entries = [entry(0, Role::Source, &["ant"], 5, &[1, 9]), entry(1, Role::Source, &["ant"], 5, &[0])];
        assert_eq!(Lineage::new(&entries).frames(&entries[0]), 10);
    }
}
