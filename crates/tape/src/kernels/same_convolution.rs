//! Convolutions with SAME padding: their results have the size of their images, or half of it.
//!
//! Images are copied into padded ones, whose patches are read in place. The gradient of the images is
//! such a convolution too, with a flipped kernel, unless the stride is two: then it is one that doubles the image.
//!
//! Bound by: the product.

use super::dispatch::Real;
use super::doubling_convolution::{Doubling, DoublingConvolution};
use super::im2col::Patches;
use super::matmul::{Matrix, Panels, patches_matmul, patches_transposed_matmul};
use crate::number::Number;

/// Numbers of intermediate results at a time, which stay in the second-level cache.
const AT_ONCE: usize = 144 * 1024;
/// The minimum number of rows of a product, because each product packs the kernel again.
const ROWS_AT_LEAST: usize = 256;

/// Buffers for intermediate results, kept between calls.
#[derive(Debug, Default)]
pub struct ImageBuffers<F> {
    /// Padded images.
    pub(super) padded: Vec<F>,
    /// A kernel in another form, and the same flipped.
    pub(super) kernels: [Vec<F>; 2],
    /// The results of a product before they are put in their places, or the gradients of these.
    pub(super) product: Vec<F>,
    /// Images before max pooling, or their gradients.
    pub(crate) whole: Vec<F>,
    /// Images after max pooling.
    pub(crate) pooled: Vec<F>,
}

/// The sizes of a convolution with SAME padding, by a kernel with an odd side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameConvolution {
    /// Side of the images; even, if the stride is two.
    pub side: usize,
    /// Channels of the images.
    pub channels: usize,
    /// Channels of the results.
    pub outputs: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// 1 or 2.
    pub stride: usize,
}

impl SameConvolution {
    /// Padding above and to the left of an image. With a stride of two, there is one more below and to the right.
    pub fn before(&self) -> usize {
        (self.kernel - self.stride) / 2
    }

    /// The patches of padded images.
    pub fn patches(&self) -> Patches {
        let Self { side, channels, kernel, stride, .. } = *self;
        Patches { side: side + kernel - stride, channels, kernel, stride }
    }

