//! Each task equals a recording of PyBullet 3.2.7: joints and pixels bit for bit, over 1000 frames.

mod recording;

use recording::Recording;

/// Joints and frames must be the same bits, rewards the same to rounding.
fn equals_its_recording(task: &str) {
    let recording = Recording::read(task);
    let mut simulation = tasks::simulation(task).unwrap();
    for episode in 0..2 {
        simulation.start(&recording.offsets);
        let mut image = vec![0; tasks::IMAGE_BYTES];
        for (t, action) in recording.actions.chunks_exact(simulation.action_size()).enumerate() {
            let place = format!("{task}, episode {episode}, frame {t}");
            if let Some(pixels) = recording.image(t) {
                simulation.render(&mut image);
                let wrong = image.iter().zip(pixels).filter(|(a, b)| a != b).count();
                assert_eq!(wrong, 0, "{place}: bytes of the image that differ");
            }
            let frame = simulation.frame(action);
            assert_eq!(simulation.joints().as_flattened(), recording.joints(t), "{place}: joints");
            let error = (frame.reward - recording.rewards[t]).abs();
            assert!(error < 1e-6, "{place}: reward {} instead of {}", frame.reward, recording.rewards[t]);
            assert_eq!(frame.done, recording.done[t], "{place}: done");
        }
    }
}

#[test]
fn inverted_pendulum_swingup() {
    equals_its_recording("inverted-pendulum-swingup");
}

#[test]
fn ant() {
    equals_its_recording("ant");
}

#[test]
fn half_cheetah() {
    equals_its_recording("half-cheetah");
}

#[test]
fn hopper() {
    equals_its_recording("hopper");
}

#[test]
fn inverted_double_pendulum_swingup() {
    equals_its_recording("inverted-double-pendulum-swingup");
}

#[test]
fn walker2d() {
    equals_its_recording("walker2d");
}
