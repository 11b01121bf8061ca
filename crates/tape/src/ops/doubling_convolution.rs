//! Convolutions of upsampled images: each pixel is repeated, or put among zeros, which doubles the size of the image.
//!
//! Source: the image decoder of DreamerV3 (`rssm.py`).

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::doubling_convolution::{Doubling, DoublingConvolution as Shape};
use crate::kernels::elementwise::{Activation, bias_activate};
use crate::parameters::Parameter;
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
