//! Perceptrons with one output, whose gradient is a multiple of one row of derivatives.
//!
//! A loss on the only output is, for each row, one factor. So the derivatives of a row's output are computed once, and serve
//! all losses, which differ only in their factors. Some rows at a time go through all layers, while they are in the
//! second-level cache.
//!
//! Here: [`Tape::input_scalar`], for a head whose parameters are not trained, and [`Tape::input_and_parameter_scalars`], for a head
//! with two losses: the gradient of one reaches the input, that of the other the parameters. Their launches on a device are in
//! `plan`. Not here: the ordinary layers (`dense.rs`), of which a head with one loss is made.

pub(super) mod plan;

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{Activation, activation_gradient, add, bias_activate, vectorised};
use crate::kernels::matmul::{Matrix, Panels, matmul};
use crate::parameters::{Gradients, Parameter, Parameters};
use crate::tape::{Backward, List, Scratch, Tape, Var};

/// Rows that go through all layers at a time: a multiple of the tiles' heights.
const ROWS: usize = 252;

#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub x: Var,
    pub layers: List,
    pub activation: Activation,
    /// The outputs of the hidden layers: of all layers for the first [`ROWS`] rows, then for the next.
    pub hidden: Var,
    /// Where the factors of the loss that trains the parameters are collected, one for each of the first rows.
    pub trained: Var,
    pub trainable: bool,
}

impl<F: Real> Tape<'_, F> {
    /// The output [N, 1] of a perceptron with constant parameters for x [N, I]. `layers` are kernels [inputs, outputs] and biases
    /// from the first to the last, which has one output; `activation` follows each but the last.
    pub fn input_scalar(&mut self, x: Var, layers: &[(Parameter, Parameter)], activation: Activation) -> Var {
        let (rows, inputs) = self.shape(x);
        let layers = self.push_layers(layers);
        let derivatives = self.push(Op::Leaf, if x.gradient { rows } else { 0 }, inputs, false, |_, _| {});
        // They are computed together with the value, while the hidden layers' outputs are at hand.
        let mut kept = std::mem::take(&mut self.workspace.values[derivatives.index()]);
        let y = self.push(Op::InputScalar { x, derivatives, layers, activation }, rows, 1, x.gradient, |context, y| {
            let network = Network { parameters: context.parameters, layers: context.layers(layers), activation };
            let Scratch { panels, pool, .. } = &mut *context.scratch;
            let mut buffers =
                [ROWS * network.hidden(), ROWS * network.widest(), ROWS * network.widest()].map(|size| pool.take(size));
            let [hidden, upper, lower] = &mut buffers;
            let x = &context.values[x.index()];
            for (chunk, (x, y)) in x.chunks(ROWS * inputs).zip(y.chunks_mut(ROWS)).enumerate() {
                network.value(x, hidden, y, panels);
                if let Some(kept) = kept.chunks_mut(ROWS * inputs).nth(chunk) {
                    kept.copy_from_slice(network.derivatives(
                        hidden,
                        y.len(),
                        [upper, lower],
                        panels,
                        true,
                        |_, _, _| {},
                    ));
                }
            }
            buffers.into_iter().for_each(|buffer| pool.give(buffer));
        });
        self.workspace.values[derivatives.index()] = kept;
        y
    }

    /// The output of a perceptron for x [N, I], as two values for two losses. The gradient of the first, [N, 1], reaches x
    /// alone, as if the parameters were constants. The second is the first `trained` rows of the same output, and its
    /// gradient reaches the parameters alone, as if x were a constant. `layers` and `activation` as for [`Tape::input_scalar`]. The parameters are trainable together or not at all.
    pub fn input_and_parameter_scalars(
        &mut self,
        x: Var,
        layers: &[(Parameter, Parameter)],
        activation: Activation,
        trained: usize,
    ) -> (Var, Var) {
        let (rows, inputs) = self.shape(x);
        assert!(trained <= rows, "trained rows are among the rows");
        let trainable = layers.iter().all(|layer| self.is_trainable(layer.0));
        let layers = self.push_layers(layers);
        let width = self.network(layers, activation).hidden();
        let hidden = self.push(Op::Leaf, rows, width, false, |_, _| {});
        let mut kept = std::mem::take(&mut self.workspace.values[hidden.index()]);
        let factors = self.push(Op::Leaf, trained, 1, trainable, |_, y| y.fill(F::ZERO));
        let scalar = Scalar { x, layers, activation, hidden, trained: factors, trainable };
        let y = self.push(Op::Scalar(scalar), rows, 1, x.gradient || trainable, |context, y| {
            let network = Network { parameters: context.parameters, layers: context.layers(layers), activation };
            let chunks = context.values[x.index()].chunks(ROWS * inputs).zip(y.chunks_mut(ROWS));
            let mut rest = kept.as_mut_slice();
            for (x, y) in chunks {
                let (hidden, after) = rest.split_at_mut(y.len() * width);
                network.value(x, hidden, y, &mut context.scratch.panels);
                rest = after;
            }
        });
        self.workspace.values[hidden.index()] = kept;
        let same = self.push(Op::Trained { factors, value: y }, trained, 1, trainable, |context, same| {
            same.copy_from_slice(&context.value(y)[..trained]);
        });
        (Var { gradient: x.gradient, ..y }, same)
    }

    fn network(&self, layers: List, activation: Activation) -> Network<'_, F> {
        Network { parameters: self.parameters, layers: &self.workspace.layers[layers.range()], activation }
    }
}

