//! The meaning of parameters: the role of each, and the inputs that the rows of its kernel read. Networks declare both
//! together with the parameters.
//!
//! Transfer works on these declarations; it knows no path. Not here: shapes and numbers, which [`Parameters`] has.

use crate::AgentConfig;
use std::ops::Range;
use tape::{Parameter, Parameters, Real};

/// The part of the agent that a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Observation to embedding.
    Encoder,
    /// The latent dynamics: prior, posterior and recurrent cell.
    Dynamics,
    /// Feature to observation.
    Decoder,
    /// Feature to a projection that is compared with the embedding, in place of decoders.
    Projector,
    /// The learned weights of the losses of the world model.
    LossWeights,
    /// The reward head.
    Reward,
    /// A frozen reward model of an earlier agent, which a reward meta-model reads.
    RewardSource,
    /// Mean and deviation of the predictions of those models, by which the reward head's inputs are standardised. They
    /// are measured once, and then constants of the agent.
    RewardStandard,
    /// The discount head.
    Discount,
    /// The actor.
    Actor,
    /// The value head.
    Value,
    /// The slow copy of the value head, which follows it and is never trained.
    SlowValue,
    /// The range of imagined returns, which the actor's objective divides by. It follows the returns and is never
    /// trained.
    ReturnRange,
}

impl Role {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::Dynamics => "dynamics",
            Self::Decoder => "decoder",
            Self::Projector => "projector",
            Self::LossWeights => "loss weights",
            Self::Reward => "reward",
            Self::RewardSource => "reward sources",
            Self::RewardStandard => "reward standards",
            Self::Discount => "discount",
            Self::Actor => "actor",
            Self::Value => "value",
            Self::SlowValue => "slow value",
            Self::ReturnRange => "return range",
        }
    }

    /// Whether it is part of the world model.
    pub fn is_world_model(self) -> bool {
        !matches!(self, Self::Actor | Self::Value | Self::SlowValue | Self::ReturnRange)
    }

    /// Whether an agent derives parameters of this role itself, from what it trains and sees: a transfer gives it none.
    pub fn is_derived(self) -> bool {
        matches!(self, Self::RewardStandard | Self::SlowValue | Self::ReturnRange)
    }

    /// Whether parameters of this role are never trained: those of the universal encoder, of reward models of earlier
    /// agents, and what is derived.
    pub fn is_frozen(self, config: &AgentConfig) -> bool {
        match self {
            Self::Encoder => config.frozen_encoder,
            Self::RewardSource => true,
            _ => self.is_derived(),
        }
    }
}

/// A part of a layer's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    /// The stochastic state.
    Stoch,
    /// The deterministic state.
    Deter,
    /// The action.
    Action,
    /// The observation's embedding.
    Embedding,
    /// The numbers of a vector observation.
    Vector,
    /// Predictions of the frozen reward models that a reward meta-model reads.
    Predictions,
}

/// The inputs of a layer: the size of each part, in order.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    size: usize,
    rows: Vec<(Reads, Range<usize>)>,
}

impl Inputs {
    /// Parts with a meaning.
    pub fn of(parts: &[(Reads, usize)]) -> Self {
        let (mut size, mut rows) = (0, Vec::new());
        for &(reads, count) in parts.iter().filter(|(_, count)| *count > 0) {
            rows.push((reads, size..size + count));
            size += count;
        }
        Self { size, rows }
    }

    /// The output of a hidden layer, whose elements do not have separate meanings.
    pub fn hidden(size: usize) -> Self {
        Self { size, rows: Vec::new() }
    }

    /// A latent state's feature, [stoch, deter].
    pub fn feature(config: &AgentConfig) -> Self {
        Self::of(&[(Reads::Stoch, config.state_size()), (Reads::Deter, config.deter)])
    }
}

/// The meaning of a parameter.
#[derive(Clone, Debug)]
pub(super) struct Meaning {
    pub role: Role,
    /// The rows of a kernel by the inputs that they read, in order and without gaps; empty if they do not have a
    /// meaning.
    pub rows: Vec<(Reads, Range<usize>)>,
    /// Whether it starts at zero, whatever its shape.
    pub starts_at_zero: bool,
}

/// Parameters while they are declared, with their meanings.
pub(super) struct Declaration<'a, F> {
    parameters: &'a mut Parameters<F>,
    meanings: Vec<Meaning>,
}

impl<'a, F: Real> Declaration<'a, F> {
    /// Declares into `parameters`, which must be empty.
    pub fn new(parameters: &'a mut Parameters<F>) -> Self {
        assert!(parameters.is_empty(), "an agent's parameters are declared once");
        Self { parameters, meanings: Vec::new() }
    }

    /// Begins a network whose parameters' paths begin with `path`.
    pub fn network(&mut self, path: &str, role: Role) -> Layers<'_, 'a, F> {
        Layers { declaration: self, path: path.to_owned(), role, zero_output: false }
    }

