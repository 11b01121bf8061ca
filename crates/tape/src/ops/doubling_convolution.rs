//! Convolutions of upsampled images: each pixel is repeated, or put among zeros, which doubles the size of the image.
//!
//! Source: the image decoder of DreamerV3 (`rssm.py`).

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::doubling_convolution::{Doubling, DoublingConvolution as Shape};
use crate::kernels::elementwise::{Activation, bias_activate};
use crate::parameters::Parameter;
use crate::plan::{self, Images, Own, ParameterGradients, Planner, Slot, Traced, few_at_a_time};
use crate::tape::{Backward, Scratch, Tape, Var};

#[derive(Clone, Debug)]
pub(crate) struct DoublingConvolution {
    pub x: Var,
    pub kernel: Parameter,
    pub bias: Parameter,
    pub shape: Shape,
    /// Kernel and bias are trainable together.
    pub trainable: bool,
}

impl<F: Real> Tape<'_, F> {
    /// Upsamples images to twice their size, convolves them with SAME padding, and adds the bias: x [N, side * side *
    /// C], kernel [k, k, C, O] with an odd side, bias `[O]`; the result is [N, 2 side * 2 side * O].
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn doubling_convolution(
        &mut self,
        x: Var,
        side: usize,
        kernel: Parameter,
        bias: Parameter,
        doubling: Doubling,
    ) -> Var {
        let &[k, _, channels, outputs] = self.parameters.shape(kernel) else { panic!("a convolution's kernel") };
        let shape = Shape { side, channels, outputs, kernel: k, doubling };
        let (rows, cols) = self.shape(x);
        assert!(k % 2 == 1 && cols == shape.image(), "images of this side");
        let trainable = self.is_trainable(kernel);
        let layer = DoublingConvolution { x, kernel, bias, shape, trainable };
        let gradient = x.gradient || trainable;
        self.push(Op::DoublingConvolution(layer), rows, shape.result(), gradient, |context, y| {
            let (x, weights) = (&context.values[x.index()], context.parameters.values(kernel));
            let Scratch { panels, images, .. } = &mut *context.scratch;
            shape.run(y, x, weights, false, panels, images);
            bias_activate(y, context.parameters.values(bias), Activation::None);
        })
    }
}

impl DoublingConvolution {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &Self { x, kernel, bias, shape, trainable } = self;
        back.parameter(bias, trainable, |_, gradient, target, accumulate| column_sums(target, gradient, accumulate));
        back.parameter(kernel, trainable, |context, gradient, target, accumulate| {
            let Scratch { panels, images, .. } = &mut *context.scratch;
            shape.of_kernel(target, &context.values[x.index()], gradient, accumulate, panels, images);
        });
        back.input(x, |context, gradient, target, accumulate| {
            let Scratch { panels, images, .. } = &mut *context.scratch;
            shape.of_images(target, gradient, context.parameters.values(kernel), accumulate, panels, images);
        });
    }
}

impl DoublingConvolution {
    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &Traced<'_>, own: Slot) {
        let &Self { x, kernel, bias, shape, .. } = self;
        let Slot { y, rows: images, .. } = own;
        let [kernel, bias] = [kernel, bias].map(|parameter| traced.parameter(parameter));
        planner.double(y, traced.place(x), images, shape, kernel, Some(bias), false);
    }

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Self { x, kernel, bias, shape, trainable } = self;
        let Shape { side, channels, outputs, kernel: size, doubling } = shape;
        let Own { gradient, rows: images, .. } = own;
        planner.bias_gradient(bias, trainable, gradient, [images * shape.result() / outputs, outputs], gradients);
        let (read, weights) = (traced.place(x), traced.parameter(kernel));
        let of_kernel = gradients.slot(kernel, trainable);
        let of_images = planner.input(traced, x);
        let (wide, patches, above_patches) = (4 * outputs, shape.patches(), shape.gradient_patches());
        let rearranged = shape.rearranged();
        planner.with_scratch(3 * rearranged, |planner, scratch| {
            let [sums, straight, flipped] = [0, 1, 2].map(|part| scratch.after(part * rearranged));
            if of_images.is_some() {
                planner.rearrange(straight, weights, shape);
                planner.flip(flipped, straight, patches.kernel * patches.kernel, [channels, wide]);
            }
            for Images { first, count } in few_at_a_time(images, above_patches.image().max(patches.image())) {
                let (numbers, padded) = (count * shape.result(), count * above_patches.image().max(patches.image()));
                planner.with_scratch(numbers + padded, |planner, above| {
                    let padded = above.after(numbers);
                    let gradient = gradient.after(first * shape.result());
                    planner.swap_axes(above, gradient, numbers, [2, side, 2 * outputs], false);
                    if of_kernel.is_some() {
                        let x = read.after(first * shape.image());
                        let x = planner.padded(padded, x, count, side, shape.radius(), patches);
                        let above = plan::Matrix::new(above, count * patches.count(), wide);
                        planner.product(sums, x.transposed(), above, first > 0);
                    }
                    if let Some((out, accumulate)) = of_images {
                        let above = planner.padded(padded, above, count, side, shape.radius(), above_patches);
                        let flipped = plan::Matrix::new(flipped, above_patches.size(), channels);
                        planner.product(out.after(first * shape.image()), above, flipped, accumulate);
                    }
                });
            }
            if let Some((out, accumulate)) = of_kernel {
                let count = size * size * channels * outputs;
                let spread = doubling == Doubling::Spread;
                planner.each(
                    count,
                    plan::kernels::GatherKernel {
                        out,
                        gradient: sums,
                        count,
                        size,
                        channels,
                        outputs,
                        spread,
                        accumulate,
                    },
                );
            }
        });
    }
}
