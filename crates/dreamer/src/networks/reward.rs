//! The reward head, which may be a meta-model over reward models of earlier agents.

use super::declaration::{Declaration, Inputs, Reads, Role};
use super::mlp::Mlp;
use crate::{AgentConfig, RewardSource};
use tape::{Parameter, Real, Tape, Var};

/// Feature to the reward's mean.
///
/// With sources it is the reward meta-model (Eq. 4): it reads [predictions of the N sources, stoch, deter], N + S + D
/// numbers. The sources are frozen; gradients pass through them to the feature. A source may be a meta-model itself.
#[derive(Clone, Debug)]
pub struct RewardHead {
    sources: Vec<RewardHead>,
    head: Mlp,
}

impl RewardHead {
    /// The path of the head's own layers.
    pub const PATH: &str = "world_model.reward";
    /// The path of the models that the head reads; behind it comes the index of each.
    pub const SOURCES: &str = "world_model.reward_sources";

    /// Where source `index` of a head has the layers and the sources that its own agent has at [`RewardHead::PATH`] and
    /// [`RewardHead::SOURCES`]: pairs of a path here and the path there.
    pub fn source_paths(index: usize) -> [(String, &'static str); 2] {
        let path = format!("{}.{index}", Self::SOURCES);
        // The longer path comes first, since the other is its start.
        [(sources_of(&path), Self::SOURCES), (path, Self::PATH)]
    }

    pub(super) fn declare<F: Real>(declaration: &mut Declaration<F>, config: &AgentConfig) -> Self {
        let sources = declare_sources(declaration, Self::SOURCES, config, &config.reward_sources);
        let network = declaration.network(Self::PATH, Role::Reward);
        let head = Mlp::declare(network, inputs(config, &sources), &vec![config.units; config.reward_layers], 1);
        Self { sources, head }
    }

    /// Features [N, S + D] to means [N, 1].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let input = self.input(tape, feature);
        self.head.forward(tape, input)
    }

    /// The same with constant parameters.
    pub fn forward_constant<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let input = self.input(tape, feature);
        self.head.input_scalar(tape, input)
    }

    /// Features [N, S + D] to the inputs of the output layer [N, units].
    pub(crate) fn hidden<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let input = self.input(tape, feature);
        self.head.hidden(tape, input)
    }

    /// The kernel [units, 1] and the bias [1] of the output layer.
    pub fn output_layer(&self) -> (Parameter, Parameter) {
        self.head.output_layer()
    }

    /// The inputs of the head.
    fn input<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        // Each source's prediction is put in front, so the last source comes first. Like `read`, without a list.
        self.sources.iter().rev().fold(feature, |input, source| {
            let prediction = source.forward_constant(tape, feature);
            tape.concat(prediction, input)
        })
    }

    /// The means [N, 1] of the head for features and predictions [N, 1] in place of the sources.
    pub fn read<F: Real>(&self, tape: &mut Tape<F>, predictions: &[Var], feature: Var) -> Var {
        let input = predictions.iter().rev().fold(feature, |input, &prediction| tape.concat(prediction, input));
        self.head.forward(tape, input)
    }

    /// The prediction of each source from features [N, S + D]: means [N, 1].
    pub fn source_predictions<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Vec<Var> {
        self.sources.iter().map(|source| source.forward_constant(tape, feature)).collect()
    }
}

/// The inputs of a head with these sources.
fn inputs(config: &AgentConfig, sources: &[RewardHead]) -> Inputs {
    Inputs::of(&[(Reads::Predictions, sources.len()), (Reads::Stoch, config.stoch), (Reads::Deter, config.deter)])
}

/// Where the source at `path` has the models that it reads itself.
fn sources_of(path: &str) -> String {
    format!("{path}.sources")
}

/// Declares `sources` at `path.0`, `path.1`, ...; what a source reads itself is at `path.0.sources.0`, ...
fn declare_sources<F: Real>(
    declaration: &mut Declaration<F>,
    path: &str,
    config: &AgentConfig,
    sources: &[RewardSource],
) -> Vec<RewardHead> {
    let declared = sources.iter().enumerate().map(|(index, source)| {
        let path = format!("{path}.{index}");
        let below = declare_sources(declaration, &sources_of(&path), config, &source.sources);
        let network = declaration.network(&path, Role::RewardSource);
        let head = Mlp::declare(network, inputs(config, &below), &vec![source.units; source.layers], 1);
        RewardHead { sources: below, head }
    });
    declared.collect()
}
