#![allow(unsafe_code)]
//! Register tiles: the innermost loops of a product, T rows by W vectors of the result at a time.
//!
//! Bound by: the multiply-add units with W = 2; with W = 1 by loads, one for every multiply-add.

use super::lanes::Lanes;
use pulp::Simd;

/// Where a tile of the result lies: from the start of `c` on, `stride` apart, `wide` of W vectors' columns.
pub(super) struct Out<'a, F> {
    pub c: &'a mut [F],
    pub stride: usize,
    pub wide: usize,
    pub accumulate: bool,
}

/// A panel of the right side: rows `stride` apart, of which a tile reads its width.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a, F> {
    pub data: &'a [F],
    pub stride: usize,
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

#[inline(always)]
fn load<S: Simd, F: Lanes<S>, const W: usize>(b: Panel<F>, row: usize) -> [F::Vector; W] {
    let vectors = F::vectors(&b.data[row * b.stride..row * b.stride + W * F::LANES]).0;
    std::array::from_fn(|w| vectors[w])
}

/// T rows of the left side, that start at `starts` in `data`, times a panel.
#[inline(always)]
pub(super) fn rows<S: Simd, F: Lanes<S>, const T: usize, const W: usize>(
    simd: S,
    data: &[F],
    starts: &[usize],
    pieces: Pieces,
    b: Panel<F>,
    out: Out<F>,
) {
    let mut sums = [[F::splat(simd, F::ZERO); W]; T];
    let mut row = 0;
    for piece in 0..pieces.count {
        let at = pieces.from + piece * pieces.apart;
        let rows: [&[F]; T] = std::array::from_fn(|i| &data[starts[i] + at..starts[i] + at + pieces.length]);
        for d in 0..pieces.length {
            let b = load::<S, F, W>(b, row);
            for i in 0..T {
                // SAFETY: every row was cut to `pieces.length` numbers above, and d is less.
                let a = F::splat(simd, unsafe { *rows[i].get_unchecked(d) });
                for w in 0..W {
                    sums[i][w] = F::mul_add(simd, a, b[w], sums[i][w]);
                }
            }
            row += 1;
        }
    }
    store::<S, F, T, W>(simd, sums, out);
}

/// T columns of the left side, `offset` after every row's start, transposed, times a panel.
#[inline(always)]
pub(super) fn columns<S: Simd, F: Lanes<S>, const T: usize, const W: usize>(
    simd: S,
    data: &[F],
    starts: &[usize],
    offset: usize,
    b: Panel<F>,
    out: Out<F>,
) {
    let mut sums = [[F::splat(simd, F::ZERO); W]; T];
    for (row, start) in starts.iter().enumerate() {
        let b = load::<S, F, W>(b, row);
        let a: &[F; T] = data[start + offset..].first_chunk().expect("columns of the left side");
        for i in 0..T {
            let a = F::splat(simd, a[i]);
            for w in 0..W {
                sums[i][w] = F::mul_add(simd, a, b[w], sums[i][w]);
            }
        }
    }
    store::<S, F, T, W>(simd, sums, out);
}

/// T rows of the left side times J rows of a transposed right side: dot products over the whole depth. Rows are `depth`
/// long and follow each other; the result is [T, J] at `c`, rows `stride` apart.
#[inline(always)]
pub(super) fn dots<S: Simd, F: Lanes<S>, const T: usize, const J: usize>(
    simd: S,
    a: &[F],
    b: &[F],
    depth: usize,
    out: Out<F>,
) {
    let rows_a: [_; T] = std::array::from_fn(|i| F::vectors(&a[i * depth..(i + 1) * depth]));
    let rows_b: [_; J] = std::array::from_fn(|j| F::vectors(&b[j * depth..(j + 1) * depth]));
    let mut sums = [[F::splat(simd, F::ZERO); J]; T];
    for d in 0..depth / F::LANES {
        // SAFETY: every row holds depth / LANES whole vectors, and d is less.
        let b: [F::Vector; J] = std::array::from_fn(|j| unsafe { *rows_b[j].0.get_unchecked(d) });
        for i in 0..T {
            // SAFETY: as above.
            let a = unsafe { *rows_a[i].0.get_unchecked(d) };
            for j in 0..J {
                sums[i][j] = F::mul_add(simd, a, b[j], sums[i][j]);
            }
        }
    }
    for i in 0..T {
        for j in 0..J {
            let rest: F = rows_a[i].1.iter().zip(rows_b[j].1).map(|(&a, &b)| a * b).sum();
            let dot = F::total(simd, sums[i][j]) + rest;
            let c = &mut out.c[i * out.stride + j];
            *c = if out.accumulate { *c + dot } else { dot };
        }
    }
}

#[inline(always)]
fn store<S: Simd, F: Lanes<S>, const T: usize, const W: usize>(simd: S, sums: [[F::Vector; W]; T], out: Out<F>) {
    let Out { c, stride, wide, accumulate } = out;
    if wide == W * F::LANES {
        for i in 0..T {
            let c = F::vectors_mut(&mut c[i * stride..i * stride + wide]).0;
            for w in 0..W {
                c[w] = if accumulate { F::plus(simd, c[w], sums[i][w]) } else { sums[i][w] };
            }
        }
        return;
    }
    // The last columns: through a buffer as wide as the widest tile (two vectors of 16). The sums are only ever indexed by
    // constants, so that they stay in registers.
    let mut edge = [[F::ZERO; 32]; T];
    #[allow(clippy::manual_memcpy, reason = "a copy would take the sums' address")]
    for i in 0..T {
        let edge = F::vectors_mut(&mut edge[i]).0;
        for w in 0..W {
            edge[w] = sums[i][w];
        }
    }
    for (i, edge) in edge.iter().enumerate() {
        for (c, &sum) in c[i * stride..i * stride + wide].iter_mut().zip(edge) {
            *c = if accumulate { *c + sum } else { sum };
        }
    }
}

/// Height of the next tile when `left` rows remain.
#[inline(always)]
pub(super) fn height(left: usize, tallest: usize) -> usize {
    match left {
        _ if left >= tallest => tallest,
        8.. => 8,
        4..=7 => 4,
        2..=3 => 2,
        _ => 1,
    }
}
