//! Matrix products.
//!
//! Here: [`matmul`], a blocked product (Goto and van de Geijn, 2008): both operands are packed into panels that stay in
//! cache, and a register tile of 12 rows by two vectors (6 by two where there are 16 registers) is accumulated over the
//! whole depth. Vectors come from `pulp`, which picks AVX-512, AVX2 or NEON at run time. Bound by: the multiply-add units,
//! from about 64 x 32 x 64 upwards; below that by packing.

use crate::real::Real;
use pulp::{Arch, Simd, WithSimd};

/// A view of a matrix in a slice, with any strides.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, F> {
    data: &'a [F],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, F> Matrix<'a, F> {
    /// A row-major matrix [rows, cols].
    ///
    /// # Panics
    /// If `data` is not rows x cols long.
    pub fn new(data: &'a [F], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} x {cols} matrix");
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            data: self.data,
        }
    }
}

/// Room for packed panels, kept between products so that they allocate nothing.
#[derive(Debug, Default)]
pub struct Panels<F> {
    left: Vec<F>,
    right: Vec<F>,
}

/// `out = left * right`, or `out += left * right` if `accumulate`; out is row-major [left.rows, right.cols].
///
/// # Panics
/// If the shapes do not fit: a bug in the calling operation.
pub fn matmul<F: Real>(out: &mut [F], left: Matrix<F>, right: Matrix<F>, accumulate: bool, panels: &mut Panels<F>) {
    assert_eq!(left.cols, right.rows, "inner sizes");
    assert_eq!(out.len(), left.rows * right.cols, "size of the product");
    if out.is_empty() {
        return;
    }
    if left.cols == 0 {
        if !accumulate {
            out.fill(F::ZERO);
        }
        return;
    }
    F::run(Product { out, left, right, accumulate, panels });
}

/// One product, ready to run with any vectors.
#[doc(hidden)]
pub struct Product<'a, F> {
    out: &'a mut [F],
    left: Matrix<'a, F>,
    right: Matrix<'a, F>,
    accumulate: bool,
    panels: &'a mut Panels<F>,
}

/// Depth of a block: a right panel of this depth stays in the first-level cache.
const DEPTH: usize = 256;
/// Rows of a block: DEPTH x ROWS numbers stay in the second-level cache.
const ROWS: usize = 240;
/// Columns of a block.
const COLS: usize = 1024;

