//! The replay memory: its budget, opening a folder, and sampling.

mod common;

use std::fs;

use common::{STAMP, arrays, container, episode, held, numbered, put};
use proptest::prelude::*;
use random::Stream;
use replay::{
    Batch, CompressedEpisode, Episode, IMAGE_BYTES, Replay, ReplayError, Sizes, WindowStarts, set_aside, write_episode,
};

/// Bytes that numbered episodes of these ids and lengths occupy in a memory.
fn bytes(action_size: usize, episodes: impl IntoIterator<Item = (usize, usize)>) -> u64 {
    episodes.into_iter().map(|(id, length)| held(numbered(action_size, length, id))).sum()
}

/// The first reward after the reset names a numbered episode.
fn ids(replay: &Replay) -> Vec<usize> {
    replay.episodes().map(|episode| episode.reward()[1] as usize / 1000).collect()
}

#[test]
fn the_oldest_episodes_leave_when_the_budget_is_full() {
    let budget = bytes(2, [(0, 4), (1, 3), (2, 3)]);
    let mut replay = Replay::new(2, budget).unwrap();
    for (id, length) in [(0, 4), (1, 3), (2, 3)] {
        replay.add(numbered(2, length, id)).unwrap();
    }
    assert_eq!((ids(&replay), replay.stats(3).dropped), (vec![0, 1, 2], 0));
    replay.add(numbered(2, 2, 3)).unwrap();
    assert_eq!(ids(&replay), [1, 2, 3]);
    let stats = replay.stats(3);
    assert_eq!((stats.episodes, stats.transitions, stats.too_short, stats.dropped), (3, 8, 1, 1));
    assert_eq!((stats.bytes, stats.budget), (bytes(2, [(1, 3), (2, 3), (3, 2)]), budget));
    // Nearly as large as the budget: nothing else fits.
    let whole = (2..).take_while(|&length| bytes(2, [(4, length)]) <= budget).last().unwrap();
    replay.add(numbered(2, whole, 4)).unwrap();
    assert_eq!((ids(&replay), replay.stats(3).dropped, replay.oldest()), (vec![4], 4, 4));

    let error = replay.add(numbered(2, whole + 1, 5)).unwrap_err();
    assert!(matches!(error, ReplayError::Budget { .. }), "{error}");
    let error = replay.add(numbered(3, 5, 6)).unwrap_err();
    assert!(error.to_string().contains("has action size 3, but this replay memory is for action size 2"), "{error}");
    assert_eq!((ids(&replay), replay.stats(3).bytes), (vec![4], bytes(2, [(4, whole)])));
    assert!(matches!(Replay::new(0, 1), Err(ReplayError::NoAction { action_size: 0 })));
}

/// Images without any pattern need their own size and a few bytes, and come back equal.
#[test]
fn images_that_do_not_compress_are_kept_as_they_are() {
    let noise = |seed: u64| -> Vec<u8> {
        let mut random = Stream::new(seed, "noise");
        (0..6 * IMAGE_BYTES).map(|_| random.below(256) as u8).collect()
    };
    let mut replay = Replay::new(1, 3 * 6 * (Sizes::from(1).bytes() as u64 + 64)).unwrap();
    for seed in 0..4 {
        let rewards = vec![0.0; 6];
        replay.add(Episode::new("noise", 1, noise(seed), rewards.clone(), rewards, vec![1.0; 6]).unwrap()).unwrap();
    }
    let stats = replay.stats(1);
    assert_eq!((stats.episodes, stats.dropped), (3, 1));
    let raw = 3 * 6 * Sizes::from(1).bytes() as u64;
    assert!((raw..raw + raw / 100).contains(&stats.bytes), "{stats:?} for {raw} bytes");
    let mut batch = Batch::new(40, 4);
    replay.sample(&mut Stream::new(1, "replay"), WindowStarts::Inside, &mut batch).unwrap();
    for (window, images) in batch.windows.iter().zip(batch.image.chunks_exact(4 * IMAGE_BYTES)) {
        assert!(images == &noise(window.episode)[window.start * IMAGE_BYTES..][..4 * IMAGE_BYTES]);
    }
    for (seed, episode) in (1..).zip(replay.episodes()) {
        assert!(episode.decompress().image() == noise(seed));
    }
}

