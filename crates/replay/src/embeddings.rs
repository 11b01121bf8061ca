//! The embeddings of the images in the replay memory, and of those that are rehearsed, by a frozen encoder, stored so
//! that each image is encoded once.
//!
//! Here: storing, dropping and computing embeddings. Not here: the encoder, which is a function from images to
//! embeddings. Results do not depend on whether an embedding was stored or is computed again, if that function gives an
//! image the same embedding in any batch.

use std::collections::BTreeMap;

use crate::{Batch, CompressedEpisode, IMAGE_BYTES, Rehearsal, Replay};

/// The embeddings of a [`Replay`]'s images, at most `budget` bytes of them: those of the episodes drawn from last.
#[derive(Debug)]
pub struct Embeddings {
    size: usize,
    budget: u64,
    bytes: u64,
    /// Counts the batches that were filled.
    batches: u64,
    held: BTreeMap<Key, Held>,
    unknown: Unknown,
}

/// An episode: whether it is one of another run, and its number.
type Key = (bool, u64);

/// The stored embeddings of one episode.
#[derive(Debug)]
struct Held {
    /// `[T+1, E]`; only the rows that are `known` mean anything.
    values: Vec<f32>,
    known: Vec<bool>,
    /// The batch that needed it last.
    used: u64,
}

/// Images of a batch that are not known, to be encoded all at once; kept to be reused.
#[derive(Debug, Default)]
struct Unknown {
    /// Which transition of the batch each is.
    places: Vec<usize>,
    images: Vec<u8>,
    embeddings: Vec<f32>,
}

impl Embeddings {
    /// An empty memory for embeddings of `size` numbers, of at most `budget` bytes.
    pub fn new(size: usize, budget: u64) -> Self {
        Self { size, budget, bytes: 0, batches: 0, held: BTreeMap::new(), unknown: Unknown::default() }
    }

    /// Bytes of all embeddings at present.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Fills `batch.embedding` for the windows that [`Replay::sample`] has drawn from `replay`, and those drawn from
    /// `rehearsal`. Images that are not known are given to `encode`, all of them at once: images `[N, 64, 64, 3]` to
    /// embeddings `[N, E]`.
    pub fn fill(
        &mut self,
        replay: &Replay,
        rehearsal: Option<&Rehearsal>,
        batch: &mut Batch,
        encode: impl FnOnce(&[u8], &mut [f32]),
    ) {
        self.batches += 1;
        let (size, length) = (self.size, batch.length);
        batch.embedding.resize(batch.batch * length * size, 0.0);
        // Episodes of another run come last, and are never dropped.
        while let Some((&(false, oldest), _)) = self.held.first_key_value()
            && oldest < replay.oldest()
        {
            self.drop_episode((false, oldest));
        }
        self.unknown.places.clear();
        for window in &batch.windows {
            let key = (window.rehearsed, window.episode);
            if let Some(held) = self.held.get_mut(&key) {
                held.used = self.batches;
            }
            let held = self.held.get(&key);
            for t in 0..window.length {
                let (place, t) = (window.place + t, window.start + t);
                match held {
                    Some(held) if held.known[t] => batch.embedding[place * size..(place + 1) * size]
                        .copy_from_slice(&held.values[t * size..(t + 1) * size]),
                    _ => self.unknown.places.push(place),
                }
            }
        }
        if self.unknown.places.is_empty() {
            return;
        }
        self.encode(batch, encode);
        let length = |(rehearsed, number): Key| {
            let memory = if rehearsed { &rehearsal?.memory } else { replay };
            memory.episode(number).map(CompressedEpisode::len)
        };
        self.keep(&length, batch);
    }

    /// Encodes the unknown images, and writes their embeddings where the batch has them.
    fn encode(&mut self, batch: &mut Batch, encode: impl FnOnce(&[u8], &mut [f32])) {
        let (size, Unknown { places, images, embeddings }) = (self.size, &mut self.unknown);
        images.clear();
        for &place in places.iter() {
            images.extend_from_slice(&batch.image[place * IMAGE_BYTES..(place + 1) * IMAGE_BYTES]);
        }
        embeddings.resize(places.len() * size, 0.0);
        encode(images, embeddings);
        for (&place, embedding) in places.iter().zip(embeddings.chunks_exact(size)) {
            batch.embedding[place * size..(place + 1) * size].copy_from_slice(embedding);
        }
    }

    /// Stores new embeddings within the budget; those of the least recently used episodes are dropped first.
    fn keep(&mut self, length: &dyn Fn(Key) -> Option<usize>, batch: &Batch) {
        let size = self.size;
        let places = std::mem::take(&mut self.unknown.places);
        for &place in &places {
            let after = batch.windows.partition_point(|window| window.place <= place);
            let window = batch.windows[after - 1];
            let key = (window.rehearsed, window.episode);
            if !self.held.contains_key(&key) && !self.make_space(length(key), key) {
                continue;
            }
            let held = self.held.get_mut(&key).expect("there is space for it");
            let t = window.start + place - window.place;
            held.values[t * size..(t + 1) * size].copy_from_slice(&batch.embedding[place * size..(place + 1) * size]);
            held.known[t] = true;
        }
        self.unknown.places = places;
    }

    /// Drops embeddings to make space for those of an episode of this length; `false` if this batch needs all stored
    /// ones.
    fn make_space(&mut self, length: Option<usize>, episode: Key) -> bool {
        let Some(length) = length else { return false };
        let needed = bytes_of(length, self.size);
        while self.bytes + needed > self.budget {
            let longest_ago = self.held.iter().min_by_key(|(_, held)| held.used);
            match longest_ago.map(|(&episode, held)| (episode, held.used)) {
                Some((episode, used)) if used < self.batches => self.drop_episode(episode),
                _ => return false,
            }
        }
        self.bytes += needed;
        let (values, known) = (vec![0.0; length * self.size], vec![false; length]);
        self.held.insert(episode, Held { values, known, used: self.batches });
        true
    }

    fn drop_episode(&mut self, episode: Key) {
        if let Some(held) = self.held.remove(&episode) {
            self.bytes -= bytes_of(held.known.len(), self.size);
        }
    }
}

fn bytes_of(transitions: usize, size: usize) -> u64 {
    transitions as u64 * (size * size_of::<f32>() + size_of::<bool>()) as u64
}
