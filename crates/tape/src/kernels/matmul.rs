//! Matrix products.
//!
//! Here: [`matmul`], and [`patches_matmul`] and [`patches_transposed_matmul`], whose left side is the matrix of images'
//! patches, read in place. The loops over blocks are in this file, the register tiles in `tiles.rs`.
//!
//! The left side is never copied: a tile reads twelve of its rows, or columns, where they lie. The right side is packed
//! into panels as wide as a tile (Goto and van de Geijn, 2008), unless it can be read in place as well.

use super::lanes::Lanes;
use super::patches::Patches;
use super::rounded::{self, Room};
use super::tiles::{self, Out, Panel, Pieces, height};
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
    starts: Vec<usize>,
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
    let product = Product { out, left, right, accumulate, panels };
    if rounded { F::run_rounded(product) } else { F::run(product) }
}

/// One product, ready to run with any vectors.
#[doc(hidden)]
pub struct Product<'a, F> {
    pub(super) out: &'a mut [F],
    pub(super) left: Left<'a, F>,
    pub(super) right: Matrix<'a, F>,
    pub(super) accumulate: bool,
    pub(super) panels: &'a mut Panels<F>,
}

/// Depth of a block: a right panel of this depth stays in the first-level cache.
const DEPTH: usize = 256;
/// A right side of at most so many columns is read in place where the left side is transposed: its rows are short enough
/// to stay in the first-level cache.
const IN_PLACE: usize = 64;

