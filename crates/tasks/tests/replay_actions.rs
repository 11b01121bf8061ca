//! The example `replay_actions` writes what the recordings hold and explains files that it cannot use.

mod recording;

#[path = "../examples/replay_actions.rs"]
#[allow(dead_code)]
mod example;

use std::path::{Path, PathBuf};

use recording::Recording;

fn golden(task: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{task}.npz"))
}

#[test]
fn a_replayed_recording_is_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    for task in ["hopper", "inverted-double-pendulum-swingup"] {
        let output = folder.path().join("out.npz");
        example::replay(task, &golden(task), &output).unwrap();
        let (expected, replayed) = (Recording::read(task), Recording::open(&output));
        assert_eq!((expected.offsets, expected.actions), (replayed.offsets, replayed.actions));
        assert_eq!(expected.done, replayed.done);
        assert_eq!(expected.joints, replayed.joints);
        assert!(expected.images == replayed.images && expected.image_frames == replayed.image_frames);
        // A replayed file can be replayed.
        let again = folder.path().join("again.npz");
        example::replay(task, &output, &again).unwrap();
        assert!(std::fs::read(&output).unwrap() == std::fs::read(&again).unwrap());
    }
}

#[test]
fn files_that_do_not_fit_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.npz");
    let explain = |task: &str, input: &Path| example::replay(task, input, &output).unwrap_err().to_string();
    let junk = folder.path().join("junk.npz");
    std::fs::write(&junk, "not an archive").unwrap();
    for (task, input, expected) in [
        ("hoppper", golden("hopper"), "did you mean \"hopper\"?"),
        ("hopper", folder.path().join("none.npz"), "none.npz"),
        ("hopper", junk, "as an npz file"),
        ("hopper", golden("ant"), "array \"init\" has shape [8], not [3]"),
    ] {
        let message = explain(task, &input);
        assert!(message.contains(expected), "{message}");
    }
}
