//! Matrix products.
//!
//! Operations call [`matmul`], or [`patches_matmul`] and [`patches_transposed_matmul`], whose left operand is the
//! matrix of images' patches, read in place. The operands are in `operand.rs`, the loops over blocks in `blocking.rs`,
//! the copies that these make in `packing.rs`, and the innermost loops, the register tiles, in `micro.rs`.
//!
//! Bound by: the multiply-add units if all sizes are large; see `blocking.rs` for other cases.

pub(super) mod blocking;
pub(super) mod lanes;
mod micro;
pub(super) mod operand;
mod packing;
pub(super) mod panels;

use super::bf16;
use super::dispatch::Real;
use super::im2col::Patches;
use blocking::Product;
use operand::LeftOperand;

pub use operand::Matrix;
pub use panels::{Panels, Precision};

/// `out = left * right`, or `out += left * right` if `accumulate`; out is row-major [left.rows, right.cols].
///
/// # Panics
/// If the shapes do not fit: a bug in the calling operation.
pub fn matmul<F: Real>(out: &mut [F], left: Matrix<F>, right: Matrix<F>, accumulate: bool, panels: &mut Panels<F>) {
    run(out, left.into(), right, accumulate, panels);
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
    run(out, LeftOperand::patches(images, patches, false), right, accumulate, panels);
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
    run(out, LeftOperand::patches(images, patches, true), right, accumulate, panels);
}

/// `out = left * right`, or `out += left * right` if `accumulate`.
pub(super) fn run<F: Real>(
    out: &mut [F],
    left: LeftOperand<F>,
    right: Matrix<F>,
    accumulate: bool,
    panels: &mut Panels<F>,
) {
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
    let bf16 = panels.precision == Precision::Bf16 && bf16::pays(rows, depth, right.cols, left.layout.length);
    let product = Product { out, left, right, accumulate, bf16, panels };
    if bf16 { F::run_bf16(product) } else { F::run(product) }
}

#[cfg(test)]
mod tests {
    use super::operand::DEPTH;
    use super::*;
    use proptest::prelude::*;
    use random::Stream;

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

        /// Zeros that fill up tiles, and sums in another order, must neither hide nor spread NaN values.
        #[test]
        fn nan_and_infinity_pass_as_in_the_plain_loop(
            m in 1usize..40, n in 1usize..80, k in 1usize..70, flip_left: bool, flip_right: bool, bf16: bool, deep: bool,
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
            let precision = if bf16 { Precision::Bf16 } else { Precision::Full };
            let mut panels = Panels::new(precision);
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