    /// The meanings of all parameters, in order of declaration.
    pub fn finish(self) -> Vec<Meaning> {
        self.meanings
    }
}

/// A network whose layers are declared.
pub(super) struct Layers<'d, 'a, F> {
    declaration: &'d mut Declaration<'a, F>,
    path: String,
    role: Role,
    /// Whether the output layer, `hout`, starts at zero.
    pub zero_output: bool,
}

impl<F: Real> Layers<'_, '_, F> {
    /// A parameter whose rows do not have a meaning.
    pub fn parameter(&mut self, name: &str, shape: &[usize]) -> Parameter {
        self.declare(name, shape, Vec::new())
    }

    /// A kernel [inputs, outputs].
    pub fn kernel(&mut self, name: &str, inputs: Inputs, outputs: usize) -> Parameter {
        self.declare(name, &[inputs.size, outputs], inputs.rows)
    }

    /// A dense layer: its kernel [inputs, outputs], then its bias [outputs].
    pub fn dense(&mut self, name: &str, inputs: Inputs, outputs: usize) -> (Parameter, Parameter) {
        let kernel = self.kernel(&format!("{name}.kernel"), inputs, outputs);
        (kernel, self.parameter(&format!("{name}.bias"), &[outputs]))
    }

    fn declare(&mut self, name: &str, shape: &[usize], rows: Vec<(Reads, Range<usize>)>) -> Parameter {
        let Declaration { parameters, meanings } = &mut *self.declaration;
        let starts_at_zero = matches!(self.role, Role::ReturnRange | Role::LossWeights)
            || (self.zero_output && name.starts_with("hout."));
        meanings.push(Meaning { role: self.role, rows, starts_at_zero });
        parameters.declare(&format!("{}.{name}", self.path), shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::Networks;
    use crate::{ReturnScale, RewardSource};

    /// Sizes that are all different, so that no two parts can be mistaken for each other, and every network there is.
    fn config() -> AgentConfig {
        let (depth, stoch, deter, hidden, units) = (1, 5, 11, 13, 14);
        let plain = RewardSource { layers: 1, units: 7, ..RewardSource::default() };
        let meta_model = RewardSource { sources: vec![plain.clone(); 2], standardised: true, ..plain.clone() };
        let reward_sources = vec![plain, meta_model];
        AgentConfig {
            depth,
            stoch,
            deter,
            hidden,
            units,
            reward_sources,
            reward_sources_standardised: true,
            discount_head: true,
            return_scale: ReturnScale::Percentile,
            slow_value: 0.02,
            vector: 17,
            vector_units: 19,
            ..AgentConfig::default()
        }
    }

    fn declared() -> (Networks, Parameters<f32>) {
        let mut parameters = Parameters::new();
        (Networks::declare(&config(), 4, &mut parameters), parameters)
    }

    #[test]
    fn rows_with_a_meaning_are_all_rows_of_their_kernel() {
        let (networks, parameters) = declared();
        let mut named = 0;
        for parameter in parameters.iter() {
            let rows = networks.rows(parameter);
            if let Some((_, last)) = rows.last() {
                assert_eq!(last.end, parameters.shape(parameter)[0], "{}", parameters.path(parameter));
                assert!(rows.windows(2).all(|pair| pair[0].1.end == pair[1].1.start) && rows[0].1.start == 0);
                named += 1;
            }
        }
        assert_eq!(named, 16);
    }

    #[test]
    fn every_kernel_that_reads_a_state_or_the_feature_declares_it() {
        let (networks, parameters) = declared();
        for parameter in parameters.iter().filter(|&parameter| parameters.shape(parameter).len() == 2) {
            let path = parameters.path(parameter);
            if !path.ends_with("bias") && [16, 11, 9, 18, 62, 17].contains(&parameters.shape(parameter)[0]) {
                assert!(!networks.rows(parameter).is_empty(), "{path}");
            }
        }
    }

    #[test]
    fn every_role_has_parameters() {
        let (networks, parameters) = declared();
        for (role, path) in [
            (Role::Encoder, "world_model.encoder.h1.kernel"),
            (Role::Dynamics, "world_model.rssm.gru.bias"),
            (Role::Decoder, "world_model.decoder.h2.kernel"),
            (Role::Reward, "world_model.reward.h0.kernel"),
            (Role::RewardSource, "world_model.reward_sources.1.sources.0.hout.bias"),
            (Role::RewardSource, "world_model.reward_sources.1.standard.deviation"),
            (Role::RewardStandard, "world_model.reward.standard.mean"),
            (Role::Discount, "world_model.discount.hout.bias"),
            (Role::Actor, "actor.h0.kernel"),
            (Role::Value, "value.hout.kernel"),
            (Role::SlowValue, "slow_value.h0.kernel"),
            (Role::ReturnRange, "return_range.bounds"),
        ] {
            assert_eq!(networks.role(parameters.find(path).unwrap()), role, "{path}");
        }
    }
}