/// Calls a tile function with its height and width as constants.
macro_rules! with_tile {
    ($tall:expr, $narrow:expr, $function:ident, $arguments:tt) => {
        match ($tall, $narrow) {
            (12, false) => with_tile!(@call $function, 12, 2, $arguments),
            (8, false) => with_tile!(@call $function, 8, 2, $arguments),
            (6, false) => with_tile!(@call $function, 6, 2, $arguments),
            (4, false) => with_tile!(@call $function, 4, 2, $arguments),
            (2, false) => with_tile!(@call $function, 2, 2, $arguments),
            (_, false) => with_tile!(@call $function, 1, 2, $arguments),
            (12, true) => with_tile!(@call $function, 12, 1, $arguments),
            (8, true) => with_tile!(@call $function, 8, 1, $arguments),
            (6, true) => with_tile!(@call $function, 6, 1, $arguments),
            (4, true) => with_tile!(@call $function, 4, 1, $arguments),
            (2, true) => with_tile!(@call $function, 2, 1, $arguments),
            (_, true) => with_tile!(@call $function, 1, 1, $arguments),
        }
    };
    (@call $function:ident, $tall:literal, $wide:literal, ($($argument:expr),*)) => {
        tiles::$function::<S, F, $tall, $wide>($($argument),*)
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
            self.by_dots(simd);
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
        let Self { out, left, right, accumulate, panels: Panels { right: packed, .. } } = self;
        let (layout, n) = (left.layout, right.cols);
        let in_place = left.rows <= 2 * tallest || n <= 2 * F::LANES;
        // A block is as many whole segments as are DEPTH deep, or a part of one.
        let length = layout.length.min(DEPTH);
        let segments = (DEPTH / layout.length).max(1);
        for segment in (0..layout.segments).step_by(segments) {
            for from in (0..layout.length).step_by(length) {
                let pieces = Pieces {
                    count: segments.min(layout.segments - segment),
                    apart: layout.apart,
                    from: segment * layout.apart + from,
                    length: length.min(layout.length - from),
                };
                let depth = segment * layout.length + from;
                let right = Right::pack::<S>(right, depth, pieces.count * pieces.length, in_place, packed);
                let accumulate = accumulate || depth > 0;
                let mut row = 0;
                while row < left.rows {
                    let tall = height(left.rows - row, tallest);
                    let mut starts = [0; 12];
                    layout.starts(row, &mut starts[..tall]);
                    for (col, wide, panel) in right.panels::<S>() {
                        let out = Out { c: &mut out[row * n + col..], stride: n, wide, accumulate };
                        let narrow = wide <= F::LANES;
                        with_tile!(tall, narrow, rows, (simd, left.data, &starts, pieces, panel, out));
                    }
                    row += tall;
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
        let Self { out, left, right, accumulate, panels: Panels { right: packed, starts, .. } } = self;
        let (layout, n) = (left.layout, right.cols);
        let in_place = layout.width() <= 2 * tallest || n <= IN_PLACE;
        starts.resize(DEPTH, 0);
        for depth in (0..left.rows).step_by(DEPTH) {
            let deep = DEPTH.min(left.rows - depth);
            let starts = &mut starts[..deep];
            layout.starts(depth, starts);
            let right = Right::pack::<S>(right, depth, deep, in_place, packed);
            let accumulate = accumulate || depth > 0;
            for segment in 0..layout.segments {
                let mut column = 0;
                while column < layout.length {
                    let tall = height(layout.length - column, tallest);
                    let offset = segment * layout.apart + column;
                    let row = segment * layout.length + column;
                    for (col, wide, panel) in right.panels::<S>() {
                        let out = Out { c: &mut out[row * n + col..], stride: n, wide, accumulate };
                        let narrow = wide <= F::LANES;
                        with_tile!(tall, narrow, columns, (simd, left.data, starts, offset, panel, out));
                    }
                    column += tall;
                }
            }
        }
    }

    /// Few rows times a transposed right side, which is read in place.
    #[inline(always)]
    fn by_dots<S: Simd>(self, simd: S)
    where
        F: Lanes<S>,
    {
        let Self { out, left, right, accumulate, .. } = self;
        let (depth, n) = (left.layout.length, right.cols);
        let mut row = 0;
        while row < left.rows {
            let tall = height(left.rows - row, 4);
            let a = &left.data[row * depth..(row + tall) * depth];
            let mut col = 0;
            while col < n {
                let many = if n - col >= 4 { 4 } else { 1 };
                let b = &right.data[col * depth..(col + many) * depth];
                let out = Out { c: &mut out[row * n + col..], stride: n, wide: many, accumulate };
                match (tall, many) {
                    (4, 4) => tiles::dots::<S, F, 4, 4>(simd, a, b, depth, out),
                    (2, 4) => tiles::dots::<S, F, 2, 4>(simd, a, b, depth, out),
                    (1, 4) => tiles::dots::<S, F, 1, 4>(simd, a, b, depth, out),
                    (4, _) => tiles::dots::<S, F, 4, 1>(simd, a, b, depth, out),
                    (2, _) => tiles::dots::<S, F, 2, 1>(simd, a, b, depth, out),
                    _ => tiles::dots::<S, F, 1, 1>(simd, a, b, depth, out),
                }
                col += many;
            }
            row += tall;
        }
    }
}

/// A block of the right side, ready for tiles: packed, or in place where its columns fill whole tiles.
struct Right<'a, F> {
    packed: &'a [F],
    deep: usize,
    cols: usize,
    /// The block where it lies, and its stride.
    in_place: Option<(&'a [F], usize)>,
}

impl<'a, F: Real> Right<'a, F> {
    /// Rows depth..depth + deep of `right`, all columns.
    #[inline(always)]
    fn pack<S: Simd>(right: Matrix<'a, F>, depth: usize, deep: usize, in_place: bool, packed: &'a mut Vec<F>) -> Self
    where
        F: Lanes<S>,
    {
        let cols = right.cols;
        let in_place = (in_place && !right.transposed).then(|| (&right.data[depth * cols..], cols));
        packed.resize((cols + 2 * F::LANES) * deep, F::ZERO);
        for (col, wide) in widths(cols, F::LANES) {
            let width = if wide <= F::LANES { F::LANES } else { 2 * F::LANES };
            if in_place.is_some() && wide == width {
                continue;
            }
            let target = &mut packed[col * deep..(col + width) * deep];
            if !right.transposed {
                for (d, target) in target.chunks_exact_mut(width).enumerate() {
                    let from = (depth + d) * cols + col;
                    target[..wide].copy_from_slice(&right.data[from..from + wide]);
                    target[wide..].fill(F::ZERO);
                }
            } else {
                if wide < width {
                    target.fill(F::ZERO);
                }
                for c in 0..wide {
                    let from = (col + c) * right.rows + depth;
                    let column = &right.data[from..from + deep];
                    for (target, &x) in target[c..].iter_mut().step_by(width).zip(column) {
                        *target = x;
                    }
                }
            }
        }
        Self { packed, deep, cols, in_place }
    }

    /// Every panel: its first column, its columns, and where they are.
    #[inline(always)]
    fn panels<S: Simd>(&self) -> impl Iterator<Item = (usize, usize, Panel<'_, F>)>
    where
        F: Lanes<S>,
    {
        widths(self.cols, F::LANES).map(|(col, wide)| {
            let width = if wide <= F::LANES { F::LANES } else { 2 * F::LANES };
            let panel = match self.in_place {
                Some((data, stride)) if wide == width => Panel { data: &data[col..], stride },
                _ => Panel { data: &self.packed[col * self.deep..(col + width) * self.deep], stride: width },
            };
            (col, wide, panel)
        })
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