#[test]
fn windows_are_consecutive_transitions_of_one_episode() {
    let mut replay = Replay::new(2, u64::MAX).unwrap();
    for id in 0..5 {
        replay.add(numbered(2, 4 + 3 * id, id)).unwrap();
    }
    let mut batch = Batch::new(40, 6);
    replay.sample(&mut Stream::new(1, "replay"), WindowStarts::Inside, &mut batch).unwrap();
    assert_eq!((batch.image.len(), batch.action.len()), (40 * 6 * IMAGE_BYTES, 40 * 6 * 2));
    assert_eq!((batch.reward.len(), batch.discount.len(), batch.action_size), (240, 240, 2));
    for window in 0..40 {
        let id = batch.reward[window * 6 + 5] as usize / 1000;
        let start = batch.reward[window * 6 + 5] as usize % 1000 - 5;
        for t in 0..6 {
            let at = window * 6 + t;
            let value = if start + t == 0 { 0.0 } else { (id * 1000 + start + t) as f32 };
            assert_eq!(batch.reward[at], value);
            assert_eq!(batch.action[2 * at..2 * at + 2], [value / 1e6; 2]);
            assert_eq!(batch.discount[at], 1.0);
            let image = &batch.image[at * IMAGE_BYTES..(at + 1) * IMAGE_BYTES];
            assert!(image.iter().all(|&byte| byte == (id * 31 + start + t) as u8));
        }
    }
}

#[test]
fn windows_of_a_stream_go_on_in_the_next_episode() {
    let mut replay = Replay::new(2, u64::MAX).unwrap();
    let lengths = [2, 3, 2, 7, 2];
    for (id, length) in lengths.into_iter().enumerate() {
        replay.add(numbered(2, length, id)).unwrap();
    }
    // Each transition of the stream: its episode, and its number there.
    let stream: Vec<(usize, usize)> =
        lengths.into_iter().enumerate().flat_map(|(id, length)| (0..length).map(move |t| (id, t))).collect();
    let mut batch = Batch::new(60, 6);
    replay.sample(&mut Stream::new(1, "replay"), WindowStarts::Stream, &mut batch).unwrap();
    assert_eq!(batch.windows.iter().map(|window| window.length).sum::<usize>(), 60 * 6);
    let mut starts = std::collections::BTreeSet::new();
    for sequence in 0..60 {
        let begin = batch.windows.iter().find(|window| window.place == 6 * sequence).expect("a sequence begins there");
        let first = stream.iter().position(|place| *place == (begin.episode as usize, begin.start)).unwrap();
        starts.insert(first);
        for (at, (id, t)) in (6 * sequence..).zip(&stream[first..first + 6]) {
            let value = if *t == 0 { 0.0 } else { (id * 1000 + t) as f32 };
            assert_eq!(batch.reward[at], value);
            assert_eq!(batch.action[2 * at..2 * at + 2], [value / 1e6; 2]);
            assert_eq!(batch.first[at], f32::from(u8::from(*t == 0)));
            let image = &batch.image[at * IMAGE_BYTES..(at + 1) * IMAGE_BYTES];
            assert!(image.iter().all(|&byte| byte == (id * 31 + t) as u8));
        }
    }
    assert_eq!(starts.len(), stream.len() - 5, "every start is drawn");
    // No sequence is longer than the stream, and other batches do not have beginnings.
    let mut long = Batch::new(1, 17);
    let error = replay.sample(&mut Stream::new(1, "replay"), WindowStarts::Stream, &mut long).unwrap_err();
    assert!(matches!(error, ReplayError::NoneLongEnough { .. }), "{error}");
    replay.sample(&mut Stream::new(1, "replay"), WindowStarts::Inside, &mut batch).unwrap();
    assert!(batch.first.is_empty());
}

