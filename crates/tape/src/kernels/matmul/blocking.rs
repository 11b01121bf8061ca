//! A product block by block: which rows, columns and depths go to the register tiles of `micro.rs`, and in which order.
//!
//! Rows of the left operand are never copied: a tile reads twelve of them in place. Its columns are packed into strips
//! as high as a tile, and the right operand into panels as wide as one (Goto and van de Geijn, 2008), unless the
//! product is too small for that to pay.
//!
//! Bound by: the multiply-add units, through the tiles, if the product is large; by packing if one of its sides is
//! small.

use super::lanes::Lanes;
use super::micro::{self, Ascending, Columns, Out, Rows, Scattered};
use super::operand::{DEPTH, LeftOperand, Matrix};
use super::packing::{RightOperand, runs_of};
use super::panels::Panels;
use crate::kernels::simd;
use crate::kernels::tile_table::{TALLEST, height, with_tile};
use crate::number::Number;
use pulp::{Simd, WithSimd};

/// One product, ready to run with any SIMD instruction set.
#[doc(hidden)]
pub struct Product<'a, F> {
    pub(in crate::kernels) out: &'a mut [F],
    pub(in crate::kernels) left: LeftOperand<'a, F>,
    pub(in crate::kernels) right: Matrix<'a, F>,
    pub(in crate::kernels) accumulate: bool,
    /// Whether both operands are rounded to bfloat16.
    pub(in crate::kernels) bf16: bool,
    pub(in crate::kernels) panels: &'a mut Panels<F>,
}

/// Rows of the result at a time: with these, a right panel is used again while it is in the first-level cache, and
/// their part of the left operand stays in the second-level cache. A multiple of the tiles' heights.
const BLOCK: usize = 252;
/// If the right operand has at most this many columns, a transposed left operand is read in place, and so is the right
/// one if the left one is narrow: packed operands would not be used often enough.
const IN_PLACE: usize = 64;

impl<F: Lanes> WithSimd for Product<'_, F> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.compute(simd);
    }
}

