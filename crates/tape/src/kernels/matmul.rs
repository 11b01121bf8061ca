//! Matrix products.
//!
//! Here: [`matmul`], and [`patches_matmul`] and [`patches_transposed_matmul`], whose left side is the matrix of images'
//! patches, read in place. The loops over blocks are in this file, the register tiles in `tiles.rs`.
//!
//! Rows of the left side are never copied: a tile reads twelve of them where they lie. Its columns are packed into strips as
//! high as a tile, and the right side into panels as wide as one (Goto and van de Geijn, 2008), unless that would not pay.

use super::lanes::Lanes;
use super::patches::Patches;
use super::rounded::{self, Room};
use super::tiles::{self, Columns, Out, Panel, Pieces, Rows, height};
use crate::real::Real;
use pulp::Simd;

/// A view of a matrix in a slice: row-major, or the transpose of that.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, F> {
    pub(super) data: &'a [F],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) transposed: bool,
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

/// What products of f32 are computed in. Products of f64 always are in f64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    #[default]
    Full,
    /// Both sides rounded to bfloat16, sums in f32; products too small to gain from it stay in f32.
    Rounded,
}

/// How products are computed, and room for packed panels, kept between products so that they allocate nothing.
#[derive(Debug, Default)]
pub struct Panels<F> {
    /// What to compute in.
    pub precision: Precision,
    right: Vec<F>,
    left: Vec<F>,
    starts: Vec<usize>,
    runs: Vec<Run>,
    pub(super) rounded: Room,
}

/// `out = left * right`, or `out += left * right` if `accumulate`; out is row-major [left.rows, right.cols].
///
/// # Panics
/// If the shapes do not fit: a bug in the calling operation.
pub fn matmul<F: Real>(out: &mut [F], left: Matrix<F>, right: Matrix<F>, accumulate: bool, panels: &mut Panels<F>) {
    run(out, self::left(left), right, accumulate, panels);
}

/// A matrix as a left side.
pub(super) fn left<F>(matrix: Matrix<F>) -> Left<F> {
    let Matrix { data, rows, cols, transposed } = matrix;
    let (rows, length) = if transposed { (cols, rows) } else { (rows, cols) };
    Left { data, rows, layout: Layout { patches: None, segments: 1, length, apart: 0 }, transposed }
}

/// `out = patches of images * right`: images [N, side, side, channels], right [size, O], out [N * count, O].
///
/// # Panics
/// If the shapes do not fit: a bug in the calling operation.
pub fn patches_matmul<F: Real>(
    out: &mut [F],
    images: &[F],
    patches: Patches,
    right: Matrix<F>,
    accumulate: bool,
    panels: &mut Panels<F>,
) {
    run(out, Left::patches(images, patches, false), right, accumulate, panels);
}

/// `out = (patches of images)^T * right`: images [N, side, side, channels], right [N * count, O], out [size, O].
///
/// # Panics
/// If the shapes do not fit: a bug in the calling operation.
pub fn patches_transposed_matmul<F: Real>(
    out: &mut [F],
    images: &[F],
    patches: Patches,
    right: Matrix<F>,
    accumulate: bool,
    panels: &mut Panels<F>,
) {
    run(out, Left::patches(images, patches, true), right, accumulate, panels);
}

/// How the rows of a left side lie in memory: each is `segments` pieces of `length` numbers, `apart` from each other.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Where rows start: at patches of images, or one after the other.
    patches: Option<Patches>,
    pub segments: usize,
    pub length: usize,
    pub apart: usize,
}

impl Layout {
    fn width(&self) -> usize {
        self.segments * self.length
    }

    /// Depth of the deepest block.
    fn block(&self) -> usize {
        if self.length > DEPTH { DEPTH } else { self.width().min(DEPTH / self.length * self.length) }
    }

