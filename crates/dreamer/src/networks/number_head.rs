//! Heads that predict one number: rewards and values.
//!
//! A head is asked for its mean and for the log-density of a target, and does not say which distribution it has.

use super::declaration::{Inputs, Layers};
use super::mlp::{Mlp, MlpShape};
use tape::{Parameter, Real, Tape, Var};

/// The distribution that a head's outputs stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Distribution {
    /// A normal one with unit variance around the output.
    Normal,
    /// One over this many bins, whose logits are the outputs.
    TwoHot { bins: usize },
}

/// A perceptron whose outputs stand for the distribution of a number.
#[derive(Clone, Debug)]
pub struct NumberHead {
    mlp: Mlp,
    distribution: Distribution,
}

impl NumberHead {
    /// A head over `bins`, or a normal one if there are none. `shape.outputs` is ignored.
    ///
    /// The output layer of a head over bins starts at zero, so that its first mean is zero: the outermost bins are huge.
    pub(super) fn declare<F: Real>(
        mut network: Layers<'_, '_, F>,
        inputs: Inputs,
        bins: usize,
        shape: MlpShape,
    ) -> Self {
        network.zero_output = bins > 0;
        let mlp = Mlp::declare(network, inputs, MlpShape { outputs: bins.max(1), ..shape });
        Self { mlp, distribution: if bins > 0 { Distribution::TwoHot { bins } } else { Distribution::Normal } }
    }

    /// The perceptron.
    pub fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// The output layer, if the mean is linear in its parameters.
    pub fn linear_output_layer(&self) -> Option<(Parameter, Parameter)> {
        (self.distribution == Distribution::Normal).then(|| self.mlp.output_layer())
    }

    /// x [N, inputs] to the outputs that [`NumberHead::mean_of`] and [`NumberHead::log_density`] read.
    pub fn outputs<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        self.mlp.forward(tape, x)
    }

    /// The means [N, 1] of outputs.
    pub fn mean_of<F: Real>(&self, tape: &mut Tape<F>, outputs: Var) -> Var {
        match self.distribution {
            Distribution::Normal => outputs,
            Distribution::TwoHot { bins } => {
                let bins = tape.two_hot_bins(bins);
                tape.two_hot_mean(outputs, bins)
            }
        }
    }

    /// The log-density [N, 1] of targets [N, 1], which are constants, given outputs.
    pub fn log_density<F: Real>(&self, tape: &mut Tape<F>, outputs: Var, target: Var) -> Var {
        match self.distribution {
            Distribution::Normal => tape.normal_log_density(outputs, target),
            Distribution::TwoHot { bins } => {
                let bins = tape.two_hot_bins(bins);
                tape.two_hot_log_density(outputs, bins, target)
            }
        }
    }

    /// x [N, inputs] to means [N, 1].
    pub fn mean<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        let outputs = self.outputs(tape, x);
        self.mean_of(tape, outputs)
    }

    /// The same with constant parameters.
    pub fn mean_constant<F: Real>(&self, tape: &mut Tape<F>, x: Var) -> Var {
        let outputs = self.mlp.forward_constant(tape, x);
        self.mean_of(tape, outputs)
    }

    /// The means [N, 1] for x [N, inputs], whose gradient reaches x alone, and the outputs of its first `trained` rows, whose
    /// gradient reaches the parameters alone.
    pub fn mean_and_trained_outputs<F: Real>(&self, tape: &mut Tape<F>, x: Var, trained: usize) -> (Var, Var) {
        let (constant, outputs) = self.mlp.constant_and_trained(tape, x, trained);
        (self.mean_of(tape, constant), outputs)
    }
}
