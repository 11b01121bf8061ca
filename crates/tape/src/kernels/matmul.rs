//! Matrix products.
//!
//! Here: what operations call: [`matmul`], and [`patches_matmul`] and [`patches_transposed_matmul`], whose left side is the
//! matrix of images' patches, read in place. The loops over blocks are in `product.rs`, the register tiles in `tiles.rs`.

use super::left::{Layout, Left};
use super::packing::Run;
use super::patches::Patches;
use super::product::Product;
use super::rounded::{self, Room};
use crate::real::Real;

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
    pub(super) right: Vec<F>,
    pub(super) left: Vec<F>,
    pub(super) starts: Vec<usize>,
    pub(super) runs: Vec<Run>,
    #[cfg_attr(not(any(test, target_arch = "x86_64")), allow(dead_code, reason = "instructions of x86-64"))]
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
    Left { data, rows, layout: Layout { grid: None, segments: 1, length, apart: 0 }, transposed }
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

/// `out = left * right`, or `out += left * right` if `accumulate`.
pub(super) fn run<F: Real>(out: &mut [F], left: Left<F>, right: Matrix<F>, accumulate: bool, panels: &mut Panels<F>) {
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
#[cfg(test)]
mod tests {
    use super::super::product::DEPTH;
    use super::*;
    use random::Stream;
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

        /// Zeros that fill up tiles, and sums in another order, must neither swallow nor spread what is no number.
        #[test]
        fn nan_and_infinity_pass_as_in_the_plain_loop(
            m in 1usize..40, n in 1usize..80, k in 1usize..70, flip_left: bool, flip_right: bool, rounded: bool, deep: bool,
            specials in proptest::collection::vec(
                (any::<bool>(), any::<usize>(), prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY])), 1..4,
            ),
            seed: u64,
        ) {
            let k = if deep { k + DEPTH } else { k };
            let mut stream = Stream::new(seed, "matmul");
            let (mut a, mut b) = (narrow(&draws(m * k, &mut stream)), narrow(&draws(k * n, &mut stream)));
            for (left, at, special) in specials {
                let side = if left { &mut a } else { &mut b };
                let at = at % side.len();
                side[at] = special;
            }
            let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let (wide_a, wide_b) = (wide(&a), wide(&b));
            let mut expected = vec![0.0; m * n];
            plain(view(&wide_a, m, k, flip_left), view(&wide_b, k, n, flip_right), &mut expected);
            let mut out = vec![0.0f32; m * n];
            let precision = if rounded { Precision::Rounded } else { Precision::Full };
            let mut panels = Panels { precision, ..Panels::default() };
            matmul(&mut out, view(&a, m, k, flip_left), view(&b, k, n, flip_right), false, &mut panels);
            for (&x, &y) in out.iter().zip(&expected) {
                prop_assert!(x.is_nan() == y.is_nan() && (!y.is_infinite() || f64::from(x) == y), "{x} where {y} belongs");
                prop_assert_eq!(x.is_finite(), y.is_finite());
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
