//! Convolutions with SAME padding that halve an image: by a stride of two, or by max pooling.
//!
//! Source: the image encoder of DreamerV3 (`rssm.py`). The results before max pooling are four times as many as those
//! after; they are not kept. Where several of four are equal, the first has the gradient; DreamerV3's program divides
//! it among them.

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{Activation, bias_activate};
use crate::kernels::pooling::{max_pool, max_pool_gradient};
use crate::kernels::same_convolution::{
    SameConvolution, same_convolution, same_convolution_of_images, same_convolution_of_kernel,
};
use crate::parameters::Parameter;
use crate::plan::{self, Finish, Images, Own, ParameterGradients, Planner, Slot, Traced, few_at_a_time};
use crate::tape::{Backward, Scratch, Tape, Var};

/// How a convolution halves an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halving {
    /// It has a stride of two.
    Stride,
    /// Max pooling: of each 2 x 2 results, the largest stays.
    MaxPool,
}

#[derive(Clone, Debug)]
pub(crate) struct HalvingConvolution {
    pub x: Var,
    pub kernel: Parameter,
    pub bias: Parameter,
    pub shape: SameConvolution,
    /// With max pooling, which of each 2 x 2 results is the largest [N, half * half * O].
    pub which: Option<Var>,
    /// Kernel and bias are trainable together.
    pub trainable: bool,
}

impl<F: Real> Tape<'_, F> {
    /// Convolves images, adds the bias, and halves them: x [N, side * side * C], kernel [k, k, C, O] with
    /// an odd side, bias `[O]`; the result is [N, side / 2 * side / 2 * O].
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn halving_convolution(
        &mut self,
        x: Var,
        side: usize,
        kernel: Parameter,
        bias: Parameter,
        halving: Halving,
    ) -> Var {
        let &[k, _, channels, outputs] = self.parameters.shape(kernel) else { panic!("a convolution's kernel") };
        let (rows, cols) = self.shape(x);
        assert!(side.is_multiple_of(2) && k % 2 == 1 && cols == side * side * channels, "images that can be halved");
        assert!(k > 1, "a kernel that covers the stride");
        let stride = if halving == Halving::Stride { 2 } else { 1 };
        let shape = SameConvolution { side, channels, outputs, kernel: k, stride };
        let trainable = self.is_trainable(kernel);
        let result = (side / 2) * (side / 2) * outputs;
        let which = (halving == Halving::MaxPool).then(|| {
            self.push(Op::Leaf, rows, result, false, |context, which| {
                let (x, weights) = (&context.values[x.index()], context.parameters.values(kernel));
                let Scratch { panels, images, .. } = &mut *context.scratch;
                let (mut whole, mut most) = (std::mem::take(&mut images.whole), std::mem::take(&mut images.pooled));
                most.resize(rows * result, F::ZERO);
                let at_once = shape.at_once();
                let pieces = most.chunks_mut(at_once * result).zip(which.chunks_mut(at_once * result));
                for ((most, which), x) in pieces.zip(x.chunks(at_once * cols)) {
                    whole.resize(4 * most.len(), F::ZERO);
                    same_convolution(&mut whole, x, weights, shape, false, panels, images);
                    max_pool(most, which, &whole, side, outputs);
                }
                (images.whole, images.pooled) = (whole, most);
            })
        });
        let gradient = x.gradient || trainable;
        let layer = HalvingConvolution { x, kernel, bias, shape, which, trainable };
        self.push(Op::HalvingConvolution(layer), rows, result, gradient, |context, y| {
            let (x, weights) = (&context.values[x.index()], context.parameters.values(kernel));
            let Scratch { panels, images, .. } = &mut *context.scratch;
            match which {
                // The same bias was missing in all of them.
                Some(_) => y.copy_from_slice(&images.pooled),
                None => same_convolution(y, x, weights, shape, false, panels, images),
            }
            bias_activate(y, context.parameters.values(bias), Activation::None);
        })
    }
}

