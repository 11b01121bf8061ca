//! The embeddings of the images in the replay memory by a frozen encoder, stored so that each image is encoded once.
//!
//! Here: storing, dropping and computing embeddings. Not here: the encoder, which is a function from images to
//! embeddings. Results do not depend on whether an embedding was stored or is computed again, if that function gives an
//! image the same embedding in any batch.

use std::collections::BTreeMap;

use crate::{Batch, IMAGE_BYTES, Replay};

/// The embeddings of a [`Replay`]'s images, at most `budget` bytes of them: those of the episodes drawn from last.
#[derive(Debug)]
pub struct Embeddings {
    size: usize,
    budget: u64,
    bytes: u64,
    /// Counts the batches that were filled.
    batches: u64,
    held: BTreeMap<u64, Held>,
    unknown: Unknown,
}

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

    /// Bytes that embeddings take at present.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Fills `batch.embedding` for the windows that [`Replay::sample`] has drawn from `replay`. Images that are not known
    /// are given to `encode`, all of them at once: images `[N, 64, 64, 3]` to embeddings `[N, E]`.
    pub fn fill(&mut self, replay: &Replay, batch: &mut Batch, encode: impl FnOnce(&[u8], &mut [f32])) {
        self.batches += 1;
        let (size, length) = (self.size, batch.length);
        batch.embedding.resize(batch.batch * length * size, 0.0);
        while let Some((&oldest, _)) = self.held.first_key_value()
            && oldest < replay.oldest()
        {
            self.drop_episode(oldest);
        }
        self.unknown.places.clear();
        for (index, window) in batch.windows.iter().enumerate() {
            if let Some(held) = self.held.get_mut(&window.episode) {
                held.used = self.batches;
            }
            let held = self.held.get(&window.episode);
            for t in 0..length {
                let (place, t) = (index * length + t, window.start + t);
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
        self.keep(replay, batch);
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
    fn keep(&mut self, replay: &Replay, batch: &Batch) {
        let size = self.size;
        let places = std::mem::take(&mut self.unknown.places);
        for &place in &places {
            let window = batch.windows[place / batch.length];
            if !self.held.contains_key(&window.episode) && !self.make_room(replay, window.episode) {
                continue;
            }
            let held = self.held.get_mut(&window.episode).expect("there is room for it");
            let t = window.start + place % batch.length;
            held.values[t * size..(t + 1) * size].copy_from_slice(&batch.embedding[place * size..(place + 1) * size]);
            held.known[t] = true;
        }
        self.unknown.places = places;
    }

    /// Drops embeddings to make space for those of an episode; `false` if this batch needs all stored ones.
    fn make_room(&mut self, replay: &Replay, episode: u64) -> bool {
        let Some(length) = replay.episode(episode).map(crate::CompressedEpisode::len) else { return false };
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

    fn drop_episode(&mut self, episode: u64) {
        if let Some(held) = self.held.remove(&episode) {
            self.bytes -= bytes_of(held.known.len(), self.size);
        }
    }
}

fn bytes_of(transitions: usize, size: usize) -> u64 {
    transitions as u64 * (size * size_of::<f32>() + size_of::<bool>()) as u64
}
