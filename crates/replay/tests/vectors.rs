//! Episodes and batches of vector observations: their files, and how a memory stores them.

use environment::{Observation, ObservationSpace};
use random::Stream;
use replay::{
    Batch, CompressedEpisode, Damage, Episode, EpisodeBuilder, FileError, IMAGE_BYTES, Replay, ReplayError, Sizes,
    WindowStarts, read_episode, write_batch, write_episode,
};

const LIMIT: u64 = 1 << 30;

fn sizes(images: bool) -> Sizes {
    let image = ObservationSpace::IMAGE.image.filter(|_| images);
    Sizes { action: 2, observations: ObservationSpace { image, vector: 3 } }
}

/// An episode whose transition t has numbers from 10 t on.
fn episode(images: bool, length: usize) -> Episode {
    let vector = |t: usize| [0.0, 1.0, 2.0].map(|x| (10 * t) as f32 + x);
    let image = |t: usize| vec![t as u8; if images { IMAGE_BYTES } else { 0 }];
    let seen = (image(0), vector(0));
    let first = Observation { image: &seen.0, vector: &seen.1 };
    let mut builder = EpisodeBuilder::new("cart", sizes(images), first).unwrap();
    for t in 1..length {
        let seen = (image(t), vector(t));
        builder.push(&[0.5, -0.5], t as f32, 1.0, Observation { image: &seen.0, vector: &seen.1 }).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn an_episode_comes_back_from_its_file_and_from_memory() {
    for images in [false, true] {
        let (folder, episode) = (tempfile::tempdir().unwrap(), episode(images, 5));
        let path = write_episode(folder.path(), "20261122T101530", 0, &episode).unwrap();
        assert_eq!(read_episode(&path, LIMIT).unwrap(), episode);
        assert_eq!(CompressedEpisode::new(episode.clone()).decompress(), episode);
        // A limit below the episode's size stops the reading.
        let Err(FileError::Damaged { damage, .. }) = read_episode(&path, episode.bytes() - 1) else {
            panic!("a file beyond its limit is read")
        };
        assert!(matches!(damage, Damage::TooLarge { .. }), "{damage}");
    }
}

#[test]
fn windows_of_vectors_are_those_of_the_episode() {
    for images in [false, true] {
        let mut replay = Replay::new(sizes(images), LIMIT).unwrap();
        replay.add(episode(images, 9)).unwrap();
        let mut batch = Batch::new(4, 3);
        replay.sample(&mut Stream::new(1, "batches"), WindowStarts::Inside, &mut batch).unwrap();
        assert_eq!((batch.vector.len(), batch.image.len()), (4 * 3 * 3, if images { 4 * 3 * IMAGE_BYTES } else { 0 }));
        for (window, vectors) in batch.windows.iter().zip(batch.vector.chunks_exact(3 * 3)) {
            let expected: Vec<f32> = (0..9).map(|i| (10 * (window.start + i / 3) + i % 3) as f32).collect();
            assert_eq!(vectors, expected);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.npz");
        write_batch(&path, &batch).unwrap();
        assert!(path.metadata().unwrap().len() > 0);
    }
}

#[test]
fn an_episode_of_other_observations_is_refused_and_skipped() {
    let mut replay = Replay::new(sizes(false), LIMIT).unwrap();
    let error = replay.add(episode(true, 4)).unwrap_err();
    assert!(matches!(error, ReplayError::Observations { .. }), "{error}");
    assert!(error.to_string().contains("has images and vectors of 3 numbers"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    write_episode(folder.path(), "20261122T101530", 0, &episode(true, 4)).unwrap();
    write_episode(folder.path(), "20261122T101531", 1, &episode(false, 4)).unwrap();
    let (opened, report) = Replay::open(folder.path(), sizes(false), LIMIT, None, None).unwrap();
    assert_eq!((opened.episodes().len(), report.skipped.len()), (1, 1));
    assert!(
        report.skipped[0].reason.contains("this replay memory is for vectors of 3 numbers"),
        "{:?}",
        report.skipped
    );
}