/// A perceptron with one output.
struct Network<'a, F> {
    parameters: &'a Parameters<F>,
    layers: &'a [(Parameter, Parameter)],
    activation: Activation,
}

impl<'a, F: Real> Network<'a, F> {
    /// The hidden layers: kernels, their inputs and outputs, and biases.
    fn hidden_layers(
        &self,
    ) -> impl DoubleEndedIterator<Item = (Matrix<'a, F>, [usize; 2], &'a [F])> + ExactSizeIterator {
        let (parameters, hidden) = (self.parameters, &self.layers[..self.layers.len() - 1]);
        hidden.iter().map(|&(kernel, bias)| {
            let &[inputs, outputs] = parameters.shape(kernel) else { panic!("a layer's kernel") };
            (Matrix::new(parameters.values(kernel), inputs, outputs), [inputs, outputs], parameters.values(bias))
        })
    }

    /// The last layer's kernel [inputs, 1] and bias.
    fn output(&self) -> (&'a [F], &'a [F]) {
        let (kernel, bias) = self.layers[self.layers.len() - 1];
        assert_eq!(self.parameters.shape(kernel)[1], 1, "one output");
        (self.parameters.values(kernel), self.parameters.values(bias))
    }

    /// Hidden units of all layers.
    fn hidden(&self) -> usize {
        self.hidden_layers().map(|(_, [_, outputs], _)| outputs).sum()
    }

    /// The most inputs that a layer has.
    fn widest(&self) -> usize {
        self.hidden_layers().map(|(_, [inputs, _], _)| inputs).max().unwrap_or(0).max(self.output().0.len())
    }

    /// The value y of rows x, and the outputs of the hidden layers, one layer after the other.
    fn value(&self, x: &[F], hidden: &mut [F], y: &mut [F], panels: &mut Panels<F>) {
        let rows = y.len();
        let (mut x, mut rest) = (x, hidden);
        for (kernel, [inputs, outputs], bias) in self.hidden_layers() {
            let (out, after) = rest.split_at_mut(rows * outputs);
            matmul(out, Matrix::new(x, rows, inputs), kernel, false, panels);
            bias_activate(out, bias, self.activation);
            (x, rest) = (out, after);
        }
        let (kernel, bias) = self.output();
        matmul(y, Matrix::new(x, rows, kernel.len()), Matrix::new(kernel, kernel.len(), 1), false, panels);
        bias_activate(y, bias, Activation::None);
    }

    /// The derivatives of the values of rows by their inputs, if requested. For each hidden layer, from the last to the
    /// first, `pass` receives its number, the derivatives by its sums, which it may overwrite, and the panels.
    fn derivatives<'b>(
        &self,
        hidden: &[F],
        rows: usize,
        [mut upper, mut lower]: [&'b mut Vec<F>; 2],
        panels: &mut Panels<F>,
        by_inputs: bool,
        mut pass: impl FnMut(usize, &mut [F], &mut Panels<F>),
    ) -> &'b [F] {
        let (output, _) = self.output();
        lower.chunks_exact_mut(output.len()).take(rows).for_each(|row| row.copy_from_slice(output));
        let mut size = rows * output.len();
        let mut end = rows * self.hidden();
        for (layer, (kernel, [inputs, outputs], _)) in self.hidden_layers().enumerate().rev() {
            std::mem::swap(&mut upper, &mut lower);
            let own = &mut upper[..size];
            let from = end - rows * outputs;
            activation_gradient(own, &hidden[from..end], self.activation);
            (size, end) = (rows * inputs, from);
            if layer > 0 || by_inputs {
                matmul(&mut lower[..size], Matrix::new(own, rows, outputs), kernel.transposed(), false, panels);
            }
            pass(layer, own, panels);
        }
        &lower[..size]
    }
}

