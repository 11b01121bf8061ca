//! Sides of a product copied to where tiles read them fast: panels of the right side, strips of the left side's columns.

use super::lanes::Lanes;
use super::left::Layout;
use super::matmul::Matrix;
use super::tiles::{Panel, height};
use crate::real::Real;
use pulp::Simd;

/// Strips that are packed side by side: more would get in each other's way in the first-level cache.
const STRIPS: usize = 4;

/// A right side whose panels are made ready for tiles: packed, or in place where its columns fill whole tiles.
pub(super) struct Right<'a, F> {
    pub matrix: Matrix<'a, F>,
    in_place: bool,
    rounded: bool,
    room: &'a mut Vec<F>,
    /// Where the room begins: on a boundary of cache lines.
    begin: usize,
    /// Columns, those included that fill up the last tile.
    pub cols: usize,
}

impl<'a, F: Real> Right<'a, F> {
    #[inline(always)]
    pub fn new<S: Simd>(matrix: Matrix<'a, F>, in_place: bool, rounded: bool, room: &'a mut Vec<F>) -> Self
    where
        F: Lanes<S>,
    {
        let cols = matrix.cols.next_multiple_of(F::LANES);
        Self { matrix, in_place: in_place && !matrix.transposed && !rounded, rounded, room, begin: 0, cols }
    }

    /// Makes room for `size` numbers.
    #[inline(always)]
    pub fn make_room<S: Simd>(&mut self, size: usize)
    where
        F: Lanes<S>,
    {
        const LINE: usize = 64;
        let size = size + LINE / size_of::<F>();
        if self.room.len() < size {
            self.room.resize(size, F::ZERO);
        }
        self.begin = self.room.as_ptr().align_offset(LINE).min(LINE / size_of::<F>());
    }

    /// The panel of rows depth..depth + deep and columns col..col + wide, whose place is `place` after the room's begin;
    /// packed if this is the `first` time.
    #[inline(always)]
    pub fn panel<S: Simd>(
        &mut self,
        depth: usize,
        deep: usize,
        col: usize,
        wide: usize,
        place: usize,
        first: bool,
    ) -> Panel<'_, F>
    where
        F: Lanes<S>,
    {
        let Matrix { data, rows, cols, transposed } = self.matrix;
        let width = if wide <= F::LANES { F::LANES } else { 2 * F::LANES };
        if self.in_place && wide == width {
            return Panel { data: &data[depth * cols + col..], stride: cols };
        }
        let at = self.begin + place;
        let target = &mut self.room[at..at + width * deep];
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
                if wide == 2 * F::LANES {
                    let from = &data[from..from + 2 * F::LANES];
                    target[..2 * F::LANES].copy_from_slice(from);
                } else {
                    target[..wide].copy_from_slice(&data[from..from + wide]);
                    target[wide..].fill(F::ZERO);
                }
            }
        }
        if self.rounded {
            target.iter_mut().for_each(|x| *x = x.to_bfloat16());
        }
        Panel { data: target, stride: width }
    }
}
/// Consecutive columns of a left side, from `from` after a row's start, that go to `count` strips `tall` columns wide.
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
    pub fn pack<F: Real>(&self, data: &[F], starts: &[usize], to: &mut [F]) {
        match self.tall {
            12 => self.pack_tall::<F, 12>(data, starts, to),
            8 => self.pack_tall::<F, 8>(data, starts, to),
            6 => self.pack_tall::<F, 6>(data, starts, to),
            5 => self.pack_tall::<F, 5>(data, starts, to),
            4 => self.pack_tall::<F, 4>(data, starts, to),
            3 => self.pack_tall::<F, 3>(data, starts, to),
            2 => self.pack_tall::<F, 2>(data, starts, to),
            _ => self.pack_tall::<F, 1>(data, starts, to),
        }
    }

    #[inline(always)]
    fn pack_tall<F: Real, const T: usize>(&self, data: &[F], starts: &[usize], to: &mut [F]) {
        let to = to.as_chunks_mut::<T>().0;
        for (row, start) in starts.iter().enumerate() {
            let columns = data[start + self.from..][..self.count * T].as_chunks::<T>().0;
            for (strip, columns) in columns.iter().enumerate() {
                to[strip * starts.len() + row] = *columns;
            }
        }
    }
}

/// The columns of a row in strips as high as tiles. None goes beyond its segment, so that its columns are neighbours.
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
