//! Images as the networks read them, straight from a batch's bytes: nothing is copied but numbers.

use crate::networks::IMAGE_NUMBERS;
use crate::sequence_range::SequenceRange;
use tape::Real;
use tape::kernels::elementwise::scale_bytes;

/// Some sequences of a batch, numbered step by step: image 0 of each, then image 1 of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Images<'a> {
    /// Bytes of all sequences [B, L, 64 * 64 * 3].
    pub all: &'a [u8],
    /// The sequences.
    pub range: SequenceRange,
}

impl<'a> Images<'a> {
    /// The images of `all` [N, 64 * 64 * 3], one after the other.
    pub fn of(all: &'a [u8]) -> Self {
        Self::of_count(all, all.len() / IMAGE_NUMBERS)
    }

    /// As [`Images::of`], for `count` observations, even if they have no images.
    pub fn of_count(all: &'a [u8], count: usize) -> Self {
        Self { all, range: SequenceRange { first: 0, count: 1, length: count } }
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.range.rows()
    }

    /// Writes images from number `first` on: byte / 255 - 0.5.
    pub fn normalise<F: Real>(&self, first: usize, out: &mut [F]) {
        let SequenceRange { first: sequences, count, length } = self.range;
        for (row, out) in out.chunks_exact_mut(IMAGE_NUMBERS).enumerate() {
            let (step, sequence) = ((first + row) / count, (first + row) % count);
            let from = ((sequences + sequence) * length + step) * IMAGE_NUMBERS;
            normalise(&self.all[from..from + IMAGE_NUMBERS], out);
        }
    }
}

/// Writes images as the networks read them: byte / 255 - 0.5.
pub(crate) fn normalise<F: Real>(bytes: &[u8], out: &mut [F]) {
    scale_bytes(out, bytes, F::of(1.0 / 255.0), F::of(-0.5));
}
