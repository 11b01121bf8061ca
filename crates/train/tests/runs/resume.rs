//! A run that was stopped, killed or made longer is, bit for bit, the run that was not.

use crate::toy::{Listener, checkpoints, config, copy, finish, metrics, names, outcomes, run, stop_at};
use proptest::prelude::*;
use std::sync::atomic::AtomicBool;
use train::End;

#[test]
fn a_longer_run_is_the_run_made_longer() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    finish(&whole, &config(&["steps=800"]));
    finish(&parts, &config(&["steps=400"]));
    assert_ne!(outcomes(&parts), outcomes(&whole));
    finish(&parts, &config(&["steps=800"]));
    assert_eq!(outcomes(&parts), outcomes(&whole));
}

#[test]
fn a_finished_run_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let before = outcomes(folder.path());
    for steps in ["steps=400", "steps=100"] {
        let end = run(folder.path(), &config(&[steps]), &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap();
        assert!(matches!(end, End::FinishedBefore { .. }), "{end:?}");
        assert_eq!(outcomes(folder.path()), before);
    }
}

#[test]
fn evaluations_and_logging_do_not_disturb_training() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    finish(&one, &config(&[]));
    finish(&other, &config(&["schedule.eval_every=40", "schedule.eval_episodes=1", "log.every=40", "log.videos=true"]));
    let (one, other) = (outcomes(&one), outcomes(&other));
    assert_eq!(one.agent, other.agent);
    assert_eq!(one.episodes, other.episodes);
}

#[test]
fn other_seeds_are_other_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    finish(&one, &config(&[]));
    finish(&other, &config(&["seed=4"]));
    let (one, other) = (outcomes(&one), outcomes(&other));
    assert_ne!(one.agent, other.agent);
    assert!(one.episodes.iter().zip(&other.episodes).all(|(a, b)| a.1 != b.1));
}

/// Events of an uninterrupted toy run.
fn events() -> usize {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[])).events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_run_stopped_anywhere_and_again_is_the_whole_run(
        stops in prop::collection::vec(prop::sample::Index::arbitrary(), 1..4), several: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
        let tasks = if several { "tasks=[\"point\", \"pair\"]" } else { "tasks=point" };
        let config = config(&[tasks]);
        let events = finish(&whole, &config).events;
        for stop in stops {
            if !stop_at(&parts, &config, stop.index(events)) {
                break;
            }
        }
        let end = run(&parts, &config, &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap();
        let stopped = matches!(end, End::Stopped { .. });
        prop_assert!(!stopped);
        prop_assert_eq!(outcomes(&parts), outcomes(&whole));
    }

    #[test]
    fn a_run_killed_anywhere_goes_on_as_the_whole_run(kill in prop::sample::Index::arbitrary()) {
        let folder = tempfile::tempdir().unwrap();
        let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
        let at = kill.index(events());
        let mut listener = Listener::new(|event| if event == at { copy(&whole, &killed) });
        run(&whole, &config(&[]), &AtomicBool::new(false), &mut listener).unwrap();
        finish_or_finished(&killed);
        prop_assert_eq!(outcomes(&killed), outcomes(&whole));
    }
}

/// Runs to the end; a run killed after its last checkpoint has nothing more to do.
fn finish_or_finished(root: &std::path::Path) {
    let end = run(root, &config(&[]), &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap();
    assert!(!matches!(end, End::Stopped { .. }));
}

#[test]
fn what_was_made_after_the_checkpoint_is_moved_aside_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    // The last event before the final checkpoint: episodes and lines are ahead of the newest checkpoint.
    let at = events() - 2;
    let mut listener = Listener::new(|event| {
        if event == at {
            copy(&whole, &killed)
        }
    });
    run(&whole, &config(&[]), &AtomicBool::new(false), &mut listener).unwrap();
    let (episodes, lines) = (names(&killed.join("episodes")).len(), metrics(&killed).len());
    let listener = finish(&killed, &config(&[]));
    let aside = names(&killed.join("episodes/aside-1"));
    assert!(!aside.is_empty() && aside.len() < episodes, "{aside:?}");
    assert!(listener.notes.iter().any(|note| note.contains(&aside[0])), "{:?}", listener.notes);
    assert!(listener.notes.iter().any(|note| note.contains("lines of metrics")), "{:?}", listener.notes);
    assert!(lines > 0 && names(&killed).iter().any(|name| name.starts_with("metrics.jsonl.aside")));
    assert_eq!(outcomes(&killed), outcomes(&whole));
}

#[test]
fn a_damaged_newest_checkpoint_is_named_and_the_one_before_used() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    finish(&whole, &config(&["steps=800"]));
    for (file, damage) in [("agent.safetensors", 1), ("run.json", 30)] {
        finish(&parts, &config(&["steps=400"]));
        let newest = checkpoints(&parts).pop().unwrap();
        let path = newest.join(file);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - damage]).unwrap();
        let listener = finish(&parts, &config(&["steps=800"]));
        let named = listener.notes.iter().any(|note| note.contains(path.to_str().unwrap()));
        assert!(named, "{file}: {:?}", listener.notes);
        assert!(names(&parts.join("checkpoints")).iter().any(|name| name.starts_with("damaged-")));
        assert_eq!(outcomes(&parts), outcomes(&whole), "{file}");
        std::fs::remove_dir_all(&parts).unwrap();
    }
}

#[test]
fn a_checkpoint_killed_while_it_replaced_another_leaves_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    finish(&whole, &config(&[]));
    assert!(stop_at(&killed, &config(&[]), events() / 2));
    let newest = checkpoints(&killed).pop().unwrap();
    let replaced = newest.with_extension("replaced");
    std::fs::rename(&newest, &replaced).unwrap();
    std::fs::create_dir(newest.with_file_name(".0000000200.partial")).unwrap();
    assert!(stop_at(&killed, &config(&[]), 0), "stopped again before anything happened");
    assert!(replaced.exists());
    finish(&killed, &config(&[]));
    assert!(!replaced.exists());
    assert_eq!(outcomes(&killed), outcomes(&whole));
}

#[test]
fn without_any_good_checkpoint_the_run_refuses() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    for checkpoint in checkpoints(folder.path()) {
        let path = checkpoint.join("agent.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[2] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
    }
    let newest = checkpoints(folder.path()).pop().unwrap();
    let error = run(folder.path(), &config(&["steps=800"]), &AtomicBool::new(false), &mut Listener::new(|_| {}));
    let message = error.unwrap_err().to_string();
    assert!(message.contains(newest.to_str().unwrap()) && message.contains("changed"), "{message}");
    assert_eq!(checkpoints(folder.path()).pop().unwrap(), newest);
}
