//! Candidates of choices by pilot runs: their states, and what the report says of them.

use crate::folders::{self, entry};
use serde_json::{Value, json};
use std::path::Path;
use study::pilot::{Next, Pilot, outcomes};
use study::report::{Report, markdown};
use study::results::Results;
use study::status::{State, Status, failure_file, status};
use study::{Entry, Manifest, Role};

/// Makes the run folder of `entry` after `frames` frames, with a checkpoint.
fn run(root: &Path, entry: &Entry, frames: u64) {
    folders::run(root, entry, frames);
    let sample = include_str!("../../../dreamgraft/tests/samples/plain/checkpoints/0000001000/run.json");
    let mut file: Value = serde_json::from_str(sample).unwrap();
    file.as_object_mut().unwrap().remove("run_crc32");
    file["run"]["tasks"] = json!(entry.tasks);
    for key in ["frames", "steps", "logged", "evaluated"] {
        file["run"]["position"][key] = json!(frames);
    }
    let folder = root.join(&entry.folder).join(format!("checkpoints/{frames:010}"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("run.json"), file.to_string()).unwrap();
}

#[test]
fn candidates_that_wait_fail_or_were_dropped_are_named_as_such() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let candidate = |index: usize| {
        let source = ["one", "two", "three", "four"][index];
        let one = entry(index, Role::Candidate, &["hopper"], "pilot", Some(source), 1, &[]);
        let one = folders::moved(one, &format!("runs/hopper/pilot-from-{source}/1"), None);
        Entry { pilot: Some(Pilot { group: 0, candidates: 4, slices: vec![20_000, 40_000] }), ..one }
    };
    let entries: Vec<Entry> = (0..4).map(candidate).collect();
    entries.iter().for_each(|entry| run(root, entry, 21_000));
    let manifest = Manifest::new("pilots", &"0123456789abcdef".repeat(4), entries);
    manifest.write(root).unwrap();
    let left: Vec<usize> = outcomes(root, &manifest)[&0]
        .iter()
        .filter(|candidate| candidate.next == Next::LearnUntil(40_000))
        .map(|candidate| candidate.index)
        .collect();
    let [waiting, failed] = left[..] else { panic!("{left:?}") };
    run(root, &manifest.entries[waiting], 41_000);
    run(root, &manifest.entries[failed], 30_000);
    std::fs::create_dir_all(failure_file(root, failed).parent().unwrap()).unwrap();
    std::fs::write(failure_file(root, failed), "exit code 1").unwrap();

    let states = status(root, &manifest);
    let of = |index: usize| (states[index].state, states[index].frames, states[index].steps);
    assert_eq!(of(waiting), (State::Waiting, 41_000, 41_000));
    assert_eq!(of(failed), (State::Failed, 30_000, 40_000));
    let dropped: Vec<&Status> = states.iter().filter(|run| run.state == State::Dropped).collect();
    assert!(dropped.len() == 2 && dropped.iter().all(|run| run.steps == 21_000), "{dropped:?}");
    // One of the two that are left has all frames.
    let expected: u64 = states.iter().map(|run| run.expected).sum();
    assert!((2 * 21_000 + 40_000 + 100_000..=2 * 21_000 + 41_000 + 100_000).contains(&expected), "{expected}");

    let words = markdown(&Report::new(&Results::read(root).unwrap()));
    let table = words.split("Pilot runs").nth(1).unwrap().split("\n#").next().unwrap();
    let ends: Vec<&str> = table.lines().filter_map(|line| line.trim_end_matches(" |").rsplit(" | ").next()).collect();
    let count = |end: &str| ends.iter().filter(|found| **found == end).count();
    assert_eq!((count("failed"), count("dropped"), count("not decided")), (1, 2, 1), "{table}");
    let runs = words.split("## Runs").nth(1).unwrap().split("\n#").next().unwrap();
    assert_eq!(runs.matches("dropped at").count(), 2, "{runs}");
    // Marks of means are explained below their tables, and this is another one.
    assert!(!runs.contains('\u{2020}'), "{runs}");
}
