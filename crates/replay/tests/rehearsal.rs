//! Rehearsal: a share of the sequences of a batch is drawn from the episodes of another run.

mod common;

use common::{STAMP, episode, held, numbered};
use random::Stream;
use replay::{
    Batch, Embeddings, Episode, IMAGE_BYTES, Rehearsal, Replay, ReplayError, Sizes, Window, WindowStarts, read_episode,
    write_episode,
};
use std::fs;
use std::path::Path;

/// A folder of episodes numbered from `from`, with actions of two numbers.
fn folder_of(lengths: &[usize], from: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (id, &length) in lengths.iter().enumerate() {
        write_episode(folder.path(), STAMP, id as u64, &numbered(2, length, from + id)).unwrap();
    }
    folder
}

fn gathered(folder: &Path, budget: u64, share: f64) -> Result<Rehearsal, ReplayError> {
    Rehearsal::gather(folder, Sizes::from(2), budget, share, |episode, _| Ok(episode))
}

/// A memory of three episodes, 0 to 2.
fn memory() -> Replay {
    let mut replay = Replay::new(2, u64::MAX).unwrap();
    (0..3).for_each(|id| replay.add(numbered(2, 9, id)).unwrap());
    replay
}

#[test]
fn a_share_of_the_sequences_is_of_the_other_run_and_the_others_are_drawn_as_without_it() {
    let folder = folder_of(&[9, 3, 12], 100);
    for starts in [WindowStarts::Inside, WindowStarts::Edges] {
        let mut rehearsal = gathered(folder.path(), u64::MAX, 0.25).unwrap();
        let (mut replay, mut alone) = (memory(), memory());
        let [mut random, mut same] = [3, 3].map(|seed| Stream::new(seed, "replay"));
        let mut of_rehearsal = Stream::new(3, "rehearsal");
        let (mut batch, mut count) = (Batch::new(400, 4), 0);
        for _ in 0..10 {
            let with = (&mut rehearsal, &mut of_rehearsal);
            let found = replay.sample_rehearsing(&mut random, starts, &mut batch, with).unwrap();
            assert_eq!(found, batch.windows.iter().filter(|window| window.rehearsed).count());
            count += found;
            // The windows describe the content of the batch.
            let images = batch.image.chunks_exact(4 * IMAGE_BYTES);
            for ((window, reward), image) in batch.windows.iter().zip(batch.reward.chunks_exact(4)).zip(images) {
                let (id, last) = (window.episode as usize + if window.rehearsed { 100 } else { 0 }, window.start + 3);
                assert_eq!(reward[3], (id * 1000 + last) as f32);
                assert_eq!(image[3 * IMAGE_BYTES], (id * 31 + last) as u8);
                assert!(window.episode != 1 || !window.rehearsed, "an episode that is too short");
            }
            let place = |window: &Window| (window.episode, window.start, window.length);
            let own: Vec<_> = batch.windows.iter().filter(|window| !window.rehearsed).map(place).collect();
            let mut expected = Batch::new(own.len(), 4);
            alone.sample(&mut same, starts, &mut expected).unwrap();
            assert_eq!(own, expected.windows.iter().map(place).collect::<Vec<_>>());
        }
        // 4000 draws: the standard deviation is 27.
        assert!((890..1110).contains(&count), "{count}");
    }
}

#[test]
fn what_was_written_is_opened_as_the_same() {
    let folder = folder_of(&[9, 3, 12], 100);
    let copies = folder.path().join("copies");
    let rehearsal = gathered(folder.path(), u64::MAX, 0.5).unwrap();
    rehearsal.write(&copies, STAMP).unwrap();
    let (opened, report) = Rehearsal::open(&copies, Sizes::from(2), 0.5).unwrap();
    assert_eq!((report.loaded, report.skipped.len(), opened.longest()), (3, 0, 12));
    assert_eq!((opened.episodes(), opened.transitions(), opened.bytes()), (3, 24, rehearsal.bytes()));
    let draw = |mut rehearsal: Rehearsal| {
        let [mut random, mut other] = ["replay", "rehearsal"].map(|name| Stream::new(9, name));
        let mut batch = Batch::new(64, 3);
        let with = (&mut rehearsal, &mut other);
        memory().sample_rehearsing(&mut random, WindowStarts::Edges, &mut batch, with).unwrap();
        (batch, other.state())
    };
    assert_eq!(draw(opened), draw(rehearsal));
    fs::write(copies.join("mine"), "").unwrap();
    Rehearsal::remove(&copies).unwrap();
    assert_eq!(fs::read_dir(&copies).unwrap().count(), 1);
}

