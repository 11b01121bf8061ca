#![allow(unsafe_code)]
#![cfg_attr(
    not(any(test, target_arch = "x86_64")),
    allow(dead_code, unused_imports, unused_macros, reason = "instructions of x86-64")
)]
//! Matrix products of operands that are rounded to bfloat16, with sums in f32.
//!
//! Both operands are rounded (to nearest, ties to even) while they are packed. Two numbers of neighbouring depth lie
//! side by side in 32 bits; one instruction multiplies such pairs and adds both products to an f32.
//!
//! Here are the loops over blocks, and the rule when these products are used. `avx512.rs` has the tiles with AVX-512's
//! instructions for pairs. On a CPU that lacks these instructions, or has slow ones, `matmul` computes the same
//! products in f32 from numbers that are rounded while they are packed, since products of two bfloat16 are exact in
//! f32. Both ways round alike; their sums may differ in the last bits.
//!
//! Bound by: the units for pairs if all sizes are large; by packing and rounding if one is small (see `pays`).

#[cfg(target_arch = "x86_64")]
mod avx512;

use super::matmul::blocking::Product;
use super::matmul::operand::Matrix;
use super::matmul::panels::Scratch;
use super::tile_table::{TALLEST, height, with_tile};
#[cfg(test)]
use crate::bfloat16::{nearest, widen};

/// Numbers in a block's depth.
const DEPTH: usize = 512;
/// Columns of a panel of the right operand.
const WIDE: usize = 32;
/// Columns in a vector.
const LANES: usize = 16;

/// Whether products of bfloat16 are faster than those of f32: AVX-512 was chosen, this CPU has the instructions for
/// pairs, and it is not one of Intel's, which run them at half the speed of f32's (measured on Emerald Rapids; AMD's
/// Zen 5 runs them at twice that speed).
pub fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    return avx512::is_there() && !avx512::is_intel();
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Whether a product of these sizes gains from bfloat16. With few rows or columns packing costs as much as is saved,
/// and so it does if the pieces of a row are shorter than a vector of bfloat16.
pub(super) fn pays(rows: usize, depth: usize, cols: usize, piece: usize) -> bool {
    rows >= 16 && depth >= 16 && cols >= 12 && (piece >= 2 * LANES || piece == depth || piece == rows)
}

pub(crate) fn product(product: Product<f32>) {
    #[cfg(target_arch = "x86_64")]
    if is_fast() {
        // SAFETY: the CPU has these instructions.
        unsafe { avx512::product(product) };
        return;
    }
    product.dispatch();
}

/// A way to round and multiply blocks.
trait Engine: Copy {
    /// Rounds consecutive numbers.
    fn round(self, from: &[f32], to: &mut [u16]);
    /// Rounds up to sixteen numbers of an even row and of the odd row after it (none: zeros) into pairs; `to` holds 32.
    fn interleave(self, even: &[f32], odd: Option<&[f32]>, to: &mut [u16]);
    /// `to[pair * 64 + 2 c..]` is pair number `pair` of column c: up to sixteen columns of `deep` numbers, `apart`
    /// apart.
    fn transpose(self, from: &[f32], apart: usize, columns: usize, deep: usize, to: &mut [u16]);
    /// T rows of the left operand times W vectors of a panel. Row i's pair p is at `2 * (i * step.0 + p * step.1)` in
    /// `left`; the panel's at `64 p`. `out[i * stride..][..wide]` is written, or added to.
    fn tile<const T: usize, const W: usize>(
        self,
        pairs: usize,
        left: &[u16],
        step: (usize, usize),
        right: &[u16],
        out: &mut [f32],
        stride: usize,
        wide: usize,
        accumulate: bool,
    );
}

