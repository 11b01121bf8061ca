//! Each task equals recordings of PyBullet 3.2.7 bit for bit: joints, rewards and pixels.
//!
//! A recording with images holds 1000 frames of an environment object's very first episode. A recording of episodes holds
//! 200 frames each of an object's first three. PyBullet does not count the floor at the start of a walker's first episode
//! (`src/progress.rs`), so the first reward of such an episode is compared after `start_as_stock_first`.

mod recording;

use environment::Catalogue;
use recording::{Recording, golden};
use tasks::Simulation;

const WALKERS: [&str; 4] = ["ant", "half-cheetah", "hopper", "walker2d"];

/// Runs a recorded episode that has been started and compares everything, rewards from frame `rewards_from` on.
fn compare(simulation: &mut dyn Simulation, recording: &Recording, rewards_from: usize, episode: &str) {
    let (mut image, mut vector) = (vec![0; environment::IMAGE_BYTES], vec![]);
    if !recording.first_observation.is_empty() {
        simulation.observe(&mut vector);
        assert_eq!(vector, recording.first_observation, "{}, {episode}: first observation", simulation.task());
    }
    for (t, action) in recording.actions.chunks_exact(simulation.action_size()).enumerate() {
        let place = format!("{}, {episode}, frame {t}", simulation.task());
        if let Some(pixels) = recording.image(t) {
            simulation.render(&mut image);
            let wrong = image.iter().zip(pixels).filter(|(a, b)| a != b).count();
            assert_eq!(wrong, 0, "{place}: bytes of the image that differ");
        }
        let frame = simulation.frame(action);
        assert_eq!(simulation.joints().as_flattened(), recording.joints(t), "{place}: joints");
        if t >= rewards_from {
            assert_eq!(frame.reward, recording.rewards[t], "{place}: reward");
        }
        assert_eq!(frame.done, recording.done[t], "{place}: done");
        if let Some(observed) = recording.observation(t) {
            vector.clear();
            simulation.observe(&mut vector);
            assert_eq!(vector, observed, "{place}: observation");
        }
    }
}

/// Compares a task with the recording of a first episode, and with the recording of three episodes of one object.
fn equals_its_recordings(task: &str) {
    let first = Recording::open(&golden(task));
    let mut simulation = tasks::simulation(task).unwrap();
    simulation.start_as_stock_first(&first.offsets);
    compare(&mut *simulation, &first, 0, "as PyBullet's first episode");
    simulation.start(&first.offsets);
    compare(&mut *simulation, &first, 1, "as every episode");

    let episodes = Recording::open_episodes(&golden(&format!("{task}-episodes")));
    simulation.start_as_stock_first(&episodes[0].offsets);
    compare(&mut *simulation, &episodes[0], 0, "first of three episodes");
    for (name, episode) in ["second", "third"].into_iter().zip(&episodes[1..]) {
        simulation.start(&episode.offsets);
        compare(&mut *simulation, episode, 0, &format!("{name} of three episodes"));
        // An object that has just been made gives the same episode.
        let mut fresh = tasks::simulation(task).unwrap();
        fresh.start(&episode.offsets);
        compare(&mut *fresh, episode, 0, &format!("{name} of three episodes, in a new object"));
    }
}

#[test]
fn inverted_pendulum_swingup() {
    equals_its_recordings("inverted-pendulum-swingup");
}

#[test]
fn ant() {
    equals_its_recordings("ant");
}

#[test]
fn half_cheetah() {
    equals_its_recordings("half-cheetah");
}

#[test]
fn hopper() {
    equals_its_recordings("hopper");
}

#[test]
fn inverted_double_pendulum_swingup() {
    equals_its_recordings("inverted-double-pendulum-swingup");
}

#[test]
fn walker2d() {
    equals_its_recordings("walker2d");
}

/// The exception is real, and it is one of the walkers' first rewards only.
#[test]
fn only_a_walkers_first_reward_depends_on_whether_the_episode_is_pybullets_first() {
    for task in tasks::catalogue().tasks() {
        let recording = Recording::open(&golden(&task.name));
        let mut simulation = tasks::simulation(&task.name).unwrap();
        simulation.start(&recording.offsets);
        let reward = simulation.frame(&recording.actions[..task.actions.size]).reward;
        let differs = WALKERS.contains(&task.name.as_str());
        assert_eq!(reward != recording.rewards[0], differs, "{}: {reward}, {}", task.name, recording.rewards[0]);
    }
}
