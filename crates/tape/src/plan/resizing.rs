//! The launches of convolutions that halve or double images, and of their gradients.
//!
//! A few images at a time are padded in scratch memory, where products read their patches.

use super::gradients::{Own, ParameterGradients};
use super::kernels;
use super::launch::Place;
use super::layout::Planner;
use super::products::{Factor, Finish, Matrix, PATCHED};
use super::traced::Traced;
use crate::kernels::doubling_convolution::{Doubling, DoublingConvolution as DoublingShape};
use crate::kernels::elementwise::Activation;
use crate::kernels::im2col::Patches;
use crate::kernels::same_convolution::SameConvolution;
use crate::ops::doubling_convolution::DoublingConvolution;
use crate::ops::halving_convolution::HalvingConvolution;

/// Some of many images.
#[derive(Clone, Copy)]
struct Piece {
    first: usize,
    count: usize,
}

/// Images a few at a time, each of which needs `numbers` numbers of scratch memory.
fn pieces(images: usize, numbers: usize) -> impl Iterator<Item = Piece> {
    let at_once = (PATCHED / numbers).clamp(1, images);
    (0..images).step_by(at_once).map(move |first| Piece { first, count: at_once.min(images - first) })
}

impl Planner {
    /// y [N, B, A, C] = x [N, A, B, C], or y += that if `accumulate`.
    pub(crate) fn swap_axes(
        &mut self,
        y: Place,
        x: Place,
        count: usize,
        [outer, inner, size]: [usize; 3],
        accumulate: bool,
    ) {
        self.each(count, kernels::SwapAxes { y, x, count, outer, inner, size, accumulate });
    }

    /// The patches of images, which are padded in scratch memory.
    fn padded(&mut self, out: Place, x: Place, images: usize, side: usize, before: usize, patches: Patches) -> Factor {
        let Patches { side: whole, channels, .. } = patches;
        let count = images * patches.image();
        self.each(count, kernels::PadImages { out, x, count, side, channels, before, whole });
        Factor::patches(out, images, patches)
    }

    /// A kernel [taps, C, O] with its taps in reverse order and its channels exchanged.
    fn flip(&mut self, out: Place, kernel: Place, taps: usize, [channels, outputs]: [usize; 2]) {
        let count = taps * channels * outputs;
        self.each(count, kernels::FlipKernel { out, kernel, taps, channels, outputs });
    }

    /// A convolution with SAME padding.
    fn same_convolution(
        &mut self,
        y: Place,
        x: Place,
        images: usize,
        shape: SameConvolution,
        kernel: Place,
        accumulate: bool,
        finish: Finish,
    ) {
        let patches = shape.patches();
        let weights = Matrix::new(kernel, patches.size(), shape.outputs);
        for Piece { first, count } in pieces(images, patches.image()) {
            self.with_scratch(count * patches.image(), |planner, scratch| {
                let x = x.after(first * shape.image());
                let read = planner.padded(scratch, x, count, shape.side, shape.before(), patches);
                planner.layer(y.after(first * shape.result()), read, weights, accumulate, finish);
            });
        }
    }

    pub(crate) fn halving_convolution(
        &mut self,
        traced: &Traced<'_>,
        layer: &HalvingConvolution,
        y: Place,
        images: usize,
    ) {
        let &HalvingConvolution { x, kernel, bias, shape, which, .. } = layer;
        let (x, kernel) = (traced.place(x), traced.parameter(kernel));
        let finish = Finish::layer(traced.parameter(bias), Activation::None);
        let Some(which) = which.map(|which| traced.place(which)) else {
            return self.same_convolution(y, x, images, shape, kernel, false, finish);
        };
        let half = shape.result() / 4;
        for Piece { first, count } in pieces(images, shape.result()) {
            self.with_scratch(count * shape.result(), |planner, whole| {
                let x = x.after(first * shape.image());
                planner.same_convolution(whole, x, count, shape, kernel, false, finish);
                let [y, which] = [y, which].map(|place| place.after(first * half));
                planner.each(
                    count * half,
                    kernels::MaxPool {
                        y,
                        which,
                        x: whole,
                        count: count * half,
                        half: shape.side / 2,
                        channels: shape.outputs,
                    },
                );
            });
        }
    }

