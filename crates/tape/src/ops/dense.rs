//! Dense layers: product, bias and activation in one operation.

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{Activation, activate, activation_gradient, add, bias_activate};
use crate::kernels::matmul::{Matrix, matmul};
use crate::parameters::Parameter;
use crate::plan::{self, Finish, Own, ParameterGradients, Planner, Slot, Term, Traced};
use crate::tape::{Backward, Tape, Var};

#[derive(Clone, Debug)]
pub(crate) struct Dense {
    pub x: Var,
    pub kernel: Parameter,
    pub first_row: usize,
    pub bias: Option<Parameter>,
    pub plus: Option<Var>,
    pub activation: Activation,
    pub kernel_trainable: bool,
    pub bias_trainable: bool,
}

impl<F: Real> Tape<'_, F> {
    /// `activation(x @ kernel + bias)`: x [N, I], kernel [I, O], bias `[O]`.
    pub fn dense(&mut self, x: Var, kernel: Parameter, bias: Parameter, activation: Activation) -> Var {
        self.dense_part(x, kernel, 0, Some(bias), None, activation)
    }

    /// `activation(x @ kernel[first_row..first_row + I] + plus + bias)`: a layer whose input is a concatenation,
    /// processed piece by piece. x [N, I], plus [N, O].
    pub fn dense_part(
        &mut self,
        x: Var,
        kernel: Parameter,
        first_row: usize,
        bias: Option<Parameter>,
        plus: Option<Var>,
        activation: Activation,
    ) -> Var {
        let (rows, inputs) = self.shape(x);
        let cols = self.parameters.shape(kernel)[1];
        let kernel_trainable = self.is_trainable(kernel);
        let bias_trainable = bias.is_some_and(|bias| self.is_trainable(bias));
        let gradient = x.gradient || plus.is_some_and(|plus| plus.gradient) || kernel_trainable || bias_trainable;
        let dense = Dense { x, kernel, first_row, bias, plus, activation, kernel_trainable, bias_trainable };
        self.push(Op::Dense(dense), rows, cols, gradient, |context, y| {
            let weights = &context.parameters.values(kernel)[first_row * cols..(first_row + inputs) * cols];
            if let Some(plus) = plus {
                y.copy_from_slice(context.value(plus));
            }
            let x = Matrix::new(&context.values[x.index()], rows, inputs);
            matmul(y, x, Matrix::new(weights, inputs, cols), plus.is_some(), &mut context.scratch.panels);
            match bias {
                Some(bias) => bias_activate(y, context.parameters.values(bias), activation),
                None => activate(y, activation),
            }
        })
    }
}

impl Dense {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &Dense { x, kernel, first_row, bias, plus, activation, kernel_trainable, bias_trainable } = self;
        let (rows, cols) = (back.rows, back.cols);
        let inputs = back.shape(x).1;
        let part = first_row * cols..(first_row + inputs) * cols;
        let result = back.result();
        activation_gradient(back.gradient, result, activation);
        back.input(x, |context, gradient, target, accumulate| {
            let weights = Matrix::new(&context.parameters.values(kernel)[part.clone()], inputs, cols).transposed();
            let gradient = Matrix::new(gradient, rows, cols);
            matmul(target, gradient, weights, accumulate, &mut context.scratch.panels);
        });
        back.parameter(kernel, kernel_trainable, |context, gradient, target, accumulate| {
            if !accumulate && part.len() < target.len() {
                target.fill(F::ZERO);
            }
            let accumulate = accumulate || part.len() < target.len();
            let x = Matrix::new(&context.values[x.index()], rows, inputs).transposed();
            let gradient = Matrix::new(gradient, rows, cols);
            matmul(&mut target[part], x, gradient, accumulate, &mut context.scratch.panels);
        });
        if let Some(bias) = bias {
            back.parameter(bias, bias_trainable, |_, gradient, target, accumulate| {
                column_sums(target, gradient, accumulate);
            });
        }
        if let Some(plus) = plus {
            back.input(plus, |_, gradient, target, accumulate| add(target, gradient, accumulate));
        }
    }
}

impl Dense {
    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &Traced<'_>, own: Slot) {
        let &Self { x, kernel, first_row, bias, plus, activation, .. } = self;
        let Slot { y, cols, .. } = own;
        let inputs = traced.shape(x).1;
        let weights = plan::Matrix::new(traced.parameter(kernel).after(first_row * cols), inputs, cols);
        let plus = plus.map(|plus| traced.place(plus));
        let bias = bias.map(|bias| traced.parameter(bias));
        let finish = Finish { plus, bias, activation, ..Finish::NONE };
        planner.layer(y, traced.matrix(x), weights, false, finish);
    }

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Self { x, kernel, first_row, bias, plus, activation, kernel_trainable, bias_trainable } = self;
        let Own { node, gradient, rows, cols, .. } = own;
        let inputs = traced.shape(x).1;
        planner.before_own(traced, own, [rows, cols], activation);
        let above = plan::Matrix::new(gradient, rows, cols);
        if let Some((out, accumulate)) = planner.input(traced, x) {
            let weights = plan::Matrix::new(traced.parameter(kernel).after(first_row * cols), inputs, cols);
            let finish = planner.finish_gradient_of(traced, x, node, gradients);
            let sums = planner.layer(out, above, weights.transposed(), accumulate, finish);
            Planner::keep_sums(traced, x, sums);
        }
        if traced.repeated.includes(node) {
            let read = Some(traced.matrix(x));
            let weights =
                Term { parameter: kernel, trainable: kernel_trainable, from: first_row * cols, x: read, above };
            traced.repeated.add(weights);
            if let Some(bias) = bias {
                traced.repeated.add(Term { parameter: bias, trainable: bias_trainable, from: 0, x: None, above });
            }
        } else {
            if let Some((out, mut accumulate)) = gradients.slot(kernel, kernel_trainable) {
                let whole = traced.parameters.place(kernel).len();
                if !accumulate && inputs * cols < whole {
                    planner.fill(out, whole, 0.0);
                    accumulate = true;
                }
                planner.product(out.after(first_row * cols), traced.matrix(x).transposed(), above, accumulate);
            }
            if let Some(bias) = bias {
                planner.own_bias_gradient(traced, node, (bias, bias_trainable), gradient, [rows, cols], gradients);
            }
        }
        let Some(plus) = plus.filter(|plus| plus.gradient) else { return };
        match traced.workspace.nodes[plus.index()].op {
            // The rows of another value have the gradients of the runs, one after the other.
            Op::Rows { x, start } if traced.repeated.includes(node) && x.gradient => {
                traced.repeated.copy(x.index(), start * cols, gradient, rows * cols);
            }
            _ => {
                if let Some((out, accumulate)) = planner.input(traced, plus) {
                    planner.piece([out, gradient], [cols; 2], rows, cols, accumulate);
                }
            }
        }
    }
}
