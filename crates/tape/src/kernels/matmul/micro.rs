#![allow(unsafe_code)]
//! Register tiles: the innermost loops of a product, which compute T rows by W SIMD vectors of the result at a time.
//!
//! [`run`] compiles each tile as a separate function, so that it can use all registers.
//!
//! Bound by: the multiply-add units with W = 2; with W = 1 by loads, one for every multiply-add.

use super::lanes::Lanes;
use super::operand::Pieces;
use pulp::{Simd, WithSimd};

/// A tile: which rows or columns of the left operand it multiplies, with which panel of the right one, and where the
/// result goes.
pub(super) trait Tile {
    /// Computes T rows by W vectors.
    fn compute<S: Simd, const T: usize, const W: usize>(self, simd: S);
}

/// Computes a tile in a separate function.
#[inline(never)]
pub(super) fn run<S: Simd, K: Tile, const T: usize, const W: usize>(simd: S, tile: K) {
    simd.vectorize(Constant::<K, T, W>(tile));
}

/// A tile of T rows by W vectors.
struct Constant<K, const T: usize, const W: usize>(K);

impl<K: Tile, const T: usize, const W: usize> WithSimd for Constant<K, T, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.compute::<S, T, W>(simd);
    }
}

/// Where a tile of the result lies: at the start of `c`, with rows `stride` apart. `wide` is how many of the W vectors'
/// columns there are.
pub(super) struct Out<'a, F> {
    pub c: &'a mut [F],
    pub stride: usize,
    pub wide: usize,
    pub accumulate: bool,
}

/// A panel of the right operand: rows `stride` apart, of which a tile reads its width.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a, F> {
    pub data: &'a [F],
    pub stride: usize,
}

impl<F> Panel<'_, F> {
    /// # Panics
    /// If the panel does not have `deep` rows of `width` numbers.
    #[inline(always)]
    fn check(&self, deep: usize, width: usize) {
        assert!(deep == 0 || (deep - 1) * self.stride + width <= self.data.len(), "rows of a panel");
    }
}

/// T rows of the left operand, which start at `starts` in `data`.
pub(super) struct Rows<'a, F> {
    pub data: &'a [F],
    pub starts: &'a [usize],
    pub pieces: Pieces,
    pub b: Panel<'a, F>,
    pub out: Out<'a, F>,
}

/// T columns of the left operand.
pub(super) struct Columns<'a, F> {
    /// The columns, packed as [depth, T].
    pub a: &'a [F],
    pub b: Panel<'a, F>,
    pub out: Out<'a, F>,
}

/// Where rows start, in ascending order.
#[derive(Clone, Copy)]
pub(super) struct Ascending<'a>(&'a [usize]);

impl<'a> Ascending<'a> {
    /// # Panics
    /// If the starts are not in ascending order.
    pub fn new(starts: &'a [usize]) -> Self {
        assert!(starts.is_sorted(), "rows start one after the other");
        Self(starts)
    }

    pub fn get(self) -> &'a [usize] {
        self.0
    }
}

/// T columns of the left operand that are read in place, the first of them `from` after the start of each row.
pub(super) struct Scattered<'a, F> {
    pub data: &'a [F],
    pub starts: Ascending<'a>,
    pub from: usize,
    pub b: Panel<'a, F>,
    pub out: Out<'a, F>,
}

/// The W vectors that a tile reads from a row of its panel.
///
/// # Safety
/// The panel must hold that row, as wide as W vectors.
#[inline(always)]
unsafe fn load<S: Simd, F: Lanes, const W: usize>(simd: S, row: *const F) -> [F::Vector<S>; W] {
    let mut vectors = [F::splat(simd, F::ZERO); W];
    for (w, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: the caller promises that the row is this wide; a vector is nothing but its numbers.
        *vector = unsafe { row.add(w * F::lanes::<S>()).cast::<F::Vector<S>>().read_unaligned() };
    }
    vectors
}

/// Prefetches the cache lines of a tile of the result, which is read or written only after its sums are done.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables, reason = "an instruction of x86-64"))]
fn prefetch<F, const T: usize>(out: &Out<F>) {
    #[cfg(target_arch = "x86_64")]
    for i in 0..T {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let row = out.c.as_ptr().wrapping_add(i * out.stride);
        // SAFETY: a prefetch has no visible effect, for any address.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(row.cast());
            _mm_prefetch::<_MM_HINT_T0>(row.wrapping_add(out.wide - 1).cast());
        }
    }
}

