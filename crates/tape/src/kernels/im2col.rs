//! Image patches and the matrix of them (im2col), which turns a convolution into a matrix product.
//!
//! Images are square, row-major, channels last. Products read patches in place; only the transpose, adding patches up to an
//! image (col2im), copies. Bound by: memory.

use crate::number::Number;

/// The patches of side `kernel`, `stride` apart, of a square image of side `side` with `channels` channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patches {
    /// Side of the image.
    pub side: usize,
    /// Channels of the image.
    pub channels: usize,
    /// Side of a patch.
    pub kernel: usize,
    /// Distance between neighbouring patches.
    pub stride: usize,
}

impl Patches {
    /// Patches in a row, and in a column.
    pub fn across(&self) -> usize {
        (self.side - self.kernel) / self.stride + 1
    }

    /// Patches of an image.
    pub fn count(&self) -> usize {
        self.across() * self.across()
    }

    /// Numbers in a patch: kernel x kernel x channels.
    pub fn size(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// Numbers in an image.
    pub fn image(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// Copies every patch of `images` [N, side, side, channels] into a row of `rows` [N * count, size]. This is the plain
    /// twin of the products that read patches in place.
    #[cfg(test)]
    pub fn gather<F: Number>(&self, images: &[F], rows: &mut [F]) {
        let line = self.kernel * self.channels;
        for (image, rows) in images.chunks_exact(self.image()).zip(rows.chunks_exact_mut(self.count() * self.size())) {
            let mut rows = rows.chunks_exact_mut(line);
            for i in 0..self.across() {
                for j in 0..self.across() {
                    for a in 0..self.kernel {
                        let from = self.offset(i, j, a);
                        rows.next().expect("count x kernel lines").copy_from_slice(&image[from..from + line]);
                    }
                }
            }
        }
    }

    /// Adds every row of `rows` [N * count, size] to its patch of `images`: the transpose of gathering them.
    pub fn scatter<F: Number>(&self, rows: &[F], images: &mut [F]) {
        let line = self.kernel * self.channels;
        for (image, rows) in images.chunks_exact_mut(self.image()).zip(rows.chunks_exact(self.count() * self.size())) {
            let mut rows = rows.chunks_exact(line);
            for i in 0..self.across() {
                for j in 0..self.across() {
                    for a in 0..self.kernel {
                        let to = self.offset(i, j, a);
                        let row = rows.next().expect("count x kernel lines");
                        for (x, &y) in image[to..to + line].iter_mut().zip(row) {
                            *x += y;
                        }
                    }
                }
            }
        }
    }

    pub(super) fn offset(&self, i: usize, j: usize, a: usize) -> usize {
        ((self.stride * i + a) * self.side + self.stride * j) * self.channels
    }
}
