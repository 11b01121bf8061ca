//! Perceptrons with one output, whose gradient is a multiple of one row of derivatives.
//!
//! All that a loss says about one output is a factor for each row. So a row's derivatives are computed once, and serve losses
//! that differ in their factors. Rows go through all layers some at a time, while they are in the second-level cache.
//!
//! Here: [`Tape::frozen_scalar`], for heads that are only read, and [`Tape::taught_scalar`], for one that one loss reads and another
//! one teaches. Not here: the ordinary layers (`dense.rs`), which are what a head with one loss is made of.

use super::Op;
use crate::kernels::columns::column_sums;
use crate::kernels::elementwise::{Activation, activation_gradient, add, bias_activate, vectorised};
use crate::kernels::matmul::{Matrix, Panels, matmul};
use crate::parameters::{Gradients, Parameter, Parameters};
use crate::real::Real;
use crate::tape::{Backward, List, Scratch, Tape, Var};

/// Rows that go through all layers at a time: a multiple of the tiles' heights.
const ROWS: usize = 252;

#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub x: Var,
    pub layers: List,
    pub activation: Activation,
    /// What the hidden layers make of the rows: [`ROWS`] rows of all layers, then the next.
    pub hidden: Var,
    /// Where the teaching loss's factors come to, none for rows beyond.
    pub taught: Var,
    pub wanted: bool,
}

