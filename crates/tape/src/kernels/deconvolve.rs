//! Transposed convolutions of stride two: the decoder's layers, and the gradient of a convolution's input.
//!
//! An output pixel (2i + p, 2j + q) reads the taps (2a + p, 2b + q) of the kernel at the inputs (i - a, j - b). So the four
//! parities (p, q) of an output position read one patch of the zero-padded input, and the whole is a product of patches
//! [N * positions, taps * taps * C] with a rearranged kernel [taps * taps * C, 4 O], whose result only has to be put in its
//! place. Bound by: the product; no sums are scattered. Small inputs waste too much on their padding and are scattered.

use super::matmul::{Matrix, Panels, matmul, patches_matmul};
use super::patches::Patches;
use crate::real::Real;

/// Sides of an input from which on it pays to split by parity: below, too much of the padded input is padding.
const SPLIT_FROM: usize = 5;
/// The same with at least [`DEEP`] channels, for which sums are cheap beside products.
const SPLIT_DEEP_FROM: usize = 6;
/// See [`SPLIT_DEEP_FROM`].
const DEEP: usize = 128;
/// Numbers of intermediate results at a time, which stay in the second-level cache.
const AT_ONCE: usize = 96 * 1024;
/// Rows of a product at least, where more do not: each product packs the kernel anew.
const ROWS_AT_LEAST: usize = 256;

/// Room for intermediate results, kept between calls.
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
pub fn deconvolve<F: Real>(
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
    let padded = Patches { side: across + 2 * (taps - 1), channels, kernel: taps, stride: 1 };
    let positions = padded.count();
    rearrange(&mut buffers.kernel, kernel, patches.kernel, taps, outputs, channels);
    let right = Matrix::new(&buffers.kernel, padded.size(), 4 * outputs);
    let images = (AT_ONCE / (positions * 4 * outputs)).max(1);
    for (y, x) in y.chunks_mut(images * patches.image()).zip(x.chunks(images * patches.count() * channels)) {
        let count = y.len() / patches.image();
        buffers.padded.resize(count * padded.image(), F::ZERO);
        pad(&mut buffers.padded, x, across, taps - 1, channels);
        buffers.product.resize(count * positions * 4 * outputs, F::ZERO);
        patches_matmul(&mut buffers.product, &buffers.padded, padded, right, false, panels);
        let products = buffers.product.chunks_exact(positions * 4 * outputs);
        for (y, product) in y.chunks_exact_mut(patches.image()).zip(products) {
            put(y, product, patches.side, padded.across(), outputs);
        }
    }
}

/// [k, k, O, C] to [taps, taps, C, 2, 2, O]: the tap (u, v) of a patch, counted from its first pixel, belongs to the
/// kernel's (2 (taps - 1 - u) + p, 2 (taps - 1 - v) + q); zeros where the kernel has none.
fn rearrange<F: Real>(out: &mut Vec<F>, kernel: &[F], k: usize, taps: usize, outputs: usize, channels: usize) {
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

/// Copies images of side `side` into the middle of zeros `border` wide.
fn pad<F: Real>(padded: &mut [F], images: &[F], side: usize, border: usize, channels: usize) {
    let wide = side + 2 * border;
    let line = side * channels;
    padded.fill(F::ZERO);
    let images = images.chunks_exact(side * line);
    for (padded, image) in padded.chunks_exact_mut(wide * wide * channels).zip(images) {
        for (row, pixels) in image.chunks_exact(line).enumerate() {
            let at = ((row + border) * wide + border) * channels;
            padded[at..at + line].copy_from_slice(pixels);
        }
    }
}

/// Puts the product's positions [across, across, 2, 2, O] in their places of the image [side, side, O]; what the image
/// has beyond them is zero, what they have beyond the image is dropped.
fn put<F: Real>(image: &mut [F], product: &[F], side: usize, across: usize, outputs: usize) {
    let covered = (2 * across).min(side);
    image[covered * side * outputs..].fill(F::ZERO);
    for (row, line) in image.chunks_exact_mut(side * outputs).take(covered).enumerate() {
        let positions = &product[row / 2 * across * 4 * outputs..][..across * 4 * outputs];
        let half = row % 2 * 2 * outputs;
        line[covered * outputs..].fill(F::ZERO);
        for (pixels, position) in
            line[..covered * outputs].chunks_mut(2 * outputs).zip(positions.chunks_exact(4 * outputs))
        {
            let position = &position[half..half + pixels.len()];
            pixels.iter_mut().zip(position).for_each(|(pixel, &x)| *pixel = x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use proptest::prelude::*;

    proptest! {
        /// Padding may spread what is no number to more pixels of its image, but neither swallows it nor leaves the image.
        #[test]
        fn what_is_no_number_stays_one(
            images in 2usize..4, across in 1usize..9, k in 2usize..8, outputs in 1usize..6, channels in 1usize..6,
            infinite: bool, at: usize, seed: u64,
        ) {
            let patches = Patches { side: 2 * (across - 1) + k, channels: outputs, kernel: k, stride: 2 };
            let mut random = Stream::new(seed, "deconvolve");
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
            let mut random = Stream::new(seed, "deconvolve");
            let mut draw = |n| (0..n).map(|_| random.uniform_in(-1.0, 1.0)).collect::<Vec<f64>>();
            let (x, kernel) = (draw(images * patches.count() * channels), draw(patches.size() * channels));
            // What is in the output before must not matter.
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
