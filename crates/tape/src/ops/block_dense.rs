//! Dense layers in blocks: every block has its own piece of one input, all of another, and its own kernel.
//!
//! Source: DreamerV3's recurrent cell (`rssm.py`).

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{Activation, bias_activate};
use crate::kernels::matmul::{Matrix, matmul};
use crate::parameters::Parameter;
use crate::plan::{self, Finish, Own, ParameterGradients, Planner, Slot, Traced};
use crate::tape::{Backward, Scratch, Tape, Var};

/// A layer in K blocks.
#[derive(Clone, Debug)]
pub(crate) struct BlockDense {
    /// Of which each block reads its own piece [N, K I].
    pub own: Var,
    /// Which every block reads [N, S].
    pub shared: Option<Var>,
    /// [K, I + S, O].
    pub kernel: Parameter,
    /// `[K O]`.
    pub bias: Parameter,
    /// Kernel and bias are trainable together.
    pub trainable: bool,
}

/// The sizes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockShape {
    /// K.
    pub blocks: usize,
    /// I.
    pub own: usize,
    /// S.
    pub shared: usize,
    /// O.
    pub outputs: usize,
}

impl BlockShape {
    pub fn new(kernel: &[usize], own: usize) -> Self {
        let &[blocks, inputs, outputs] = kernel else { panic!("a kernel of blocks, inputs and outputs") };
        let own = own / blocks;
        Self { blocks, own, shared: inputs - own, outputs }
    }

    /// Numbers of a block's kernel that read its own input, and all of them.
    pub fn kernel(self) -> [usize; 2] {
        [self.own * self.outputs, (self.own + self.shared) * self.outputs]
    }
}

impl<F: Real> Tape<'_, F> {
    /// Block k of the result is `[own_k, shared] @ kernel_k + bias_k`: own [N, K I], shared [N, S], kernel [K, I + S, O], bias
    /// `[K O]`; result [N, K O].
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn block_dense(&mut self, own: Var, shared: Option<Var>, kernel: Parameter, bias: Parameter) -> Var {
        let (rows, inputs) = self.shape(own);
        let shape = BlockShape::new(self.parameters.shape(kernel), inputs);
        let BlockShape { blocks, own: size, outputs, .. } = shape;
        assert_eq!(blocks * size, inputs, "an input that can be cut into blocks");
        assert_eq!(shared.map_or(0, |shared| self.cols(shared)), shape.shared, "rows of the kernel for both inputs");
        let trainable = self.is_trainable(kernel);
        let gradient = own.gradient || shared.is_some_and(|shared| shared.gradient) || trainable;
        let layer = BlockDense { own, shared, kernel, bias, trainable };
        self.push(Op::BlockDense(layer), rows, blocks * outputs, gradient, |context, y| {
            let weights = context.parameters.values(kernel);
            let [own_kernel, whole] = shape.kernel();
            let Scratch { panels, row: piece, image: sums, .. } = &mut *context.scratch;
            piece.resize(rows * size, F::ZERO);
            sums.resize(rows * outputs, F::ZERO);
            for block in 0..blocks {
                let weights = &weights[block * whole..(block + 1) * whole];
                gather(&context.values[own.index()], inputs, block, piece, size);
                let left = Matrix::new(piece, rows, size);
                matmul(sums, left, Matrix::new(&weights[..own_kernel], size, outputs), false, panels);
                if let Some(shared) = shared {
                    let left = Matrix::new(&context.values[shared.index()], rows, shape.shared);
                    matmul(sums, left, Matrix::new(&weights[own_kernel..], shape.shared, outputs), true, panels);
                }
                scatter(sums, outputs, block, y, blocks * outputs, false);
            }
            bias_activate(y, context.parameters.values(bias), Activation::None);
        })
    }
}

/// Copies a block's columns of x [N, cols] to piece [N, size].
fn gather<F: Real>(x: &[F], cols: usize, block: usize, piece: &mut [F], size: usize) {
    for (piece, x) in piece.chunks_exact_mut(size).zip(x.chunks_exact(cols)) {
        piece.copy_from_slice(&x[block * size..][..size]);
    }
}

/// Copies or adds piece [N, size] to a block's columns of y [N, cols].
fn scatter<F: Real>(piece: &[F], size: usize, block: usize, y: &mut [F], cols: usize, accumulate: bool) {
    for (piece, y) in piece.chunks_exact(size).zip(y.chunks_exact_mut(cols)) {
        crate::kernels::elementwise::add(&mut y[block * size..][..size], piece, accumulate);
    }
}

