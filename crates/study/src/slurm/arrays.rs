//! How the runs of a study are divided into job arrays.
//!
//! An array has runs of one role that come after the same runs, so that it can be submitted with exactly these dependencies.
//! Its tasks are numbered from 0, because Slurm limits the numbers of tasks, not only how many there are. Not here: the scripts
//! (`script`) and their submission (`slurm`).

use crate::manifest::{Entry, Manifest, Role};
use std::collections::BTreeMap;

/// The runs of an array: a task each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Array {
    /// Their role.
    pub role: Role,
    /// Numbers of the unfinished runs that come before each of them.
    pub after: Vec<usize>,
    /// Their own numbers, by the index of the task.
    pub runs: Vec<usize>,
}

/// The arrays of the runs that are not `finished`, each with at most `most` tasks, in an order in which they can be submitted:
/// an array stands below those that it comes after.
pub(super) fn arrays(manifest: &Manifest, finished: impl Fn(&Entry) -> bool, most: usize) -> Vec<Array> {
    let finished: Vec<bool> = manifest.entries.iter().map(finished).collect();
    let mut levels: Vec<usize> = Vec::new();
    let mut groups: BTreeMap<(usize, Vec<usize>, bool), Vec<usize>> = BTreeMap::new();
    for entry in &manifest.entries {
        let after: Vec<usize> = entry.after.iter().copied().filter(|first| !finished[*first]).collect();
        levels.push(after.iter().map(|first| levels[*first] + 1).max().unwrap_or(0));
        if !finished[entry.index] {
            groups.entry((levels[entry.index], after, entry.role == Role::Target)).or_default().push(entry.index);
        }
    }
    let in_pieces = groups.into_iter().flat_map(|((_, after, is_target), runs)| {
        let role = if is_target { Role::Target } else { Role::Source };
        let of = |runs: &[usize]| Array { role, after: after.clone(), runs: runs.to_vec() };
        runs.chunks(most.max(1)).map(of).collect::<Vec<_>>()
    });
    in_pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use train::RunRequest;

    fn manifest(runs: &[(Role, &[usize])]) -> Manifest {
        let entry = |(index, (role, after)): (usize, &(Role, &[usize]))| Entry {
            index,
            role: *role,
            tasks: vec!["hopper".to_owned()],
            method: String::new(),
            source: None,
            seed: 0,
            steps: 1,
            folder: PathBuf::from(index.to_string()),
            after: after.to_vec(),
            pilot: None,
            request: RunRequest::new(vec!["hopper".to_owned()], "smoke"),
            arguments: Vec::new(),
        };
        Manifest::new("mine", "", runs.iter().enumerate().map(entry).collect())
    }

    fn found(manifest: &Manifest, finished: &[usize], most: usize) -> Vec<(bool, Vec<usize>, Vec<usize>)> {
        let arrays = arrays(manifest, |entry| finished.contains(&entry.index), most);
        arrays.into_iter().map(|array| (array.role == Role::Target, array.after, array.runs)).collect()
    }

    #[test]
    fn runs_with_the_same_predecessors_are_an_array() {
        use Role::{Source, Target};
        let none: &[usize] = &[];
        let study = manifest(&[
            (Source, none),
            (Source, &[0]),
            (Source, none),
            (Target, none),
            (Target, &[0]),
            (Target, &[0, 1]),
            (Target, none),
            (Target, &[0]),
            (Target, &[2]),
        ]);
        let expected = [
            (false, vec![], vec![0, 2]),
            (true, vec![], vec![3, 6]),
            (false, vec![0], vec![1]),
            (true, vec![0], vec![4, 7]),
            (true, vec![2], vec![8]),
            (true, vec![0, 1], vec![5]),
        ];
        assert_eq!(found(&study, &[], 1000), expected);
        // Finished runs are not waited for.
        let expected = [(false, vec![], vec![1]), (true, vec![], vec![4, 6, 7, 8]), (true, vec![1], vec![5])];
        assert_eq!(found(&study, &[0, 2, 3], 1000), expected);
        assert_eq!(found(&study, &[0, 1, 2, 3, 4, 5, 6, 7, 8], 1000), []);
    }

    #[test]
    fn arrays_have_at_most_so_many_tasks() {
        let runs = vec![(Role::Target, &[][..]); 1100];
        let pieces: Vec<usize> = found(&manifest(&runs), &[], 1001).iter().map(|array| array.2.len()).collect();
        assert_eq!(pieces, [1001, 99]);
    }
}
