//! A layer's norm and activation, which all networks with hidden layers share.
//!
//! Without a norm, ELU and ReLU are part of the product's operation. A norm, and SiLU, are operations of their own.

use super::declaration::{Inputs, Layers};
use crate::config::{LayerActivation, Norm};
use crate::{AgentConfig, RewardSource};
use tape::{Activation, Parameter, Real, Tape, Var};

/// The norm and the activation of a network's hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub norm: Norm,
    pub activation: LayerActivation,
}

impl Style {
    /// Of an agent's own networks.
    pub fn of(config: &AgentConfig) -> Self {
        Self { norm: config.norm, activation: config.activation }
    }

    /// Of a frozen reward model.
    pub fn of_source(source: &RewardSource) -> Self {
        Self { norm: source.norm, activation: source.activation }
    }

    /// Whether a layer is one operation.
    pub fn is_plain(self) -> bool {
        self == Self { norm: Norm::None, activation: LayerActivation::Elu }
    }
}

/// What follows a layer's sums: a norm, if it has a scale, and an activation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish {
    scale: Option<Parameter>,
    /// `None` is SiLU.
    activation: Option<Activation>,
}

impl Finish {
    /// Nothing: of a layer whose sums are its outputs.
    pub const NONE: Self = Self { scale: None, activation: Some(Activation::None) };

    /// Declares the norm of a layer with this name and as many outputs or channels. `usual` is its activation unless it is SiLU.
    pub fn declare<F: Real>(
        network: &mut Layers<'_, '_, F>,
        name: &str,
        outputs: usize,
        style: Style,
        usual: Activation,
    ) -> Self {
        let scale = (style.norm == Norm::Rms).then(|| network.parameter(&format!("{name}.scale"), &[outputs]));
        let activation = (style.activation == LayerActivation::Elu).then_some(usual);
        Self { scale, activation }
    }

    /// The activation that the operation of the sums applies itself.
    pub fn fused(self) -> Activation {
        match (self.scale, self.activation) {
            (None, Some(activation)) => activation,
            _ => Activation::None,
        }
    }

    /// Whether nothing follows an operation that applied [`Finish::fused`].
    pub fn is_fused(self) -> bool {
        self.scale.is_none() && self.activation.is_some()
    }

    /// All of it, after an operation that applied nothing.
    pub fn all<F: Real>(self, tape: &mut Tape<F>, x: Var) -> Var {
        match self.fused() {
            Activation::None => self.rest(tape, x),
            activation => tape.activated(x, activation),
        }
    }

    /// What an operation that applied [`Finish::fused`] left to do.
    pub fn rest<F: Real>(self, tape: &mut Tape<F>, x: Var) -> Var {
        if self.is_fused() {
            return x;
        }
        let x = match self.scale {
            Some(scale) => tape.rms_norm(x, scale),
            None => x,
        };
        match self.activation {
            Some(activation) => tape.activated(x, activation),
            None => tape.silu(x),
        }
    }
}

/// A hidden dense layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct HiddenLayer {
    pub kernel: Parameter,
    pub bias: Parameter,
    finish: Finish,
}

impl HiddenLayer {
    /// Declares kernel and bias, and the norm's scale if there is one.
    pub fn declare<F: Real>(
        network: &mut Layers<'_, '_, F>,
        name: &str,
        inputs: Inputs,
        outputs: usize,
        style: Style,
    ) -> Self {
        let (kernel, bias) = network.dense(name, inputs, outputs);
        Self { kernel, bias, finish: Finish::declare(network, name, outputs, style, Activation::Elu) }
    }

    /// x [N, inputs] to [N, outputs].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        let sums = tape.dense(x, self.kernel, self.bias, self.finish.fused());
        self.finish.rest(tape, sums)
    }

    /// As [`HiddenLayer::forward`], where x are the first inputs and `plus` [N, outputs] are the sums of the others.
    pub fn forward_plus<F: Real>(&self, tape: &mut Tape<F>, x: Var, plus: Var) -> Var {
        let sums = tape.dense_part(x, self.kernel, 0, Some(self.bias), Some(plus), self.finish.fused());
        self.finish.rest(tape, sums)
    }

    /// The sums of the inputs from `first_row` on, without the bias.
    pub fn part<F: Real>(&self, tape: &mut Tape<F>, x: Var, first_row: usize) -> Var {
        tape.dense_part(x, self.kernel, first_row, None, None, Activation::None)
    }
}
