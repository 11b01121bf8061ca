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
        let (last, hidden) = self.layers.split_last().expect("at least the output layer");
        let x = hidden.iter().fold(x, |x, layer| tape.dense(x, layer.0, layer.1, Activation::Elu));
        tape.dense(x, last.0, last.1, Activation::None)
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
