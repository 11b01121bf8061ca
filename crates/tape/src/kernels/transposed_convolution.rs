//! Transposed convolutions of stride two: the decoder's layers, and the gradient of a convolution's input.
//!
//! An output pixel (2i + p, 2j + q) reads the taps (2a + p, 2b + q) of the kernel at the inputs (i - a, j - b). So the
//! four parities (p, q) of an output position read one patch of the zero-padded input, and the whole is a product of
//! patches [N * positions, taps * taps * C] with a rearranged kernel [taps * taps * C, 4 O], whose result only has to
//! be put in its place. Above and below the input nothing is computed: positions there have patches of fewer lines. To
//! the left and right of it there are zeros. Small inputs would waste too much time on these zeros: their patches are
//! computed first and then added to the output.
//!
//! Bound by: the product; for small inputs by memory, where the patches are added up.

use super::dispatch::Real;
use super::elementwise::vectorised;
use super::im2col::Patches;
use super::matmul::operand::{Grid, Layout, LeftOperand};
use super::matmul::{Matrix, Panels, matmul, run};
use crate::number::Number;
use std::ops::Range;

/// Sides of an input from which on it pays to split by parity: below, too much of the padded input is padding.
const SPLIT_FROM: usize = 5;
/// The same with at least [`DEEP`] channels, for which sums are cheap compared with products.
const SPLIT_DEEP_FROM: usize = 6;
/// See [`SPLIT_DEEP_FROM`].
const DEEP: usize = 128;
/// Numbers of intermediate results at a time, which stay in the second-level cache.
const AT_ONCE: usize = 144 * 1024;
/// The minimum number of rows of a product, because each product packs the kernel again.
const ROWS_AT_LEAST: usize = 256;

/// Buffers for intermediate results, kept between calls.
#[derive(Debug, Default)]
pub struct Buffers<F> {
    padded: Vec<F>,
    kernel: Vec<F>,
    product: Vec<F>,
}

/// `y[2i + a, 2j + b, o] += x[i, j, c] * kernel[a, b, o, c]` from y = 0: x [N, across, across, C] and y
/// [N, side, side, O] with the sizes of `patches` (O = `patches.channels`), kernel [k, k, O, C].
///
/// # Panics
/// If a slice has another size, or the stride is not two.
pub fn transposed_convolution<F: Real>(
    y: &mut [F],
    x: &[F],
    kernel: &[F],
    patches: Patches,
    panels: &mut Panels<F>,
    buffers: &mut Buffers<F>,
) {
    assert_eq!(patches.stride, 2, "stride of a transposed convolution");
    let channels = kernel.len() / patches.size();
    assert_eq!(kernel.len(), patches.size() * channels, "a kernel of the patches' size");
    assert_eq!(x.len() * patches.image(), y.len() * patches.count() * channels, "as many inputs as outputs");
    if patches.across() >= if channels < DEEP { SPLIT_FROM } else { SPLIT_DEEP_FROM } {
        by_parity(y, x, kernel, patches, channels, panels, buffers);
    } else {
        scattered(y, x, kernel, patches, channels, panels, buffers);
    }
}

/// Product first, then every patch is added to its place.
fn scattered<F: Real>(
    y: &mut [F],
    x: &[F],
    kernel: &[F],
    patches: Patches,
    channels: usize,
    panels: &mut Panels<F>,
    buffers: &mut Buffers<F>,
) {
    let kernel = Matrix::new(kernel, patches.size(), channels).transposed();
    if patches.across() == 1 && patches.side == patches.kernel {
        // One patch is the whole image.
        matmul(y, Matrix::new(x, x.len() / channels, channels), kernel, false, panels);
        return;
    }
    let images = (AT_ONCE / (patches.count() * patches.size())).max(ROWS_AT_LEAST.div_ceil(patches.count()));
    y.fill(F::ZERO);
    for (y, x) in y.chunks_mut(images * patches.image()).zip(x.chunks(images * patches.count() * channels)) {
        let rows = x.len() / channels;
        buffers.product.resize(rows * patches.size(), F::ZERO);
        matmul(&mut buffers.product, Matrix::new(x, rows, channels), kernel, false, panels);
        patches.scatter(&buffers.product, y);
    }
}

/// Sizes of a transposed convolution that is split by parity.
struct Shape {
    /// Side of the input.
    across: usize,
    /// Zeros on either side of a line of the input: one less than taps.
    border: usize,
    channels: usize,
    outputs: usize,
}

