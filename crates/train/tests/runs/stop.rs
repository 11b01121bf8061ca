//! Runs that a rule ends before they have all their frames.

use crate::toy::{Listener, config, finish, outcomes, run, stop_at};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use train::checkpoint::newest_state;
use train::config::Config;
use train::{End, Frames, Stop};

/// How a run of `config` in `root` ends, uninterrupted.
fn end(root: &Path, config: &Config) -> End {
    run(root, config, &AtomicBool::new(false), &mut Listener::new(|_| {})).unwrap()
}

/// A rule that the second evaluation fulfils with any return.
const SECOND: [&str; 2] = ["stop.return=-1e9", "stop.evaluations=2"];

#[test]
fn a_return_that_is_reached_ends_the_run_and_a_changed_rule_resumes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let without = config(&["stop.evaluations=2"]);
    finish(&whole, &without);
    let ended = end(&parts, &config(&SECOND));
    // Evaluations are due after the prefill, at 80 frames, and 120 frames later.
    let rule = Some(Stop::Return { evaluations: 2, reached: -1e9 });
    assert_eq!(ended, End::Finished { frames: Frames(200), rule });
    let before = outcomes(&parts);
    assert!(newest_state(&parts).unwrap().is_finished(&config(&SECOND)));
    assert!(!newest_state(&parts).unwrap().is_finished(&without));
    // A finished run is left as it is, however long it is asked to be.
    for steps in ["steps=400", "steps=800"] {
        let again = end(&parts, &config(&[SECOND[0], SECOND[1], steps]));
        assert_eq!(again, End::FinishedBefore { frames: Frames(200), rule });
        assert_eq!(outcomes(&parts), before);
    }
    // A return that is not reached, and no rule at all: the run that was never ended.
    let raised = end(&parts, &config(&["stop.return=1e9", "stop.evaluations=2"]));
    assert_eq!(raised, End::Finished { frames: Frames(400), rule: None });
    assert_eq!(outcomes(&parts), outcomes(&whole));
    assert!(matches!(end(&parts, &without), End::FinishedBefore { rule: None, .. }));
}

#[test]
fn a_run_without_progress_ends() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["stop.patience=1", "stop.evaluations=1", "steps=100000"];
    let End::Finished { frames, rule } = end(folder.path(), &config(&settings)) else { panic!("it was not stopped") };
    assert_eq!(rule, Some(Stop::NoProgress { evaluations: 1, patience: 1 }));
    // The last evaluation is the first that was not better than all before it.
    let lines = outcomes(folder.path()).metrics;
    let returns: Vec<f64> = lines.iter().filter_map(|line| line["eval_return"].as_f64()).collect();
    let (last, earlier) = returns.split_last().unwrap();
    assert!(earlier.windows(2).all(|pair| pair[0] < pair[1]) && *last <= earlier[earlier.len() - 1], "{returns:?}");
    assert!(frames < Frames(100_000));
}

#[test]
fn a_run_killed_anywhere_is_ended_where_an_uninterrupted_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&["stop.return=-1e9", "stop.evaluations=3"]);
    let whole = folder.path().join("whole");
    let events = finish(&whole, &config).events;
    let mut stopped = 0;
    for at in (0..events).step_by(7) {
        let root = folder.path().join(at.to_string());
        stopped += usize::from(stop_at(&root, &config, at));
        end(&root, &config);
        assert_eq!(outcomes(&root), outcomes(&whole), "stopped at event {at} of {events}");
    }
    assert!(stopped > 10, "{stopped} of {events}");
}

#[test]
fn a_rule_that_is_already_fulfilled_ends_a_resumed_run_at_once() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let longer = config(&["steps=4000", "stop.return=-1e9", "stop.evaluations=1"]);
    let rule = Some(Stop::Return { evaluations: 1, reached: -1e9 });
    assert_eq!(end(folder.path(), &longer), End::FinishedBefore { frames: Frames(400), rule });
}

#[test]
fn checkpoints_of_earlier_versions_have_no_returns_and_are_resumed() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let path = crate::toy::checkpoints(folder.path()).pop().unwrap().join("run.json");
    let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(file["run"].as_object_mut().unwrap().remove("returns").is_some());
    file.as_object_mut().unwrap().remove("run_crc32");
    std::fs::write(&path, serde_json::to_string_pretty(&file).unwrap()).unwrap();
    let End::Finished { frames, rule } = end(folder.path(), &config(&["steps=800"])) else { panic!("it resumes") };
    assert_eq!((frames, rule), (Frames(800), None));
}