    /// The blocks of a row, each as many whole segments as are [`DEPTH`] deep, or a part of one: its depth and its pieces.
    fn blocks(self) -> impl Iterator<Item = (usize, Pieces)> {
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

    /// The columns of a row in strips as high as tiles. None goes beyond its segment, so that its columns are neighbours.
    fn runs(&self, tallest: usize, runs: &mut Vec<Run>) {
        runs.clear();
        for segment in 0..self.segments {
            let mut column = 0;
            while column < self.length {
                let tall = height(self.length - column, tallest);
                let count = ((self.length - column) / tall).min(STRIPS);
                let count = if tall == tallest { count } else { 1 };
                runs.push(Run { from: segment * self.apart + column, tall, count });
                column += tall * count;
            }
        }
    }

    /// From a row's first number to its last.
    fn extent(&self) -> usize {
        (self.segments - 1) * self.apart + self.length
    }

    /// Where rows first.. start.
    #[inline(always)]
    pub fn starts(&self, first: usize, starts: &mut [usize]) {
        let Some(patches) = self.patches else {
            starts.iter_mut().enumerate().for_each(|(i, start)| *start = (first + i) * self.length);
            return;
        };
        let (across, count) = (patches.across(), patches.count());
        let (mut image, mut i, mut j) = (first / count, first % count / across, first % across);
        for start in starts {
            *start = image * patches.image() + patches.offset(i, j, 0);
            j += 1;
            if j == across {
                (i, j) = (i + 1, 0);
            }
            if i == across {
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
    fn patches(images: &'a [F], patches: Patches, transposed: bool) -> Self {
        let (length, apart) = (patches.kernel * patches.channels, patches.side * patches.channels);
        let layout = Layout { patches: Some(patches), segments: patches.kernel, length, apart };
        Self { data: images, rows: images.len() / patches.image() * patches.count(), layout, transposed }
    }
}

fn run<F: Real>(out: &mut [F], left: Left<F>, right: Matrix<F>, accumulate: bool, panels: &mut Panels<F>) {
    let (rows, depth) = match left.transposed {
        true => (left.layout.width(), left.rows),
        false => (left.rows, left.layout.width()),
    };
    assert_eq!(depth, right.rows, "inner sizes");
    assert_eq!(out.len(), rows * right.cols, "size of the product");
    if out.is_empty() {
        return;
    }
    if depth == 0 {
        if !accumulate {
            out.fill(F::ZERO);
        }
        return;
    }
    let rounded = panels.precision == Precision::Rounded && rounded::pays(rows, depth, right.cols, left.layout.length);
    let product = Product { out, left, right, accumulate, rounded, panels };
    if rounded { F::run_rounded(product) } else { F::run(product) }
}

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
/// Strips that are packed side by side: more would get in each other's way in the first-level cache.
const STRIPS: usize = 4;
/// A right side of at most so many columns is read in place where the left side is transposed and its width is small: there
/// is too little to do with a packed one.
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
        let mut right = Right::new::<S>(right, in_place, rounded, packed);
        layout.runs(tallest, runs);
        let (once, depth) = (width <= BLOCK, DEPTH.min(left.rows));
        right.make_room::<S>(if once { 2 * F::LANES * depth } else { right.cols * depth });
        starts.resize(depth, 0);
        strips.resize(BLOCK.min(width) * depth, F::ZERO);
        for depth in (0..left.rows).step_by(DEPTH) {
            let deep = DEPTH.min(left.rows - depth);
            let starts = &mut starts[..deep];
            layout.starts(depth, starts);
            let accumulate = accumulate || depth > 0;
            let (mut done, mut row) = (0, 0);
            while done < runs.len() {
                // As many runs as fit in a block.
                let (mut last, mut columns) = (done, 0);
                while last < runs.len() && columns + runs[last].width() <= BLOCK {
                    columns += runs[last].width();
                    last += 1;
                }
                let mut rest = &mut strips[..columns * deep];
                for run in &runs[done..last] {
                    let (to, after) = rest.split_at_mut(run.width() * deep);
                    run.pack(left.data, starts, to);
                    rest = after;
                }
                if rounded {
                    strips[..columns * deep].iter_mut().for_each(|x| *x = x.to_bfloat16());
                }
                for (col, wide) in widths(n, F::LANES) {
                    let place = if once { 0 } else { col * deep };
                    let panel = right.panel::<S>(depth, deep, col, wide, place, done == 0);
                    let mut column = 0;
                    for run in &runs[done..last] {
                        for _ in 0..run.count {
                            let strip = &strips[column * deep..(column + run.tall) * deep];
                            let out = Out { c: &mut out[(row + column) * n + col..], stride: n, wide, accumulate };
                            let narrow = wide <= F::LANES;
                            let tile = Columns { a: strip, b: panel, out };
                            with_tile!(run.tall, narrow, columns, (simd, tile));
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

/// A right side whose panels are made ready for tiles: packed, or in place where its columns fill whole tiles.
struct Right<'a, F> {
    matrix: Matrix<'a, F>,
    in_place: bool,
    rounded: bool,
    room: &'a mut Vec<F>,
    /// Where the room begins: on a boundary of cache lines.
    begin: usize,
    /// Columns, those included that fill up the last tile.
    cols: usize,
}

impl<'a, F: Real> Right<'a, F> {
    #[inline(always)]
    fn new<S: Simd>(matrix: Matrix<'a, F>, in_place: bool, rounded: bool, room: &'a mut Vec<F>) -> Self
    where
        F: Lanes<S>,
    {
        let cols = matrix.cols.next_multiple_of(F::LANES);
        Self { matrix, in_place: in_place && !matrix.transposed && !rounded, rounded, room, begin: 0, cols }
    }

    /// Makes room for `size` numbers.
    #[inline(always)]
    fn make_room<S: Simd>(&mut self, size: usize)
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
    fn panel<S: Simd>(
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

/// Consecutive columns of a left side, from `from` after a row's start, that go to `count` strips `tall` columns wide.
#[derive(Clone, Copy, Debug)]
struct Run {
    from: usize,
    tall: usize,
    count: usize,
}

impl Run {
    fn width(&self) -> usize {
        self.tall * self.count
    }

    /// Copies the run's columns of the rows at `starts` to strips [count, depth, tall].
    #[inline(always)]
    fn pack<F: Real>(&self, data: &[F], starts: &[usize], to: &mut [F]) {
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

/// The columns of a right side in tiles of two vectors, the last as wide as what is left.
#[inline(always)]
fn widths(cols: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..cols).step_by(2 * lanes).map(move |col| (col, (2 * lanes).min(cols - col)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use proptest::prelude::*;

    fn at(matrix: &Matrix<f64>, row: usize, col: usize) -> f64 {
        if matrix.transposed { matrix.data[col * matrix.rows + row] } else { matrix.data[row * matrix.cols + col] }
    }

    fn plain(left: Matrix<f64>, right: Matrix<f64>, out: &mut [f64]) {
        for i in 0..left.rows {
            for j in 0..right.cols {
                out[i * right.cols + j] += (0..left.cols).map(|d| at(&left, i, d) * at(&right, d, j)).sum::<f64>();
            }
        }
    }

    fn view<T>(data: &[T], rows: usize, cols: usize, transposed: bool) -> Matrix<'_, T> {
        if transposed { Matrix::new(data, cols, rows).transposed() } else { Matrix::new(data, rows, cols) }
    }

    fn draws(n: usize, stream: &mut Stream) -> Vec<f64> {
        (0..n).map(|_| stream.uniform_in(-1.0, 1.0)).collect()
    }

    fn narrow(x: &[f64]) -> Vec<f32> {
        x.iter().map(|&x| x as f32).collect()
    }

    proptest! {
        #[test]
        fn equals_the_plain_triple_loop(
            m in 1usize..60, n in 1usize..80, k in 0usize..70, flip_left: bool, flip_right: bool, accumulate: bool,
            seed: u64, deep: bool,
        ) {
            let k = if deep { k + DEPTH } else { k };
            let mut stream = Stream::new(seed, "matmul");
            let (a, b, start) = (draws(m * k, &mut stream), draws(k * n, &mut stream), draws(m * n, &mut stream));
            let (left, right) = (view(&a, m, k, flip_left), view(&b, k, n, flip_right));
            let mut expected = if accumulate { start.clone() } else { vec![0.0; m * n] };
            plain(left, right, &mut expected);
            let mut out = start.clone();
            matmul(&mut out, left, right, accumulate, &mut Panels::default());
            for (x, y) in out.iter().zip(&expected) {
                prop_assert!((x - y).abs() < 1e-10);
            }
            let (a, b, mut out) = (narrow(&a), narrow(&b), narrow(&start));
            let (left, right) = (view(&a, m, k, flip_left), view(&b, k, n, flip_right));
            matmul(&mut out, left, right, accumulate, &mut Panels::default());
            for (&x, y) in out.iter().zip(&expected) {
                prop_assert!((f64::from(x) - y).abs() < 1e-3);
            }
        }

        #[test]
        fn patches_in_place_are_patches_gathered(
            images in 1usize..4, side in 5usize..12, channels in 1usize..40, kernel in 2usize..6, n in 1usize..40,
            accumulate: bool, seed: u64,
        ) {
            let patches = Patches { side, channels, kernel, stride: 2 };
            let (rows, size) = (images * patches.count(), patches.size());
            let mut stream = Stream::new(seed, "patches");
            let x = draws(images * patches.image(), &mut stream);
            let (kernels, gradient) = (draws(size * n, &mut stream), draws(rows * n, &mut stream));
            let mut gathered = vec![0.0; rows * size];
            patches.gather(&x, &mut gathered);
            let left = Matrix::new(&gathered, rows, size);
            let panels = &mut Panels::default();
            for (transposed, right) in [(false, Matrix::new(&kernels, size, n)), (true, Matrix::new(&gradient, rows, n))] {
                let start = draws(if transposed { size * n } else { rows * n }, &mut stream);
                let mut expected = if accumulate { start.clone() } else { vec![0.0; start.len()] };
                plain(if transposed { left.transposed() } else { left }, right, &mut expected);
                let mut out = start;
                if transposed {
                    patches_transposed_matmul(&mut out, &x, patches, right, accumulate, panels);
                } else {
                    patches_matmul(&mut out, &x, patches, right, accumulate, panels);
                }
                for (x, y) in out.iter().zip(&expected) {
                    prop_assert!((x - y).abs() < 1e-10);
                }
            }
        }
    }
}