/// Neighbouring rows of positions whose patches have the same lines of taps.
struct Band {
    first: usize,
    rows: usize,
    taps: Range<usize>,
}

impl Shape {
    /// Positions in a row, and rows of positions.
    fn positions(&self) -> usize {
        self.across + self.border
    }

    /// Numbers that a row of positions makes.
    fn line(&self) -> usize {
        self.positions() * 4 * self.outputs
    }

    /// Numbers in a line of the padded input.
    fn padded_line(&self) -> usize {
        (self.across + 2 * self.border) * self.channels
    }

    /// The band that row `row` belongs to.
    fn band(&self, row: usize) -> Band {
        let &Self { across, border, .. } = self;
        if (border..across).contains(&row) {
            return Band { first: border, rows: across - border, taps: 0..border + 1 };
        }
        Band { first: row, rows: 1, taps: border.saturating_sub(row)..(across + border - row).min(border + 1) }
    }

    /// A band's patches of `count` images.
    fn patches<'a, F>(&self, padded: &'a [F], count: usize, band: &Band) -> LeftOperand<'a, F> {
        let line = self.padded_line();
        let grid = Grid {
            image: self.across * line,
            down: band.rows,
            across: self.positions(),
            row_step: line,
            column_step: self.channels,
            first: (band.first + band.taps.start - self.border) * line,
        };
        let length = (self.border + 1) * self.channels;
        let layout = Layout { grid: Some(grid), segments: band.taps.len(), length, apart: line };
        LeftOperand { data: padded, rows: count * band.rows * self.positions(), layout, transposed: false }
    }
}

fn by_parity<F: Real>(
    y: &mut [F],
    x: &[F],
    kernel: &[F],
    patches: Patches,
    channels: usize,
    panels: &mut Panels<F>,
    buffers: &mut Buffers<F>,
) {
    let (across, outputs) = (patches.across(), patches.channels);
    let taps = patches.kernel.div_ceil(2);
    let shape = Shape { across, border: taps - 1, channels, outputs };
    rearrange(&mut buffers.kernel, kernel, patches.kernel, taps, outputs, channels);
    let images = (AT_ONCE / (shape.positions() * shape.line())).max(1);
    for (y, x) in y.chunks_mut(images * patches.image()).zip(x.chunks(images * patches.count() * channels)) {
        let count = y.len() / patches.image();
        buffers.padded.resize(count * across * shape.padded_line(), F::ZERO);
        pad(&mut buffers.padded, x, across * channels, shape.border * channels);
        buffers.product.resize(count * shape.positions() * shape.line(), F::ZERO);
        let mut first = 0;
        while first < shape.positions() {
            let band = shape.band(first);
            let left = shape.patches(&buffers.padded, count, &band);
            let depth = taps * channels;
            let weights = &buffers.kernel[band.taps.start * depth * 4 * outputs..band.taps.end * depth * 4 * outputs];
            let right = Matrix::new(weights, band.taps.len() * depth, 4 * outputs);
            let at = count * first * shape.line();
            run(&mut buffers.product[at..at + count * band.rows * shape.line()], left, right, false, panels);
            first += band.rows;
        }
        let product = &buffers.product;
        vectorised(
            #[inline(always)]
            || {
                for (image, y) in y.chunks_exact_mut(patches.image()).enumerate() {
                    put(y, patches.side, outputs, shape.positions(), |row| {
                        let band = shape.band(row);
                        let at = (count * band.first + image * band.rows + row - band.first) * shape.line();
                        &product[at..at + shape.line()]
                    });
                }
            },
        );
    }
}

/// [k, k, O, C] to [taps, taps, C, 2, 2, O]: the tap (u, v) of a patch, counted from its first pixel, belongs to the
/// kernel's (2 (taps - 1 - u) + p, 2 (taps - 1 - v) + q); zeros where the kernel has none.
fn rearrange<F: Number>(out: &mut Vec<F>, kernel: &[F], k: usize, taps: usize, outputs: usize, channels: usize) {
    out.resize(taps * taps * channels * 4 * outputs, F::ZERO);
    for (index, out) in out.chunks_exact_mut(4 * outputs).enumerate() {
        let (u, v, c) = (index / channels / taps, index / channels % taps, index % channels);
        for (parity, out) in out.chunks_exact_mut(outputs).enumerate() {
            let (a, b) = (2 * (taps - 1 - u) + parity / 2, 2 * (taps - 1 - v) + parity % 2);
            if a < k && b < k {
                let from = (a * k + b) * outputs * channels + c;
                out.iter_mut().zip(kernel[from..].iter().step_by(channels)).for_each(|(out, &x)| *out = x);
            } else {
                out.fill(F::ZERO);
            }
        }
    }
}