impl<F: Lanes> Product<'_, F> {
    /// Runs the product with the chosen SIMD instruction set.
    #[inline(always)]
    pub(in crate::kernels) fn dispatch(self) {
        simd::dispatch(self);
    }

    #[inline(always)]
    fn compute<S: Simd>(self, simd: S) {
        let tallest = if S::REGISTER_COUNT >= 32 { TALLEST } else { 6 };
        if self.left.transposed {
            self.by_columns(simd, tallest);
        } else if self.right.transposed && self.left.rows <= 8 && self.left.layout.segments == 1 {
            self.by_dots(simd, if S::REGISTER_COUNT >= 32 { 5 } else { 3 });
        } else {
            self.by_rows(simd, tallest);
        }
    }

    /// Multiplies rows of the left operand as they are.
    #[inline(always)]
    fn by_rows<S: Simd>(self, simd: S, tallest: usize) {
        let lanes = F::lanes::<S>();
        let Self { out, left, right, accumulate, bf16, panels: Panels { right: packed, left: near, starts, .. } } =
            self;
        let (layout, n) = (left.layout, right.cols);
        let mut right = RightOperand::new::<S>(right, left.rows <= 2 * tallest, bf16, packed);
        // A single block of rows uses each panel once, so that one buffer serves them all.
        let once = left.rows <= BLOCK;
        right.reserve(if once { 2 * lanes * layout.block() } else { right.cols * layout.width() });
        let block = BLOCK.min(left.rows);
        starts.resize(block, 0);
        for first in (0..left.rows).step_by(BLOCK) {
            let rows = BLOCK.min(left.rows - first);
            let starts = &mut starts[..rows];
            layout.starts(first, starts);
            let mut data = left.data;
            if bf16 {
                data = round_rows(data, layout.extent(), starts, near);
            }
            for (depth, pieces) in layout.blocks() {
                let deep = pieces.count * pieces.length;
                let accumulate = accumulate || depth > 0;
                for (col, wide) in widths(n, lanes) {
                    let place = if once { 0 } else { depth * right.cols + col * deep };
                    let panel = right.panel::<S>(depth, deep, col, wide, place, first == 0);
                    let mut row = 0;
                    while row < rows {
                        let tall = height(rows - row, tallest);
                        let out = Out { c: &mut out[(first + row) * n + col..], stride: n, wide, accumulate };
                        let narrow = wide <= lanes;
                        let tile = Rows { data, starts: &starts[row..row + tall], pieces, b: panel, out };
                        with_tile!(tall, narrow, |T, W| micro::run::<S, _, T, W>(simd, tile));
                        row += tall;
                    }
                }
            }
        }
    }

    /// Multiplies columns of the left operand: the products of a layer's inputs and gradients.
    #[inline(always)]
    fn by_columns<S: Simd>(self, simd: S, tallest: usize) {
        let lanes = F::lanes::<S>();
        let Self { out, left, right, accumulate, bf16, panels } = self;
        let Panels { right: packed, left: strips, starts, runs, .. } = panels;
        let (layout, n) = (left.layout, right.cols);
        let width = layout.width();
        let in_place = width <= 2 * tallest || n <= IN_PLACE && width <= 2 * IN_PLACE;
        let packing = bf16 || n > IN_PLACE;
        let mut right = RightOperand::new::<S>(right, in_place, bf16, packed);
        runs_of(&layout, tallest, runs);
        let (once, depth) = (width <= BLOCK, DEPTH.min(left.rows));
        right.reserve(if once { 2 * lanes * depth } else { right.cols * depth });
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
                if bf16 && packing {
                    strips[..columns * deep].iter_mut().for_each(|x| *x = x.to_bfloat16());
                }
                for (col, wide) in widths(n, lanes) {
                    let place = if once { 0 } else { col * deep };
                    let panel = right.panel::<S>(depth, deep, col, wide, place, done == 0);
                    let mut column = 0;
                    for run in &runs[done..last] {
                        for strip in 0..run.count {
                            let out = Out { c: &mut out[(row + column) * n + col..], stride: n, wide, accumulate };
                            let narrow = wide <= lanes;
                            if packing {
                                let strip = &strips[column * deep..(column + run.tall) * deep];
                                let tile = Columns { a: strip, b: panel, out };
                                with_tile!(run.tall, narrow, |T, W| micro::run::<S, _, T, W>(simd, tile));
                            } else {
                                let from = run.from + strip * run.tall;
                                let tile = Scattered { data: left.data, starts, from, b: panel, out };
                                with_tile!(run.tall, narrow, |T, W| micro::run::<S, _, T, W>(simd, tile));
                            }
                            column += run.tall;
                        }
                    }
                }
                (done, row) = (last, row + columns);
            }
        }
    }

    /// Multiplies few rows by a transposed right operand, which is read in place.
    #[inline(always)]
    fn by_dots<S: Simd>(self, simd: S, tallest: usize) {
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
                    (5, 4) => micro::dots::<S, F, 5, 4>(simd, a, b, depth, out),
                    (4, 4) => micro::dots::<S, F, 4, 4>(simd, a, b, depth, out),
                    (3, 4) => micro::dots::<S, F, 3, 4>(simd, a, b, depth, out),
                    (2, 4) => micro::dots::<S, F, 2, 4>(simd, a, b, depth, out),
                    (1, 4) => micro::dots::<S, F, 1, 4>(simd, a, b, depth, out),
                    (5, _) => micro::dots::<S, F, 5, 1>(simd, a, b, depth, out),
                    (4, _) => micro::dots::<S, F, 4, 1>(simd, a, b, depth, out),
                    (3, _) => micro::dots::<S, F, 3, 1>(simd, a, b, depth, out),
                    (2, _) => micro::dots::<S, F, 2, 1>(simd, a, b, depth, out),
                    _ => micro::dots::<S, F, 1, 1>(simd, a, b, depth, out),
                }
                col += many;
            }
            row += tall;
        }
    }
}

/// Rounds the rows at `starts` to bfloat16 into `near`, and makes the starts point there.
#[inline(always)]
fn round_rows<'a, F: Number>(data: &[F], extent: usize, starts: &mut [usize], near: &'a mut Vec<F>) -> &'a [F] {
    let (from, to) = (starts[0], starts[starts.len() - 1] + extent);
    if near.len() < to - from {
        near.resize(to - from, F::ZERO);
    }
    near.iter_mut().zip(&data[from..to]).for_each(|(near, x)| *near = x.to_bfloat16());
    starts.iter_mut().for_each(|start| *start -= from);
    near
}

/// Cuts the columns of a right operand into tiles of two vectors; the last tile is as wide as the remaining columns.
#[inline(always)]
fn widths(cols: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..cols).step_by(2 * lanes).map(move |col| (col, (2 * lanes).min(cols - col)))
}