#[test]
fn every_episode_and_every_start_is_equally_likely() {
    // Lengths 3 to 9 and windows of 4: the first is too short, the others have 2, 3, 4, 5 and 6 starts.
    let mut replay = Replay::new(1, u64::MAX).unwrap();
    for (id, length) in [(1, 3), (2, 5), (3, 6), (4, 7), (5, 8), (6, 9)] {
        replay.add(numbered(1, length, id)).unwrap();
    }
    let mut random = Stream::new(12, "replay");
    let mut batch = Batch::new(50, 4);
    let mut counts = vec![vec![0u32; 6]; 7];
    let draws = 40_000;
    for _ in 0..draws / 50 {
        replay.sample(&mut random, WindowStarts::Inside, &mut batch).unwrap();
        for window in batch.reward.chunks_exact(4) {
            let last = window[3] as usize;
            counts[last / 1000][last % 1000 - 3] += 1;
        }
    }
    let mut square = 0.0;
    let mut cells = 0;
    for id in 2..=6 {
        for start in 0..id {
            let expected = draws as f64 / 5.0 / id as f64;
            square += (f64::from(counts[id][start]) - expected).powi(2) / expected;
            cells += 1;
        }
        assert!(counts[id][id..].iter().all(|&count| count == 0));
    }
    assert_eq!((cells, counts[1].iter().sum::<u32>()), (20, 0));
    // Chi square of 19 degrees of freedom: above 43.8 once in a thousand seeds, and this one is fixed.
    assert!(square < 43.8, "{square} {counts:?}");
}

#[test]
fn sampling_depends_on_the_stream_alone_and_reuses_its_buffers() {
    let mut replay = Replay::new(1, u64::MAX).unwrap();
    for id in 0..8 {
        replay.add(numbered(1, 12, id)).unwrap();
    }
    let mut other = replay.clone();
    let (mut random, mut again) = (Stream::new(5, "replay"), Stream::new(5, "replay"));
    let mut batch = Batch::new(6, 5);
    replay.sample(&mut random, WindowStarts::Inside, &mut batch).unwrap();
    let first = batch.clone();
    let buffers =
        |batch: &Batch| (batch.image.as_ptr(), batch.action.as_ptr(), batch.reward.as_ptr(), batch.discount.as_ptr());
    let before = buffers(&batch);
    for _ in 0..10 {
        replay.sample(&mut random, WindowStarts::Inside, &mut batch).unwrap();
    }
    assert_eq!(buffers(&batch), before);
    let mut second = Batch::new(6, 5);
    other.sample(&mut again, WindowStarts::Inside, &mut second).unwrap();
    assert_eq!(second, first);
    for _ in 0..10 {
        other.sample(&mut again, WindowStarts::Inside, &mut second).unwrap();
    }
    assert_eq!((second, again.state()), (batch, random.state()));
}

#[test]
fn a_window_that_fits_nowhere_and_an_empty_batch_are_errors() {
    let mut replay = Replay::new(1, u64::MAX).unwrap();
    let mut random = Stream::new(5, "replay");
    let before = random.state();
    let none = replay.sample(&mut random, WindowStarts::Inside, &mut Batch::new(1, 1)).unwrap_err();
    assert!(matches!(none, ReplayError::NoneLongEnough { episodes: 0, longest: 0, .. }), "{none}");
    replay.add(numbered(1, 7, 0)).unwrap();
    let none = replay.sample(&mut random, WindowStarts::Inside, &mut Batch::new(1, 8)).unwrap_err();
    assert!(none.to_string().contains("the longest has 7"), "{none}");
    for (batch, length) in [(0, 5), (5, 0)] {
        let empty = replay.sample(&mut random, WindowStarts::Inside, &mut Batch::new(batch, length)).unwrap_err();
        assert!(matches!(empty, ReplayError::EmptyBatch { .. }), "{empty}");
    }
    let huge = replay.sample(&mut random, WindowStarts::Inside, &mut Batch::new(usize::MAX / 5, 7)).unwrap_err();
    assert!(matches!(huge, ReplayError::HugeBatch { .. }), "{huge}");
    assert_eq!(random.state(), before);
    replay.sample(&mut random, WindowStarts::Inside, &mut Batch::new(3, 7)).unwrap();
}

