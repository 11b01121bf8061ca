//! Convolutions of upsampled images: each pixel is repeated, or put among zeros, which doubles the size of the image.
//!
//! Neither the upsampled image nor its patches are made. An output pixel (2i + p, 2j + q) reads the input around (i,
//! j), with weights that are sums of the kernel's taps and depend on the parities (p, q) only. So the whole is a
//! product of patches of the small image with a rearranged kernel [taps, taps, C, 4 O], whose results are put in their
//! places. For a kernel of side 5, that is 36 multiplications for each channel of a small pixel instead of 100.
//!
//! Bound by: the product.

use super::dispatch::Real;
use super::elementwise::vectorised;
use super::im2col::Patches;
use super::matmul::{Matrix, Panels, patches_matmul, patches_transposed_matmul};
use super::same_convolution::{ImageBuffers, flipped, images_at_once, pad};
use crate::number::Number;

/// How an image is upsampled to twice its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubling {
    /// Each pixel becomes four equal ones.
    Repeat,
    /// Pixel (i, j) goes to (2i + 1, 2j + 1), and the other pixels are zeros: what a stride does backwards.
    Spread,
}

/// The sizes of a convolution of upsampled images with SAME padding, by a kernel with an odd side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoublingConvolution {
    /// Side of the images; that of the results is twice as long.
    pub side: usize,
    /// Channels of the images.
    pub channels: usize,
    /// Channels of the results.
    pub outputs: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// How images are upsampled.
    pub doubling: Doubling,
}

impl DoublingConvolution {
    /// How far from (i, j) the input is read.
    pub fn radius(&self) -> usize {
        (self.kernel / 2).div_ceil(2)
    }

    /// The patches of the padded images.
    pub fn patches(&self) -> Patches {
        let radius = self.radius();
        Patches { side: self.side + 2 * radius, channels: self.channels, kernel: 2 * radius + 1, stride: 1 }
    }

    /// The patches of the gradients of the product, from which those of the images are computed.
    pub fn gradient_patches(&self) -> Patches {
        Patches { channels: 4 * self.outputs, ..self.patches() }
    }

    /// Numbers of an image.
    pub fn image(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// Numbers of a result.
    pub fn result(&self) -> usize {
        4 * self.side * self.side * self.outputs
    }

    /// Numbers of the rearranged kernel.
    pub fn rearranged(&self) -> usize {
        self.patches().size() * 4 * self.outputs
    }

    /// The tap of the small image that an output pixel of this parity reads with tap `a` of the kernel; `None` if it is
    /// zero.
    fn tap(&self, parity: usize, a: usize) -> Option<usize> {
        // Twice the radius keeps it positive.
        let place = parity + a + 2 * self.radius() - self.kernel / 2;
        match self.doubling {
            Doubling::Repeat => Some(place / 2),
            Doubling::Spread => (place % 2 == 1).then_some(place / 2),
        }
    }

    /// Calls `work` with where numbers of the kernel [k, k, C, O] and of the rearranged one [taps, taps, C, 2, 2, O]
    /// begin, O each, of which the second are sums of the first.
    #[inline(always)]
    fn each_tap(&self, mut work: impl FnMut(usize, usize)) {
        let Self { channels, outputs, kernel, .. } = *self;
        let taps = self.patches().kernel;
        for (a, b) in (0..kernel * kernel).map(|tap| (tap / kernel, tap % kernel)) {
            for (p, q) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (Some(t), Some(u)) = (self.tap(p, a), self.tap(q, b)) else { continue };
                for c in 0..channels {
                    let to = ((t * taps + u) * channels + c) * 4 + 2 * p + q;
                    work(((a * kernel + b) * channels + c) * outputs, to * outputs);
                }
            }
        }
    }

    fn rearrange<F: Number>(&self, out: &mut Vec<F>, kernel: &[F]) {
        out.clear();
        out.resize(self.rearranged(), F::ZERO);
        self.each_tap(|from, to| {
            let sums = out[to..to + self.outputs].iter_mut().zip(&kernel[from..from + self.outputs]);
            sums.for_each(|(out, &x)| *out += x);
        });
    }

    fn at_once(&self) -> usize {
        images_at_once(self.result().max(self.patches().image()), self.patches().count())
    }

    /// Upsamples the images of x [N, side, side, C] and convolves them with kernel [k, k, C, O]: y [N, 2 side, 2 side,
    /// O], or y += that if `accumulate`.
    pub fn run<F: Real>(
        self,
        y: &mut [F],
        x: &[F],
        kernel: &[F],
        accumulate: bool,
        panels: &mut Panels<F>,
        buffers: &mut ImageBuffers<F>,
    ) {
        let patches = self.patches();
        let ImageBuffers { padded, kernels: [rearranged, _], product, .. } = buffers;
        self.rearrange(rearranged, kernel);
        let weights = Matrix::new(rearranged, patches.size(), 4 * self.outputs);
        let images = self.at_once();
        for (y, x) in y.chunks_mut(images * self.result()).zip(x.chunks(images * self.image())) {
            let padded = pad(padded, x, self.side, self.channels, self.radius(), patches.side);
            product.resize(y.len(), F::ZERO);
            patches_matmul(product, padded, patches, weights, false, panels);
            swap_axes(y, product, [self.side, 2, 2 * self.outputs], accumulate);
        }
    }

