//! Multilayer perceptrons: the heads and the actor.

use super::declaration::{Inputs, Layers};
use tape::{Activation, Parameter, Real, Tape, Var};

/// Dense layers with ELU, then one without: `h0`, `h1`, ..., `hout`.
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<(Parameter, Parameter)>,
    /// Outputs of the first layer.
    width: usize,
}

impl Mlp {
    /// Hidden layers of these widths, then one of `outputs`.
    pub(super) fn declare<F: Real>(
        mut network: Layers<'_, '_, F>,
        inputs: Inputs,
        hidden: &[usize],
        outputs: usize,
    ) -> Self {
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        let mut inputs = inputs;
        for (layer, &units) in hidden.iter().enumerate() {
            layers.push(network.dense(&format!("h{layer}"), inputs, units));
            inputs = Inputs::hidden(units);
        }
        layers.push(network.dense("hout", inputs, outputs));
        Self { layers, width: hidden.first().copied().unwrap_or(outputs) }
    }

    /// The kernel of the first layer, whose rows read the inputs, and how many numbers each row has.
    pub(super) fn first_kernel(&self) -> (Parameter, usize) {
        (self.layers[0].0, self.width)
    }

    /// x [N, inputs] to [N, outputs].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        let (kernel, bias) = self.output_layer();
        let x = self.hidden(tape, x);
        tape.dense(x, kernel, bias, Activation::None)
    }

    /// x [N, inputs] to the inputs of the output layer [N, units].
    pub(crate) fn hidden<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        let hidden = &self.layers[..self.layers.len() - 1];
        hidden.iter().fold(x, |x, layer| tape.dense(x, layer.0, layer.1, Activation::Elu))
    }

    /// The kernel [units, outputs] and the bias `[outputs]` of the output layer.
    pub fn output_layer(&self) -> (Parameter, Parameter) {
        *self.layers.last().expect("at least the output layer")
    }
}

/// Perceptrons with one output, for imagination: see [`Tape::input_scalar`] and [`Tape::input_and_parameter_scalars`].
impl Mlp {
    /// x [N, inputs] to [N, 1], with constant parameters.
    pub fn input_scalar<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        tape.input_scalar(x, &self.layers, Activation::Elu)
    }

    /// The output [N, 1] for x [N, inputs], whose gradient reaches x alone, and its first `trained` rows, whose gradient
    /// reaches the parameters alone.
    pub fn input_and_parameter_scalars<F: Real>(&self, tape: &mut Tape<F>, x: Var, trained: usize) -> (Var, Var) {
        tape.input_and_parameter_scalars(x, &self.layers, Activation::Elu, trained)
    }
}
