//! The program `replay_actions` writes the content of the recordings and explains files that it cannot use.

#[path = "../../crates/tasks/tests/recording/mod.rs"]
mod recording;

#[path = "../src/bin/replay_actions/main.rs"]
#[allow(dead_code)]
mod program;

use environment::Catalogue;
use std::fs::File;
use std::path::Path;

use recording::{Recording, golden};

#[test]
fn a_replayed_recording_is_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    for task in ["hopper", "inverted-double-pendulum-swingup"] {
        let output = folder.path().join("out.npz");
        program::replay(task, &golden(task), &output).unwrap();
        let (expected, replayed) = (Recording::open(&golden(task)), Recording::open(&output));
        assert_eq!((expected.offsets, expected.actions), (replayed.offsets, replayed.actions));
        assert_eq!(expected.done, replayed.done);
        assert_eq!(expected.joints, replayed.joints);
        // The recording begins with the exception that `tests/golden.rs` describes.
        assert_eq!(expected.rewards[1..], replayed.rewards[1..]);
        assert!(expected.images == replayed.images && expected.image_frames == replayed.image_frames);
        assert_replays_to_itself(task, &output);
    }
}

#[test]
fn replayed_episodes_are_the_recorded_ones() {
    let folder = tempfile::tempdir().unwrap();
    for task in tasks::catalogue().tasks() {
        let input = golden(&format!("{}-episodes", task.name));
        let output = folder.path().join("out.npz");
        program::replay(&task.name, &input, &output).unwrap();
        let pairs = Recording::open_episodes(&input).into_iter().zip(Recording::open_episodes(&output));
        for (episode, (expected, replayed)) in pairs.enumerate() {
            let place = format!("{}, episode {episode}", task.name);
            assert_eq!((expected.offsets, expected.actions), (replayed.offsets, replayed.actions), "{place}");
            assert_eq!(expected.done, replayed.done, "{place}");
            assert_eq!(expected.joints, replayed.joints, "{place}");
            // The first episode begins with the exception that `tests/golden.rs` describes.
            let from = usize::from(episode == 0);
            assert_eq!(expected.rewards[from..], replayed.rewards[from..], "{place}");
            assert_eq!(expected.observations, replayed.observations, "{place}");
        }
        assert_eq!(shapes(&output), shapes(&input), "{}", task.name);
        assert_replays_to_itself(&task.name, &output);
    }
}

/// Episodes have images only where the file asks for them, and each has its own.
#[test]
fn episodes_have_the_images_that_the_file_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let [input, output] = ["in.npz", "out.npz"].map(|name| folder.path().join(name));
    let mut file = program::npz::Writer::create(&input).unwrap();
    file.put("init", &[2, 1], vec![0.05, -0.1]).unwrap();
    file.put("actions", &[2, 3, 1], vec![1.0f32; 6]).unwrap();
    file.put("frame_steps", &[2], vec![0i64, 2]).unwrap();
    file.finish().unwrap();
    program::replay("inverted-pendulum-swingup", &input, &output).unwrap();
    let mut file = program::npz::Reader::open(&output).unwrap();
    assert_eq!(file.array::<i64>("frame_steps", &[2]).unwrap(), [0, 2]);
    let images: Vec<u8> = file.array("frames", &[2, 2, 64, 64, 3]).unwrap();
    let mut images: Vec<&[u8]> = images.chunks_exact(environment::IMAGE_BYTES).collect();
    images.sort();
    images.dedup();
    assert_eq!(images.len(), 4, "every image shows another state");
}

#[test]
fn files_that_do_not_fit_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.npz");
    let explain = |task: &str, input: &Path| program::replay(task, input, &output).unwrap_err().to_string();
    let junk = folder.path().join("junk.npz");
    std::fs::write(&junk, "not an archive").unwrap();
    let unequal = folder.path().join("unequal.npz");
    let mut file = program::npz::Writer::create(&unequal).unwrap();
    file.put("init", &[2, 3], vec![0.0; 6]).unwrap();
    file.put("actions", &[3, 1, 3], vec![0.0f32; 9]).unwrap();
    file.finish().unwrap();
    for (task, input, expected) in [
        ("hoppper", golden("hopper"), "did you mean \"hopper\"?"),
        ("hopper", folder.path().join("none.npz"), "none.npz"),
        ("hopper", junk, "as an npz file"),
        ("hopper", golden("ant"), "array \"init\" has shape [8], not [3]"),
        ("hopper", golden("ant-episodes"), "array \"init\" has shape [3, 8], not [3, 3]"),
        ("hopper", unequal, "array \"actions\" has shape [3, 1, 3], not [2, any, 3]"),
    ] {
        let message = explain(task, &input);
        assert!(message.contains(expected), "{message}");
    }
}

/// A replayed file can be replayed.
fn assert_replays_to_itself(task: &str, file: &Path) {
    let again = file.with_file_name("again.npz");
    program::replay(task, file, &again).unwrap();
    assert!(std::fs::read(file).unwrap() == std::fs::read(&again).unwrap(), "{task}");
}

/// The names and shapes of all arrays of a file, in alphabetical order.
fn shapes(path: &Path) -> Vec<(String, Vec<u64>)> {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let shape = |name: String| {
        let file = npyz::NpyFile::new(archive.by_name(&name).unwrap()).unwrap();
        (name, file.shape().to_vec())
    };
    let mut shapes: Vec<_> = names.into_iter().map(shape).collect();
    shapes.sort();
    shapes
}
