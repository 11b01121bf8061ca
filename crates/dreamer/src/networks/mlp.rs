//! Multilayer perceptrons: the heads and the actor.

use super::declaration::{Inputs, Layers};
use super::layer::{HiddenLayer, Style};
use tape::{Activation, Parameter, Real, Tape, Var};

/// Hidden layers, then a layer without an activation: `h0`, `h1`, ..., `hout`.
#[derive(Clone, Debug)]
pub struct Mlp {
    hidden: Vec<HiddenLayer>,
    output: (Parameter, Parameter),
    /// Kernels and biases of all layers, if each hidden layer is one operation.
    plain: Option<Vec<(Parameter, Parameter)>>,
    /// Outputs of the first layer.
    width: usize,
}

/// The sizes of a perceptron's layers, and what follows each hidden one.
#[derive(Clone, Copy, Debug)]
pub(super) struct MlpShape {
    /// Hidden layers.
    pub layers: usize,
    /// Their width.
    pub units: usize,
    pub outputs: usize,
    pub style: Style,
}

impl Mlp {
    pub(super) fn declare<F: Real>(mut network: Layers<'_, '_, F>, inputs: Inputs, shape: MlpShape) -> Self {
        let MlpShape { layers, units, outputs, style } = shape;
        let mut hidden = Vec::with_capacity(layers);
        let mut inputs = inputs;
        for layer in 0..layers {
            hidden.push(HiddenLayer::declare(&mut network, &format!("h{layer}"), inputs, units, style));
            inputs = Inputs::hidden(units);
        }
        let output = network.dense("hout", inputs, outputs);
        let pairs = || hidden.iter().map(|layer| (layer.kernel, layer.bias)).chain([output]).collect();
        let plain = (style.is_plain() && outputs == 1).then(pairs);
        Self { plain, hidden, output, width: if layers > 0 { units } else { outputs } }
    }

    /// The kernel of the first layer, whose rows read the inputs, and how many numbers each row has.
    pub(super) fn first_kernel(&self) -> (Parameter, usize) {
        (self.hidden.first().map_or(self.output.0, |layer| layer.kernel), self.width)
    }

    /// x [N, inputs] to [N, outputs].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        let (kernel, bias) = self.output;
        let x = self.hidden(tape, x);
        tape.dense(x, kernel, bias, Activation::None)
    }

    /// x [N, inputs] to the inputs of the output layer [N, units].
    pub(crate) fn hidden<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        self.hidden.iter().fold(x, |x, layer| layer.forward(tape, x))
    }

    /// The kernel [units, outputs] and the bias `[outputs]` of the output layer.
    pub fn output_layer(&self) -> (Parameter, Parameter) {
        self.output
    }
}

/// Perceptrons in imagination: see [`Tape::input_scalar`] and [`Tape::input_and_parameter_scalars`], which those with one output
/// and plain layers use.
impl Mlp {
    /// x [N, inputs] to [N, outputs], with constant parameters.
    pub fn forward_constant<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        match &self.plain {
            Some(layers) => tape.input_scalar(x, layers, Activation::Elu),
            None => tape.with_constant_parameters(|tape| self.forward(tape, x)),
        }
    }

    /// The outputs for x [N, inputs], whose gradient reaches x alone, and those of its first `trained` rows, whose gradient reaches
    /// the parameters alone.
    pub fn constant_and_trained<F: Real>(&self, tape: &mut Tape<F>, x: Var, trained: usize) -> (Var, Var) {
        match &self.plain {
            Some(layers) => tape.input_and_parameter_scalars(x, layers, Activation::Elu, trained),
            None => {
                let constant = self.forward_constant(tape, x);
                let first = tape.rows_of(x.detached(), 0, trained);
                (constant, self.forward(tape, first))
            }
        }
    }
}
