//! Embeddings kept with the memory: the same numbers whether kept or computed, within the budget, and none computed twice
//! while it is kept.

mod common;

use common::{held, numbered};
use proptest::prelude::*;
use random::Stream;
use replay::{Batch, Embeddings, IMAGE_BYTES, Replay, WindowStarts};

const SIZE: usize = 3;

/// An encoder whose embeddings identify the image.
fn encode(images: &[u8], out: &mut [f32]) {
    for (image, out) in images.chunks_exact(IMAGE_BYTES).zip(out.chunks_exact_mut(SIZE)) {
        out.copy_from_slice(&[f32::from(image[0]), f32::from(image[0]) * 0.5, -f32::from(image[IMAGE_BYTES - 1])]);
    }
}

fn expected(batch: &Batch) -> Vec<f32> {
    let mut all = vec![0.0; batch.batch * batch.length * SIZE];
    encode(&batch.image, &mut all);
    all
}

/// Bytes of the embeddings of so many transitions: numbers, and whether they are known.
fn bytes(transitions: usize) -> u64 {
    (transitions * (4 * SIZE + 1)) as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn embeddings_are_those_of_the_images_under_any_budget(
        seed in 0u64..1000,
        lengths in prop::collection::vec(4usize..12, 1..8),
        budget in 0usize..60,
        batch in 1usize..6,
        stream: bool,
    ) {
        let mut replay = Replay::new(1, 2 * held(numbered(1, 12, 0))).unwrap();
        let mut embeddings = Embeddings::new(SIZE, bytes(budget));
        let mut random = Stream::new(seed, "replay");
        let starts = if stream { WindowStarts::Stream } else { WindowStarts::Inside };
        let mut batch = Batch::new(batch, 4);
        // Episodes come, and the oldest go, while batches are drawn.
        for (id, &length) in lengths.iter().enumerate() {
            replay.add(numbered(1, length, id)).unwrap();
            for _ in 0..3 {
                replay.sample(&mut random, starts, &mut batch).unwrap();
                embeddings.fill(&replay, None, &mut batch, encode);
                prop_assert_eq!(&batch.embedding, &expected(&batch));
                prop_assert!(embeddings.bytes() <= bytes(budget));
            }
        }
    }
}

#[test]
fn stored_embeddings_are_not_computed_again() {
    let mut replay = Replay::new(1, u64::MAX).unwrap();
    for id in 0..3 {
        replay.add(numbered(1, 6, id)).unwrap();
    }
    let (mut embeddings, mut random) = (Embeddings::new(SIZE, bytes(18)), Stream::new(1, "replay"));
    let mut batch = Batch::new(64, 3);
    let mut encoded = Vec::new();
    for _ in 0..20 {
        replay.sample(&mut random, WindowStarts::Inside, &mut batch).unwrap();
        let mut now = 0;
        embeddings.fill(&replay, None, &mut batch, |images, out| {
            now = images.len() / IMAGE_BYTES;
            encode(images, out);
        });
        encoded.push(now);
    }
    // So large a batch meets every image of so few, each perhaps several times in its first batch.
    assert!(encoded[0] >= 18, "{encoded:?}");
    assert_eq!(encoded[1..], [0; 19]);
    assert_eq!(embeddings.bytes(), bytes(18));
}

#[test]
fn episodes_drawn_longest_ago_and_removed_ones_free_their_memory() {
    let mut replay = Replay::new(1, 3 * held(numbered(1, 4, 0))).unwrap();
    let (mut embeddings, mut random) = (Embeddings::new(SIZE, bytes(8)), Stream::new(1, "replay"));
    let mut batch = Batch::new(1, 4);
    let mut fill = |replay: &mut Replay| {
        replay.sample(&mut random, WindowStarts::Inside, &mut batch).unwrap();
        let mut encoded = 0;
        embeddings.fill(replay, None, &mut batch, |images, out| {
            encoded = images.len() / IMAGE_BYTES;
            encode(images, out);
        });
        assert_eq!(batch.embedding, expected(&batch));
        (batch.windows[0].episode, encoded, embeddings.bytes())
    };
    // Windows are whole episodes; the budget is enough for two of them.
    replay.add(numbered(1, 4, 0)).unwrap();
    assert_eq!(fill(&mut replay), (0, 4, bytes(4)));
    assert_eq!(fill(&mut replay), (0, 0, bytes(4)));
    replay.add(numbered(1, 4, 1)).unwrap();
    replay.add(numbered(1, 4, 2)).unwrap();
    let mut last: Vec<u64> = vec![0];
    for _ in 0..200 {
        let (episode, encoded, held) = fill(&mut replay);
        assert_eq!(encoded == 0, last.contains(&episode), "{episode} after {last:?}");
        last.retain(|&other| other != episode);
        last.push(episode);
        last = last.split_off(last.len().saturating_sub(2));
        assert_eq!(held, bytes(4 * last.len()));
    }
    // Three episodes leave the memory; only the newest's embeddings are then held.
    for id in 3..6 {
        replay.add(numbered(1, 4, id)).unwrap();
    }
    assert_eq!(fill(&mut replay).2, bytes(4));
}
