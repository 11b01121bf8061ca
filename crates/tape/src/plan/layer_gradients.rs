//! What the gradients of layers have in common: the gradient before an activation, and sums for biases, which the launch
//! that completes a gradient makes where it can.

use super::gradients::{Own, ParameterGradients};
use super::kernels;
use super::launch::Place;
use super::layout::Planner;
use super::products::{ColumnParts, Finish};
use super::traced::Traced;
use crate::kernels::elementwise::Activation;
use crate::ops::Op;
use crate::parameters::Parameter;
use crate::tape::Var;

impl Planner {
    /// The gradient before a layer's activation, in place.
    pub(crate) fn before(&mut self, gradient: Place, y: Place, [rows, cols]: [usize; 2], activation: Activation) {
        if activation != Activation::None {
            self.each(
                rows * cols,
                kernels::ActivationGradient { gradient, y, rows, columns: cols, activation: activation.into() },
            );
        }
    }

    /// The gradient before the activation of a node's own value, unless the launch that completed the gradient did
    /// that.
    pub(crate) fn before_own(&mut self, traced: &Traced<'_>, own: Own, shape: [usize; 2], activation: Activation) {
        if !traced.before[own.node] {
            self.before(own.gradient, own.y, shape, activation);
        }
    }

    /// The operation after the sums that a node adds to the gradient of x: if no later launch adds to it, they are
    /// followed by the gradient before x's activation. This is certain where no operation lies between the two on the
    /// tape.
    ///
    /// If the product makes the sums of the gradient's columns, give them to [`Planner::keep_sums`].
    pub(crate) fn finish_gradient_of(
        &self,
        traced: &mut Traced<'_>,
        x: Var,
        node: usize,
        gradients: &ParameterGradients,
    ) -> Finish {
        let nodes = &traced.workspace.nodes;
        let (activation, bias) = match &nodes[x.index()].op {
            Op::Dense(dense) => (dense.activation, dense.bias.filter(|_| dense.bias_trainable)),
            Op::Convolution(layer) | Op::TransposedConvolution(layer) => {
                (layer.activation, Some(layer.bias).filter(|_| layer.trainable))
            }
            _ => (Activation::None, None),
        };
        let last = nodes[x.index() + 1..node].iter().all(|between| matches!(between.op, Op::Leaf));
        if !last || !x.gradient || activation == Activation::None || traced.repeated.has_copies(x.index()) {
            return Finish::NONE;
        }
        let trains = bias.is_some_and(|bias| gradients.set.place(bias).is_some());
        // The sums of layers that run many times are made once for all runs.
        let sums = trains && !traced.repeated.includes(x.index());
        traced.before[x.index()] = true;
        Finish { sums, ..Finish::before(traced.place(x), activation) }
    }

    /// Keeps the sums of the columns of the gradient of x, if the product that completed it has made them.
    pub(crate) fn keep_sums(traced: &mut Traced<'_>, x: Var, sums: Option<ColumnParts>) {
        traced.sums[x.index()] = sums;
    }

    /// The gradient of the bias of a node's layer, whose own gradient has `rows` rows of its channels.
    pub(crate) fn own_bias_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        node: usize,
        bias: (Parameter, bool),
        gradient: Place,
        [rows, cols]: [usize; 2],
        gradients: &mut ParameterGradients,
    ) {
        match traced.sums[node].take() {
            Some(parts) => {
                self.bias_gradient(bias.0, bias.1, parts.place, [parts.rows, cols], gradients);
                self.give_back(parts.place, parts.rows * cols);
            }
            None => self.bias_gradient(bias.0, bias.1, gradient, [rows, cols], gradients),
        }
    }

    pub(crate) fn bias_gradient(
        &mut self,
        bias: Parameter,
        trainable: bool,
        gradient: Place,
        [rows, cols]: [usize; 2],
        gradients: &mut ParameterGradients,
    ) {
        if let Some((out, accumulate)) = gradients.slot(bias, trainable) {
            self.column_sums(out, gradient, rows, cols, accumulate);
        }
    }
}