#[test]
fn opening_a_folder_loads_the_newest_that_fit_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = [6, 5, 4, 7, 3, 8, 2];
    // The newest four fit exactly, and so do the four before the newest two.
    let all: Vec<(usize, usize)> = lengths.into_iter().enumerate().collect();
    let budget = bytes(1, all[3..].iter().copied()).max(bytes(1, all[1..5].iter().copied()));
    let mut live = Replay::new(1, budget).unwrap();
    for (id, length) in lengths.into_iter().enumerate() {
        let episode = numbered(1, length, id);
        // A clock that runs backwards: the numbers give the order.
        let stamp = format!("20261122T1015{:02}", 50 - id);
        write_episode(folder.path(), &stamp, id as u64, &episode).unwrap();
        live.add(episode).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "not an episode").unwrap();
    fs::write(folder.path().join(format!(".{STAMP}-00000009-5.npz.1-0.partial")), "half").unwrap();
    let (opened, report) = Replay::open(folder.path(), 1, budget, None, None).unwrap();
    assert_eq!(ids(&opened), [3, 4, 5, 6]);
    assert!(opened.episodes().eq(live.episodes()));
    assert_eq!(opened.stats(4), live.stats(4));
    assert_eq!((opened.stats(4).dropped, opened.oldest()), (3, 3));
    assert_eq!((report.loaded, report.passed_over, report.missing), (4, 3, 0));
    assert_eq!((report.skipped, report.newer), (vec![], vec![]));
    assert_eq!(report.leftovers, [".20261122T101530-00000009-5.npz.1-0.partial"]);

    let (opened, report) = Replay::open(folder.path(), 1, budget, Some(5), None).unwrap();
    assert_eq!(ids(&opened), [1, 2, 3, 4]);
    assert_eq!(report.newer, ["20261122T101545-00000005-8.npz", "20261122T101544-00000006-2.npz"]);
    assert_eq!((report.loaded, report.passed_over, report.missing), (4, 1, 0));
    assert_eq!(report.transitions, 6 + 5 + 4 + 7 + 3);

    let aside = set_aside(folder.path(), &report.newer).unwrap().unwrap();
    assert_eq!(aside, folder.path().join("aside-1"));
    assert!(report.newer.iter().all(|name| aside.join(name).is_file()));
    let (_, report) = Replay::open(folder.path(), 1, u64::MAX, Some(7), None).unwrap();
    assert_eq!((report.loaded, report.missing, report.newer.len()), (5, 2, 0));
    assert_eq!(set_aside(folder.path(), &report.newer).unwrap(), None);
    let name = ["20261122T101550-00000000-6.npz".to_owned()];
    assert_eq!(set_aside(folder.path(), &name).unwrap().unwrap(), folder.path().join("aside-2"));
}

#[test]
fn damaged_files_are_skipped_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = container(arrays(), "");
    put(folder.path(), 0, 3, &whole);
    put(folder.path(), 1, 3, &whole[..whole.len() / 2]);
    put(folder.path(), 2, 3, &whole);
    put(folder.path(), 3, 9, &whole);
    fs::create_dir(folder.path().join(format!("{STAMP}-00000004-3.npz"))).unwrap();
    fs::write(folder.path().join("episode.npz"), &whole).unwrap();
    let (opened, report) = Replay::open(folder.path(), 2, u64::MAX, None, None).unwrap();
    assert_eq!((opened.stats(3).episodes, report.loaded, report.passed_over), (2, 2, 0));
    let skipped: Vec<(&str, &str)> =
        report.skipped.iter().map(|file| (file.name.as_str(), file.reason.as_str())).collect();
    let expected = [
        ("episode.npz", "its name is not"),
        ("20261122T101530-00000004-3.npz", "not a regular file"),
        ("20261122T101530-00000003-9.npz", "its name gives 9 transitions"),
        ("20261122T101530-00000001-3.npz", "container"),
    ];
    assert_eq!(skipped.len(), expected.len());
    for ((name, reason), (expected_name, part)) in skipped.into_iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert!(reason.contains(part) && reason.contains(name), "{reason}");
    }
}

#[test]
fn folders_that_do_not_fit_the_run_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let open = |action_size, budget| Replay::open(folder.path(), action_size, budget, None, None);
    assert_eq!(open(2, 0).unwrap().1.loaded, 0);
    write_episode(folder.path(), STAMP, 0, &episode("ant", 2, 5, 1)).unwrap();
    assert!(matches!(open(2, 200), Err(ReplayError::Budget { path: Some(_), .. })));
    for action_size in [1, 3] {
        let (opened, report) = open(action_size, u64::MAX).unwrap();
        assert_eq!((opened.stats(2).episodes, report.skipped.len()), (0, 1));
        assert!(report.skipped[0].reason.contains("20261122T101530-00000000-5.npz"), "{report:?}");
    }
    // A name that claims more than any memory accepts is refused before the file is read.
    let huge = folder.path().join("20261122T101531-00000001-99999999.npz");
    fs::write(&huge, "").unwrap();
    let Err(error @ ReplayError::HugeEpisode { path: Some(_), .. }) = open(2, 1 << 20) else { panic!() };
    assert!(error.to_string().contains("20261122T101531-00000001-99999999.npz"), "{error}");
    fs::remove_file(huge).unwrap();
    write_episode(folder.path(), "20270101T000000", 0, &episode("ant", 2, 5, 2)).unwrap();
    let Err(error @ ReplayError::TwoOfANumber { id: 0, .. }) = open(2, u64::MAX) else { panic!() };
    assert!(error.to_string().contains("20270101T000000-00000000-5.npz"), "{error}");
    assert!(matches!(Replay::open(&folder.path().join("no"), 2, 0, None, None), Err(ReplayError::File(_))));
}

