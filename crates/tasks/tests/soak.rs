//! Every task survives long and rough handling: finite numbers throughout, and no memory that only grows.
//!
//! The long version, 100,000 frames a task, is run with
//! `cargo test --release -p dreamgraft-tasks --test soak -- --ignored --nocapture`.

use std::ops::Range;

use environment::{Catalogue, IMAGE_BYTES};
use random::Stream;
use tasks::OFFSET_BOUND;

/// Frames of an episode, and of one way of acting.
const EPISODE: u32 = 1000;

/// Element `index` of the action in frame `t`: five ways of acting, one an episode.
fn element(way: u32, t: u32, index: usize, random: &mut Stream) -> f32 {
    let sign = |positive: bool| if positive { 1.0 } else { -1.0 };
    match way % 5 {
        0 => random.uniform_in(-1.0, 1.0) as f32,
        1 => 1.0,
        2 => sign(t.is_multiple_of(2)),
        3 => sign((t / 20 + index as u32).is_multiple_of(2)),
        _ => sign(random.uniform() < 0.5),
    }
}

/// Runs some episodes of a task, with an image every tenth frame.
fn run(task: &str, episodes: Range<u32>) {
    let mut simulation = tasks::simulation(task).unwrap();
    let mut random = Stream::new(1, "soak");
    let mut image = vec![0; IMAGE_BYTES];
    let mut action = vec![0.0; simulation.action_size()];
    for t in episodes.start * EPISODE..episodes.end * EPISODE {
        let way = t / EPISODE;
        if t % EPISODE == 0 {
            let count = simulation.offset_count();
            let offsets: Vec<f64> = (0..count).map(|_| random.uniform_in(-OFFSET_BOUND, OFFSET_BOUND)).collect();
            simulation.start(&offsets);
        }
        for (index, value) in action.iter_mut().enumerate() {
            *value = element(way, t, index, &mut random);
        }
        let frame = simulation.frame(&action);
        assert!(frame.reward.is_finite(), "{task}: reward {} in frame {t}", frame.reward);
        let joints = simulation.joints().as_flattened();
        assert!(joints.iter().all(|x| x.is_finite()), "{task}: joints {joints:?} in frame {t}");
        if t % 10 == 0 {
            simulation.render(&mut image);
        }
    }
}

/// Memory that this process holds, bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[cfg(not(target_os = "linux"))]
fn resident() -> usize {
    0
}

/// Runs all tasks and checks that memory stays flat. The allocator requests memory from the system in jumps, so the
/// measurement with the least growth counts: a leak is in all of them.
fn soak(windows: u32, episodes: u32) {
    for task in tasks::catalogue().tasks() {
        let mut growth = vec![];
        for window in 0..windows {
            let before = resident();
            run(&task.name, window * episodes..(window + 1) * episodes);
            growth.push(resident().saturating_sub(before));
        }
        let least = growth.iter().min().unwrap();
        assert!(
            *least < 256 << 10,
            "{}: memory grows by {growth:?} bytes in windows of {episodes} episodes",
            task.name,
        );
    }
}

#[test]
fn every_task_stays_finite_and_small() {
    soak(5, 2);
}

#[test]
#[ignore = "100,000 frames a task: takes minutes"]
fn every_task_stays_finite_and_small_for_long() {
    soak(5, 20);
}
