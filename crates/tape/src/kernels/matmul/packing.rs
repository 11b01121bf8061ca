//! Operands copied to where tiles read them fast: panels of the right operand, strips of the left operand's columns.
//!
//! Bound by: memory. Each number is copied once for every block of rows that uses it, and products that would not win
//! that time back read their operands in place.

use super::lanes::Lanes;
use super::micro::Panel;
use super::operand::{Layout, Matrix};
use crate::kernels::tile_table::{height, with_height};
use crate::number::Number;
use pulp::Simd;

/// Strips that are packed side by side: more would evict each other from the first-level cache.
const STRIPS: usize = 4;

/// A right operand whose panels are made ready for tiles: packed, or in place where its columns fill whole tiles.
pub(super) struct RightOperand<'a, F> {
    pub matrix: Matrix<'a, F>,
    in_place: bool,
    /// Whether its numbers are rounded to bfloat16 while they are packed.
    bf16: bool,
    buffer: &'a mut Vec<F>,
    /// Where packed panels begin in the buffer: on a boundary of cache lines.
    begin: usize,
    /// Columns, including those that fill up the last tile.
    pub cols: usize,
}

impl<'a, F: Lanes> RightOperand<'a, F> {
    #[inline(always)]
    pub fn new<S: Simd>(matrix: Matrix<'a, F>, in_place: bool, bf16: bool, buffer: &'a mut Vec<F>) -> Self {
        let cols = matrix.cols.next_multiple_of(F::lanes::<S>());
        Self { matrix, in_place: in_place && !matrix.transposed && !bf16, bf16, buffer, begin: 0, cols }
    }

    /// Makes the buffer large enough for `size` numbers.
    #[inline(always)]
    pub fn reserve(&mut self, size: usize) {
        const LINE: usize = 64;
        let size = size + LINE / size_of::<F>();
        if self.buffer.len() < size {
            self.buffer.resize(size, F::ZERO);
        }
        self.begin = self.buffer.as_ptr().align_offset(LINE).min(LINE / size_of::<F>());
    }

    /// The panel of rows depth..depth + deep and columns col..col + wide. If it is packed, it lies `place` after the
    /// beginning of the buffer, and is written there if this is the `first` time that it is used.
    #[inline(always)]
    pub fn panel<S: Simd>(
        &mut self,
        depth: usize,
        deep: usize,
        col: usize,
        wide: usize,
        place: usize,
        first: bool,
    ) -> Panel<'_, F> {
        let lanes = F::lanes::<S>();
        let Matrix { data, rows, cols, transposed } = self.matrix;
        let width = if wide <= lanes { lanes } else { 2 * lanes };
        if self.in_place && wide == width {
            return Panel { data: &data[depth * cols + col..], stride: cols };
        }
        let at = self.begin + place;
        let target = &mut self.buffer[at..at + width * deep];
        if !first {
            return Panel { data: target, stride: width };
        }
        if transposed {
            if wide < width {
                target.fill(F::ZERO);
            }
            F::transpose(&data[col * rows + depth..], rows, wide, deep, target, width);
        } else {
            for (d, target) in target.chunks_exact_mut(width).enumerate() {
                let from = (depth + d) * cols + col;
                if wide == 2 * lanes {
                    let from = &data[from..from + 2 * lanes];
                    target[..2 * lanes].copy_from_slice(from);
                } else {
                    target[..wide].copy_from_slice(&data[from..from + wide]);
                    target[wide..].fill(F::ZERO);
                }
            }
        }
        if self.bf16 {
            target.iter_mut().for_each(|x| *x = x.to_bfloat16());
        }
        Panel { data: target, stride: width }
    }
}

/// Consecutive columns of a left operand, from `from` after a row's start, that go to `count` strips `tall` columns wide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub from: usize,
    pub tall: usize,
    pub count: usize,
}

impl Run {
    pub fn width(&self) -> usize {
        self.tall * self.count
    }

    /// Copies the run's columns of the rows at `starts` to strips [count, depth, tall].
    #[inline(always)]
    pub fn pack<F: Number>(&self, data: &[F], starts: &[usize], to: &mut [F]) {
        with_height!(self.tall, |T| self.pack_tall::<F, T>(data, starts, to));
    }

    #[inline(always)]
    fn pack_tall<F: Number, const T: usize>(&self, data: &[F], starts: &[usize], to: &mut [F]) {
        let to = to.as_chunks_mut::<T>().0;
        for (row, start) in starts.iter().enumerate() {
            let columns = data[start + self.from..][..self.count * T].as_chunks::<T>().0;
            for (strip, columns) in columns.iter().enumerate() {
                to[strip * starts.len() + row] = *columns;
            }
        }
    }
}

/// Cuts the columns of a row into strips as high as tiles. No strip goes beyond its segment, so that its columns are
/// neighbours in memory.
pub(super) fn runs_of(layout: &Layout, tallest: usize, runs: &mut Vec<Run>) {
    runs.clear();
    for segment in 0..layout.segments {
        let mut column = 0;
        while column < layout.length {
            let tall = height(layout.length - column, tallest);
            let count = ((layout.length - column) / tall).min(STRIPS);
            let count = if tall == tallest { count } else { 1 };
            runs.push(Run { from: segment * layout.apart + column, tall, count });
            column += tall * count;
        }
    }
}
