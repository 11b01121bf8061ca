//! Sources that have the seed of a target.

use crate::manifest::{Entry, Manifest, Role};
use std::collections::BTreeSet;

impl Manifest {
    /// Notes about sources that have the seed of a target and learn its task, one for each source.
    pub fn shared_seeds(&self) -> Vec<String> {
        let sources = self.entries.iter().filter(|entry| entry.role == Role::Source);
        sources.filter_map(|source| self.shared_seed(source)).collect()
    }

    fn shared_seed(&self, source: &Entry) -> Option<String> {
        let targets = self.entries.iter().filter(|entry| entry.role == Role::Target && entry.seed == source.seed);
        let targets: Vec<&Entry> =
            targets.filter(|target| target.tasks.iter().any(|task| source.tasks.contains(task))).collect();
        let tasks: BTreeSet<&str> = targets.iter().flat_map(|target| &target.tasks).map(String::as_str).collect();
        let tasks: Vec<&str> = tasks.into_iter().collect();
        let streams = if targets.is_empty() {
            return None;
        } else if targets.iter().any(|target| target.tasks == source.tasks) {
            "the two runs share their random streams"
        } else {
            "their random streams differ, since the source learns other tasks as well"
        };
        Some(format!(
            "the source in {} and targets on {} have the same seed, {}: {streams}. To make them independent, give the \
             source a seed that no target has, or none",
            source.folder.display(),
            tasks.join(", "),
            source.seed
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::{Manifest, Role};
    use crate::study_file::{LoadedStudy, parse};
    use crate::{StudyError, manifest_of, prepare, recorded};
    use std::collections::BTreeSet;
    use std::path::Path;

    /// A study with targets of these seeds, an agent on two tasks and one on a target's task, with `more` in each source.
    fn read(seeds: &str, more: &str) -> LoadedStudy {
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = {seeds}\ntasks = [\"hopper\"]\n\
             [[source]]\nname = \"both\"\ntasks = [\"hopper\", \"ant\"]\nsteps = 2000\n{more}\n\
             [[source]]\nname = \"own\"\ntasks = [\"hopper\"]\nsteps = 2000\n{more}\n\
             [[method]]\nkind = \"baseline\"\n[[method]]\nkind = \"full\"\nfrom = \"both\"\n"
        );
        let study = parse(Path::new("mine.toml"), &text).unwrap();
        LoadedStudy { study, path: "mine.toml".into(), text, checksum: "00ff".to_owned() }
    }

    fn seeds(manifest: &Manifest, role: Role) -> BTreeSet<u64> {
        manifest.entries.iter().filter(|entry| entry.role == role).map(|entry| entry.seed).collect()
    }

    #[test]
    fn no_source_has_the_seed_of_a_target_by_default() {
        for (targets, source) in [("[0, 1, 2]", 1000), ("[0, 1, 2, 3]", 1000), ("[1000]", 1001), ("[1001, 1000]", 1002)]
        {
            let manifest = manifest_of(&read(targets, ""), tasks::catalogue()).unwrap();
            assert_eq!(seeds(&manifest, Role::Source), BTreeSet::from([source]), "{targets}");
            assert!(seeds(&manifest, Role::Target).is_disjoint(&seeds(&manifest, Role::Source)), "{targets}");
            assert_eq!(manifest.shared_seeds(), [""; 0], "{targets}");
        }
    }

    #[test]
    fn a_given_seed_is_kept_with_a_note_if_a_target_has_it() {
        let manifest = manifest_of(&read("[0, 7]", "seed = 7"), tasks::catalogue()).unwrap();
        assert_eq!(seeds(&manifest, Role::Source), BTreeSet::from([7]));
        let notes = manifest.shared_seeds();
        assert_eq!(notes.len(), 2, "{notes:?}");
        for (note, part) in notes.iter().zip(["their random streams differ", "share their random streams"]) {
            assert!(note.contains("targets on hopper have the same seed, 7") && note.contains(part), "{note}");
        }
        assert_eq!(manifest_of(&read("[0, 7]", "seed = 8"), tasks::catalogue()).unwrap().shared_seeds(), [""; 0]);
    }

    #[test]
    fn a_source_with_the_seed_of_its_target_is_another_agent_for_each_target() {
        let manifest = manifest_of(&read("[0, 7, 1003]", "seed = \"target\""), tasks::catalogue()).unwrap();
        assert_eq!(seeds(&manifest, Role::Source), BTreeSet::from([2000, 2007, 3003]));
        for entry in manifest.entries.iter().filter(|entry| entry.method == "full") {
            let [source] = entry.after.as_slice() else { panic!("{entry:?}") };
            let source = &manifest.entries[*source];
            assert_eq!((source.seed, &*source.source.clone().unwrap()), (2000 + entry.seed, "both"));
        }
        // More targets leave the sources of the others as they are.
        let more = manifest_of(&read("[0, 7, 1003, 8]", "seed = \"target\""), tasks::catalogue()).unwrap();
        assert!(seeds(&manifest, Role::Source).is_subset(&seeds(&more, Role::Source)));
        assert_eq!(manifest.shared_seeds(), [""; 0]);
        let text = "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n[[source]]\nname = \"a\"\n\
                    tasks = [\"ant\"]\nsteps = 2000\nseed = \"targets\"\n[[method]]\nkind = \"baseline\"\n";
        let message = parse(Path::new("mine.toml"), text).unwrap_err().to_string();
        assert!(message.contains("it is \"targets\", but it must be a whole number, or \"target\""), "{message}");
    }

    #[test]
    fn a_study_that_was_planned_before_keeps_the_seeds_of_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (read("[0, 1]", ""), read("[0, 1]", "seed = 0"));
        // The manifest of an earlier version for the same study file.
        let before = manifest_of(&old, tasks::catalogue()).unwrap();
        before.write(folder.path()).unwrap();
        assert_eq!(prepare(&new, tasks::catalogue(), folder.path()).unwrap(), before);
        assert_eq!(recorded(&new, tasks::catalogue(), folder.path()).unwrap(), Some(before.clone()));
        assert_eq!(Manifest::read(folder.path()).unwrap(), before);
        let edited = read("[0, 1, 2]", "");
        assert!(matches!(prepare(&edited, tasks::catalogue(), folder.path()), Err(StudyError::Changed { .. })));
        assert_eq!(recorded(&edited, tasks::catalogue(), folder.path()).unwrap(), None);
        assert_eq!(recorded(&new, tasks::catalogue(), &folder.path().join("none")).unwrap(), None);
    }
}