#[test]
fn episodes_of_other_tasks_are_skipped_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write_episode(folder.path(), STAMP, 0, &episode("ant", 2, 5, 1)).unwrap();
    write_episode(folder.path(), STAMP, 1, &episode("stranger", 2, 5, 2)).unwrap();
    // Another action size as well: the error names the task.
    write_episode(folder.path(), STAMP, 2, &episode("guest", 3, 5, 3)).unwrap();
    write_episode(folder.path(), STAMP, 3, &episode("hopper", 2, 5, 4)).unwrap();
    let tasks = ["hopper".to_owned(), "ant".to_owned()];
    let (opened, report) = Replay::open(folder.path(), 2, u64::MAX, Some(4), Some(&tasks)).unwrap();
    assert_eq!(opened.episodes().map(CompressedEpisode::task).collect::<Vec<_>>(), ["ant", "hopper"]);
    assert_eq!((report.loaded, report.missing, report.skipped.len()), (2, 0, 2));
    for (file, task) in report.skipped.iter().zip(["guest", "stranger"]) {
        assert!(file.reason.contains(&format!("an episode of {task}")) && file.reason.contains(&file.name), "{file:?}");
        assert!(file.reason.contains("hopper, ant"), "{file:?}");
    }
}

#[test]
fn over_a_million_steps_the_memory_keeps_its_budget() {
    const BUDGET: u64 = 30_000_000;
    const ACTION: usize = 6;
    let mut replay = Replay::new(ACTION, BUDGET).unwrap();
    let before = resident_bytes();
    let (mut steps, mut id, mut most) = (0, 0, 0);
    while steps < 1_000_000 {
        // Lengths from 2 to 501, so that sometimes many leave for one that comes.
        let length = 2 + id * 157 % 500;
        let [action, reward] = [vec![0.0; length * ACTION], vec![0.0; length]];
        let image = vec![id as u8 | 1; length * IMAGE_BYTES];
        replay.add(Episode::new("ant", ACTION, image, action, reward, vec![1.0; length]).unwrap()).unwrap();
        (steps, id) = (steps + length - 1, id + 1);
        most = most.max(replay.stats(2).bytes);
        assert!(most <= BUDGET, "after {id} episodes");
    }
    assert!(most > BUDGET * 9 / 10, "the budget was never used: {most}");
    // Also by the memory that the system reports: an episode that is no longer counted must have been freed.
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        assert!(after < before + BUDGET + 30_000_000, "{before} bytes before, {after} after {id} episodes");
    }
}

/// The memory of this process in bytes, where the system reports it (Linux).
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// After any additions, the replay memory contains the longest series of newest episodes that fits, as after
    /// opening the folder.
    #[test]
    fn the_memory_is_the_longest_newest_part_that_fits(lengths in prop::collection::vec(2usize..9, 1..12), budget in 8usize..30) {
        let sizes: Vec<u64> = lengths.iter().enumerate().map(|(id, &length)| bytes(1, [(id, length)])).collect();
        let budget = bytes(1, [(0, budget)]).max(*sizes.iter().max().unwrap());
        let mut replay = Replay::new(1, budget).unwrap();
        for (id, &length) in lengths.iter().enumerate() {
            replay.add(numbered(1, length, id)).unwrap();
        }
        let fits = |from: &usize| sizes[*from..].iter().sum::<u64>() <= budget;
        let first = (0..lengths.len()).find(fits).unwrap();
        prop_assert_eq!(ids(&replay), (first..lengths.len()).collect::<Vec<_>>());
        let kept: usize = lengths[first..].iter().sum();
        prop_assert_eq!(replay.stats(1).transitions, kept as u64);
        prop_assert_eq!(replay.stats(1).bytes, replay.episodes().map(CompressedEpisode::bytes).sum::<u64>());
    }
}