/// Computes a product block by block.
#[inline(always)]
fn drive<E: Engine>(engine: E, product: Product<f32>) {
    let Product { out, left, right, accumulate, panels, .. } = product;
    let Scratch { left: packed, right: packed_panels, starts } = &mut panels.bf16;
    let (layout, cols) = (left.layout, right.cols);
    packed.resize(DEPTH * LANES.max(TALLEST), 0);
    for from in (0..right.rows).step_by(DEPTH) {
        let deep = DEPTH.min(right.rows - from);
        let pairs = deep.div_ceil(2);
        pack_right(engine, right, from, deep, packed_panels);
        let accumulate = accumulate || from > 0;
        if left.transposed {
            starts.resize(deep, 0);
            layout.starts(from, starts);
            for segment in 0..layout.segments {
                let mut column = 0;
                while column < layout.length {
                    let tall = height(layout.length - column, TALLEST);
                    let offset = segment * layout.apart + column;
                    for (starts, to) in starts.chunks(2).zip(packed.chunks_exact_mut(2 * LANES)) {
                        let row = |start: usize| &left.data[start + offset..start + offset + tall];
                        engine.interleave(row(starts[0]), starts.get(1).map(|&start| row(start)), to);
                    }
                    let out = &mut out[(segment * layout.length + column) * cols..];
                    multiply(engine, packed, (1, LANES), packed_panels, pairs, out, cols, tall, accumulate);
                    column += tall;
                }
            }
        } else {
            let mut row = 0;
            while row < left.rows {
                let tall = height(left.rows - row, TALLEST);
                let mut begins = [0; TALLEST];
                layout.starts(row, &mut begins[..tall]);
                for (begin, to) in begins[..tall].iter().zip(packed.chunks_exact_mut(DEPTH)) {
                    let mut done = 0;
                    while done < deep {
                        let (segment, offset) = ((from + done) / layout.length, (from + done) % layout.length);
                        let length = (layout.length - offset).min(deep - done);
                        let at = begin + segment * layout.apart + offset;
                        engine.round(&left.data[at..at + length], &mut to[done..done + length]);
                        done += length;
                    }
                    if deep % 2 == 1 {
                        to[deep] = 0;
                    }
                }
                let out = &mut out[row * cols..];
                multiply(engine, packed, (DEPTH / 2, 1), packed_panels, pairs, out, cols, tall, accumulate);
                row += tall;
            }
        }
    }
}

/// Multiplies a packed strip of the left operand, `tall` rows, by every panel. (It is not a closure, because closures
/// are not inlined into a function with the CPU's features.)
#[inline(always)]
fn multiply<E: Engine>(
    engine: E,
    left: &[u16],
    step: (usize, usize),
    panels: &[u16],
    pairs: usize,
    out: &mut [f32],
    cols: usize,
    tall: usize,
    accumulate: bool,
) {
    for (panel, col) in panels.chunks_exact(pairs * 2 * WIDE).zip((0..cols).step_by(WIDE)) {
        let wide = WIDE.min(cols - col);
        let out = &mut out[col..];
        with_tile!(tall, wide <= LANES, |T, W| engine
            .tile::<T, W>(pairs, left, step, panel, out, cols, wide, accumulate));
    }
}

/// Rows from..from + deep of the right operand, in panels of [pairs, WIDE, 2].
#[inline(always)]
fn pack_right<E: Engine>(engine: E, right: Matrix<f32>, from: usize, deep: usize, packed: &mut Vec<u16>) {
    let pairs = deep.div_ceil(2);
    packed.resize(right.cols.div_ceil(WIDE) * pairs * 2 * WIDE, 0);
    for (panel, to) in packed.chunks_exact_mut(pairs * 2 * WIDE).enumerate() {
        for half in 0..WIDE / LANES {
            let col = panel * WIDE + half * LANES;
            let columns = LANES.min(right.cols.saturating_sub(col));
            if columns == 0 {
                break;
            }
            if right.transposed {
                let at = &right.data[col * right.rows + from..];
                engine.transpose(at, right.rows, columns, deep, &mut to[half * 2 * LANES..]);
            } else {
                let row = |d: usize| {
                    let at = (from + d) * right.cols + col;
                    &right.data[at..at + columns]
                };
                for pair in 0..pairs {
                    let odd = (2 * pair + 1 < deep).then(|| row(2 * pair + 1));
                    engine.interleave(row(2 * pair), odd, &mut to[(pair * WIDE + half * LANES) * 2..][..2 * LANES]);
                }
            }
        }
    }
}