    pub(crate) fn halving_convolution_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        layer: &HalvingConvolution,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &HalvingConvolution { x, kernel, bias, shape, which, trainable } = layer;
        let Own { gradient, rows: images, cols, .. } = own;
        let outputs = shape.outputs;
        self.bias_gradient(bias, trainable, gradient, [images * cols / outputs, outputs], gradients);
        let which = which.map(|which| traced.place(which));
        let (read, weights) = (traced.place(x), traced.parameter(kernel));
        let of_kernel = gradients.slot(kernel, trainable);
        let of_images = self.input(traced, x);
        let (patches, taps) = (shape.patches(), shape.kernel * shape.kernel);
        self.with_scratch(taps * shape.channels * outputs, |planner, flipped| {
            if of_images.is_some() {
                planner.flip(flipped, weights, taps, [shape.channels, outputs]);
            }
            for Piece { first, count } in pieces(images, shape.result().max(patches.image())) {
                // The gradients before max pooling.
                let whole = if which.is_some() { count * shape.result() } else { 0 };
                planner.with_scratch(whole, |planner, whole| {
                    let above = match which {
                        None => gradient.after(first * cols),
                        Some(which) => {
                            let [gradient, which] = [gradient, which].map(|place| place.after(first * cols));
                            let numbers = count * shape.result();
                            planner.each(
                                numbers,
                                kernels::MaxPoolGradient {
                                    x: whole,
                                    gradient,
                                    which,
                                    count: numbers,
                                    side: shape.side,
                                    channels: outputs,
                                },
                            );
                            whole
                        }
                    };
                    if let Some((out, accumulate)) = of_kernel {
                        planner.with_scratch(count * patches.image(), |planner, padded| {
                            let x = read.after(first * shape.image());
                            let x = planner.padded(padded, x, count, shape.side, shape.before(), patches);
                            let above = Matrix::new(above, count * patches.count(), outputs);
                            planner.product(out, x.transposed(), above, accumulate || first > 0);
                        });
                    }
                    let Some((out, accumulate)) = of_images else { return };
                    let out = out.after(first * shape.image());
                    if shape.stride == 1 {
                        planner.same_convolution(out, above, count, shape.flipped(), flipped, accumulate, Finish::NONE);
                    } else {
                        planner.double(out, above, count, shape.doubled(), flipped, None, accumulate);
                    }
                });
            }
        });
    }

    pub(crate) fn doubling_convolution(
        &mut self,
        traced: &Traced<'_>,
        layer: &DoublingConvolution,
        y: Place,
        images: usize,
    ) {
        let &DoublingConvolution { x, kernel, bias, shape, .. } = layer;
        let [kernel, bias] = [kernel, bias].map(|parameter| traced.parameter(parameter));
        self.double(y, traced.place(x), images, shape, kernel, Some(bias), false);
    }

    /// Upsamples images and convolves them.
    fn double(
        &mut self,
        y: Place,
        x: Place,
        images: usize,
        shape: DoublingShape,
        kernel: Place,
        bias: Option<Place>,
        accumulate: bool,
    ) {
        let DoublingShape { side, outputs, .. } = shape;
        let (patches, wide) = (shape.patches(), 4 * outputs);
        self.with_scratch(shape.rearranged() + wide, |planner, rearranged| {
            planner.rearrange(rearranged, kernel, shape);
            let weights = Matrix::new(rearranged, patches.size(), wide);
            let finish = bias.map_or(Finish::NONE, |bias| {
                let four = rearranged.after(shape.rearranged());
                planner.each(wide, kernels::SameRows { out: four, row: bias, rows: 4, columns: outputs });
                Finish::layer(four, Activation::None)
            });
            for Piece { first, count } in pieces(images, shape.result().max(patches.image())) {
                let (padded, numbers) = (count * patches.image(), count * shape.result());
                planner.with_scratch(padded + numbers, |planner, scratch| {
                    let x = x.after(first * shape.image());
                    let read = planner.padded(scratch, x, count, side, shape.radius(), patches);
                    let product = scratch.after(padded);
                    planner.layer(product, read, weights, false, finish);
                    let y = y.after(first * shape.result());
                    planner.swap_axes(y, product, numbers, [side, 2, 2 * outputs], accumulate);
                });
            }
        });
    }

    /// The rearranged kernel of a convolution of upsampled images.
    fn rearrange(&mut self, out: Place, kernel: Place, shape: DoublingShape) {
        let DoublingShape { channels, outputs, kernel: size, doubling, .. } = shape;
        let spread = doubling == Doubling::Spread;
        self.each(
            shape.rearranged(),
            kernels::RearrangeKernel { out, kernel, count: shape.rearranged(), size, channels, outputs, spread },
        );
    }

    pub(crate) fn doubling_convolution_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        layer: &DoublingConvolution,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &DoublingConvolution { x, kernel, bias, shape, trainable } = layer;
        let DoublingShape { side, channels, outputs, kernel: size, doubling } = shape;
        let Own { gradient, rows: images, .. } = own;
        self.bias_gradient(bias, trainable, gradient, [images * shape.result() / outputs, outputs], gradients);
        let (read, weights) = (traced.place(x), traced.parameter(kernel));
        let of_kernel = gradients.slot(kernel, trainable);
        let of_images = self.input(traced, x);
        let (wide, patches, above_patches) = (4 * outputs, shape.patches(), shape.gradient_patches());
        let rearranged = shape.rearranged();
        self.with_scratch(3 * rearranged, |planner, scratch| {
            let [sums, straight, flipped] = [0, 1, 2].map(|part| scratch.after(part * rearranged));
            if of_images.is_some() {
                planner.rearrange(straight, weights, shape);
                planner.flip(flipped, straight, patches.kernel * patches.kernel, [channels, wide]);
            }
            for Piece { first, count } in pieces(images, above_patches.image().max(patches.image())) {
                let (numbers, padded) = (count * shape.result(), count * above_patches.image().max(patches.image()));
                planner.with_scratch(numbers + padded, |planner, above| {
                    let padded = above.after(numbers);
                    let gradient = gradient.after(first * shape.result());
                    planner.swap_axes(above, gradient, numbers, [2, side, 2 * outputs], false);
                    if of_kernel.is_some() {
                        let x = read.after(first * shape.image());
                        let x = planner.padded(padded, x, count, side, shape.radius(), patches);
                        let above = Matrix::new(above, count * patches.count(), wide);
                        planner.product(sums, x.transposed(), above, first > 0);
                    }
                    if let Some((out, accumulate)) = of_images {
                        let above = planner.padded(padded, above, count, side, shape.radius(), above_patches);
                        let flipped = Matrix::new(flipped, above_patches.size(), channels);
                        planner.product(out.after(first * shape.image()), above, flipped, accumulate);
                    }
                });
            }
            if let Some((out, accumulate)) = of_kernel {
                let count = size * size * channels * outputs;
                let spread = doubling == Doubling::Spread;
                planner.each(
                    count,
                    kernels::GatherKernel { out, gradient: sums, count, size, channels, outputs, spread, accumulate },
                );
            }
        });
    }
}
