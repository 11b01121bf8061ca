//! Products of matrices and sums over rows, split where one block a tile would leave most of a device idle.

use super::launch::Place;
use super::room::{Planner, arguments};
use crate::kernels::patches::Patches;

/// Side of the tile of a result that a block makes.
const TILE: usize = 64;
/// Blocks that a device has something to do with, about: the processors of a large one.
const BLOCKS: usize = 128;
/// Terms of a sum that are worth a block of their own.
const PART: usize = 256;
/// Numbers in the patches that are at hand at a time.
const PATCHED: usize = 64 << 20;

/// A matrix in the device's memory, or its transpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix {
    pub place: Place,
    pub rows: usize,
    pub cols: usize,
    /// From one row to the next, and from one column.
    pub steps: [usize; 2],
}

impl Matrix {
    /// A matrix that lies row by row.
    pub fn new(place: Place, rows: usize, cols: usize) -> Self {
        Self { place, rows, cols, steps: [cols, 1] }
    }

    pub fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, steps: [self.steps[1], self.steps[0]], ..self }
    }
}

impl Planner {
    /// out = a b, or out += a b if `accumulate`.
    pub(super) fn product(&mut self, out: Place, a: Matrix, b: Matrix, accumulate: bool) {
        assert_eq!(a.cols, b.rows, "matrices that can be multiplied");
        let (m, n, k) = (a.rows, b.cols, a.cols);
        let tiles = m.div_ceil(TILE) * n.div_ceil(TILE);
        let wanted = (BLOCKS / tiles).clamp(1, k.div_ceil(PART));
        let part = k.div_ceil(wanted).next_multiple_of(16);
        let parts = k.div_ceil(part);
        let grid = [m.div_ceil(TILE), n.div_ceil(TILE), parts];
        let steps = [a.steps[0], a.steps[1], b.steps[0], b.steps[1]];
        let with = |out: Place, accumulate: bool| {
            arguments![out, a.place, b.place, m, n, k, steps[0], steps[1], steps[2], steps[3], part, accumulate]
        };
        if parts == 1 {
            self.launch("product", grid, with(out, accumulate));
        } else {
            self.passing(parts * m * n, |planner, sums| {
                planner.launch("product", grid, with(sums, false));
                planner.each("sum_parts", m * n, arguments![out, sums, m * n, parts, accumulate]);
            });
        }
    }

    /// out = the sum of the rows of x [rows, cols], or out += it.
    pub(super) fn column_sums(&mut self, out: Place, x: Place, rows: usize, cols: usize, accumulate: bool) {
        let part = rows.div_ceil(BLOCKS).max(32);
        let parts = rows.div_ceil(part);
        self.passing(parts * cols, |planner, sums| {
            let grid = [cols.div_ceil(super::THREADS), parts, 1];
            planner.launch("column_sums", grid, arguments![sums, x, rows, cols, part]);
            planner.each("sum_parts", cols, arguments![out, sums, cols, parts, accumulate]);
        });
    }

    /// Some images at a time: calls `work` with the first, their number and room for their patches.
    pub(super) fn by_patches(
        &mut self,
        images: usize,
        patches: Patches,
        mut work: impl FnMut(&mut Self, usize, usize, Place),
    ) {
        let size = patches.count() * patches.size();
        let at_once = (PATCHED / size).clamp(1, images);
        for first in (0..images).step_by(at_once) {
            let count = at_once.min(images - first);
            self.passing(count * size, |planner, room| work(planner, first, count, room));
        }
    }

    /// The patches of images x as a matrix in `out`.
    pub(super) fn patches(&mut self, out: Place, x: Place, images: usize, patches: Patches) -> Matrix {
        let Patches { side, channels, kernel, stride } = patches;
        let rows = images * patches.count();
        let arguments = arguments![out, x, images, side, channels, kernel, stride];
        self.each("patches", rows * patches.size(), arguments);
        Matrix::new(out, rows, patches.size())
    }

    /// x = the images that patches add up to, or x += them.
    pub(super) fn overlay(&mut self, x: Place, from: Place, images: usize, patches: Patches, accumulate: bool) {
        let Patches { side, channels, kernel, stride } = patches;
        let arguments = arguments![x, from, images, side, channels, kernel, stride, accumulate];
        self.each("overlay", images * patches.image(), arguments);
    }
}