impl<F: Lanes> Tile for Rows<'_, F> {
    #[inline(always)]
    fn compute<S: Simd, const T: usize, const W: usize>(self, simd: S) {
        let Self { data, starts, pieces, b, out } = self;
        b.check(pieces.count * pieces.length, W * F::lanes::<S>());
        prefetch::<F, T>(&out);
        let mut sums = [[F::splat(simd, F::ZERO); W]; T];
        let mut right = b.data.as_ptr();
        for piece in 0..pieces.count {
            let at = pieces.from + piece * pieces.apart;
            let rows: [&[F]; T] = std::array::from_fn(|i| &data[starts[i] + at..starts[i] + at + pieces.length]);
            for d in 0..pieces.length {
                // SAFETY: every row was cut to `pieces.length` numbers above, and d is less; the panel holds as many rows.
                unsafe {
                    let b = load::<S, F, W>(simd, right);
                    for i in 0..T {
                        let a = F::splat(simd, *rows[i].get_unchecked(d));
                        for w in 0..W {
                            sums[i][w] = F::mul_add(simd, a, b[w], sums[i][w]);
                        }
                    }
                }
                right = right.wrapping_add(b.stride);
            }
        }
        store::<S, F, T, W>(simd, sums, out);
    }
}

impl<F: Lanes> Tile for Columns<'_, F> {
    #[inline(always)]
    fn compute<S: Simd, const T: usize, const W: usize>(self, simd: S) {
        let Self { a, b, out } = self;
        let deep = a.len() / T;
        b.check(deep, W * F::lanes::<S>());
        prefetch::<F, T>(&out);
        let mut sums = [[F::splat(simd, F::ZERO); W]; T];
        let (mut left, mut right) = (a.as_ptr(), b.data.as_ptr());
        for _ in 0..deep {
            // SAFETY: both sides hold `deep` rows.
            unsafe {
                let b = load::<S, F, W>(simd, right);
                for i in 0..T {
                    let a = F::splat(simd, *left.add(i));
                    for w in 0..W {
                        sums[i][w] = F::mul_add(simd, a, b[w], sums[i][w]);
                    }
                }
            }
            left = left.wrapping_add(T);
            right = right.wrapping_add(b.stride);
        }
        store::<S, F, T, W>(simd, sums, out);
    }
}

impl<F: Lanes> Tile for Scattered<'_, F> {
    #[inline(always)]
    fn compute<S: Simd, const T: usize, const W: usize>(self, simd: S) {
        let Self { data, starts, from, b, out } = self;
        b.check(starts.0.len(), W * F::lanes::<S>());
        let last = starts.0.last().map_or(0, |start| start + from + T);
        assert!(last <= data.len(), "columns of a left operand");
        prefetch::<F, T>(&out);
        let mut sums = [[F::splat(simd, F::ZERO); W]; T];
        let mut right = b.data.as_ptr();
        for start in starts.0 {
            // SAFETY: T numbers from the last start on are in `data`, no start is greater since they ascend, and the
            // panel holds as many rows.
            unsafe {
                let left = data.as_ptr().add(start + from);
                let b = load::<S, F, W>(simd, right);
                for i in 0..T {
                    let a = F::splat(simd, *left.add(i));
                    for w in 0..W {
                        sums[i][w] = F::mul_add(simd, a, b[w], sums[i][w]);
                    }
                }
            }
            right = right.wrapping_add(b.stride);
        }
        store::<S, F, T, W>(simd, sums, out);
    }
}

/// T rows of the left operand times J rows of a transposed right operand: dot products over the whole depth. Rows are
/// `depth` long and follow each other; the result is [T, J] at `c`, with rows `stride` apart.
#[inline(always)]
pub(super) fn dots<S: Simd, F: Lanes, const T: usize, const J: usize>(
    simd: S,
    a: &[F],
    b: &[F],
    depth: usize,
    out: Out<F>,
) {
    let rows_a: [_; T] = std::array::from_fn(|i| F::vectors::<S>(&a[i * depth..(i + 1) * depth]));
    let rows_b: [_; J] = std::array::from_fn(|j| F::vectors::<S>(&b[j * depth..(j + 1) * depth]));
    let mut sums = [[F::splat(simd, F::ZERO); J]; T];
    for d in 0..depth / F::lanes::<S>() {
        // SAFETY: every row holds depth / LANES whole vectors, and d is less.
        let b: [F::Vector<S>; J] = std::array::from_fn(|j| unsafe { *rows_b[j].0.get_unchecked(d) });
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
fn store<S: Simd, F: Lanes, const T: usize, const W: usize>(simd: S, sums: [[F::Vector<S>; W]; T], out: Out<F>) {
    let Out { c, stride, wide, accumulate } = out;
    if wide == W * F::lanes::<S>() {
        for i in 0..T {
            let c = F::vectors_mut::<S>(&mut c[i * stride..i * stride + wide]).0;
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
        let edge = F::vectors_mut::<S>(&mut edge[i]).0;
        for w in 0..W {
            edge[w] = sums[i][w];
        }
    }
    for (i, edge) in edge.iter().enumerate() {
        let mut c = &mut c[i * stride..i * stride + wide];
        for &sum in F::vectors::<S>(edge).0.iter().take(W) {
            let (part, rest) = c.split_at_mut(c.len().min(F::lanes::<S>()));
            let sum = if accumulate { F::plus(simd, F::load_part(simd, part), sum) } else { sum };
            F::store_part(simd, part, sum);
            c = rest;
        }
    }
}
