//! Transfer between agents, in double precision on the tensors of a file: `ftl/result/` from `ftl/source/` and
//! `ftl/target/` by the paper's plan, and the losses, gradients and steps of agents with a reward meta-model, `mmtl/eq4/` and
//! `mmtl/released/`.

#[path = "../../../../dreamer/tests/reference/mod.rs"]
pub mod agent;

use agent::{Reference, Tensors};
use dreamer::{AgentConfig, Learner};
use std::collections::BTreeMap;
use tape::Parameter;
use transfer::{Plan, Source, resolve};

/// The inputs of the meta-model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaModel {
    /// The sources' predictions and the latent state: Eq. 4.
    Eq4,
    /// The latent state alone, as in the paper's public code, which computes the predictions and leaves them out.
    Released,
}

/// Modular and fractional transfer: `ftl/result/`. It does nothing if the file does not have `ftl/source/`.
pub fn fractional(tensors: &Tensors, config: &serde_json::Value) -> Result<Tensors, String> {
    let mut result = Tensors::new();
    if !tensors.keys().any(|name| name.starts_with("ftl/source/")) {
        return Ok(result);
    }
    let size = |key: &str| {
        let size = config[key].as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| format!("`config` lacks the size {key:?}"))
    };
    let fraction = config["omega"].as_f64().ok_or("`config` lacks the number \"omega\"")?;
    let sizes = AgentConfig {
        depth: size("depth")?,
        stoch: size("stoch")?,
        deter: size("deter")?,
        hidden: size("hidden")?,
        units: size("units")?,
        reward_layers: size("reward_layers")?,
        value_layers: size("value_layers")?,
        actor_layers: size("actor_layers")?,
        ..AgentConfig::default()
    };
    let source = agent_below(tensors, "ftl/source/", &sizes, size("action_src")?)?;
    let mut target = agent_below(tensors, "ftl/target/", &sizes, size("action")?)?;
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut plan = Plan::find("paper").map_err(|error| text(&error))?;
    plan.add_source("source", "unread".as_ref()).map_err(|error| text(&error))?;
    plan.set_fraction(fraction).map_err(|error| text(&error))?;
    let sources = [("source".to_owned(), Source::of_learner(&source))].into_iter().collect();
    let resolved = resolve(&plan, &target, &sources).map_err(|error| text(&error))?;
    resolved.apply(&mut target).map_err(|error| text(&error))?;
    let parameters = target.parameters();
    for parameter in parameters.iter() {
        let name = agent::theirs(parameters.path(parameter));
        // The file may keep some layers only.
        if tensors.contains_key(&format!("ftl/target/{name}")) {
            let values = (parameters.shape(parameter).to_vec(), parameters.values(parameter).to_vec());
            result.insert(format!("ftl/result/{name}"), values);
        }
    }
    Ok(result)
}

/// An agent with the numbers below `prefix`, zeros elsewhere.
fn agent_below(
    tensors: &Tensors,
    prefix: &str,
    sizes: &AgentConfig,
    action_size: usize,
) -> Result<Learner<f64>, String> {
    let mut agent = Learner::new(sizes, action_size).map_err(|error| error.to_string())?;
    let ours: BTreeMap<String, Parameter> = {
        let parameters = agent.parameters();
        parameters.iter().map(|parameter| (agent::theirs(parameters.path(parameter)), parameter)).collect()
    };
    for (name, (shape, values)) in tensors {
        let Some(layer) = name.strip_prefix(prefix) else { continue };
        let &parameter = ours.get(layer).ok_or_else(|| format!("{name} is of no parameter"))?;
        if shape != agent.parameters().shape(parameter) {
            return Err(format!("{name} is {shape:?}, should be {:?}", agent.parameters().shape(parameter)));
        }
        agent.parameters_mut().values_mut(parameter).copy_from_slice(values);
    }
    Ok(agent)
}

/// The file's agent with its reward meta-model in place of the plain reward model, and its encoder frozen.
pub fn with_meta_model(
    tensors: &Tensors,
    config: &serde_json::Value,
    meta_model: MetaModel,
) -> Result<Reference, String> {
    let mut config = config.clone();
    config["frozen_encoder"] = true.into();
    let mut all = tensors.clone();
    all.retain(|name, _| !name.starts_with("w/reward/"));
    let sources = (0..).map(|index| (format!("mmtl/source{index}/"), format!("w/reward_sources/{index}/")));
    let sources = sources.take_while(|(from, _)| tensors.keys().any(|name| name.starts_with(from.as_str())));
    let mut moved: Vec<(String, String)> = match meta_model {
        MetaModel::Eq4 => sources.collect(),
        MetaModel::Released => Vec::new(),
    };
    let prefix = if meta_model == MetaModel::Eq4 { "mmtl/meta/" } else { "mmtl/meta_released/" };
    moved.push((prefix.to_owned(), "w/reward/".to_owned()));
    for (from, to) in &moved {
        let named = tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(from.as_str())?, tensor)));
        all.extend(named.map(|(layer, tensor)| (format!("{to}{layer}"), tensor.clone())));
    }
    Reference::new(all, &config)
}

/// A gradient step of an agent with a reward meta-model: `mmtl/eq4/` or `mmtl/released/`. It does nothing if the file
/// does not have `mmtl/meta/`.
pub fn meta_model(tensors: &Tensors, config: &serde_json::Value, meta_model: MetaModel) -> Result<Tensors, String> {
    const FIGURES: [&str; 9] = [
        "actor_grad_norm",
        "actor_loss",
        "imag/returns",
        "imag/reward",
        "like_reward",
        "model_grad_norm",
        "model_loss",
        "reward_mean",
        "value_loss",
    ];
    const STEPS: [&str; 5] = ["adam1/reward/", "grad/actor/h0/", "grad/actor/hout/", "grad/dynamics/", "grad/reward/"];
    if !tensors.keys().any(|name| name.starts_with("mmtl/meta/")) {
        return Ok(Tensors::new());
    }
    let all = with_meta_model(tensors, config, meta_model)?.compute()?;
    let below = if meta_model == MetaModel::Eq4 { "mmtl/eq4/" } else { "mmtl/released/" };
    let mut result = Tensors::new();
    for (name, tensor) in &all {
        let name = name.strip_prefix("out/").unwrap_or(name);
        if FIGURES.contains(&name) || STEPS.iter().any(|steps| name.starts_with(steps)) {
            result.insert(format!("{below}{name}"), tensor.clone());
        }
    }
    let predictions: Vec<_> = (0..).map_while(|index| all.get(&format!("out/source_preds/{index}"))).collect();
    if let Some((shape, first)) = predictions.first() {
        let shape = [shape.as_slice(), &[predictions.len()]].concat();
        let values = (0..first.len()).flat_map(|at| predictions.iter().map(move |source| source.1[at]));
        result.insert(format!("{below}source_preds"), (shape, values.collect()));
    }
    Ok(result)
}