impl Scalar {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &Scalar { x, layers, activation, hidden, trained, trainable } = self;
        let factors = back.take(trained).filter(|_| trainable);
        let inputs = back.shape(x).1;
        back.part(x, |_, _, _| {});
        let network = Network { parameters: back.context.parameters, layers: back.context.layers(layers), activation };
        let (width, size) = (network.hidden(), ROWS * network.widest());
        let (images, hidden) = (&back.context.values[x.index()], &back.context.values[hidden.index()]);
        let pool = &mut back.context.scratch.pool;
        let [mut upper, mut lower] = [pool.take(size), pool.take(size)];
        for (chunk, x_rows) in images.chunks(ROWS * inputs).enumerate() {
            let (first, rows) = (chunk * ROWS, x_rows.len() / inputs);
            let hidden = &hidden[first * width..(first + rows) * width];
            // Rows without factors come last.
            let factors = factors.as_deref().unwrap_or_default();
            let factors = &factors[first.min(factors.len())..(first + rows).min(factors.len())];
            let training = Training { network: &network, x: x_rows, hidden, rows, factors };
            let (gradients, panels) = (&mut *back.gradients, &mut back.context.scratch.panels);
            training.output(gradients, panels);
            let derivatives = network.derivatives(
                hidden,
                rows,
                [&mut upper, &mut lower],
                panels,
                x.gradient,
                |layer, by_sums, panels| {
                    training.hidden(layer, by_sums, gradients, panels);
                },
            );
            back.input(x, |_, gradient, target, _| {
                let target = &mut target[first * inputs..(first + rows) * inputs];
                add_scaled(target, derivatives, &gradient[first..first + rows]);
            });
        }
        let pool = &mut back.context.scratch.pool;
        [Some(upper), Some(lower), factors].into_iter().flatten().for_each(|buffer| pool.give(buffer));
    }
}

/// Adds the gradients of the loss that trains the parameters, for some rows.
struct Training<'a, F> {
    network: &'a Network<'a, F>,
    x: &'a [F],
    hidden: &'a [F],
    rows: usize,
    /// The factors of the first rows.
    factors: &'a [F],
}

impl<F: Real> Training<'_, F> {
    /// The inputs of the layer after `layers` hidden ones, for the rows with factors.
    fn input(&self, layers: usize, size: usize) -> Matrix<'_, F> {
        let before: usize = self.network.hidden_layers().take(layers).map(|(_, [_, outputs], _)| outputs).sum();
        let all = if layers == 0 { self.x } else { &self.hidden[(before - size) * self.rows..] };
        Matrix::new(&all[..self.factors.len() * size], self.factors.len(), size)
    }

    /// Adds the gradients of the last layer.
    fn output(&self, gradients: &mut Gradients<F>, panels: &mut Panels<F>) {
        let hidden = self.network.layers.len() - 1;
        let size = self.network.output().0.len();
        self.layer(hidden, [size, 1], self.factors, gradients, panels);
    }

    /// Adds the gradients of a hidden layer. The derivatives by its sums are given, and overwritten.
    fn hidden(&self, layer: usize, by_sums: &mut [F], gradients: &mut Gradients<F>, panels: &mut Panels<F>) {
        let (_, sizes, _) = self.network.hidden_layers().nth(layer).expect("a hidden layer");
        let by_sums = &mut by_sums[..self.factors.len() * sizes[1]];
        scale(by_sums, self.factors);
        self.layer(layer, sizes, by_sums, gradients, panels);
    }

    fn layer(
        &self,
        layer: usize,
        [inputs, outputs]: [usize; 2],
        by_sums: &[F],
        gradients: &mut Gradients<F>,
        panels: &mut Panels<F>,
    ) {
        if by_sums.is_empty() {
            return;
        }
        let (kernel, bias) = self.network.layers[layer];
        if let Some((target, accumulate)) = gradients.slot(kernel) {
            let by_sums = Matrix::new(by_sums, self.factors.len(), outputs);
            matmul(target, self.input(layer, inputs).transposed(), by_sums, accumulate, panels);
        }
        if let Some((target, accumulate)) = gradients.slot(bias) {
            column_sums(target, by_sums, accumulate);
        }
    }
}

/// Multiplies each row of x by its factor.
fn scale<F: Real>(x: &mut [F], factors: &[F]) {
    if factors.is_empty() {
        return;
    }
    let size = x.len() / factors.len();
    vectorised(
        #[inline(always)]
        || {
            for (row, &factor) in x.chunks_exact_mut(size).zip(factors) {
                row.iter_mut().for_each(|x| *x *= factor);
            }
        },
    );
}

/// Adds each row of x times its factor to out.
fn add_scaled<F: Real>(out: &mut [F], x: &[F], factors: &[F]) {
    let size = x.len() / factors.len();
    vectorised(
        #[inline(always)]
        || {
            for ((out, row), &factor) in out.chunks_exact_mut(size).zip(x.chunks_exact(size)).zip(factors) {
                out.iter_mut().zip(row).for_each(|(out, &x)| *out += factor * x);
            }
        },
    );
}

pub(super) fn input_scalar_backward<F: Real>(back: &mut Backward<F>, x: Var, derivatives: Var) {
    back.part(x, |context, gradient, target| add_scaled(target, context.value(derivatives), gradient));
}

/// Adds the factors to those that wait for the value's own gradient, which comes later.
pub(super) fn trained_backward<F: Real>(back: &mut Backward<F>, factors: Var, value: Var) {
    back.input(factors, |_, gradient, target, accumulate| add(target, gradient, accumulate));
    back.part(value, |_, _, _| {});
}
