//! Convolutions and transposed convolutions with bias and activation, without padding; images are rows, channels last.
//!
//! All are products with the matrix of images' patches, which is never stored (see [`crate::kernels`]).

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{Activation, activation_gradient, add, bias_activate};
use crate::kernels::im2col::Patches;
use crate::kernels::matmul::{Matrix, patches_matmul, patches_transposed_matmul};
use crate::kernels::transposed_convolution::transposed_convolution;
use crate::parameters::Parameter;
use crate::plan::{self, Factor, Finish, Own, ParameterGradients, Planner, Slot, Traced};
use crate::tape::{Backward, Context, Scratch, Tape, Var};

#[derive(Clone, Debug)]
pub(crate) struct Convolution {
    pub x: Var,
    pub kernel: Parameter,
    pub bias: Parameter,
    /// Patches of the larger image: the input of a convolution, the output of a transposed one.
    pub patches: Patches,
    /// Channels of the smaller image.
    pub channels: usize,
    pub activation: Activation,
    pub trainable: bool,
}

impl Convolution {
    /// Numbers in the smaller image.
    fn small(&self) -> usize {
        self.patches.count() * self.channels
    }
}

impl<F: Real> Tape<'_, F> {
    /// `activation(convolution(x) + bias)`: x [N, side * side * C], kernel [k, k, C, O], bias `[O]`; the result is
    /// [N, across * across * O], where across = (side - k) / stride + 1.
    pub fn convolution(
        &mut self,
        x: Var,
        side: usize,
        stride: usize,
        kernel: Parameter,
        bias: Parameter,
        activation: Activation,
    ) -> Var {
        self.record(x, [side, stride], kernel, bias, activation, |layer, context, y| {
            let &Convolution { x, patches, channels, .. } = layer;
            let weights = Matrix::new(context.parameters.values(kernel), patches.size(), channels);
            patches_matmul(y, &context.values[x.index()], patches, weights, false, &mut context.scratch.panels);
            bias_activate(y, context.parameters.values(bias), activation);
        })
    }

    /// A convolution whose result is known from before: it is not computed again, but has its gradient.
    pub fn known_convolution(
        &mut self,
        x: Var,
        side: usize,
        stride: usize,
        kernel: Parameter,
        bias: Parameter,
        activation: Activation,
        result: &[F],
    ) -> Var {
        self.record(x, [side, stride], kernel, bias, activation, |_, _, y| y.copy_from_slice(result))
    }

    fn record(
        &mut self,
        x: Var,
        [side, stride]: [usize; 2],
        kernel: Parameter,
        bias: Parameter,
        activation: Activation,
        compute: impl FnOnce(&Convolution, &mut Context<F>, &mut [F]),
    ) -> Var {
        let &[k, _, inputs, outputs] = self.parameters.shape(kernel) else { panic!("a convolution's kernel") };
        let patches = Patches { side, channels: inputs, kernel: k, stride };
        let trainable = self.is_trainable(kernel);
        let layer = Convolution { x, kernel, bias, patches, channels: outputs, activation, trainable };
        let rows = self.rows(x);
        self.push(Op::Convolution(layer.clone()), rows, layer.small(), x.gradient || trainable, |context, y| {
            compute(&layer, context, y);
        })
    }

    /// `activation(transposed convolution(x) + bias)`: x [N, side * side * I], kernel [k, k, O, I], bias `[O]`;
    /// `y[stride * i + a, stride * j + b, o] += x[i, j, c] * kernel[a, b, o, c]`, [N, large * large * O] with
    /// large = (side - 1) * stride + k.
    pub fn transposed_convolution(
        &mut self,
        x: Var,
        side: usize,
        stride: usize,
        kernel: Parameter,
        bias: Parameter,
        activation: Activation,
    ) -> Var {
        let &[k, _, outputs, inputs] = self.parameters.shape(kernel) else { panic!("a convolution's kernel") };
        let patches = Patches { side: (side - 1) * stride + k, channels: outputs, kernel: k, stride };
        let trainable = self.is_trainable(kernel);
        let layer = Convolution { x, kernel, bias, patches, channels: inputs, activation, trainable };
        let rows = self.rows(x);
        self.push(
            Op::TransposedConvolution(layer.clone()),
            rows,
            patches.image(),
            x.gradient || trainable,
            |context, y| {
                let Scratch { panels, buffers, .. } = &mut *context.scratch;
                let weights = context.parameters.values(kernel);
                transposed_convolution(y, &context.values[x.index()], weights, patches, panels, buffers);
                bias_activate(y, context.parameters.values(bias), activation);
            },
        )
    }
}