#[test]
fn the_newest_episodes_are_taken_that_the_budget_holds() {
    let lengths = [12; 40];
    let folder = folder_of(&lengths, 100);
    let size = |id: usize| held(numbered(2, 12, 100 + id));
    let budget = size(39) + size(38) + size(37) + 1;
    let rehearsal = gathered(folder.path(), budget, 0.5).unwrap();
    assert_eq!((rehearsal.episodes(), rehearsal.bytes()), (3, budget - 1));
    let copies = folder.path().join("copies");
    rehearsal.write(&copies, STAMP).unwrap();
    let mut names: Vec<_> = fs::read_dir(&copies).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(read_episode(&names[0], u64::MAX).unwrap(), numbered(2, 12, 137));
    assert!(matches!(gathered(folder.path(), 10, 0.5), Err(ReplayError::Budget { path: Some(_), .. })));
    // None are there at all.
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(gathered(empty.path(), budget, 0.5).unwrap().episodes(), 0);
}

#[test]
fn episodes_can_be_changed_or_refused_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    write_episode(folder.path(), STAMP, 0, &episode("a", 3, 5, 1)).unwrap();
    let cut = |episode: Episode, _: &Path| Ok::<_, ReplayError>(episode.with_actions_cut(2));
    let rehearsal = Rehearsal::gather(folder.path(), Sizes::from(2), u64::MAX, 0.5, cut).unwrap();
    assert_eq!(rehearsal.episodes(), 1);
    let whole = episode("a", 3, 5, 1);
    let kept: Vec<f32> = whole.action().chunks_exact(3).flat_map(|row| [row[0], row[1]]).collect();
    assert_eq!(whole.clone().with_actions_cut(2).action(), kept);
    assert_eq!(whole.clone().with_actions_cut(7), whole);
    let refuse =
        |_: Episode, path: &Path| Err(ReplayError::Budget { path: Some(path.to_owned()), bytes: 0, budget: 0 });
    assert!(Rehearsal::gather(folder.path(), Sizes::from(2), u64::MAX, 0.5, refuse).is_err());
}

#[test]
fn embeddings_of_rehearsed_images_are_kept_apart() {
    let folder = folder_of(&[9, 9, 9], 50);
    let mut rehearsal = gathered(folder.path(), u64::MAX, 0.5).unwrap();
    // Episodes of the run come and go; those of the other run have the same numbers.
    let mut replay = Replay::new(2, 2 * held(numbered(2, 9, 0))).unwrap();
    let (mut embeddings, mut encoded) = (Embeddings::new(1, 1 << 20), 0);
    let [mut random, mut other] = ["replay", "rehearsal"].map(|name| Stream::new(5, name));
    let mut batch = Batch::new(16, 3);
    for id in 0..40 {
        if id < 4 {
            replay.add(numbered(2, 9, id)).unwrap();
        }
        let with = (&mut rehearsal, &mut other);
        replay.sample_rehearsing(&mut random, WindowStarts::Inside, &mut batch, with).unwrap();
        encoded = 0;
        embeddings.fill(&replay, Some(&rehearsal), &mut batch, |images, out| {
            encoded = out.len();
            images.chunks_exact(IMAGE_BYTES).zip(out).for_each(|(image, out)| *out = f32::from(image[0]));
        });
        let expected: Vec<f32> = batch.image.chunks_exact(IMAGE_BYTES).map(|image| f32::from(image[0])).collect();
        assert_eq!(batch.embedding, expected);
    }
    assert_eq!(encoded, 0, "all are known in the end");
}
