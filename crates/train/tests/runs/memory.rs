//! The episodes that a run keeps: all of a long run with the default budget; and its notes about dropped episodes.

use random::Stream;
use replay::{Batch, Episode, IMAGE_BYTES, IMAGE_SIDE, Replay, WindowStarts};
use train::config::{Config, Layer, resolve};

use crate::toy::{config, finish, metrics, outcomes, stop_at};

/// Transitions of an episode of the tasks' limit.
const LENGTH: usize = 501;
/// Episodes of a run of 2e6 frames.
const EPISODES: usize = 2000;

/// An image like a rendered one: a sky that grows darker, a checkered floor, and a body of flat colours, which move.
fn image(t: usize, image: &mut [u8]) {
    for (place, pixel) in image.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (x, y) = (place % IMAGE_SIDE, place / IMAGE_SIDE);
        let body = (20..30).contains(&((x + t / 8) % IMAGE_SIDE)) && (24..40).contains(&y);
        *pixel = match (body, y < 32) {
            (true, _) => [200, (t / 16 * 8) as u8, 30],
            (false, true) => [255 - y as u8; 3],
            (false, false) if ((x + t) / 6 + y / 4).is_multiple_of(2) => [30, 90, 160],
            (false, false) => [200, 200, 190],
        };
    }
}

#[test]
fn a_run_of_two_million_frames_is_kept_and_sampled_whole() {
    let settings = Config::default().replay;
    let mut images = vec![0; LENGTH * IMAGE_BYTES];
    images.chunks_exact_mut(IMAGE_BYTES).enumerate().for_each(|(t, pixels)| image(t, pixels));
    let mut replay = Replay::new(8, settings.budget.0).unwrap();
    for id in 0..EPISODES {
        // The second reward names the episode.
        let mut reward = vec![0.0; LENGTH];
        reward[1] = id as f32;
        let action = vec![0.0; LENGTH * 8];
        replay.add(Episode::new("ant", 8, images.clone(), action, reward, vec![1.0; LENGTH]).unwrap()).unwrap();
    }
    let stats = replay.stats(50);
    assert_eq!((stats.episodes, stats.transitions, stats.dropped), (EPISODES, (EPISODES * LENGTH) as u64, 0));
    assert!(stats.bytes < settings.budget.0, "{} bytes", stats.bytes);
    // Neither trivial to compress, nor kept as it is.
    let size = stats.bytes / stats.transitions;
    assert!((500..1600).contains(&size), "{size} bytes a transition");

    // Every episode is drawn, and its images are the ones that came in.
    let mut seen = vec![false; EPISODES];
    let (mut random, mut batch) = (Stream::new(5, "replay"), Batch::new(100, 4));
    for _ in 0..400 {
        replay.sample(&mut random, WindowStarts::Inside, &mut batch).unwrap();
        for (window, pixels) in batch.windows.iter().zip(batch.image.chunks_exact(4 * IMAGE_BYTES)) {
            seen[window.episode as usize] = true;
            assert!(pixels == &images[window.start * IMAGE_BYTES..(window.start + 4) * IMAGE_BYTES]);
        }
    }
    assert_eq!(seen.iter().filter(|seen| !**seen).count(), 0);
    for id in [0, 1, 999, EPISODES - 1] {
        assert_eq!(replay.episode(id as u64).unwrap().reward()[1], id as f32);
    }
}

/// A run whose memory holds 3 of its 50 episodes.
fn forgetful() -> Config {
    config(&["tasks=noise", "steps=2000", "replay.budget=1MB"])
}

#[test]
fn a_run_that_drops_episodes_reports_it_at_its_start_and_in_its_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let notes = finish(folder.path(), &forgetful()).notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("replay.budget = 1MB may be too small for all episodes of this run"), "{notes:?}");
    let lines: Vec<_> = metrics(folder.path()).into_iter().filter(|line| line["replay_episodes"].is_f64()).collect();
    assert!(lines.len() > 10);
    for line in &lines {
        let count = |name: &str| line[name].as_f64().unwrap();
        assert_eq!(count("replay_episodes") + count("replay_dropped"), count("episodes"));
        assert_eq!(count("replay_episodes"), count("episodes").min(3.0));
        assert!(count("replay_bytes") <= 1e6);
    }
    assert_eq!(lines.last().unwrap()["replay_dropped"], 47.0);
}

#[test]
fn a_run_that_drops_nothing_prints_no_note() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(finish(folder.path(), &config(&["replay.budget=1MB"])).notes, [""; 0]);
    assert!(metrics(folder.path()).iter().all(|line| line.get("replay_dropped").is_none_or(|dropped| *dropped == 0.0)));
}

#[test]
fn a_resumed_run_that_drops_episodes_equals_an_undisturbed_one() {
    for starts in ["replay.starts=inside", "replay.starts=edges", "replay.starts=stream"] {
        let mut config = forgetful();
        config.replay.starts =
            resolve(&[Layer::typed("tasks=noise").unwrap(), Layer::typed(starts).unwrap()]).unwrap().replay.starts;
        let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        finish(whole.path(), &config);
        assert!(stop_at(parts.path(), &config, 900));
        let notes = finish(parts.path(), &config).notes;
        let note = notes
            .iter()
            .find(|note| note.starts_with("the agent learns from the newest 3 of "))
            .unwrap_or_else(|| panic!("{notes:?}"));
        assert!(note.contains("replay.budget = 1MB is full"), "{note}");
        assert_eq!(outcomes(parts.path()), outcomes(whole.path()), "{starts}");
    }
}

#[test]
fn the_two_ways_to_draw_windows_learn_different_things() {
    let agent = |starts: &str| {
        let folder = tempfile::tempdir().unwrap();
        finish(folder.path(), &config(&[starts]));
        outcomes(folder.path()).agent
    };
    assert_eq!(agent("seed=3"), agent("replay.starts=inside"));
    assert_ne!(agent("replay.starts=inside"), agent("replay.starts=edges"));
}
