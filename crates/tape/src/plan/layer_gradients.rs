//! The launches that compute the gradients of layers: of their inputs, kernels and biases, through their activations.

use super::gradients::{Own, ParameterGradients};
use super::kernels;
use super::launch::Place;
use super::layout::Planner;
use super::products::{ColumnParts, Factor, Finish, Matrix};
use super::repeated::Term;
use super::traced::Traced;
use crate::kernels::elementwise::Activation;
use crate::ops::Op;
use crate::ops::convolution::Convolution;
use crate::ops::dense::Dense;
use crate::ops::gru::Gru;
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
    fn before_own(&mut self, traced: &Traced<'_>, own: Own, shape: [usize; 2], activation: Activation) {
        if !traced.before[own.node] {
            self.before(own.gradient, own.y, shape, activation);
        }
    }

    /// The operation after the sums that a node adds to the gradient of x: if no later launch adds to it, they are
    /// followed by the gradient before x's activation. This is certain where no operation lies between the two on the
    /// tape.
    ///
    /// If the product makes the sums of the gradient's columns, give them to [`Planner::keep_sums`].
    fn finish_gradient_of(
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
    fn keep_sums(traced: &mut Traced<'_>, x: Var, sums: Option<ColumnParts>) {
        traced.sums[x.index()] = sums;
    }

    /// The gradient of the bias of a node's layer, whose own gradient has `rows` rows of its channels.
    fn own_bias_gradient(
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

    pub(crate) fn dense_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        dense: &Dense,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Dense { x, kernel, first_row, bias, plus, activation, kernel_trainable, bias_trainable } = dense;
        let Own { node, gradient, rows, cols, .. } = own;
        let inputs = traced.shape(x).1;
        self.before_own(traced, own, [rows, cols], activation);
        let above = Matrix::new(gradient, rows, cols);
        if let Some((out, accumulate)) = self.input(traced, x) {
            let weights = Matrix::new(traced.parameter(kernel).after(first_row * cols), inputs, cols);
            let finish = self.finish_gradient_of(traced, x, node, gradients);
            let sums = self.layer(out, above, weights.transposed(), accumulate, finish);
            Self::keep_sums(traced, x, sums);
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
                    self.fill(out, whole, 0.0);
                    accumulate = true;
                }
                self.product(out.after(first_row * cols), traced.matrix(x).transposed(), above, accumulate);
            }
            if let Some(bias) = bias {
                self.own_bias_gradient(traced, node, (bias, bias_trainable), gradient, [rows, cols], gradients);
            }
        }
        let Some(plus) = plus.filter(|plus| plus.gradient) else { return };
        match traced.workspace.nodes[plus.index()].op {
            // The rows of another value have the gradients of the runs, one after the other.
            Op::Rows { x, start } if traced.repeated.includes(node) && x.gradient => {
                traced.repeated.copy(x.index(), start * cols, gradient, rows * cols);
            }
            _ => {
                if let Some((out, accumulate)) = self.input(traced, plus) {
                    self.piece([out, gradient], [cols; 2], rows, cols, accumulate);
                }
            }
        }
    }

    pub(crate) fn recurrent_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        gru: &Gru,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Gru { x, h, gates, weights, trainable } = gru;
        let Own { node, gradient, rows, cols: size, .. } = own;
        let (inputs, wide) = (traced.shape(x).1, 3 * size);
        let gates = traced.place(gates);
        let kept = [false, true].map(|second| self.sums_of_run(traced, node, second));
        self.with_scratch(2 * rows * wide, |planner, scratch| {
            let [to_x, to_h] = [kept[0].unwrap_or(scratch), kept[1].unwrap_or(scratch.after(rows * wide))];
            let past = planner.input(traced, h);
            // Without a gradient of the state, any place will do: it is not written.
            let (to_past, adds) = past.unwrap_or((to_h, false));
            planner.each(
                rows * size,
                kernels::RecurrentGradient {
                    to_x,
                    to_h,
                    gates,
                    from_h: gates.after(rows * wide),
                    h: traced.place(h),
                    gradient,
                    rows,
                    size,
                    to_past,
                    with_past: past.is_some(),
                    accumulate: adds,
                },
            );
            let [from_x, from_h] = [to_x, to_h].map(|place| Matrix::new(place, rows, wide));
            if let Some((out, _)) = past {
                let recurrent = Matrix::new(traced.parameter(weights.recurrent), size, wide);
                planner.product(out, from_h, recurrent.transposed(), true);
            }
            if let Some((out, accumulate)) = planner.input(traced, x) {
                let kernel = Matrix::new(traced.parameter(weights.kernel), inputs, wide);
                let finish = planner.finish_gradient_of(traced, x, node, gradients);
                let sums = planner.layer(out, from_x, kernel.transposed(), accumulate, finish);
                Self::keep_sums(traced, x, sums);
            }
            if traced.repeated.includes(node) {
                let terms = [(weights.kernel, x, from_x, 0), (weights.recurrent, h, from_h, wide)];
                for (parameter, read, above, from) in terms {
                    let read = Some(traced.matrix(read));
                    traced.repeated.add(Term { parameter, trainable, from: 0, x: read, above });
                    traced.repeated.add(Term { parameter: weights.bias, trainable, from, x: None, above });
                }
                return;
            }
            for (parameter, read, sums) in [(weights.kernel, x, from_x), (weights.recurrent, h, from_h)] {
                if let Some((out, accumulate)) = gradients.slot(parameter, trainable) {
                    planner.product(out, traced.matrix(read).transposed(), sums, accumulate);
                }
            }
            if let Some((out, accumulate)) = gradients.slot(weights.bias, trainable) {
                planner.column_sums(out, to_x, rows, wide, accumulate);
                planner.column_sums(out.after(wide), to_h, rows, wide, accumulate);
            }
        });
    }

    pub(crate) fn convolution_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        layer: &Convolution,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Convolution { x, kernel, bias, patches, channels, activation, trainable } = layer;
        let Own { node, gradient, rows: images, .. } = own;
        let shape = [images * patches.count(), channels];
        self.before_own(traced, own, shape, activation);
        self.own_bias_gradient(traced, node, (bias, trainable), gradient, shape, gradients);
        let weights = Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let above = Matrix::new(gradient, shape[0], channels);
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            let read = Factor::patches(traced.place(x), images, patches);
            self.product(out, read.transposed(), above, accumulate);
        }
        if let Some((out, accumulate)) = self.input(traced, x) {
            let finish = self.finish_gradient_of(traced, x, node, gradients);
            let factors = [above, weights.transposed()];
            let sums = self.transposed_convolution_of(out, images, patches, factors, accumulate, finish);
            Self::keep_sums(traced, x, sums);
        }
    }

    pub(crate) fn transposed_convolution_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        layer: &Convolution,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Convolution { x, kernel, bias, patches, channels, activation, trainable } = layer;
        let Own { node, gradient, rows: images, .. } = own;
        let shape = [images * patches.side * patches.side, patches.channels];
        self.before_own(traced, own, shape, activation);
        self.own_bias_gradient(traced, node, (bias, trainable), gradient, shape, gradients);
        let weights = Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let above = Factor::patches(gradient, images, patches);
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            let read = Matrix::new(traced.place(x), images * patches.count(), channels);
            self.product(out, above.transposed(), read, accumulate);
        }
        if let Some((out, accumulate)) = self.input(traced, x) {
            let finish = self.finish_gradient_of(traced, x, node, gradients);
            let sums = self.layer(out, above, weights, accumulate, finish);
            Self::keep_sums(traced, x, sums);
        }
    }
}
