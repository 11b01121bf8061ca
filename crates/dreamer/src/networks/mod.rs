//! The networks of the agent: their layers, and their values on a tape.
//!
//! One file a network. Here: all of them together, their parameters' names and initial values. Not here: losses.

mod cell;
mod declaration;
mod image;
mod layer;
mod loss_weights;
mod mlp;
mod number_head;
mod observation;
mod projector;
mod reward;
mod rssm;
mod same_images;
mod valid_images;
mod vector;

pub use declaration::{Reads, Role};
pub use image::{IMAGE_NUMBERS, ImageDecoder, ImageEncoder};
pub use loss_weights::LearnedWeights;
pub(crate) use loss_weights::LossKind;
pub use mlp::Mlp;
pub use number_head::NumberHead;
pub use observation::{Decoder, Encoder, ObservationVars};
pub use projector::Projector;
pub use reward::RewardHead;
pub use rssm::{Observed, Rssm, Seen};
pub use vector::{VectorDecoder, VectorEncoder, symlog};

use crate::{AgentConfig, ReturnScale};
use declaration::{Declaration, Inputs, Meaning};
use layer::Style;
use mlp::MlpShape;
use random::Stream;
use std::ops::Range;
use tape::{Parameter, ParameterSet, Parameters, Real, initialise};

/// Every network of an agent, as places in its [`Parameters`].
#[derive(Clone, Debug)]
pub struct Networks {
    /// Observation to embedding.
    pub encoder: Encoder,
    /// The latent dynamics.
    pub rssm: Rssm,
    /// Feature to observation, if the agent predicts observations.
    pub decoder: Decoder,
    /// Feature to a projection that is compared with the embedding, if the agent does that instead.
    pub projector: Option<Projector>,
    /// Feature to the reward's mean.
    pub reward: RewardHead,
    /// Feature to the logit of continuing, if the agent has this head.
    pub discount: Option<Mlp>,
    /// The learned weights of the losses of the world model, if they are learned.
    pub loss_weights: Option<LearnedWeights>,
    /// Feature to the outputs that the distribution of actions is made from.
    pub actor: Mlp,
    /// Feature to the value's mean.
    pub value: NumberHead,
    /// The slow copy of the value head, if there is one.
    pub slow_value: Option<NumberHead>,
    /// The range of imagined returns, `[low, high]`, if the actor's objective divides by it.
    pub return_range: Option<Parameter>,
    /// The meaning of each parameter, in order of declaration.
    meanings: Vec<Meaning>,
}

impl Networks {
    /// Declares every parameter of an agent, in a fixed order: world model, actor, value.
    ///
    /// # Panics
    /// If `parameters` is not empty.
    pub fn declare<F: Real>(config: &AgentConfig, action_size: usize, parameters: &mut Parameters<F>) -> Self {
        let mut declaration = Declaration::new(parameters);
        let encoder = Encoder::declare(&mut declaration, config);
        let rssm = Rssm::declare(&mut declaration, config, action_size);
        let decoder = Decoder::declare(&mut declaration, config);
        let projector = (!config.predicts_observations()).then(|| Projector::declare(&mut declaration, config));
        let reward = RewardHead::declare(&mut declaration, config);
        let loss_weights = LearnedWeights::declare(&mut declaration, config);
        let style = Style::of(config);
        let shape = |layers, outputs| MlpShape { layers, units: config.units, outputs, style };
        let mut head = |path: &str, role, layers, outputs| {
            Mlp::declare(declaration.network(path, role), Inputs::feature(config), shape(layers, outputs))
        };
        let discount =
            config.discount_head.then(|| head("world_model.discount", Role::Discount, config.discount_layers, 1));
        let actor = head("actor", Role::Actor, config.actor_layers, config.actor.outputs(action_size));
        let mut value_head = |path: &str, role| {
            let shape = shape(config.value_layers, 1);
            NumberHead::declare(declaration.network(path, role), Inputs::feature(config), config.head_bins(), shape)
        };
        let value = value_head("value", Role::Value);
        let slow_value = (config.slow_value > 0.0).then(|| value_head("slow_value", Role::SlowValue));
        let return_range = (config.return_scale == ReturnScale::Percentile)
            .then(|| declaration.network("return_range", Role::ReturnRange).parameter("bounds", &[2]));
        let meanings = declaration.finish();
        Self {
            encoder,
            rssm,
            decoder,
            projector,
            reward,
            discount,
            loss_weights,
            actor,
            value,
            slow_value,
            return_range,
            meanings,
        }
    }

    /// The part of the agent that a parameter belongs to.
    pub fn role(&self, parameter: Parameter) -> Role {
        self.meanings[parameter.index()].role
    }

    /// The inputs that the rows of a parameter read, in order and without gaps; empty if its rows do not have a
    /// meaning.
    pub fn rows(&self, parameter: Parameter) -> &[(Reads, Range<usize>)] {
        &self.meanings[parameter.index()].rows
    }

    /// The kernel [units, 1] and the bias `[1]` of the output layer of a head whose prediction (of the discount head:
    /// whose logit) is linear in them; `None` for other roles, for two-hot heads, and for a head that the agent does
    /// not have.
    pub fn linear_output_layer(&self, role: Role) -> Option<(Parameter, Parameter)> {
        match role {
            Role::Reward => self.reward.linear_output_layer(),
            Role::Discount => self.discount.as_ref().map(Mlp::output_layer),
            Role::Value => self.value.linear_output_layer(),
            _ => None,
        }
    }

    /// Each parameter of the slow value head with that of the value head that it follows.
    pub(crate) fn slow_pairs<'a, F: Real>(
        &'a self,
        parameters: &Parameters<F>,
    ) -> impl Iterator<Item = (Parameter, Parameter)> + use<'a, F> {
        let [slow, value] = [Role::SlowValue, Role::Value]
            .map(|role| parameters.iter().filter(move |parameter| self.role(*parameter) == role));
        slow.zip(value)
    }

    /// The set of the parameters whose role `includes` accepts.
    pub(crate) fn set<F: Real>(&self, parameters: &Parameters<F>, includes: impl Fn(Role) -> bool) -> ParameterSet {
        parameters.set(|path| parameters.find(path).is_some_and(|parameter| includes(self.role(parameter))))
    }
}

/// Draws every parameter's initial value: Glorot uniform, orthogonal for the recurrent kernel, zero for biases and for
/// the output layers of two-hot heads, learned weights of losses and the range of returns, one for the scales of norms; standards that change
/// nothing until they are measured.
pub fn initialise<F: Real>(networks: &Networks, parameters: &mut Parameters<F>, random: &mut Stream) {
    for parameter in parameters.iter() {
        let path = parameters.path(parameter).to_owned();
        let shape = parameters.shape(parameter).to_vec();
        let values = parameters.values_mut(parameter);
        let field: usize = shape.iter().rev().skip(2).product();
        match (path.rsplit('.').next(), shape.as_slice()) {
            _ if networks.meanings[parameter.index()].starts_at_zero => values.fill(F::ZERO),
            (Some("bias" | "mean"), _) => values.fill(F::ZERO),
            (Some("scale" | "deviation"), _) => values.fill(F::ONE),
            (Some("recurrent_kernel"), &[rows, cols]) => initialise::orthogonal(values, rows, cols, random),
            // Each block is a layer.
            (_, &[_, inputs, outputs]) => initialise::glorot_uniform(values, inputs, outputs, random),
            (_, &[.., inputs, outputs]) => initialise::glorot_uniform(values, field * inputs, field * outputs, random),
            (_, shape) => unreachable!("{path} has shape {shape:?}"),
        }
    }
}