/// The plain twin, which the tests compare with.
#[cfg(test)]
#[derive(Clone, Copy)]
struct Plain;

#[cfg(test)]
impl Engine for Plain {
    #[inline(always)]
    fn round(self, from: &[f32], to: &mut [u16]) {
        to.iter_mut().zip(from).for_each(|(to, &x)| *to = nearest(x));
    }

    #[inline(always)]
    fn interleave(self, even: &[f32], odd: Option<&[f32]>, to: &mut [u16]) {
        to.fill(0);
        for (i, &x) in even.iter().enumerate() {
            to[2 * i] = nearest(x);
            to[2 * i + 1] = odd.map_or(0, |odd| nearest(odd[i]));
        }
    }

    #[inline(always)]
    fn transpose(self, from: &[f32], apart: usize, columns: usize, deep: usize, to: &mut [u16]) {
        for pair in 0..deep.div_ceil(2) {
            for column in 0..LANES {
                for odd in 0..2 {
                    let d = 2 * pair + odd;
                    to[pair * 2 * WIDE + 2 * column + odd] =
                        if column < columns && d < deep { nearest(from[column * apart + d]) } else { 0 };
                }
            }
        }
    }

    #[inline(always)]
    fn tile<const T: usize, const W: usize>(
        self,
        pairs: usize,
        left: &[u16],
        step: (usize, usize),
        right: &[u16],
        out: &mut [f32],
        stride: usize,
        wide: usize,
        accumulate: bool,
    ) {
        for i in 0..T {
            for (j, out) in out[i * stride..i * stride + wide].iter_mut().enumerate() {
                let mut sum = 0.0;
                for pair in 0..pairs {
                    for odd in 0..2 {
                        let a = widen(left[2 * (i * step.0 + pair * step.1) + odd]);
                        sum += a * widen(right[2 * (pair * WIDE + j) + odd]);
                    }
                }
                *out = if accumulate { *out + sum } else { sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::im2col::Patches;
    use super::super::matmul::{Panels, Precision, matmul, patches_matmul, patches_transposed_matmul};
    use super::*;
    use proptest::prelude::*;
    use random::Stream;

    fn draws(n: usize, stream: &mut Stream) -> Vec<f32> {
        (0..n).map(|_| stream.uniform_in(-1.0, 1.0) as f32).collect()
    }

    fn to_bf16(x: &[f32]) -> Vec<f64> {
        x.iter().map(|&x| f64::from(widen(nearest(x)))).collect()
    }

    fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|&x| f64::from(x)).collect()
    }

    fn panels() -> Panels<f32> {
        Panels::new(Precision::Bf16)
    }

    /// Products of sums of at most `depth` terms below one.
    fn close(ours: &[f32], exact: &[f64], depth: usize) -> Result<(), TestCaseError> {
        for (&x, y) in ours.iter().zip(exact) {
            prop_assert!((f64::from(x) - y).abs() < 1e-6 * (depth as f64 + 1.0), "{x} {y}");
        }
        Ok(())
    }

    #[test]
    fn infinite_and_nan_values_stay() {
        for bad in [f32::NAN, f32::INFINITY] {
            let (mut a, b) = (vec![1.0; 20 * 40], vec![1.0; 40 * 33]);
            a[45] = bad;
            let mut out = vec![0.0; 20 * 33];
            matmul(&mut out, Matrix::new(&a, 20, 40), Matrix::new(&b, 40, 33), false, &mut panels());
            for (i, x) in out.iter().enumerate() {
                assert_eq!(x.is_finite(), i / 33 != 1, "{i} {x}");
            }
        }
    }

    /// Computes a product with the instructions for pairs, if this CPU has them.
    fn pairs(product: Product<f32>) {
        #[cfg(target_arch = "x86_64")]
        if avx512::is_there() {
            // SAFETY: the CPU has these instructions.
            unsafe { avx512::product(product) };
            return;
        }
        drive(Plain, product);
    }

    proptest! {
        #[test]
        fn equals_the_plain_product_of_rounded_numbers(
            m in 16usize..50, n in 12usize..100, k in 16usize..70, flip_left: bool, flip_right: bool, accumulate: bool,
            seed: u64, deep in 0usize..3,
        ) {
            let k = k + deep * DEPTH;
            let mut stream = Stream::new(seed, "rounded");
            let (a, b, start) = (draws(m * k, &mut stream), draws(k * n, &mut stream), draws(m * n, &mut stream));
            let left = if flip_left { Matrix::new(&a, k, m).transposed() } else { Matrix::new(&a, m, k) };
            let right = if flip_right { Matrix::new(&b, n, k).transposed() } else { Matrix::new(&b, k, n) };
            let (x, y) = (to_bf16(&a), to_bf16(&b));
            let mut expected = vec![0.0; m * n];
            for i in 0..m {
                for j in 0..n {
                    let at = |d| {
                        let x = if flip_left { x[d * m + i] } else { x[i * k + d] };
                        x * if flip_right { y[j * k + d] } else { y[d * n + j] }
                    };
                    let before = if accumulate { f64::from(start[i * n + j]) } else { 0.0 };
                    expected[i * n + j] = before + (0..k).map(at).sum::<f64>();
                }
            }
            let mut out = start.clone();
            matmul(&mut out, left, right, accumulate, &mut panels());
            close(&out, &expected, k)?;
            // The plain twin, and the instructions on every CPU that has them, whether or not they are used there.
            let engines: [fn(Product<f32>); 2] = [|product| drive(Plain, product), pairs];
            for engine in engines {
                let mut out = start.clone();
                let mut panels = panels();
                let left = left.into();
                engine(Product { out: &mut out, left, right, accumulate, bf16: true, panels: &mut panels });
                close(&out, &expected, k)?;
            }
        }

        #[test]
        fn patches_are_rounded_like_matrices(
            images in 2usize..5, side in 8usize..14, channels in 11usize..40, kernel in 3usize..6, n in 12usize..40, seed: u64,
        ) {
            let patches = Patches { side, channels, kernel, stride: 2 };
            let (rows, size) = (images * patches.count(), patches.size());
            let mut stream = Stream::new(seed, "rounded patches");
            let x = draws(images * patches.image(), &mut stream);
            let (kernels, gradient) = (draws(size * n, &mut stream), draws(rows * n, &mut stream));
            let mut gathered = vec![0.0; rows * size];
            patches.gather(&x, &mut gathered);
            let left = Matrix::new(&gathered, rows, size);
            let (mut ours, mut theirs) = (vec![0.0; rows * n], vec![0.0; rows * n]);
            patches_matmul(&mut ours, &x, patches, Matrix::new(&kernels, size, n), false, &mut panels());
            matmul(&mut theirs, left, Matrix::new(&kernels, size, n), false, &mut panels());
            close(&ours, &wide(&theirs), size)?;
            let (mut ours, mut theirs) = (vec![0.0; size * n], vec![0.0; size * n]);
            patches_transposed_matmul(&mut ours, &x, patches, Matrix::new(&gradient, rows, n), false, &mut panels());
            matmul(&mut theirs, left.transposed(), Matrix::new(&gradient, rows, n), false, &mut panels());
            close(&ours, &wide(&theirs), rows)?;
        }
    }
}
