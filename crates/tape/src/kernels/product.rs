//! A product block by block: which rows, columns and depths go to the register tiles of `tiles.rs`, and in which order.
//!
//! Rows of the left side are never copied: a tile reads twelve of them where they lie. Its columns are packed into strips as
//! high as a tile, and the right side into panels as wide as one (Goto and van de Geijn, 2008), unless that would not pay.

use super::lanes::Lanes;
use super::left::Left;
use super::matmul::{Matrix, Panels};
use super::packing::{Right, runs_of};
use super::tiles::{self, Ascending, Columns, Out, Rows, Scattered, height};
use crate::real::Real;
use pulp::Simd;

/// One product, ready to run with any vectors.
#[doc(hidden)]
pub struct Product<'a, F> {
    pub(super) out: &'a mut [F],
    pub(super) left: Left<'a, F>,
    pub(super) right: Matrix<'a, F>,
    pub(super) accumulate: bool,
    /// Both sides are rounded to bfloat16.
    pub(super) rounded: bool,
    pub(super) panels: &'a mut Panels<F>,
}
/// Depth of a block: a right panel of this depth stays in the first-level cache. Part of what a product is: the sums over
/// blocks are added up one by one.
pub(super) const DEPTH: usize = 256;
/// Rows of the result at a time: with them a right panel is used again while it is in the first-level cache, and their
/// left side stays in the second-level cache. A multiple of the tiles' heights.
const BLOCK: usize = 252;
/// With a right side of at most so many columns, a transposed left side is read in place, and so is the right side if the
/// left one's width is small: there is too little to do with packed ones.
const IN_PLACE: usize = 64;
/// Calls a tile function with its height and width as constants.
macro_rules! with_tile {
    ($tall:expr, $narrow:expr, $function:ident, $arguments:tt) => {
        match ($tall, $narrow) {
            (12, false) => with_tile!(@call $function, 12, 2, $arguments),
            (8, false) => with_tile!(@call $function, 8, 2, $arguments),
            (6, false) => with_tile!(@call $function, 6, 2, $arguments),
            (5, false) => with_tile!(@call $function, 5, 2, $arguments),
            (4, false) => with_tile!(@call $function, 4, 2, $arguments),
            (3, false) => with_tile!(@call $function, 3, 2, $arguments),
            (2, false) => with_tile!(@call $function, 2, 2, $arguments),
            (_, false) => with_tile!(@call $function, 1, 2, $arguments),
            (12, true) => with_tile!(@call $function, 12, 1, $arguments),
            (8, true) => with_tile!(@call $function, 8, 1, $arguments),
            (6, true) => with_tile!(@call $function, 6, 1, $arguments),
            (5, true) => with_tile!(@call $function, 5, 1, $arguments),
            (4, true) => with_tile!(@call $function, 4, 1, $arguments),
            (3, true) => with_tile!(@call $function, 3, 1, $arguments),
            (2, true) => with_tile!(@call $function, 2, 1, $arguments),
            (_, true) => with_tile!(@call $function, 1, 1, $arguments),
        }
    };
    (@call $function:ident, $tall:literal, $wide:literal, ($($argument:expr),*)) => {
        F::$function::<$tall, $wide>($($argument),*)
    };
}
impl<F: Real> Product<'_, F> {
    #[inline(always)]
    pub(super) fn compute<S: Simd>(self, simd: S)
    where
        F: Lanes<S>,
    {
        let tallest = if S::REGISTER_COUNT >= 32 { 12 } else { 6 };
        if self.left.transposed {
            self.by_columns(simd, tallest);
        } else if self.right.transposed && self.left.rows <= 8 && self.left.layout.segments == 1 {
            self.by_dots(simd, if S::REGISTER_COUNT >= 32 { 5 } else { 3 });
        } else {
            self.by_rows(simd, tallest);
        }
    }

    /// Rows of the left side as they are.
    #[inline(always)]
    fn by_rows<S: Simd>(self, simd: S, tallest: usize)
    where
        F: Lanes<S>,
    {
        let Self { out, left, right, accumulate, rounded, panels: Panels { right: packed, left: near, starts, .. } } =
            self;
        let (layout, n) = (left.layout, right.cols);
        let mut right = Right::new::<S>(right, left.rows <= 2 * tallest, rounded, packed);
        // One block of rows uses a panel once: it need not wait for others.
        let once = left.rows <= BLOCK;
        right.make_room::<S>(if once { 2 * F::LANES * layout.block() } else { right.cols * layout.width() });
        let block = BLOCK.min(left.rows);
        starts.resize(block, 0);
        for first in (0..left.rows).step_by(BLOCK) {
            let rows = BLOCK.min(left.rows - first);
            let starts = &mut starts[..rows];
            layout.starts(first, starts);
            let mut data = left.data;
            if rounded {
                data = round_near(data, layout.extent(), starts, near);
            }
            for (depth, pieces) in layout.blocks() {
                let deep = pieces.count * pieces.length;
                let accumulate = accumulate || depth > 0;
                for (col, wide) in widths(n, F::LANES) {
                    let place = if once { 0 } else { depth * right.cols + col * deep };
                    let panel = right.panel::<S>(depth, deep, col, wide, place, first == 0);
                    let mut row = 0;
                    while row < rows {
                        let tall = height(rows - row, tallest);
                        let out = Out { c: &mut out[(first + row) * n + col..], stride: n, wide, accumulate };
                        let narrow = wide <= F::LANES;
                        let tile = Rows { data, starts: &starts[row..row + tall], pieces, b: panel, out };
                        with_tile!(tall, narrow, rows, (simd, tile));
                        row += tall;
                    }
                }
            }
        }
    }

    /// Rows of the left side as columns: the products of a layer's inputs and gradients.
    #[inline(always)]
    fn by_columns<S: Simd>(self, simd: S, tallest: usize)
    where
        F: Lanes<S>,
    {
        let Self { out, left, right, accumulate, rounded, panels } = self;
        let Panels { right: packed, left: strips, starts, runs, .. } = panels;
        let (layout, n) = (left.layout, right.cols);
        let width = layout.width();
        let in_place = width <= 2 * tallest || n <= IN_PLACE && width <= 2 * IN_PLACE;
        let packing = rounded || n > IN_PLACE;
        let mut right = Right::new::<S>(right, in_place, rounded, packed);
        runs_of(&layout, tallest, runs);
        let (once, depth) = (width <= BLOCK, DEPTH.min(left.rows));
        right.make_room::<S>(if once { 2 * F::LANES * depth } else { right.cols * depth });
        starts.resize(depth, 0);
        strips.resize(BLOCK.min(width) * depth, F::ZERO);
        for depth in (0..left.rows).step_by(DEPTH) {
            let deep = DEPTH.min(left.rows - depth);
            let starts = &mut starts[..deep];
            layout.starts(depth, starts);
            let starts = Ascending::new(starts);
            let accumulate = accumulate || depth > 0;
            let (mut done, mut row) = (0, 0);
            while done < runs.len() {
                // As many runs as fit in a block.
                let (mut last, mut columns) = (done, 0);
                while last < runs.len() && columns + runs[last].width() <= BLOCK {
                    columns += runs[last].width();
                    last += 1;
                }
                let mut rest = &mut strips[..if packing { columns * deep } else { 0 }];
                for run in runs[done..last].iter().filter(|_| packing) {
                    let (to, after) = rest.split_at_mut(run.width() * deep);
                    run.pack(left.data, starts.get(), to);
                    rest = after;
                }
                if rounded && packing {
                    strips[..columns * deep].iter_mut().for_each(|x| *x = x.to_bfloat16());
                }
                for (col, wide) in widths(n, F::LANES) {
                    let place = if once { 0 } else { col * deep };
                    let panel = right.panel::<S>(depth, deep, col, wide, place, done == 0);
                    let mut column = 0;
                    for run in &runs[done..last] {
                        for strip in 0..run.count {
                            let out = Out { c: &mut out[(row + column) * n + col..], stride: n, wide, accumulate };
                            let narrow = wide <= F::LANES;
                            if packing {
                                let strip = &strips[column * deep..(column + run.tall) * deep];
                                let tile = Columns { a: strip, b: panel, out };
                                with_tile!(run.tall, narrow, columns, (simd, tile));
                            } else {
                                let from = run.from + strip * run.tall;
                                let tile = Scattered { data: left.data, starts, from, b: panel, out };
                                with_tile!(run.tall, narrow, scattered, (simd, tile));
                            }
                            column += run.tall;
                        }
                    }
                }
                (done, row) = (last, row + columns);
            }
        }
    }

    /// Few rows times a transposed right side, which is read in place.
    #[inline(always)]
    fn by_dots<S: Simd>(self, simd: S, tallest: usize)
    where
        F: Lanes<S>,
    {
        let Self { out, left, right, accumulate, .. } = self;
        let (depth, n) = (left.layout.length, right.cols);
        let mut row = 0;
        while row < left.rows {
            let tall = height(left.rows - row, tallest);
            let a = &left.data[row * depth..(row + tall) * depth];
            let mut col = 0;
            while col < n {
                let many = if n - col >= 4 { 4 } else { 1 };
                let b = &right.data[col * depth..(col + many) * depth];
                let out = Out { c: &mut out[row * n + col..], stride: n, wide: many, accumulate };
                match (tall, many) {
                    (5, 4) => tiles::dots::<S, F, 5, 4>(simd, a, b, depth, out),
                    (4, 4) => tiles::dots::<S, F, 4, 4>(simd, a, b, depth, out),
                    (3, 4) => tiles::dots::<S, F, 3, 4>(simd, a, b, depth, out),
                    (2, 4) => tiles::dots::<S, F, 2, 4>(simd, a, b, depth, out),
                    (1, 4) => tiles::dots::<S, F, 1, 4>(simd, a, b, depth, out),
                    (5, _) => tiles::dots::<S, F, 5, 1>(simd, a, b, depth, out),
                    (4, _) => tiles::dots::<S, F, 4, 1>(simd, a, b, depth, out),
                    (3, _) => tiles::dots::<S, F, 3, 1>(simd, a, b, depth, out),
                    (2, _) => tiles::dots::<S, F, 2, 1>(simd, a, b, depth, out),
                    _ => tiles::dots::<S, F, 1, 1>(simd, a, b, depth, out),
                }
                col += many;
            }
            row += tall;
        }
    }
}

/// Rounds the rows at `starts` to bfloat16 into `near`, and moves the starts there.
#[inline(always)]
fn round_near<'a, F: Real>(data: &[F], extent: usize, starts: &mut [usize], near: &'a mut Vec<F>) -> &'a [F] {
    let (from, to) = (starts[0], starts[starts.len() - 1] + extent);
    if near.len() < to - from {
        near.resize(to - from, F::ZERO);
    }
    near.iter_mut().zip(&data[from..to]).for_each(|(near, x)| *near = x.to_bfloat16());
    starts.iter_mut().for_each(|start| *start -= from);
    near
}
/// The columns of a right side in tiles of two vectors, the last as wide as what is left.
#[inline(always)]
fn widths(cols: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..cols).step_by(2 * lanes).map(move |col| (col, (2 * lanes).min(cols - col)))
}