impl BlockDense {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &BlockDense { own, shared, kernel, bias, trainable } = self;
        let (rows, cols) = (back.rows, back.cols);
        let inputs = back.shape(own).1;
        let shape = BlockShape::new(back.context.parameters.shape(kernel), inputs);
        let BlockShape { blocks, own: size, outputs, .. } = shape;
        let [own_kernel, whole] = shape.kernel();
        back.input(own, |context, gradient, target, accumulate| {
            let Scratch { panels, row: piece, image: above, .. } = &mut *context.scratch;
            piece.resize(rows * size, F::ZERO);
            above.resize(rows * outputs, F::ZERO);
            for block in 0..blocks {
                let weights = &context.parameters.values(kernel)[block * whole..][..own_kernel];
                gather(gradient, cols, block, above, outputs);
                let weights = Matrix::new(weights, size, outputs).transposed();
                matmul(piece, Matrix::new(above, rows, outputs), weights, false, panels);
                scatter(piece, size, block, target, inputs, accumulate);
            }
        });
        if let Some(shared) = shared {
            back.input(shared, |context, gradient, target, accumulate| {
                let Scratch { panels, image: above, .. } = &mut *context.scratch;
                above.resize(rows * outputs, F::ZERO);
                for block in 0..blocks {
                    let weights = &context.parameters.values(kernel)[block * whole..][own_kernel..whole];
                    gather(gradient, cols, block, above, outputs);
                    let weights = Matrix::new(weights, shape.shared, outputs).transposed();
                    matmul(target, Matrix::new(above, rows, outputs), weights, accumulate || block > 0, panels);
                }
            });
        }
        back.parameter(kernel, trainable, |context, gradient, target, accumulate| {
            let Scratch { panels, row: piece, image: above, .. } = &mut *context.scratch;
            piece.resize(rows * size, F::ZERO);
            above.resize(rows * outputs, F::ZERO);
            for (block, target) in target.chunks_exact_mut(whole).enumerate() {
                gather(gradient, cols, block, above, outputs);
                gather(&context.values[own.index()], inputs, block, piece, size);
                let (own_target, shared_target) = target.split_at_mut(own_kernel);
                let read = Matrix::new(piece, rows, size).transposed();
                matmul(own_target, read, Matrix::new(above, rows, outputs), accumulate, panels);
                if let Some(shared) = shared {
                    let read = Matrix::new(&context.values[shared.index()], rows, shape.shared).transposed();
                    matmul(shared_target, read, Matrix::new(above, rows, outputs), accumulate, panels);
                }
            }
        });
        back.parameter(bias, trainable, |_, gradient, target, accumulate| column_sums(target, gradient, accumulate));
    }
}

impl BlockDense {
    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &Traced<'_>, place: Slot) {
        let &Self { own, shared, kernel, bias, .. } = self;
        let Slot { y, rows, cols } = place;
        let inputs = traced.shape(own).1;
        let shape = BlockShape::new(traced.parameters.shape(kernel), inputs);
        let BlockShape { blocks, own: size, outputs, .. } = shape;
        let [own_kernel, whole] = shape.kernel();
        for block in 0..blocks {
            let weights = traced.parameter(kernel).after(block * whole);
            let read = traced.matrix(own).columns(block * size, size);
            let finish = Finish::layer(traced.parameter(bias).after(block * outputs), Activation::None);
            let (own_finish, shared_finish) =
                if shared.is_some() { (Finish::NONE, finish) } else { (finish, Finish::NONE) };
            planner.with_scratch(rows * outputs, |planner, sums| {
                planner.layer(sums, read, plan::Matrix::new(weights, size, outputs), false, own_finish);
                if let Some(shared) = shared {
                    let weights = plan::Matrix::new(weights.after(own_kernel), shape.shared, outputs);
                    planner.layer(sums, traced.matrix(shared), weights, true, shared_finish);
                }
                planner.piece([y.after(block * outputs), sums], [cols, outputs], rows, outputs, false);
            });
        }
    }

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        place: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Self { own, shared, kernel, bias, trainable } = self;
        let Own { gradient, rows, cols, .. } = place;
        let inputs = traced.shape(own).1;
        let shape = BlockShape::new(traced.parameters.shape(kernel), inputs);
        let BlockShape { blocks, own: size, outputs, .. } = shape;
        let [own_kernel, whole] = shape.kernel();
        let above = |block: usize| plan::Matrix::new(gradient, rows, cols).columns(block * outputs, outputs);
        if let Some((out, accumulate)) = planner.input(traced, own) {
            for block in 0..blocks {
                let weights = plan::Matrix::new(traced.parameter(kernel).after(block * whole), size, outputs);
                planner.with_scratch(rows * size, |planner, piece| {
                    planner.product(piece, above(block), weights.transposed(), false);
                    planner.piece([out.after(block * size), piece], [inputs, size], rows, size, accumulate);
                });
            }
        }
        if let Some((out, accumulate)) = shared.and_then(|shared| planner.input(traced, shared)) {
            for block in 0..blocks {
                let weights = traced.parameter(kernel).after(block * whole + own_kernel);
                let weights = plan::Matrix::new(weights, shape.shared, outputs);
                planner.product(out, above(block), weights.transposed(), accumulate || block > 0);
            }
        }
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            for block in 0..blocks {
                let out = out.after(block * whole);
                let read = traced.matrix(own).columns(block * size, size);
                planner.product(out, read.transposed(), above(block), accumulate);
                if let Some(shared) = shared {
                    let read = traced.matrix(shared);
                    planner.product(out.after(own_kernel), read.transposed(), above(block), accumulate);
                }
            }
        }
        planner.bias_gradient(bias, trainable, gradient, [rows, cols], gradients);
    }
}