impl HalvingConvolution {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &Self { x, kernel, bias, shape, which, trainable } = self;
        back.parameter(bias, trainable, |_, gradient, target, accumulate| column_sums(target, gradient, accumulate));
        back.parameter(kernel, trainable, |context, gradient, target, accumulate| {
            let x = &context.values[x.index()];
            let which = which.map(|which| &context.values[which.index()][..]);
            let mut piece = 0;
            self.each_piece(gradient, which, context.scratch, |gradient, Scratch { panels, images, .. }| {
                let from = piece * shape.image();
                let count = gradient.len() / shape.result();
                let x = &x[from..from + count * shape.image()];
                same_convolution_of_kernel(target, x, gradient, shape, accumulate || piece > 0, panels, images);
                piece += count;
            });
        });
        back.input(x, |context, gradient, target, accumulate| {
            let weights = context.parameters.values(kernel);
            let which = which.map(|which| &context.values[which.index()][..]);
            let mut rest = target;
            self.each_piece(gradient, which, context.scratch, |gradient, Scratch { panels, images, .. }| {
                let numbers = gradient.len() / shape.result() * shape.image();
                let (target, after) = std::mem::take(&mut rest).split_at_mut(numbers);
                same_convolution_of_images(target, gradient, weights, shape, accumulate, panels, images);
                rest = after;
            });
        });
    }

    /// Calls `work` with the gradients before max pooling for a few images at a time, given those after it.
    fn each_piece<F: Real>(
        &self,
        gradient: &[F],
        which: Option<&[F]>,
        scratch: &mut Scratch<F>,
        mut work: impl FnMut(&[F], &mut Scratch<F>),
    ) {
        let Some(which) = which else { return work(gradient, scratch) };
        let mut whole = std::mem::take(&mut scratch.images.whole);
        let size = self.shape.at_once() * self.shape.result() / 4;
        for (gradient, which) in gradient.chunks(size).zip(which.chunks(size)) {
            whole.resize(4 * gradient.len(), F::ZERO);
            max_pool_gradient(&mut whole, gradient, which, self.shape.side, self.shape.outputs);
            work(&whole, scratch);
        }
        scratch.images.whole = whole;
    }
}

impl HalvingConvolution {
    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &mut Traced<'_>, own: Slot) {
        let &Self { x, kernel, bias, shape, which, .. } = self;
        let Slot { y, rows: images, cols } = own;
        let (x, kernel) = (traced.place(x), traced.parameter(kernel));
        let finish = Finish::layer(traced.parameter(bias), Activation::None);
        let which = which.map(|which| *traced.places[which.index()].insert(planner.reserve(images * cols)));
        let Some(which) = which else {
            return planner.same_convolution(y, x, images, shape, kernel, false, finish);
        };
        let half = shape.result() / 4;
        for Images { first, count } in few_at_a_time(images, shape.result()) {
            planner.with_scratch(count * shape.result(), |planner, whole| {
                let x = x.after(first * shape.image());
                planner.same_convolution(whole, x, count, shape, kernel, false, finish);
                let [y, which] = [y, which].map(|place| place.after(first * half));
                planner.each(
                    count * half,
                    plan::kernels::MaxPool {
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

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Self { x, kernel, bias, shape, which, trainable } = self;
        let Own { gradient, rows: images, cols, .. } = own;
        let outputs = shape.outputs;
        planner.bias_gradient(bias, trainable, gradient, [images * cols / outputs, outputs], gradients);
        let which = which.map(|which| traced.place(which));
        let (read, weights) = (traced.place(x), traced.parameter(kernel));
        let of_kernel = gradients.slot(kernel, trainable);
        let of_images = planner.input(traced, x);
        let (patches, taps) = (shape.patches(), shape.kernel * shape.kernel);
        planner.with_scratch(taps * shape.channels * outputs, |planner, flipped| {
            if of_images.is_some() {
                planner.flip(flipped, weights, taps, [shape.channels, outputs]);
            }
            for Images { first, count } in few_at_a_time(images, shape.result().max(patches.image())) {
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
                                plan::kernels::MaxPoolGradient {
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
                            let above = plan::Matrix::new(above, count * patches.count(), outputs);
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
}
