//! The launches of dense layers in blocks, and of their gradients: a product for each block.

use super::gradients::{Own, ParameterGradients};
use super::launch::Place;
use super::layout::Planner;
use super::products::{Finish, Matrix};
use super::traced::Traced;
use crate::kernels::elementwise::Activation;
use crate::ops::block_dense::{BlockDense, BlockShape};

impl Planner {
    pub(crate) fn block_dense(&mut self, traced: &Traced<'_>, layer: &BlockDense, y: Place, [rows, cols]: [usize; 2]) {
        let &BlockDense { own, shared, kernel, bias, .. } = layer;
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
            self.with_scratch(rows * outputs, |planner, sums| {
                planner.layer(sums, read, Matrix::new(weights, size, outputs), false, own_finish);
                if let Some(shared) = shared {
                    let weights = Matrix::new(weights.after(own_kernel), shape.shared, outputs);
                    planner.layer(sums, traced.matrix(shared), weights, true, shared_finish);
                }
                planner.piece([y.after(block * outputs), sums], [cols, outputs], rows, outputs, false);
            });
        }
    }

    pub(crate) fn block_dense_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        layer: &BlockDense,
        place: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &BlockDense { own, shared, kernel, bias, trainable } = layer;
        let Own { gradient, rows, cols, .. } = place;
        let inputs = traced.shape(own).1;
        let shape = BlockShape::new(traced.parameters.shape(kernel), inputs);
        let BlockShape { blocks, own: size, outputs, .. } = shape;
        let [own_kernel, whole] = shape.kernel();
        let above = |block: usize| Matrix::new(gradient, rows, cols).columns(block * outputs, outputs);
        if let Some((out, accumulate)) = self.input(traced, own) {
            for block in 0..blocks {
                let weights = Matrix::new(traced.parameter(kernel).after(block * whole), size, outputs);
                self.with_scratch(rows * size, |planner, piece| {
                    planner.product(piece, above(block), weights.transposed(), false);
                    planner.piece([out.after(block * size), piece], [inputs, size], rows, size, accumulate);
                });
            }
        }
        if let Some((out, accumulate)) = shared.and_then(|shared| self.input(traced, shared)) {
            for block in 0..blocks {
                let weights = traced.parameter(kernel).after(block * whole + own_kernel);
                let weights = Matrix::new(weights, shape.shared, outputs);
                self.product(out, above(block), weights.transposed(), accumulate || block > 0);
            }
        }
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            for block in 0..blocks {
                let out = out.after(block * whole);
                let read = traced.matrix(own).columns(block * size, size);
                self.product(out, read.transposed(), above(block), accumulate);
                if let Some(shared) = shared {
                    let read = traced.matrix(shared);
                    self.product(out.after(own_kernel), read.transposed(), above(block), accumulate);
                }
            }
        }
        self.bias_gradient(bias, trainable, gradient, [rows, cols], gradients);
    }
}
