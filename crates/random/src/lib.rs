//! Named random streams. They are counter-based, so a stream is saved as its name and a position.
//!
//! Here: [`Stream`], uniform, integer, normal and Gumbel draws. Not here: how much noise an agent needs, or when.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// A reproducible source of random numbers, keyed by a seed and a name.
///
/// Two streams of one seed with different names are independent. Every draw advances a counter; [`Stream::state`] and
/// [`Stream::resume`] save and restore it exactly.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
    seed: u64,
    /// Filled up with zeros.
    name: [u8; Stream::LONGEST_NAME],
}

/// The state of a [`Stream`] in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamState {
    /// The run's seed.
    pub seed: u64,
    /// The stream's name, at most 24 bytes.
    pub name: String,
    /// 32-bit words drawn so far.
    pub position: u64,
}

impl Stream {
    /// Longest name a stream can have, in bytes: name and seed together are the generator's 32-byte key.
    pub const LONGEST_NAME: usize = 24;

    /// The stream called `name` of a run's `seed`, at its beginning.
    ///
    /// # Panics
    /// If `name` is longer than [`Stream::LONGEST_NAME`] bytes: names are constants of the program, not input.
    pub fn new(seed: u64, name: &str) -> Self {
        assert!(name.len() <= Self::LONGEST_NAME, "stream name {name:?} is longer than {} bytes", Self::LONGEST_NAME);
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut padded = [0; Self::LONGEST_NAME];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        key[8..].copy_from_slice(&padded);
        Self { generator: ChaCha8Rng::from_seed(key), seed, name: padded }
    }

    /// The stream's place, to be saved.
    pub fn state(&self) -> StreamState {
        let name = String::from_utf8_lossy(&self.name).trim_end_matches('\0').to_owned();
        StreamState { seed: self.seed, name, position: self.generator.get_word_pos() as u64 }
    }

    /// The stream with this `state`, or `None` if the state is not valid (a damaged file).
    pub fn resume(state: &StreamState) -> Option<Self> {
        if state.name.len() > Self::LONGEST_NAME {
            return None;
        }
        let mut stream = Self::new(state.seed, &state.name);
        stream.generator.set_word_pos(u128::from(state.position));
        Some(stream)
    }

    /// The generator's key: seed and name, as 32-bit words.
    pub fn key(&self) -> [u32; 8] {
        let seed = self.generator.get_seed();
        std::array::from_fn(|word| u32::from_le_bytes([0, 1, 2, 3].map(|byte| seed[4 * word + byte])))
    }

    /// A separate stream for part `index` of some work: the same parts draw the same numbers in any order, on any
    /// number of threads. Does not advance `self`, and a part must draw fewer than 2^40 words.
    pub fn part(&self, index: u64) -> Self {
        let mut part = self.clone();
        part.generator.set_stream(index + 1);
        part.generator.set_word_pos(0);
        part
    }

    /// Uniform in [0, 1), 53 random bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub fn uniform_in(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in 0..bound, without bias worth speaking of (bound is far below 2^53).
    ///
    /// # Panics
    /// If `bound` is zero.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "no number is below zero");
        ((self.uniform() * bound as f64) as usize).min(bound - 1)
    }

    /// Two independent standard normal draws (Box and Muller, 1958): always the same number of words.
    pub fn normal_pair(&mut self) -> (f64, f64) {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        (radius * cosine, radius * sine)
    }

    /// A standard Gumbel draw: of several classes, the one with the largest sum of log-probability and draw is a sample.
    pub fn gumbel(&mut self) -> f64 {
        // The bounds keep both logarithms finite.
        -(-self.uniform().max(1e-300).ln()).max(1e-300).ln()
    }

    /// One standard normal draw.
    pub fn normal(&mut self) -> f64 {
        self.normal_pair().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_stream_continues_where_it_stopped() {
        let mut stream = Stream::new(7, "exploration");
        for _ in 0..5 {
            stream.uniform();
        }
        let mut resumed = Stream::resume(&stream.state()).unwrap();
        for _ in 0..100 {
            assert_eq!(stream.normal_pair(), resumed.normal_pair());
        }
    }

    #[test]
    fn names_seeds_and_parts_are_streams_of_their_own() {
        let draw = |mut stream: Stream| (0..4).map(|_| stream.uniform()).collect::<Vec<_>>();
        let base = Stream::new(1, "replay");
        let all = [
            draw(base.clone()),
            draw(Stream::new(2, "replay")),
            draw(Stream::new(1, "model")),
            draw(base.part(0)),
            draw(base.part(1)),
        ];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut stream = Stream::new(3, "moments");
        let n = 200_000;
        let normals: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mean = normals.iter().sum::<f64>() / n as f64;
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let uniform = (0..n).map(|_| stream.uniform_in(-1.0, 3.0)).sum::<f64>() / n as f64;
        assert!((uniform - 1.0).abs() < 0.02, "{uniform}");
        let gumbel = (0..n).map(|_| stream.gumbel()).sum::<f64>() / n as f64;
        assert!((gumbel - 0.577_215_664_9).abs() < 0.01, "{gumbel}");
        let mut counts = [0; 7];
        (0..n).for_each(|_| counts[stream.below(7)] += 1);
        assert!(counts.iter().all(|&c| (c as f64 / n as f64 * 7.0 - 1.0).abs() < 0.05), "{counts:?}");
    }
}
