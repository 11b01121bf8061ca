//! The reward meta-model (Eq. 4): the configuration of its target, the requirements for its sources, and how much it
//! uses each of them.
//!
//! Not here: the reward head itself (`dreamer::networks::RewardHead`), nor the copying of the sources' weights, which is
//! done by rules like any other transfer.

use crate::document::MetaModelPredictions;
use crate::error::TransferError;
use crate::plan::Plan;
use crate::source::Sources;
use dreamer::networks::{Reads, Role};
use dreamer::{AgentConfig, ImageNetwork, Learner, RewardSource};
use serde::{Deserialize, Serialize};
use tape::{Parameter, Real};

/// The configuration of a plan's target: `base`, with the encoder frozen if a rule freezes it, and with the reward
/// meta-model if the plan has one.
///
/// # Errors
/// If a source of the meta-model has another latent state, or `base` has other reward sources.
pub fn target_config<F: Real>(
    plan: &Plan,
    base: &AgentConfig,
    sources: &Sources<F>,
) -> Result<AgentConfig, TransferError> {
    plan.check_sources()?;
    let mut config = base.clone();
    // Rules that freeze other parameters than the encoder are refused later, when the parameters are known.
    config.frozen_encoder |= plan.rules().iter().any(|rule| rule.frozen);
    let Some(meta_model) = plan.meta_model() else { return Ok(config) };
    let mut reward_sources = Vec::new();
    for name in &meta_model.sources {
        let Some(source) = sources.get(name).map(|source| source.config()) else { continue };
        let (place, name) = (plan.meta_model_place(), name.clone());
        if (source.stoch, source.deter) != (base.stoch, base.deter) {
            return Err(TransferError::OtherFeature {
                place,
                name,
                theirs_stoch: source.stoch,
                theirs_deter: source.deter,
                stoch: base.stoch,
                deter: base.deter,
            });
        }
        reward_sources.push(RewardSource {
            layers: source.reward_layers,
            units: source.units,
            sources: source.reward_sources.clone(),
            standardised: source.reward_sources_standardised,
            bins: source.head_bins(),
            norm: source.norm,
            activation: source.activation,
        });
    }
    if !base.reward_sources.is_empty() && base.reward_sources != reward_sources {
        return Err(TransferError::DoubleMetaModel { plan: plan.name().to_owned() });
    }
    config.reward_sources = reward_sources;
    config.reward_layers = meta_model.layers;
    config.reward_sources_standardised = meta_model.predictions == MetaModelPredictions::Standardised;
    config.reward_sources_l1 = meta_model.l1;
    Ok(config)
}

/// Checks that a target has the configuration that a plan's meta-model needs.
pub(crate) fn check_target<F: Real>(
    plan: &Plan,
    target: &Learner<F>,
    sources: &Sources<F>,
) -> Result<(), TransferError> {
    let Some(meta_model) = plan.meta_model() else { return Ok(()) };
    let (config, needed) = (target.config(), target_config(plan, target.config(), sources)?);
    let plan_name = || plan.name().to_owned();
    if config.reward_sources != needed.reward_sources {
        let (found, needed) = (config.reward_sources.len(), needed.reward_sources.len());
        let why = format!("agent.reward_sources has {found} models, but the plan needs {needed}");
        return Err(TransferError::Target { plan: plan_name(), why });
    }
    for (key, found, planned) in [
        (
            "reward_sources_standardised",
            config.reward_sources_standardised.to_string(),
            needed.reward_sources_standardised.to_string(),
        ),
        ("reward_sources_l1", config.reward_sources_l1.to_string(), needed.reward_sources_l1.to_string()),
    ] {
        if found != planned {
            let why = format!("agent.{key} is {found}, but the plan needs {planned}");
            return Err(TransferError::Target { plan: plan_name(), why });
        }
    }
    if config.reward_layers != meta_model.layers {
        let why = format!(
            "agent.reward_layers is {}, but the meta-model of the plan has {}",
            config.reward_layers, meta_model.layers
        );
        return Err(TransferError::Target { plan: plan_name(), why });
    }
    if !needed.frozen_encoder && !meta_model.any_encoder {
        return Err(TransferError::LooseEncoder { place: plan.meta_model_place() });
    }
    Ok(())
}

