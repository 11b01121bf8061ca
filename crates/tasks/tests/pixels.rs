//! Images are byte for byte identical to those of Bullet's own renderer, in every task, in states that agents often
//! reach and in others.
//!
//! The long version, many thousands of states, is run with
//! `cargo test --release -p dreamgraft-tasks --test pixels -- --ignored --nocapture`.

use environment::{Catalogue, IMAGE_BYTES};
use random::Stream;
use tasks::{OFFSET_BOUND, Simulation};

/// Ways of acting, one an episode: at random, to the limit, in waves, not at all.
fn element(way: u32, t: u32, index: usize, random: &mut Stream) -> f32 {
    let sign = |positive: bool| if positive { 1.0 } else { -1.0 };
    match way % 6 {
        0 => random.uniform_in(-1.0, 1.0) as f32,
        1 => 1.0,
        2 => -1.0,
        3 => sign((t / 15 + index as u32).is_multiple_of(2)),
        4 => sign(random.uniform() < 0.5),
        _ => 0.0,
    }
}

fn start(simulation: &mut dyn Simulation, random: &mut Stream, bound: f64) {
    let offsets: Vec<f64> = (0..simulation.offset_count()).map(|_| random.uniform_in(-bound, bound)).collect();
    simulation.start(&offsets);
}

/// Compares images of `count` states of a task, and returns the number of distinct images.
fn compare(task: &str, seed: u64, count: u32) -> usize {
    let mut simulation = tasks::simulation(task).unwrap();
    let mut random = Stream::new(seed, "pixels");
    let (mut image, mut expected) = (vec![0; IMAGE_BYTES], vec![0; IMAGE_BYTES]);
    let mut action = vec![0.0; simulation.action_size()];
    let mut different = std::collections::HashSet::new();
    let (mut way, mut t, mut left, mut pause) = (0, 0, 0, 1);
    for state in 0..count {
        if left == 0 {
            // Every second episode starts anywhere, with joints far beyond their limits.
            let bound = if way % 2 == 0 { OFFSET_BOUND } else { 3.0 };
            start(&mut *simulation, &mut random, bound);
            (way, t) = (way + 1, 0);
            // Many short episodes, and some that go far from the origin.
            (left, pause) = if way % 8 == 7 { (40, 25) } else { (12, 1 + random.below(6) as u32) };
        } else {
            for _ in 0..pause {
                for (index, value) in action.iter_mut().enumerate() {
                    *value = element(way, t, index, &mut random);
                }
                simulation.frame(&action);
                t += 1;
            }
        }
        left -= 1;
        if !simulation.joints().as_flattened().iter().all(|x| x.is_finite()) {
            left = 0;
            continue;
        }
        simulation.render(&mut image);
        simulation.render_by_bullet(&mut expected);
        let wrong = image.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert_eq!(wrong, 0, "{task}, seed {seed}, state {state} (way {way}, frame {t}): bytes that differ");
        different.insert(expected.clone());
    }
    different.len()
}

#[test]
fn every_task_looks_as_bullet_draws_it() {
    for task in tasks::catalogue().tasks() {
        let different = compare(&task.name, 1, 500);
        assert!(different > 300, "{}: only {different} different images", task.name);
    }
}

#[test]
#[ignore = "20,000 states a task: takes minutes"]
fn every_task_looks_as_bullet_draws_it_in_many_states() {
    for task in tasks::catalogue().tasks() {
        for seed in 2..6 {
            let different = compare(&task.name, seed, 5000);
            assert!(different > 2000, "{}: only {different} different images", task.name);
        }
    }
}