impl<F: Real> Tape<'_, F> {
    /// What a perceptron of constant parameters makes of x [N, I]: [N, 1]. `layers` are kernels [inputs, outputs] and biases
    /// from the first to the last, which has one output; `activation` follows each but the last.
    pub fn frozen_scalar(&mut self, x: Var, layers: &[(Parameter, Parameter)], activation: Activation) -> Var {
        let (rows, inputs) = self.shape(x);
        let layers = self.push_layers(layers);
        let derivatives = self.push(Op::Leaf, if x.gradient { rows } else { 0 }, inputs, false, |_, _| {});
        // They are computed beside the value, while what the hidden layers made of the rows is at hand.
        let mut kept = std::mem::take(&mut self.memory.values[derivatives.index()]);
        let y =
            self.push(Op::FrozenScalar { x, derivatives, layers, activation }, rows, 1, x.gradient, |context, y| {
                let network = Network { parameters: context.parameters, layers: context.layers(layers), activation };
                let Scratch { panels, pool, .. } = &mut *context.scratch;
                let mut room = [ROWS * network.hidden(), ROWS * network.widest(), ROWS * network.widest()]
                    .map(|size| pool.take(size));
                let [hidden, upper, lower] = &mut room;
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
                room.into_iter().for_each(|buffer| pool.give(buffer));
            });
        self.memory.values[derivatives.index()] = kept;
        y
    }

    /// What a perceptron makes of x [N, I], for two losses: [N, 1], whose gradient reaches x alone, as if the parameters were
    /// constants; and the first `taught` rows of the same, whose gradient reaches the parameters alone, as if x were a
    /// constant. `layers` and `activation` as for [`Tape::frozen_scalar`]. The parameters are wanted together or not at all.
    pub fn taught_scalar(
        &mut self,
        x: Var,
        layers: &[(Parameter, Parameter)],
        activation: Activation,
        taught: usize,
    ) -> (Var, Var) {
        let (rows, inputs) = self.shape(x);
        assert!(taught <= rows, "rows that are taught are among the rows");
        let wanted = layers.iter().all(|layer| self.wants(layer.0));
        let layers = self.push_layers(layers);
        let width = self.network(layers, activation).hidden();
        let hidden = self.push(Op::Leaf, rows, width, false, |_, _| {});
        let mut kept = std::mem::take(&mut self.memory.values[hidden.index()]);
        let factors = self.push(Op::Leaf, taught, 1, wanted, |_, y| y.fill(F::ZERO));
        let scalar = Scalar { x, layers, activation, hidden, taught: factors, wanted };
        let y = self.push(Op::Scalar(scalar), rows, 1, x.gradient || wanted, |context, y| {
            let network = Network { parameters: context.parameters, layers: context.layers(layers), activation };
            let chunks = context.values[x.index()].chunks(ROWS * inputs).zip(y.chunks_mut(ROWS));
            let mut rest = kept.as_mut_slice();
            for (x, y) in chunks {
                let (hidden, after) = rest.split_at_mut(y.len() * width);
                network.value(x, hidden, y, &mut context.scratch.panels);
                rest = after;
            }
        });
        self.memory.values[hidden.index()] = kept;
        let same = self.push(Op::Taught { factors, value: y }, taught, 1, wanted, |context, same| {
            same.copy_from_slice(&context.value(y)[..taught]);
        });
        (Var { gradient: x.gradient, ..y }, same)
    }

    fn network(&self, layers: List, activation: Activation) -> Network<'_, F> {
        Network { parameters: self.parameters, layers: &self.memory.layers[layers.range()], activation }
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

    /// The value y of rows x, and what the hidden layers make of them, one layer after the other.
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

    /// The derivatives of rows' values by their inputs, if those are asked for; on the way down `pass` gets each hidden
    /// layer's number, the derivatives by its sums, which it may overwrite, and the panels.
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
        let &Scalar { x, layers, activation, hidden, taught, wanted } = self;
        let factors = back.take(taught).filter(|_| wanted);
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
            // Rows that nobody teaches come last.
            let factors = factors.as_deref().unwrap_or_default();
            let factors = &factors[first.min(factors.len())..(first + rows).min(factors.len())];
            let teach = Teaching { network: &network, x: x_rows, hidden, rows, factors };
            let (gradients, panels) = (&mut *back.gradients, &mut back.context.scratch.panels);
            teach.output(gradients, panels);
            let derivatives = network.derivatives(
                hidden,
                rows,
                [&mut upper, &mut lower],
                panels,
                x.gradient,
                |layer, by_sums, panels| {
                    teach.hidden(layer, by_sums, gradients, panels);
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

/// What the teaching loss adds to the parameters' gradients for some rows.
struct Teaching<'a, F> {
    network: &'a Network<'a, F>,
    x: &'a [F],
    hidden: &'a [F],
    rows: usize,
    /// Of the first rows.
    factors: &'a [F],
}

impl<F: Real> Teaching<'_, F> {
    /// What the layer after `layers` hidden ones reads of the rows with factors.
    fn input(&self, layers: usize, size: usize) -> Matrix<'_, F> {
        let before: usize = self.network.hidden_layers().take(layers).map(|(_, [_, outputs], _)| outputs).sum();
        let all = if layers == 0 { self.x } else { &self.hidden[(before - size) * self.rows..] };
        Matrix::new(&all[..self.factors.len() * size], self.factors.len(), size)
    }

    /// For the last layer.
    fn output(&self, gradients: &mut Gradients<F>, panels: &mut Panels<F>) {
        let hidden = self.network.layers.len() - 1;
        let size = self.network.output().0.len();
        self.layer(hidden, [size, 1], self.factors, gradients, panels);
    }

    /// For a hidden layer, whose sums' derivatives are given and overwritten.
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

/// Each row of x times its factor.
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

/// out += each row of x times its factor.
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

pub(super) fn frozen_backward<F: Real>(back: &mut Backward<F>, x: Var, derivatives: Var) {
    back.part(x, |context, gradient, target| add_scaled(target, context.value(derivatives), gradient));
}

/// The factors wait for the value's own gradient, which comes later.
pub(super) fn taught_backward<F: Real>(back: &mut Backward<F>, factors: Var, value: Var) {
    back.input(factors, |_, gradient, target, accumulate| add(target, gradient, accumulate));
    back.part(value, |_, _, _| {});
}
