//! The operands of a product, where they lie in memory.
//!
//! The right operand is a [`Matrix`]. The left operand is a matrix too, or the matrix of images' patches, whose rows
//! are read in place; either can be transposed. Not here: packed copies of operands (`packing.rs`).

use crate::kernels::im2col::Patches;

/// Depth of a block: a right panel of this depth stays in the first-level cache. Results depend on it, because the sums
/// over blocks are added one by one: another depth changes the last bits.
pub(super) const DEPTH: usize = 256;

/// A view of a matrix in a slice: row-major, or the transpose of that.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, F> {
    pub(in crate::kernels) data: &'a [F],
    pub(in crate::kernels) rows: usize,
    pub(in crate::kernels) cols: usize,
    pub(in crate::kernels) transposed: bool,
}

impl<'a, F> Matrix<'a, F> {
    /// A row-major matrix [rows, cols].
    ///
    /// # Panics
    /// If `data` is not rows x cols long.
    pub fn new(data: &'a [F], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} x {cols} matrix");
        Self { data, rows, cols, transposed: false }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, transposed: !self.transposed, data: self.data }
    }
}

/// How the rows of a left operand lie in memory: each row is `segments` pieces of `length` numbers, `apart` from each
/// other.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Layout {
    /// Where rows start, if they are patches of images; otherwise rows follow each other.
    pub grid: Option<Grid>,
    pub segments: usize,
    pub length: usize,
    pub apart: usize,
}

/// The part of the left rows that a tile runs over: `count` pieces of `length` numbers, `apart` from each other, the
/// first of them `from` after the row's start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    pub count: usize,
    pub apart: usize,
    pub from: usize,
    pub length: usize,
}

/// Where patches of images start.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Grid {
    /// Numbers in an image.
    pub image: usize,
    /// Patches in a column of an image, and in a row.
    pub down: usize,
    pub across: usize,
    /// The distance from a patch to the one below it, and to the one next to it.
    pub row_step: usize,
    pub column_step: usize,
    /// Where the first patch starts.
    pub first: usize,
}

impl Layout {
    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.segments * self.length
    }

    /// Depth of the deepest block.
    pub fn block(&self) -> usize {
        if self.length > DEPTH { DEPTH } else { self.width().min(DEPTH / self.length * self.length) }
    }

    /// The blocks of a row, each with the depth at which it starts: as many whole segments as [`DEPTH`] holds, or a
    /// part of one.
    pub(super) fn blocks(self) -> impl Iterator<Item = (usize, Pieces)> {
        let length = self.length.min(DEPTH);
        let segments = (DEPTH / self.length).max(1);
        (0..self.segments).step_by(segments).flat_map(move |segment| {
            (0..self.length).step_by(length).map(move |from| {
                let pieces = Pieces {
                    count: segments.min(self.segments - segment),
                    apart: self.apart,
                    from: segment * self.apart + from,
                    length: length.min(self.length - from),
                };
                (segment * self.length + from, pieces)
            })
        })
    }

    /// Numbers from a row's first to its last.
    pub fn extent(&self) -> usize {
        (self.segments - 1) * self.apart + self.length
    }

    /// Writes where the rows from number `first` on start.
    #[inline(always)]
    pub fn starts(&self, first: usize, starts: &mut [usize]) {
        let Some(grid) = self.grid else {
            starts.iter_mut().enumerate().for_each(|(i, start)| *start = (first + i) * self.length);
            return;
        };
        let count = grid.down * grid.across;
        let (mut image, mut i, mut j) = (first / count, first % count / grid.across, first % grid.across);
        for start in starts {
            *start = grid.first + image * grid.image + i * grid.row_step + j * grid.column_step;
            j += 1;
            if j == grid.across {
                (i, j) = (i + 1, 0);
            }
            if i == grid.down {
                (image, i) = (image + 1, 0);
            }
        }
    }
}

/// A left operand: the matrix of these rows, or its transpose.
pub(in crate::kernels) struct LeftOperand<'a, F> {
    pub data: &'a [F],
    pub rows: usize,
    pub layout: Layout,
    pub transposed: bool,
}

impl<'a, F> LeftOperand<'a, F> {
    /// The matrix of images' patches, a row for each patch.
    pub fn patches(images: &'a [F], patches: Patches, transposed: bool) -> Self {
        let (length, apart) = (patches.kernel * patches.channels, patches.side * patches.channels);
        let grid = Grid {
            image: patches.image(),
            down: patches.across(),
            across: patches.across(),
            row_step: patches.stride * apart,
            column_step: patches.stride * patches.channels,
            first: 0,
        };
        let layout = Layout { grid: Some(grid), segments: patches.kernel, length, apart };
        Self { data: images, rows: images.len() / patches.image() * patches.count(), layout, transposed }
    }
}

impl<'a, F> From<Matrix<'a, F>> for LeftOperand<'a, F> {
    fn from(matrix: Matrix<'a, F>) -> Self {
        let Matrix { data, rows, cols, transposed } = matrix;
        let (rows, length) = if transposed { (cols, rows) } else { (rows, cols) };
        Self { data, rows, layout: Layout { grid: None, segments: 1, length, apart: 0 }, transposed }
    }
}
