//! The beginnings of windows: the paper's way, and the way that reaches the edges of episodes.

mod common;

use common::numbered;
use random::Stream;
use replay::{Batch, Replay, WindowStarts};

fn memory(lengths: &[usize]) -> Replay {
    let mut replay = Replay::new(1, u64::MAX).unwrap();
    for (id, &length) in lengths.iter().enumerate() {
        replay.add(numbered(1, length, id)).unwrap();
    }
    replay
}

/// Episodes and starts of the next batch of `batch` windows of `length`.
fn windows(
    replay: &mut Replay,
    random: &mut Stream,
    starts: WindowStarts,
    batch: usize,
    length: usize,
) -> Vec<(u64, usize)> {
    let mut batch = Batch::new(batch, length);
    replay.sample(random, starts, &mut batch).unwrap();
    // The windows describe the content of the batch.
    for (window, reward) in batch.windows.iter().zip(batch.reward.chunks_exact(length)) {
        let last = window.start + length - 1;
        let expected = if last == 0 { 0.0 } else { (window.episode as usize * 1000 + last) as f32 };
        assert_eq!(reward[length - 1], expected);
    }
    batch.windows.iter().map(|window| (window.episode, window.start)).collect()
}

/// The list was recorded before the other option existed: runs of the preset `paper` still draw the same windows.
#[test]
fn the_papers_windows_are_those_of_the_first_version() {
    let mut replay = memory(&[20, 3, 57, 9, 10, 501, 12]);
    let mut random = Stream::new(7, "replay");
    let mut draw = |batch, length| windows(&mut replay, &mut random, WindowStarts::Inside, batch, length);
    let tens = [(2, 44), (4, 0), (5, 328), (0, 9), (6, 0), (4, 0), (4, 0), (2, 20), (0, 10), (5, 0), (2, 15), (0, 3)];
    assert_eq!(draw(12, 10), tens);
    assert_eq!(draw(8, 1), [(0, 6), (6, 2), (2, 44), (1, 2), (2, 18), (3, 2), (0, 19), (4, 6)]);
    assert_eq!(draw(6, 50), [(2, 0), (2, 0), (5, 440), (5, 403), (5, 366), (5, 230)]);
    assert_eq!(random.state().position, 104);
}

/// Draws many windows of 5 and compares how often each start, and each transition, was in one with `chances` of the
/// starts of each episode; they sum to 1.
fn check_frequencies(lengths: &[usize], starts: WindowStarts, chances: &[Vec<f64>]) {
    const LENGTH: usize = 5;
    const BATCH: usize = 100;
    const BATCHES: usize = 300;
    let draws = (BATCH * BATCHES) as f64;
    let mut replay = memory(lengths);
    let mut random = Stream::new(21, "replay");
    let mut counts: Vec<Vec<u32>> = chances.iter().map(|starts| vec![0; starts.len()]).collect();
    for _ in 0..BATCHES {
        for (episode, start) in windows(&mut replay, &mut random, starts, BATCH, LENGTH) {
            counts[episode as usize][start] += 1;
        }
    }
    let (mut square, mut cells) = (0.0, 0);
    for (chance, count) in chances.iter().flatten().zip(counts.iter().flatten()) {
        square += (f64::from(*count) - draws * chance).powi(2) / (draws * chance);
        cells += 1;
    }
    assert!((chances.iter().flatten().sum::<f64>() - 1.0).abs() < 1e-12);
    // Chi square has mean `cells - 1` and standard deviation `sqrt(2 (cells - 1))`; the seed is fixed.
    let degrees = f64::from(cells - 1);
    assert!((square - degrees).abs() < 4.0 * (2.0 * degrees).sqrt(), "{square} of {degrees} {counts:?}");
    for ((chances, counts), &length) in chances.iter().zip(&counts).zip(lengths) {
        for t in 0..length {
            let of_t = t.saturating_sub(LENGTH - 1)..(t + 1).min(chances.len());
            let chance = chances.get(of_t.clone()).map_or(0.0, |starts| starts.iter().sum());
            let share = counts.get(of_t).map_or(0.0, |starts| f64::from(starts.iter().sum::<u32>())) / draws;
            let deviation = (chance * (1.0 - chance) / draws).sqrt();
            assert!((share - chance).abs() <= 5.0 * deviation, "transition {t} of {length}: {share}, not {chance}");
        }
    }
}

/// Too short, exactly one window, shorter than two windows, and longer ones.
const LENGTHS: [usize; 6] = [4, 5, 7, 10, 30, 23];

#[test]
fn edges_are_drawn_with_the_documented_probabilities() {
    // By hand: every value of the start from -4 to the last transition is equally likely, and then moved inside.
    let all: usize = LENGTHS[1..].iter().map(|length| length + 4).sum();
    let chances = LENGTHS.map(|length| {
        let Some(last) = length.checked_sub(5) else { return vec![] };
        let mut chances = vec![0.0; last + 1];
        for value in -4..length as i64 {
            chances[value.clamp(0, last as i64) as usize] += 1.0 / all as f64;
        }
        chances
    });
    check_frequencies(&LENGTHS, WindowStarts::Edges, &chances);
    // The first transition is drawn as often as one in the middle: 5 times of all.
    assert!((chances[4][0] - 5.0 / all as f64).abs() < 1e-12);
    assert!((chances[4][10..15].iter().sum::<f64>() - chances[4][0]).abs() < 1e-12);
}

#[test]
fn inside_windows_are_drawn_with_the_documented_probabilities() {
    let chances = LENGTHS.map(|length| {
        let starts = (length + 1).saturating_sub(5);
        vec![1.0 / 5.0 / starts as f64; starts]
    });
    check_frequencies(&LENGTHS, WindowStarts::Inside, &chances);
}

/// The case that the setting is for: the first 8 of a hopper's 501 transitions, in windows of 32. They are 1.6 % of the
/// episode.
#[test]
fn the_first_transitions_are_learned_from_as_often_as_the_others() {
    let mut replay = memory(&[501]);
    let mut share = |starts| {
        let mut random = Stream::new(3, "replay");
        let drawn = (0..80).flat_map(|_| windows(&mut replay, &mut random, starts, 50, 32)).collect::<Vec<_>>();
        let seen: usize = drawn.iter().map(|&(_, start)| 8usize.saturating_sub(start)).sum();
        seen as f64 / (drawn.len() * 32) as f64
    };
    // Windows that contain transition t: t + 1 of the 470 starts, or 32 + t of the 532 values of the start.
    let inside = (0..8).map(|t| f64::from(t + 1)).sum::<f64>() / (470.0 * 32.0);
    let edges = (0..8).map(|t| f64::from(32 + t)).sum::<f64>() / (532.0 * 32.0);
    assert!(inside < 0.0024 && edges > 8.0 / 501.0);
    for (starts, expected) in [(WindowStarts::Inside, inside), (WindowStarts::Edges, edges)] {
        let share = share(starts);
        assert!((share / expected - 1.0).abs() < 0.3, "{share}, not {expected}");
    }
}
