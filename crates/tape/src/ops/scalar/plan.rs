//! The launches of perceptrons with one output: one pass of derivatives serves both losses of such a perceptron.
//!
//! The derivatives of a row's output by the layers' sums are computed once. They serve the loss that reads the value, and,
//! multiplied by the other loss's factors, the loss that trains the parameters.

use super::Scalar;
use crate::kernels::elementwise::Activation;
use crate::parameters::Parameter;
use crate::plan::{Finish, Matrix, Own, ParameterGradients, Place, Planner, Slot, Traced, kernels};
use crate::tape::{List, Var};

/// A perceptron with one output, and its inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Perceptron {
    pub x: Var,
    pub layers: List,
    pub activation: Activation,
}

impl Perceptron {
    fn layers<'a>(&self, traced: &Traced<'a>) -> &'a [(Parameter, Parameter)] {
        &traced.workspace.layers[self.layers.range()]
    }
}

/// A layer's inputs and outputs.
fn sizes(traced: &Traced<'_>, layer: (Parameter, Parameter)) -> [usize; 2] {
    let &[inputs, outputs] = traced.parameters.shape(layer.0) else { panic!("a layer's kernel") };
    [inputs, outputs]
}

impl Scalar {
    fn perceptron(&self) -> Perceptron {
        Perceptron { x: self.x, layers: self.layers, activation: self.activation }
    }

    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &mut Traced<'_>, own: Slot) {
        planner.perceptron(traced, &self.perceptron(), own.y);
    }

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let trained = traced.gradients[self.trained.index()].take();
        let count = traced.shape(self.trained).0;
        let training = trained.filter(|_| self.trainable).map(|factors| (factors, count));
        planner.perceptron_gradient(traced, &self.perceptron(), training, own, gradients);
        if let Some(place) = trained {
            planner.give_back(place, count);
        }
    }
}

/// Launches of the value of [`Op::InputScalar`](super::Op::InputScalar).
pub(crate) fn plan_input_scalar(planner: &mut Planner, traced: &mut Traced<'_>, network: Perceptron, own: Slot) {
    planner.perceptron(traced, &network, own.y);
}

/// Launches of the gradients of [`Op::InputScalar`](super::Op::InputScalar).
pub(crate) fn plan_input_scalar_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    network: Perceptron,
    own: Own,
    gradients: &mut ParameterGradients,
) {
    planner.perceptron_gradient(traced, &network, None, own, gradients);
}

/// Launches of the value of [`Op::Trained`](super::Op::Trained).
pub(crate) fn plan_trained(planner: &mut Planner, traced: &Traced<'_>, value: Var, own: Slot) {
    let Slot { y, rows, .. } = own;
    planner.piece([y, traced.place(value)], [1; 2], rows, 1, false);
}

/// Launches of the gradients of [`Op::Trained`](super::Op::Trained).
pub(crate) fn plan_trained_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    factors: Var,
    value: Var,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    if let Some((out, accumulate)) = planner.input(traced, factors) {
        planner.piece([out, gradient], [1; 2], rows, 1, accumulate);
    }
    // The factors wait for the value's own gradient.
    planner.part(traced, value);
}

impl Planner {
    /// The value y [N, 1]. The outputs of the hidden layers are kept for the gradient, which finds them by
    /// [`Traced::hidden`].
    fn perceptron(&mut self, traced: &mut Traced<'_>, network: &Perceptron, y: Place) {
        let mut x = traced.matrix(network.x);
        let rows = x.rows;
        let layers = network.layers(traced);
        let mut kept = Vec::with_capacity(layers.len());
        for (index, &layer) in layers.iter().enumerate() {
            let [inputs, outputs] = sizes(traced, layer);
            let last = index + 1 == layers.len();
            let out = if last { y } else { self.reserve(rows * outputs) };
            let activation = if last { Activation::None } else { network.activation };
            let weights = Matrix::new(traced.parameter(layer.0), inputs, outputs);
            self.layer(out, x, weights, false, Finish::layer(traced.parameter(layer.1), activation));
            x = Matrix::new(out, rows, outputs);
            kept.push(x);
        }
        kept.pop();
        traced.hidden.push((network.layers, kept));
    }

