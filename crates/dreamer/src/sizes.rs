//! The sizes of an agent: everything that the shapes of its parameters depend on, in one list.
//!
//! Transfer names the sizes in which a source and its target differ, and recognises the preset of a source by them. Not
//! here: the parameters (`networks`), and the ranges of settings (`config`).

use crate::AgentConfig;

/// A part of the configuration that shapes of parameters depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its name in messages: that of its setting, if it has one.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// The part that decides it.
    pub decided_by: DecidedBy,
}

/// The parts that decide a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// The tasks: their observations, their actions, and how episodes end.
    Tasks,
    /// The preset and other settings.
    Settings,
    /// A transfer: a reward meta-model has sources, and layers of its own.
    Transfer,
}

impl AgentConfig {
    /// Everything but the action size that the shapes of its parameters depend on.
    pub fn sizes(&self) -> Vec<Size> {
        use DecidedBy::{Settings, Tasks, Transfer};
        let size =
            |name, value: &dyn std::fmt::Display, decided_by| Size { name, value: value.to_string(), decided_by };
        vec![
            size("agent.actor", &self.actor.name(), Tasks),
            size("images observed", &self.images, Tasks),
            size("length of the observed vector", &self.vector, Tasks),
            size("agent.vector_layers", &self.vector_layers, Settings),
            size("agent.vector_units", &self.vector_units, Settings),
            size("agent.image_network", &self.image_network.name(), Settings),
            size("agent.depth", &self.depth, Settings),
            size("agent.image_multipliers", &format!("{:?}", self.image_multipliers), Settings),
            size("agent.image_blocks", &self.image_blocks, Settings),
            size("agent.reconstruction", &self.reconstruction.name(), Settings),
            size("agent.latent", &self.latent.name(), Settings),
            size("agent.stoch", &self.stoch, Settings),
            size("agent.classes", &self.classes, Settings),
            size("agent.cell", &self.cell.name(), Settings),
            size("agent.deter", &self.deter, Settings),
            size("agent.blocks", &self.blocks, Settings),
            size("agent.prior_layers", &self.prior_layers, Settings),
            size("agent.hidden", &self.hidden, Settings),
            size("agent.units", &self.units, Settings),
            size("agent.norm", &self.norm.name(), Settings),
            size("agent.loss_weights", &self.loss_weights.name(), Settings),
            size("agent.heads", &self.heads.name(), Settings),
            size("agent.bins", &self.bins, Settings),
            size("agent.return_scale", &self.return_scale.name(), Settings),
            size("agent.reward_layers", &self.reward_layers, Transfer),
            size("agent.value_layers", &self.value_layers, Settings),
            size("agent.actor_layers", &self.actor_layers, Settings),
            size("agent.discount_head", &self.discount_head, Tasks),
            size("agent.discount_layers", &self.discount_layers, Settings),
            size("length of agent.reward_sources", &self.reward_sources.len(), Transfer),
            size("agent.reward_sources_standardised", &self.reward_sources_standardised, Transfer),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cell, Heads, ImageNetwork, Latent, Learner, RewardSource};
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Another value of a setting, if it is one that could be a size.
    fn another(key: &str, value: &Value) -> Option<Value> {
        match value {
            Value::Bool(value) => Some((!value).into()),
            Value::Number(value) => value.as_u64().map(|value| (value + 1).into()),
            Value::String(_) if key == "actor" => Some("one_hot".into()),
            Value::String(_) if key == "cell" => Some("gru".into()),
            Value::String(_) if key == "image_network" => Some("v1".into()),
            Value::String(_) if key == "latent" => Some("gaussian".into()),
            Value::String(_) if key == "norm" => Some("rms".into()),
            Value::String(_) if key == "return_scale" => Some("percentile".into()),
            Value::String(_) if key == "reconstruction" => Some("barlow".into()),
            Value::String(_) if key == "loss_weights" => Some("harmony".into()),
            Value::String(_) if key == "optimiser" => Some("laprop".into()),
            Value::String(_) if key == "activation" => Some("silu".into()),
            Value::String(_) if key == "divergence" => Some("balanced".into()),
            Value::String(_) if key == "heads" => Some("normal".into()),
            Value::Array(_) if key == "image_multipliers" => Some(vec![2, 3, 4, 5].into()),
            Value::Array(sources) => Some([&sources[..], &sources[..]].concat().into()),
            _ => None,
        }
    }

    fn shapes(config: &AgentConfig) -> Vec<(String, Vec<usize>)> {
        let learner = Learner::<f32>::declared(config, 2).unwrap();
        let parameters = learner.parameters();
        parameters.iter().map(|one| (parameters.path(one).to_owned(), parameters.shape(one).to_vec())).collect()
    }

    #[test]
    fn shapes_depend_on_the_listed_settings_and_no_others() {
        let config = AgentConfig {
            vector: 3,
            vector_units: 4,
            image_network: ImageNetwork::V3Pool,
            depth: 1,
            image_blocks: 1,
            stoch: 2,
            cell: Cell::BlockGru,
            // A multiple of one block and of two.
            deter: 4,
            blocks: 1,
            hidden: 4,
            units: 5,
            discount_head: true,
            heads: Heads::TwoHot,
            latent: Latent::Categorical,
            classes: 3,
            reward_sources: vec![RewardSource { layers: 1, units: 2, ..RewardSource::default() }],
            ..AgentConfig::default()
        };
        let before = shapes(&config);
        let Value::Object(settings) = serde_json::to_value(&config).unwrap() else { panic!("a table") };
        let mut changing = BTreeSet::new();
        for (key, value) in &settings {
            let Some(value) = another(key, value) else { continue };
            let mut changed = settings.clone();
            changed.insert(key.clone(), value);
            let changed: AgentConfig = serde_json::from_value(changed.into()).unwrap();
            if shapes(&changed) != before {
                changing.insert(key.clone());
            }
        }
        let setting = |name: &str| match name {
            "images observed" => "images".to_owned(),
            "length of the observed vector" => "vector".to_owned(),
            name => name.rsplit('.').next().unwrap().to_owned(),
        };
        let listed: BTreeSet<String> = config.sizes().iter().map(|size| setting(size.name)).collect();
        assert_eq!(changing, listed);
    }
}
