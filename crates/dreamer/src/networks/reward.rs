//! The reward head, which may be a meta-model over reward models of earlier agents.

use super::declaration::{Declaration, Inputs, Reads, Role};
use super::layer::Style;
use super::mlp::MlpShape;
use super::number_head::NumberHead;
use crate::{AgentConfig, RewardSource};
use tape::{Parameter, Real, Tape, Var};

/// Feature to the reward's mean.
///
/// With sources it is the reward meta-model (Eq. 4): it reads [predictions of the N sources, stoch, deter], N + S + D
/// numbers. The sources are frozen; gradients pass through them to the feature. A source may be a meta-model itself.
#[derive(Clone, Debug)]
pub struct RewardHead {
    sources: Vec<RewardHead>,
    standard: Option<Standard>,
    head: NumberHead,
}

/// Mean and deviation of the predictions of a head's sources, `[N]` each: the inputs of the head are standardised by
/// them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standard {
    pub mean: Parameter,
    pub deviation: Parameter,
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
        let shape = Shape {
            units: config.units,
            layers: config.reward_layers,
            bins: config.head_bins(),
            style: Style::of(config),
        };
        let standard = config.reward_sources_standardised.then_some(Role::RewardStandard);
        declare_head(declaration, (Self::PATH, Role::Reward), config, shape, (sources, standard))
    }

    /// Features [N, S + D] to means [N, 1].
    pub fn forward<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let input = self.input(tape, feature);
        self.head.mean(tape, input)
    }

    /// The log-density [N, 1] of rewards [N, 1] given features [N, S + D].
    pub fn log_density<F: Real>(&self, tape: &mut Tape<F>, feature: Var, rewards: Var) -> Var {
        let input = self.input(tape, feature);
        let outputs = self.head.outputs(tape, input);
        self.head.log_density(tape, outputs, rewards)
    }

    /// The same as [`RewardHead::forward`] with constant parameters.
    pub fn forward_constant<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let input = self.input(tape, feature);
        self.head.mean_constant(tape, input)
    }

    /// Features [N, S + D] to the inputs of the output layer [N, units].
    pub(crate) fn hidden<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        let input = self.input(tape, feature);
        self.head.mlp().hidden(tape, input)
    }

    /// The kernel [units, 1] and the bias `[1]` of the output layer, if the mean is linear in them.
    pub fn linear_output_layer(&self) -> Option<(Parameter, Parameter)> {
        self.head.linear_output_layer()
    }

    /// The inputs of the head.
    fn input<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Var {
        // Each source's prediction is put in front, so the last source comes first. Like `read`, without a list.
        self.sources.iter().enumerate().rev().fold(feature, |input, (index, source)| {
            let prediction = source.forward_constant(tape, feature);
            let prediction = self.standardised(tape, index, prediction);
            tape.concat(prediction, input)
        })
    }

    /// The means [N, 1] of the head for features and predictions [N, 1] in place of the sources.
    pub fn read<F: Real>(&self, tape: &mut Tape<F>, predictions: &[Var], feature: Var) -> Var {
        let input = predictions.iter().enumerate().rev().fold(feature, |input, (index, &prediction)| {
            let prediction = self.standardised(tape, index, prediction);
            tape.concat(prediction, input)
        });
        self.head.mean(tape, input)
    }

    /// The prediction of a source as the head reads it.
    fn standardised<F: Real>(&self, tape: &mut Tape<F>, source: usize, prediction: Var) -> Var {
        match self.standard {
            Some(Standard { mean, deviation }) => tape.standardise(prediction, mean, deviation, source),
            None => prediction,
        }
    }

    /// The prediction of each source from features [N, S + D]: means [N, 1].
    pub fn source_predictions<F: Real>(&self, tape: &mut Tape<F>, feature: Var) -> Vec<Var> {
        self.sources.iter().map(|source| source.forward_constant(tape, feature)).collect()
    }

    /// The sum of the absolute values of the head's weights for its sources' predictions, `copies` times: [copies, 1].
    pub fn absolute_source_weights<F: Real>(&self, tape: &mut Tape<F>, copies: usize) -> Var {
        let (kernel, width) = self.head.mlp().first_kernel();
        // The predictions are the first inputs.
        tape.absolute_sum(kernel, 0..self.sources.len() * width, copies)
    }

    pub(crate) fn standard(&self) -> Option<Standard> {
        self.standard
    }
}

/// The size of a head's own layers.
struct Shape {
    units: usize,
    layers: usize,
    /// Of a two-hot head; 0 of a normal one.
    bins: usize,
    style: Style,
}

/// Declares a head with these sources; their standards have a role of their own, if it reads them standardised.
fn declare_head<F: Real>(
    declaration: &mut Declaration<F>,
    (path, role): (&str, Role),
    config: &AgentConfig,
    Shape { units, layers, bins, style }: Shape,
    (sources, standards): (Vec<RewardHead>, Option<Role>),
) -> RewardHead {
    let parts =
        [(Reads::Predictions, sources.len()), (Reads::Stoch, config.state_size()), (Reads::Deter, config.deter)];
    let shape = MlpShape { layers, units, outputs: 1, style };
    let head = NumberHead::declare(declaration.network(path, role), Inputs::of(&parts), bins, shape);
    let standard = standards.map(|role| {
        let mut network = declaration.network(&format!("{path}.standard"), role);
        let [mean, deviation] = ["mean", "deviation"].map(|name| network.parameter(name, &[sources.len()]));
        Standard { mean, deviation }
    });
    RewardHead { sources, standard, head }
}

/// Where the source at `path` has the models that it reads itself.
fn sources_of(path: &str) -> String {
    format!("{path}.sources")
}

/// Declares `sources` at `path.0`, `path.1`, ...; the sources of a source are at `path.0.sources.0`, ...
fn declare_sources<F: Real>(
    declaration: &mut Declaration<F>,
    path: &str,
    config: &AgentConfig,
    sources: &[RewardSource],
) -> Vec<RewardHead> {
    let declared = sources.iter().enumerate().map(|(index, source)| {
        let path = format!("{path}.{index}");
        let below = declare_sources(declaration, &sources_of(&path), config, &source.sources);
        let (style, bins) = (Style::of_source(source), source.bins);
        let shape = Shape { units: source.units, layers: source.layers, bins, style };
        let standards = source.standardised.then_some(Role::RewardSource);
        declare_head(declaration, (&path, Role::RewardSource), config, shape, (below, standards))
    });
    declared.collect()
}