    /// Numbers of an image.
    pub fn image(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// Numbers of a result.
    pub fn result(&self) -> usize {
        self.patches().count() * self.outputs
    }

    /// With a stride of one: the convolution that takes gradients of results to those of images, by flipped kernels.
    pub fn flipped(&self) -> Self {
        Self { channels: self.outputs, outputs: self.channels, ..*self }
    }

    /// With a stride of two: the same.
    pub fn doubled(&self) -> DoublingConvolution {
        let Self { side, channels, outputs, kernel, .. } = *self;
        DoublingConvolution { side: side / 2, channels: outputs, outputs: channels, kernel, doubling: Doubling::Spread }
    }

    /// How many images are worked on at a time.
    pub fn at_once(&self) -> usize {
        images_at_once(self.patches().image().max(self.result()), self.patches().count())
    }
}

/// How many images are worked on at a time, if each has so many numbers, and rows of a product.
pub(super) fn images_at_once(numbers: usize, rows: usize) -> usize {
    (AT_ONCE / numbers).max(ROWS_AT_LEAST.div_ceil(rows))
}

/// `y[i, j, o] = sum of image[stride i + a, stride j + b, c] * kernel[a, b, c, o]`, the images of x [N, side, side, C]
/// padded; y [N, side / stride, side / stride, O], or y += that if `accumulate`. Kernel [k, k, C, O].
pub fn same_convolution<F: Real>(
    y: &mut [F],
    x: &[F],
    kernel: &[F],
    shape: SameConvolution,
    accumulate: bool,
    panels: &mut Panels<F>,
    buffers: &mut ImageBuffers<F>,
) {
    let patches = shape.patches();
    let weights = Matrix::new(kernel, patches.size(), shape.outputs);
    let images = shape.at_once();
    for (y, x) in y.chunks_mut(images * shape.result()).zip(x.chunks(images * shape.image())) {
        let padded = pad(&mut buffers.padded, x, shape.side, shape.channels, shape.before(), patches.side);
        patches_matmul(y, padded, patches, weights, accumulate, panels);
    }
}

/// The kernel's gradient, given that of the result: written to `out` [k, k, C, O], or added to it if `accumulate`.
pub fn same_convolution_of_kernel<F: Real>(
    out: &mut [F],
    x: &[F],
    gradient: &[F],
    shape: SameConvolution,
    accumulate: bool,
    panels: &mut Panels<F>,
    buffers: &mut ImageBuffers<F>,
) {
    let patches = shape.patches();
    let images = shape.at_once();
    let pieces = x.chunks(images * shape.image()).zip(gradient.chunks(images * shape.result()));
    for (piece, (x, gradient)) in pieces.enumerate() {
        let padded = pad(&mut buffers.padded, x, shape.side, shape.channels, shape.before(), patches.side);
        let gradient = Matrix::new(gradient, gradient.len() / shape.outputs, shape.outputs);
        patches_transposed_matmul(out, padded, patches, gradient, accumulate || piece > 0, panels);
    }
}

/// The images' gradient, given that of the result: written to `out` [N, side, side, C], or added to it if `accumulate`.
pub fn same_convolution_of_images<F: Real>(
    out: &mut [F],
    gradient: &[F],
    kernel: &[F],
    shape: SameConvolution,
    accumulate: bool,
    panels: &mut Panels<F>,
    buffers: &mut ImageBuffers<F>,
) {
    let mut other = std::mem::take(&mut buffers.kernels[1]);
    flipped(&mut other, kernel, shape.channels, shape.outputs);
    if shape.stride == 1 {
        same_convolution(out, gradient, &other, shape.flipped(), accumulate, panels, buffers);
    } else {
        shape.doubled().run(out, gradient, &other, accumulate, panels, buffers);
    }
    buffers.kernels[1] = other;
}

/// A kernel [.., C, O] with its taps in reverse order and its channels exchanged: [.., O, C].
pub(super) fn flipped<F: Number>(out: &mut Vec<F>, kernel: &[F], channels: usize, outputs: usize) {
    out.resize(kernel.len(), F::ZERO);
    let taps = out.chunks_exact_mut(channels * outputs).rev().zip(kernel.chunks_exact(channels * outputs));
    for (out, tap) in taps {
        for (o, out) in out.chunks_exact_mut(channels).enumerate() {
            out.iter_mut().zip(tap[o..].iter().step_by(outputs)).for_each(|(out, &x)| *out = x);
        }
    }
}

/// Pads images [N, side, side, C] with zeros to [N, whole, whole, C], `before` of them above and to the left.
pub(super) fn pad<'a, F: Number>(
    padded: &'a mut Vec<F>,
    images: &[F],
    side: usize,
    channels: usize,
    before: usize,
    whole: usize,
) -> &'a [F] {
    let (line, whole_line) = (side * channels, whole * channels);
    let count = images.len() / (side * line);
    padded.resize(count * whole * whole_line, F::ZERO);
    let left = before * channels;
    for (padded, image) in padded.chunks_exact_mut(whole * whole_line).zip(images.chunks_exact(side * line)) {
        let (top, rest) = padded.split_at_mut(before * whole_line);
        let (lines, bottom) = rest.split_at_mut(side * whole_line);
        top.fill(F::ZERO);
        bottom.fill(F::ZERO);
        for (padded, line) in lines.chunks_exact_mut(whole_line).zip(image.chunks_exact(line)) {
            padded[..left].fill(F::ZERO);
            padded[left..left + line.len()].copy_from_slice(line);
            padded[left + line.len()..].fill(F::ZERO);
        }
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use random::Stream;

    proptest! {
        #[test]
        fn it_is_the_plain_sum_over_the_kernel(
            images in 1usize..4, half in 1usize..5, channels in 1usize..5, outputs in 1usize..5, k in 1usize..4,
            stride in 1usize..3, accumulate: bool, seed: u64,
        ) {
            // A kernel has to cover the distance between patches.
            let shape = SameConvolution { side: 2 * half, channels, outputs, kernel: 2 * k + 1, stride };
            let mut random = Stream::new(seed, "same convolution");
            let mut draw = |n| (0..n).map(|_| random.uniform_in(-1.0, 1.0)).collect::<Vec<f64>>();
            let (x, kernel) = (draw(images * shape.image()), draw(shape.patches().size() * outputs));
            let mut y = draw(images * shape.result());
            let start = if accumulate { y.clone() } else { vec![0.0; y.len()] };
            same_convolution(&mut y, &x, &kernel, shape, accumulate, &mut Panels::default(), &mut ImageBuffers::default());
            let (side, across) = (shape.side as isize, shape.side / stride);
            for (at, (found, start)) in y.iter().zip(start).enumerate() {
                let (image, o) = (at / shape.result(), at % outputs);
                let [i, j] = [at / outputs / across % across, at / outputs % across].map(|i| (i * stride) as isize);
                let mut sum = start;
                for (a, b, c) in (0..shape.kernel.pow(2) * channels)
                    .map(|tap| (tap / channels / shape.kernel, tap / channels % shape.kernel, tap % channels))
                {
                    let [row, col] = [(i, a), (j, b)].map(|(i, a)| i + a as isize - shape.before() as isize);
                    if (0..side).contains(&row) && (0..side).contains(&col) {
                        let from = ((image * shape.side + row as usize) * shape.side + col as usize) * channels + c;
                        sum += x[from] * kernel[((a * shape.kernel + b) * channels + c) * outputs + o];
                    }
                }
                prop_assert!((found - sum).abs() < 1e-12, "{found} {sum}");
            }
        }
    }
}