    /// The kernel's gradient, given that of the result: written to `out` [k, k, C, O], or added to it if `accumulate`.
    pub fn of_kernel<F: Real>(
        self,
        out: &mut [F],
        x: &[F],
        gradient: &[F],
        accumulate: bool,
        panels: &mut Panels<F>,
        buffers: &mut ImageBuffers<F>,
    ) {
        let patches = self.patches();
        let ImageBuffers { padded, kernels: [rearranged, _], product, .. } = buffers;
        rearranged.resize(self.rearranged(), F::ZERO);
        let images = self.at_once();
        let pieces = x.chunks(images * self.image()).zip(gradient.chunks(images * self.result()));
        for (piece, (x, gradient)) in pieces.enumerate() {
            let padded = pad(padded, x, self.side, self.channels, self.radius(), patches.side);
            product.resize(gradient.len(), F::ZERO);
            swap_axes(product, gradient, [2, self.side, 2 * self.outputs], false);
            let above = Matrix::new(product, gradient.len() / (4 * self.outputs), 4 * self.outputs);
            patches_transposed_matmul(rearranged, padded, patches, above, piece > 0, panels);
        }
        if !accumulate {
            out.fill(F::ZERO);
        }
        self.each_tap(|to, from| {
            let sums = out[to..to + self.outputs].iter_mut().zip(&rearranged[from..from + self.outputs]);
            sums.for_each(|(out, &x)| *out += x);
        });
    }

    /// The images' gradient, given that of the result: written to `out` [N, side, side, C], or added to it if
    /// `accumulate`.
    pub fn of_images<F: Real>(
        self,
        out: &mut [F],
        gradient: &[F],
        kernel: &[F],
        accumulate: bool,
        panels: &mut Panels<F>,
        buffers: &mut ImageBuffers<F>,
    ) {
        let (wide, patches) = (4 * self.outputs, self.gradient_patches());
        let ImageBuffers { padded, kernels: [rearranged, other], product, .. } = buffers;
        self.rearrange(rearranged, kernel);
        flipped(other, rearranged, self.channels, wide);
        let weights = Matrix::new(other, patches.size(), self.channels);
        let images = self.at_once();
        for (out, gradient) in out.chunks_mut(images * self.image()).zip(gradient.chunks(images * self.result())) {
            product.resize(gradient.len(), F::ZERO);
            swap_axes(product, gradient, [2, self.side, 2 * self.outputs], false);
            let padded = pad(padded, product, self.side, wide, self.radius(), patches.side);
            patches_matmul(out, padded, patches, weights, accumulate, panels);
        }
    }
}

/// y [N, B, A, C] = x [N, A, B, C], or y += that if `accumulate`.
pub fn swap_axes<F: Number>(y: &mut [F], x: &[F], [a, b, c]: [usize; 3], accumulate: bool) {
    vectorised(
        #[inline(always)]
        || {
            for (y, x) in y.chunks_exact_mut(a * b * c).zip(x.chunks_exact(a * b * c)) {
                for (i, x) in x.chunks_exact(b * c).enumerate() {
                    for (j, x) in x.chunks_exact(c).enumerate() {
                        let y = y[(j * a + i) * c..][..c].iter_mut().zip(x);
                        // A loop over few numbers is faster than a call that copies them.
                        if accumulate {
                            y.for_each(|(y, &x)| *y += x);
                        } else {
                            y.for_each(|(y, &x)| *y = x);
                        }
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::same_convolution::{SameConvolution, same_convolution};
    use proptest::prelude::*;
    use random::Stream;

    proptest! {
        #[test]
        fn it_is_a_convolution_of_the_doubled_images(
            images in 1usize..4, side in 1usize..6, channels in 1usize..5, outputs in 1usize..5, half in 0usize..4,
            repeat: bool, accumulate: bool, seed: u64,
        ) {
            let doubling = if repeat { Doubling::Repeat } else { Doubling::Spread };
            let shape = DoublingConvolution { side, channels, outputs, kernel: 2 * half + 1, doubling };
            let whole = SameConvolution { side: 2 * side, channels, outputs, kernel: shape.kernel, stride: 1 };
            let mut random = Stream::new(seed, "doubling convolution");
            let mut draw = |n| (0..n).map(|_| random.uniform_in(-1.0, 1.0)).collect::<Vec<f64>>();
            let (x, kernel) = (draw(images * shape.image()), draw(shape.kernel.pow(2) * channels * outputs));
            let mut y = draw(images * shape.result());
            let mut expected = y.clone();
            let (panels, buffers) = (&mut Panels::default(), &mut ImageBuffers::default());
            shape.run(&mut y, &x, &kernel, accumulate, panels, buffers);
            let mut doubled = vec![0.0; 4 * x.len()];
            for (at, doubled) in doubled.iter_mut().enumerate() {
                let (pixel, c) = (at / channels, at % channels);
                let (image, row, col) = (pixel / (4 * side * side), pixel / (2 * side) % (2 * side), pixel % (2 * side));
                if repeat || row % 2 == 1 && col % 2 == 1 {
                    *doubled = x[((image * side + row / 2) * side + col / 2) * channels + c];
                }
            }
            same_convolution(&mut expected, &doubled, &kernel, whole, accumulate, panels, buffers);
            for (found, expected) in y.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }
}
