//! The left side of a product: rows in memory that are taken as they are, or as columns.
//!
//! Here: where rows lie, be they a matrix's or patches of images. Not here: copies of them (`packing.rs`).

use super::patches::Patches;
use super::product::DEPTH;
use super::tiles::Pieces;

/// How the rows of a left side lie in memory: each is `segments` pieces of `length` numbers, `apart` from each other.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Where rows start: at patches of images, or one after the other.
    pub grid: Option<Grid>,
    pub segments: usize,
    pub length: usize,
    pub apart: usize,
}

/// Where patches of images start.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    /// Numbers of an image.
    pub image: usize,
    /// Patches of an image, one below the other and side by side.
    pub down: usize,
    pub across: usize,
    /// From a patch to the one below it, and to the one beside it.
    pub below: usize,
    pub beside: usize,
    /// Where the first one starts.
    pub first: usize,
}

impl Layout {
    pub fn width(&self) -> usize {
        self.segments * self.length
    }

    /// Depth of the deepest block.
    pub fn block(&self) -> usize {
        if self.length > DEPTH { DEPTH } else { self.width().min(DEPTH / self.length * self.length) }
    }

    /// The blocks of a row, each as many whole segments as are [`DEPTH`] deep, or a part of one: its depth and its pieces.
    pub fn blocks(self) -> impl Iterator<Item = (usize, Pieces)> {
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

    /// From a row's first number to its last.
    pub fn extent(&self) -> usize {
        (self.segments - 1) * self.apart + self.length
    }

    /// Where rows first.. start.
    #[inline(always)]
    pub fn starts(&self, first: usize, starts: &mut [usize]) {
        let Some(grid) = self.grid else {
            starts.iter_mut().enumerate().for_each(|(i, start)| *start = (first + i) * self.length);
            return;
        };
        let count = grid.down * grid.across;
        let (mut image, mut i, mut j) = (first / count, first % count / grid.across, first % grid.across);
        for start in starts {
            *start = grid.first + image * grid.image + i * grid.below + j * grid.beside;
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

/// A left side: rows in memory, taken as they are or as columns.
pub(super) struct Left<'a, F> {
    pub data: &'a [F],
    pub rows: usize,
    pub layout: Layout,
    pub transposed: bool,
}

impl<'a, F> Left<'a, F> {
    pub fn patches(images: &'a [F], patches: Patches, transposed: bool) -> Self {
        let (length, apart) = (patches.kernel * patches.channels, patches.side * patches.channels);
        let grid = Grid {
            image: patches.image(),
            down: patches.across(),
            across: patches.across(),
            below: patches.stride * apart,
            beside: patches.stride * patches.channels,
            first: 0,
        };
        let layout = Layout { grid: Some(grid), segments: patches.kernel, length, apart };
        Self { data: images, rows: images.len() / patches.image() * patches.count(), layout, transposed }
    }
}