/// Checks that every source of a plan's meta-model has the encoder that the target will have, bit for bit. `changed` gives
/// the new numbers of a parameter, if it is changed.
pub(crate) fn check_encoders<'r, F: Real>(
    plan: &Plan,
    target: &'r Learner<F>,
    sources: &Sources<F>,
    changed: impl Fn(Parameter) -> Option<&'r [F]>,
) -> Result<(), TransferError> {
    let Some(meta_model) = plan.meta_model().filter(|meta_model| !meta_model.any_encoder) else { return Ok(()) };
    let parameters = target.parameters();
    for name in &meta_model.sources {
        let Some(theirs) = sources.get(name).map(|source| source.config()) else { continue };
        let [theirs, ours] = [theirs, target.config()].map(|config| config.image_network);
        if target.config().images && theirs != ours {
            // Layers of the same shapes can halve images in other ways.
            let [theirs, ours] = [theirs, ours].map(ImageNetwork::name);
            let why = format!("agent.image_network is \"{theirs}\" in the source and \"{ours}\" in the target");
            return Err(TransferError::OtherEncoder { place: plan.meta_model_place(), name: name.clone(), why });
        }
    }
    for parameter in parameters.iter().filter(|&parameter| target.networks().role(parameter) == Role::Encoder) {
        let (path, shape) = (parameters.path(parameter), parameters.shape(parameter));
        let ours = changed(parameter).unwrap_or_else(|| parameters.values(parameter));
        for name in &meta_model.sources {
            let Some(theirs) = sources.get(name).map(|source| source.parameters()) else { continue };
            let differ = |why: String| {
                Err(TransferError::OtherEncoder { place: plan.meta_model_place(), name: name.clone(), why })
            };
            let Some(same) = theirs.find(path) else { return differ(format!("it does not have {path}")) };
            if theirs.shape(same) != shape {
                return differ(format!("{path} is {:?} in the source and {shape:?} in the target", theirs.shape(same)));
            }
            let bits = |x: &F| x.to_f64().to_bits();
            let different = theirs.values(same).iter().zip(ours).filter(|(a, b)| bits(a) != bits(b)).count();
            if different > 0 {
                return differ(format!("{different} of {} numbers of {path} differ", ours.len()));
            }
        }
    }
    Ok(())
}

/// How much a reward meta-model uses its inputs: norms of the rows of its first kernel.
///
/// The larger the row of a prediction, the more the meta-model listens to that source, if the sources predict rewards of
/// similar size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputUse {
    /// The Euclidean norm of each source's row, in the order of the sources.
    pub predictions: Vec<f64>,
    /// The root mean square of the norms of the rows that read the stochastic state.
    pub stoch: f64,
    /// The root mean square of the norms of the rows that read the deterministic state.
    pub deter: f64,
}

/// Gives a new agent with a reward meta-model the random parameters of the same agent without reward sources, and weights of zero
/// for the predictions of its sources: both predict the same rewards.
///
/// # Panics
/// If the two agents differ in more than the sources.
pub(crate) fn start_silently<F: Real>(learner: &mut Learner<F>, alone: &Learner<F>) {
    for parameter in alone.parameters().iter() {
        let (path, values) = (alone.parameters().path(parameter), alone.parameters().values(parameter));
        let here = learner.parameters().find(path).expect("it has everything that it has without sources");
        let rows = learner.networks().rows(here).iter().find(|(reads, _)| *reads == Reads::Predictions);
        let numbers: usize = learner.parameters().shape(here)[1..].iter().product();
        let predictions = rows.map(|(_, rows)| rows.start * numbers..rows.end * numbers).unwrap_or_default();
        let target = learner.parameters_mut().values_mut(here);
        target[predictions.clone()].fill(F::ZERO);
        let (before, after) = values.split_at(predictions.start);
        target[..predictions.start].copy_from_slice(before);
        target[predictions.end..].copy_from_slice(after);
    }
}

/// How much an agent's reward meta-model uses each of its inputs; `None` if its reward model has no sources.
pub fn input_use<F: Real>(learner: &Learner<F>) -> Option<InputUse> {
    let (networks, parameters) = (learner.networks(), learner.parameters());
    let reads_predictions = |&parameter: &Parameter| {
        networks.role(parameter) == Role::Reward
            && networks.rows(parameter).iter().any(|(reads, _)| *reads == Reads::Predictions)
    };
    let kernel = parameters.iter().find(reads_predictions)?;
    let (values, units) = (parameters.values(kernel), parameters.shape(kernel)[1]);
    let norms = |part: Reads| -> Vec<f64> {
        let rows = networks.rows(kernel).iter().find(|(reads, _)| *reads == part);
        let range = rows.map(|(_, range)| range.clone()).unwrap_or_default();
        range.map(|row| crate::arithmetic::norm(&values[row * units..(row + 1) * units])).collect()
    };
    let root_mean_square = |norms: Vec<f64>| (norms.iter().map(|x| x * x).sum::<f64>() / norms.len() as f64).sqrt();
    Some(InputUse {
        predictions: norms(Reads::Predictions),
        stoch: root_mean_square(norms(Reads::Stoch)),
        deter: root_mean_square(norms(Reads::Deter)),
    })
}