    /// The gradient of x, from that of the value; and of the parameters, if `training` gives factors for the first rows.
    fn perceptron_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        network: &Perceptron,
        training: Option<(Place, usize)>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let (rows, layers) = (own.rows, network.layers(traced));
        let input = traced.matrix(network.x);
        let hidden = traced.hidden(network.layers).to_vec();
        let reads = |layer: usize| if layer == 0 { input } else { hidden[layer - 1] };
        let (&last, below) = layers.split_last().expect("at least the output layer");
        if let Some((factors, trained)) = training {
            self.train_layer(last, reads(below.len()), factors, [trained, 1], gradients);
        }
        let widest = layers.iter().map(|&layer| sizes(traced, layer)[0]).max().unwrap_or(0);
        self.with_scratch(3 * rows * widest, |planner, scratch| {
            let [mut own_sums, mut next, scaled] = [0, 1, 2].map(|part| scratch.after(part * rows * widest));
            let [width, _] = sizes(traced, last);
            let output = traced.parameter(last.0);
            match hidden.last() {
                Some(top) => {
                    planner.each(
                        rows * width,
                        kernels::SameRowsBefore {
                            out: own_sums,
                            row: output,
                            y: top.place,
                            rows,
                            columns: width,
                            activation: network.activation.into(),
                        },
                    );
                }
                None => {
                    planner.each(rows * width, kernels::SameRows { out: own_sums, row: output, rows, columns: width })
                }
            }
            for (index, &layer) in below.iter().enumerate().rev() {
                let [inputs, outputs] = sizes(traced, layer);
                if let Some((factors, trained)) = training {
                    let sums = gradients.slot(layer.1, true);
                    planner.scale_and_sum_rows([scaled, own_sums, factors], trained, outputs, sums);
                    planner.train_weights(layer.0, reads(index), scaled, [trained, outputs], gradients);
                }
                if index > 0 {
                    let weights = Matrix::new(traced.parameter(layer.0), inputs, outputs);
                    let own = Matrix::new(own_sums, rows, outputs);
                    let finish = Finish::before(hidden[index - 1].place, network.activation);
                    planner.layer(next, own, weights.transposed(), false, finish);
                    std::mem::swap(&mut own_sums, &mut next);
                }
            }
            let Some((out, accumulate)) = planner.input(traced, network.x) else { return };
            match below.first() {
                // With the loss's own factors of the rows.
                Some(&lowest) => {
                    let [inputs, outputs] = sizes(traced, lowest);
                    let weights = Matrix::new(traced.parameter(lowest.0), inputs, outputs);
                    let sums = Matrix::new(own_sums, rows, outputs);
                    planner.layer(out, sums, weights.transposed(), accumulate, Finish::scaled(own.gradient));
                }
                None => {
                    let inputs = input.cols;
                    planner.each(
                        rows * inputs,
                        kernels::ScaleRows {
                            out,
                            x: own_sums,
                            factors: own.gradient,
                            rows,
                            columns: inputs,
                            accumulate,
                        },
                    );
                }
            }
        });
    }

    /// A layer's gradients from those of its sums, for the first rows of its input.
    fn train_layer(
        &mut self,
        layer: (Parameter, Parameter),
        read: Matrix,
        sums: Place,
        [rows, outputs]: [usize; 2],
        gradients: &mut ParameterGradients,
    ) {
        self.train_weights(layer.0, read, sums, [rows, outputs], gradients);
        if let Some((out, accumulate)) = gradients.slot(layer.1, true) {
            self.column_sums(out, sums, rows, outputs, accumulate);
        }
    }

    /// The gradient of a layer's weights alone.
    fn train_weights(
        &mut self,
        weights: Parameter,
        read: Matrix,
        sums: Place,
        [rows, outputs]: [usize; 2],
        gradients: &mut ParameterGradients,
    ) {
        if let Some((out, accumulate)) = gradients.slot(weights, true) {
            let read = Matrix { rows, ..read };
            self.product(out, read.transposed(), Matrix::new(sums, rows, outputs), accumulate);
        }
    }
}