/// A number type's vectors on one instruction set.
trait Lanes<S: Simd>: Real {
    type Vector: Copy;
    const LANES: usize;
    fn splat(simd: S, x: Self) -> Self::Vector;
    fn mul_add(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    fn plus(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn pair(slice: &[Self]) -> [Self::Vector; 2];
    fn pair_mut(slice: &mut [Self]) -> &mut [Self::Vector];
}

macro_rules! lanes {
    ($real:ty, $vector:ident, $lanes:ident, $splat:ident, $mul_add:ident, $add:ident, $as:ident, $as_mut:ident) => {
        impl<S: Simd> Lanes<S> for $real {
            type Vector = S::$vector;
            const LANES: usize = S::$lanes;
            #[inline(always)]
            fn splat(simd: S, x: Self) -> Self::Vector {
                simd.$splat(x)
            }
            #[inline(always)]
            fn mul_add(simd: S, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn plus(simd: S, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn pair(slice: &[Self]) -> [Self::Vector; 2] {
                let vectors = S::$as(slice).0;
                [vectors[0], vectors[1]]
            }
            #[inline(always)]
            fn pair_mut(slice: &mut [Self]) -> &mut [Self::Vector] {
                S::$as_mut(slice).0
            }
        }

        impl WithSimd for Product<'_, $real> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                blocks::<S, $real>(simd, self);
            }
        }

        impl Product<'_, $real> {
            pub(crate) fn dispatch(self) {
                Arch::new().dispatch(self);
            }
        }
    };
}

lanes!(f32, f32s, F32_LANES, splat_f32s, mul_add_f32s, add_f32s, as_simd_f32s, as_mut_simd_f32s);
lanes!(f64, f64s, F64_LANES, splat_f64s, mul_add_f64s, add_f64s, as_simd_f64s, as_mut_simd_f64s);

/// The loops over blocks: columns, depth, rows, then the tiles of one block.
#[inline(always)]
fn blocks<S: Simd, F: Lanes<S>>(simd: S, product: Product<'_, F>) {
    let Product { out, left, right, accumulate, panels } = product;
    let (m, n, k) = (left.rows, right.cols, left.cols);
    let width = 2 * F::LANES;
    let tallest = if S::REGISTER_COUNT >= 32 { 12 } else { 6 };
    // A product of few rows does not repay packing its right side.
    let direct = right.col_stride == 1 && right.row_stride >= n && m <= 2 * tallest;
    for col in (0..n).step_by(COLS) {
        let cols = COLS.min(n - col);
        for depth in (0..k).step_by(DEPTH) {
            let deep = DEPTH.min(k - depth);
            pack_right(&mut panels.right, right, (depth, deep), (col, cols), width, direct);
            for row in (0..m).step_by(ROWS) {
                let rows = ROWS.min(m - row);
                pack_left(&mut panels.left, left, (row, rows), (depth, deep), tallest);
                let block = Block { n, col, cols, depth, deep, row, rows, width, tallest, direct };
                tiles::<S, F>(simd, &block, out, right, panels, accumulate || depth > 0);
            }
        }
    }
}

struct Block {
    n: usize,
    col: usize,
    cols: usize,
    depth: usize,
    deep: usize,
    row: usize,
    rows: usize,
    width: usize,
    tallest: usize,
    direct: bool,
}

/// Height of the next tile when `left` rows remain.
#[inline(always)]
fn height(left: usize, tallest: usize) -> usize {
    match left {
        _ if left >= tallest => tallest,
        8.. => 8,
        4..=7 => 4,
        2..=3 => 2,
        _ => 1,
    }
}

#[inline(always)]
fn tiles<S: Simd, F: Lanes<S>>(
    simd: S,
    block: &Block,
    out: &mut [F],
    right: Matrix<F>,
    panels: &Panels<F>,
    accumulate: bool,
) {
    let &Block { n, col, cols, depth, deep, row, rows, width, tallest, direct } = block;
    for j in (0..cols).step_by(width) {
        let wide = width.min(cols - j);
        let (b, stride) = if direct && wide == width {
            (&right.data[depth * right.row_stride + col + j..], right.row_stride)
        } else {
            (&panels.right[j * deep..j * deep + width * deep], width)
        };
        let mut i = 0;
        while i < rows {
            let tall = height(rows - i, tallest);
            let a = &panels.left[i * deep..(i + tall) * deep];
            let c = &mut out[(row + i) * n + col + j..];
            match tall {
                12 => tile::<S, F, 12>(simd, a, b, stride, c, n, wide, accumulate),
                8 => tile::<S, F, 8>(simd, a, b, stride, c, n, wide, accumulate),
                6 => tile::<S, F, 6>(simd, a, b, stride, c, n, wide, accumulate),
                4 => tile::<S, F, 4>(simd, a, b, stride, c, n, wide, accumulate),
                2 => tile::<S, F, 2>(simd, a, b, stride, c, n, wide, accumulate),
                _ => tile::<S, F, 1>(simd, a, b, stride, c, n, wide, accumulate),
            }
            i += tall;
        }
    }
}

/// One register tile: T rows by two vectors, over the whole depth of the block.
#[inline(always)]
fn tile<S: Simd, F: Lanes<S>, const T: usize>(
    simd: S,
    a: &[F],
    b: &[F],
    stride: usize,
    c: &mut [F],
    n: usize,
    wide: usize,
    accumulate: bool,
) {
    let zero = F::splat(simd, F::ZERO);
    let mut sums = [[zero; 2]; T];
    for (a, b) in a.as_chunks::<T>().0.iter().zip(b.chunks(stride)) {
        let [b0, b1] = F::pair(b);
        for i in 0..T {
            let a = F::splat(simd, a[i]);
            sums[i][0] = F::mul_add(simd, a, b0, sums[i][0]);
            sums[i][1] = F::mul_add(simd, a, b1, sums[i][1]);
        }
    }
    if wide == 2 * F::LANES {
        for i in 0..T {
            let c = F::pair_mut(&mut c[i * n..i * n + wide]);
            c[0] = if accumulate { F::plus(simd, c[0], sums[i][0]) } else { sums[i][0] };
            c[1] = if accumulate { F::plus(simd, c[1], sums[i][1]) } else { sums[i][1] };
        }
        return;
    }
    // The last columns: through a buffer as wide as the widest tile (two vectors of 16).
    let mut edge = [F::ZERO; 32];
    for i in 0..T {
        F::pair_mut(&mut edge[..2 * F::LANES]).copy_from_slice(&sums[i]);
        for (c, &sum) in c[i * n..i * n + wide].iter_mut().zip(&edge) {
            *c = if accumulate { *c + sum } else { sum };
        }
    }
}

/// Copies a block of the left side so that a tile reads it in order: panels of `height` rows, depth by depth.
#[inline(always)]
fn pack_left<F: Real>(
    panel: &mut Vec<F>,
    left: Matrix<F>,
    (row, rows): (usize, usize),
    (depth, deep): (usize, usize),
    tallest: usize,
) {
    panel.resize(rows * deep, F::ZERO);
    let mut i = 0;
    while i < rows {
        let tall = height(rows - i, tallest);
        let target = &mut panel[i * deep..(i + tall) * deep];
        let start = (row + i) * left.row_stride + depth * left.col_stride;
        if left.row_stride == 1 {
            for (d, target) in target.chunks_exact_mut(tall).enumerate() {
                let from = start + d * left.col_stride;
                target.copy_from_slice(&left.data[from..from + tall]);
            }
        } else if left.col_stride == 1 {
            for r in 0..tall {
                let from = start + r * left.row_stride;
                for (target, &x) in target[r..].iter_mut().step_by(tall).zip(&left.data[from..from + deep]) {
                    *target = x;
                }
            }
        } else {
            for (d, target) in target.chunks_exact_mut(tall).enumerate() {
                for (r, target) in target.iter_mut().enumerate() {
                    *target = left.data[start + r * left.row_stride + d * left.col_stride];
                }
            }
        }
        i += tall;
    }
}

/// Copies a block of the right side into panels as wide as a tile, filled up with zeros. With `direct`, only the last,
/// narrower panel is copied: the others are read where they are.
#[inline(always)]
fn pack_right<F: Real>(
    panel: &mut Vec<F>,
    right: Matrix<F>,
    (depth, deep): (usize, usize),
    (col, cols): (usize, usize),
    width: usize,
    direct: bool,
) {
    panel.resize(cols.next_multiple_of(width) * deep, F::ZERO);
    for j in (0..cols).step_by(width) {
        let wide = width.min(cols - j);
        if direct && wide == width {
            continue;
        }
        let target = &mut panel[j * deep..j * deep + width * deep];
        let start = depth * right.row_stride + (col + j) * right.col_stride;
        if right.col_stride == 1 {
            for (d, target) in target.chunks_exact_mut(width).enumerate() {
                let from = start + d * right.row_stride;
                target[..wide].copy_from_slice(&right.data[from..from + wide]);
                target[wide..].fill(F::ZERO);
            }
        } else {
            target.fill(F::ZERO);
            for c in 0..wide {
                let from = start + c * right.col_stride;
                for d in 0..deep {
                    target[d * width + c] = right.data[from + d * right.row_stride];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use proptest::prelude::*;

    fn plain(left: Matrix<f64>, right: Matrix<f64>, out: &mut [f64]) {
        for i in 0..left.rows {
            for j in 0..right.cols {
                for d in 0..left.cols {
                    out[i * right.cols + j] += left.data[i * left.row_stride + d * left.col_stride]
                        * right.data[d * right.row_stride + j * right.col_stride];
                }
            }
        }
    }

    proptest! {
        #[test]
        fn equals_the_plain_triple_loop(
            m in 1usize..60, n in 1usize..80, k in 0usize..70, flip_left: bool, flip_right: bool, accumulate: bool, seed: u64,
            large in 0usize..3,
        ) {
            // One dimension at a time is taken across a block's border.
            let (m, n, k) = match large { 0 => (m + ROWS, n, k), 1 => (m, n + COLS, k), _ => (m, n, k + DEPTH) };
            let mut stream = Stream::new(seed, "matmul");
            let mut draw = |n| (0..n).map(|_| stream.uniform_in(-1.0, 1.0)).collect::<Vec<f64>>();
            let (a, b, start) = (draw(m * k), draw(k * n), draw(m * n));
            let left = if flip_left { Matrix::new(&a, k, m).transposed() } else { Matrix::new(&a, m, k) };
            let right = if flip_right { Matrix::new(&b, n, k).transposed() } else { Matrix::new(&b, k, n) };
            let mut expected = if accumulate { start.clone() } else { vec![0.0; m * n] };
            plain(left, right, &mut expected);
            let mut out = start.clone();
            let mut panels = Panels::default();
            matmul(&mut out, left, right, accumulate, &mut panels);
            for (x, y) in out.iter().zip(&expected) {
                prop_assert!((x - y).abs() < 1e-10);
            }

            let narrow = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
            let (a, b, mut out) = (narrow(&a), narrow(&b), narrow(&start));
            let left = if flip_left { Matrix::new(&a, k, m).transposed() } else { Matrix::new(&a, m, k) };
            let right = if flip_right { Matrix::new(&b, n, k).transposed() } else { Matrix::new(&b, k, n) };
            matmul(&mut out, left, right, accumulate, &mut Panels::default());
            for (&x, y) in out.iter().zip(&expected) {
                prop_assert!((f64::from(x) - y).abs() < 1e-3);
            }
        }
    }
}