/// Copies lines of `line` numbers into the middle of zeros, `border` numbers on either side.
fn pad<F: Number>(padded: &mut [F], lines: &[F], line: usize, border: usize) {
    for (padded, line) in padded.chunks_exact_mut(line + 2 * border).zip(lines.chunks_exact(line)) {
        padded[..border].fill(F::ZERO);
        padded[border..border + line.len()].copy_from_slice(line);
        padded[border + line.len()..].fill(F::ZERO);
    }
}

/// Puts rows of positions [across, 2, 2, O] in their places of the image [side, side, O]; the rest of the image is
/// zero, and positions outside the image are dropped.
#[inline(always)]
fn put<'a, F: Number>(
    image: &mut [F],
    side: usize,
    outputs: usize,
    across: usize,
    positions: impl Fn(usize) -> &'a [F],
) {
    let covered = (2 * across).min(side);
    image[covered * side * outputs..].fill(F::ZERO);
    for (row, line) in image.chunks_exact_mut(side * outputs).take(covered).enumerate() {
        let half = row % 2 * 2 * outputs;
        line[covered * outputs..].fill(F::ZERO);
        let pixels = line[..covered * outputs].chunks_mut(2 * outputs);
        for (pixels, position) in pixels.zip(positions(row / 2).chunks_exact(4 * outputs)) {
            let position = &position[half..half + pixels.len()];
            pixels.iter_mut().zip(position).for_each(|(pixel, &x)| *pixel = x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use random::Stream;

    proptest! {
        /// Padding may spread NaN values to more pixels of the same image, but it neither hides them nor reaches other
        /// images.
        #[test]
        fn nan_stays_nan(
            images in 2usize..4, across in 1usize..9, k in 2usize..8, outputs in 1usize..6, channels in 1usize..6,
            infinite: bool, at: usize, seed: u64,
        ) {
            let patches = Patches { side: 2 * (across - 1) + k, channels: outputs, kernel: k, stride: 2 };
            let mut random = Stream::new(seed, "transposed convolution");
            let mut draw = |n| (0..n).map(|_| random.uniform_in(0.5, 1.0) as f32).collect::<Vec<f32>>();
            let (mut x, kernel) = (draw(images * patches.count() * channels), draw(patches.size() * channels));
            let at = at % x.len();
            x[at] = if infinite { f32::INFINITY } else { f32::NAN };
            let (panels, buffers) = (&mut Panels::default(), &mut Buffers::default());
            let (mut one, mut two) = (vec![0.0; images * patches.image()], vec![0.0; images * patches.image()]);
            scattered(&mut one, &x, &kernel, patches, channels, panels, buffers);
            by_parity(&mut two, &x, &kernel, patches, channels, panels, buffers);
            let image = at / (patches.count() * channels);
            let reached = one.iter().filter(|x| !x.is_finite()).count();
            prop_assert_eq!(reached, k * k * outputs, "the pixels of one patch");
            for (index, (a, b)) in one.iter().zip(&two).enumerate() {
                prop_assert!(a.is_finite() || !b.is_finite(), "{b} where {a} belongs");
                prop_assert!(index / patches.image() == image || b.is_finite(), "{b} in another image");
            }
        }

        #[test]
        fn split_by_parity_is_scattered(
            images in 1usize..4, across in 1usize..9, k in 2usize..8, beyond in 0usize..2, outputs in 1usize..6,
            channels in 1usize..6, seed: u64,
        ) {
            let patches = Patches { side: 2 * (across - 1) + k + beyond, channels: outputs, kernel: k, stride: 2 };
            prop_assume!(patches.across() == across);
            let mut random = Stream::new(seed, "transposed convolution");
            let mut draw = |n| (0..n).map(|_| random.uniform_in(-1.0, 1.0)).collect::<Vec<f64>>();
            let (x, kernel) = (draw(images * patches.count() * channels), draw(patches.size() * channels));
            // The previous content of the output must not matter.
            let (mut one, mut two) = (draw(images * patches.image()), draw(images * patches.image()));
            let (panels, buffers) = (&mut Panels::default(), &mut Buffers::default());
            scattered(&mut one, &x, &kernel, patches, channels, panels, buffers);
            by_parity(&mut two, &x, &kernel, patches, channels, panels, buffers);
            for (a, b) in one.iter().zip(&two) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }
    }
}