impl Convolution {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &Convolution { x, kernel, bias, patches, channels, activation, trainable } = self;
        let result = back.result();
        activation_gradient(back.gradient, result, activation);
        back.parameter(bias, trainable, |_, gradient, target, accumulate| column_sums(target, gradient, accumulate));
        back.parameter(kernel, trainable, |context, gradient, target, accumulate| {
            let x = &context.values[x.index()];
            let gradient = Matrix::new(gradient, gradient.len() / channels, channels);
            patches_transposed_matmul(target, x, patches, gradient, accumulate, &mut context.scratch.panels);
        });
        back.input(x, |context, gradient, target, accumulate| {
            let Scratch { panels, buffers, image, .. } = &mut *context.scratch;
            let weights = context.parameters.values(kernel);
            if !accumulate {
                transposed_convolution(target, gradient, weights, patches, panels, buffers);
                return;
            }
            image.resize(target.len(), F::ZERO);
            transposed_convolution(image, gradient, weights, patches, panels, buffers);
            add(target, image, true);
        });
    }

    pub(super) fn backward_transposed<F: Real>(&self, back: &mut Backward<F>) {
        let &Convolution { x, kernel, bias, patches, channels, activation, trainable } = self;
        let result = back.result();
        activation_gradient(back.gradient, result, activation);
        back.parameter(bias, trainable, |_, gradient, target, accumulate| column_sums(target, gradient, accumulate));
        back.parameter(kernel, trainable, |context, gradient, target, accumulate| {
            let x = &context.values[x.index()];
            let x = Matrix::new(x, x.len() / channels, channels);
            patches_transposed_matmul(target, gradient, patches, x, accumulate, &mut context.scratch.panels);
        });
        back.input(x, |context, gradient, target, accumulate| {
            let weights = Matrix::new(context.parameters.values(kernel), patches.size(), channels);
            patches_matmul(target, gradient, patches, weights, accumulate, &mut context.scratch.panels);
        });
    }
}

impl Convolution {
    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &Traced<'_>, own: Slot) {
        let &Self { x, kernel, bias, patches, channels, activation, .. } = self;
        let Slot { y, rows: images, .. } = own;
        let weights = plan::Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let factor = Factor::patches(traced.place(x), images, patches);
        planner.layer(y, factor, weights, false, Finish::layer(traced.parameter(bias), activation));
    }

    /// Launches of its value, if it is transposed.
    pub(crate) fn plan_transposed(&self, planner: &mut Planner, traced: &Traced<'_>, own: Slot) {
        let &Self { x, kernel, bias, patches, channels, activation, .. } = self;
        let Slot { y, rows: images, .. } = own;
        let weights = plan::Matrix::new(traced.parameter(kernel), patches.size(), channels).transposed();
        let small = plan::Matrix::new(traced.place(x), images * patches.count(), channels);
        let finish = Finish::layer(traced.parameter(bias), activation);
        planner.transposed_convolution_of(y, images, patches, [small, weights], false, finish);
    }

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Self { x, kernel, bias, patches, channels, activation, trainable } = self;
        let Own { node, gradient, rows: images, .. } = own;
        let shape = [images * patches.count(), channels];
        planner.before_own(traced, own, shape, activation);
        planner.own_bias_gradient(traced, node, (bias, trainable), gradient, shape, gradients);
        let weights = plan::Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let above = plan::Matrix::new(gradient, shape[0], channels);
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            let read = Factor::patches(traced.place(x), images, patches);
            planner.product(out, read.transposed(), above, accumulate);
        }
        if let Some((out, accumulate)) = planner.input(traced, x) {
            let finish = planner.finish_gradient_of(traced, x, node, gradients);
            let factors = [above, weights.transposed()];
            let sums = planner.transposed_convolution_of(out, images, patches, factors, accumulate, finish);
            Planner::keep_sums(traced, x, sums);
        }
    }

    /// Launches of its gradients, if it is transposed.
    pub(crate) fn plan_backward_transposed(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Self { x, kernel, bias, patches, channels, activation, trainable } = self;
        let Own { node, gradient, rows: images, .. } = own;
        let shape = [images * patches.side * patches.side, patches.channels];
        planner.before_own(traced, own, shape, activation);
        planner.own_bias_gradient(traced, node, (bias, trainable), gradient, shape, gradients);
        let weights = plan::Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let above = Factor::patches(gradient, images, patches);
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            let read = plan::Matrix::new(traced.place(x), images * patches.count(), channels);
            planner.product(out, above.transposed(), read, accumulate);
        }
        if let Some((out, accumulate)) = planner.input(traced, x) {
            let finish = planner.finish_gradient_of(traced, x, node, gradients);
            let sums = planner.layer(out, above, weights, accumulate, finish);
            Planner::keep_sums(traced, x, sums);
        }
    }
}
