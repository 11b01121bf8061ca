//! The range of every value of the configuration.

use super::{AgentConfig, Cell, ImageNetwork, MOST_LAYERS, ReturnsFrom};
use crate::DreamerError;

impl AgentConfig {
    /// Checks every value's range.
    ///
    /// # Errors
    /// [`DreamerError::Config`] names the first key whose value is out of range, and the range.
    pub fn validate(&self) -> Result<(), DreamerError> {
        if !self.images && self.vector == 0 {
            return Err(out_of_range("vector", 0.0, "a whole number from 1 to 65536 where no images are observed"));
        }
        let whole = [
            ("vector", self.vector, 0, 65_536),
            ("vector_layers", self.vector_layers, 1, MOST_LAYERS),
            ("vector_units", self.vector_units, 1, 65_536),
            ("depth", self.depth, 1, 1024),
            ("stoch", self.stoch, 1, 65_536),
            ("classes", self.classes, 2, 4096),
            ("deter", self.deter, 1, 65_536),
            ("blocks", self.blocks, 1, 1024),
            ("image_blocks", self.image_blocks, 1, 1024),
            ("prior_layers", self.prior_layers, 1, MOST_LAYERS),
            ("hidden", self.hidden, 1, 65_536),
            ("units", self.units, 1, 65_536),
            ("bins", self.bins, 3, 65_536),
            ("reward_layers", self.reward_layers, 1, MOST_LAYERS),
            ("value_layers", self.value_layers, 1, MOST_LAYERS),
            ("actor_layers", self.actor_layers, 1, MOST_LAYERS),
            ("discount_layers", self.discount_layers, 1, MOST_LAYERS),
            ("batch", self.batch, 1, 65_536),
            ("length", self.length, 2, 65_536),
            ("horizon", self.horizon, 2, 10_000),
            ("mode_samples", self.mode_samples, 1, 1_000_000),
            ("shard", self.shard, 1, 65_536),
        ];
        let sources: Vec<_> = self.reward_sources.iter().flat_map(|source| source.all(1)).collect();
        if sources.len() > 1024 {
            return Err(out_of_range("reward_sources", sources.len() as f64, "at most 1024 models"));
        }
        if let Some((depth, _)) = sources.iter().find(|(depth, _)| *depth > 8) {
            return Err(out_of_range(
                "reward_sources",
                *depth as f64,
                "at most 8 meta-models, each of which reads the next",
            ));
        }
        if sources.iter().any(|(_, source)| source.standardised && source.sources.is_empty()) {
            return Err(DreamerError::Config {
                key: "reward_sources.standardised".to_owned(),
                value: "true".to_owned(),
                range: "false in a model that reads no others".to_owned(),
            });
        }
        let sources = sources.into_iter().flat_map(|(_, source)| {
            [
                ("reward_sources.layers", source.layers, 1, MOST_LAYERS),
                ("reward_sources.units", source.units, 1, 65_536),
                ("reward_sources.bins", source.bins, 0, 65_536),
            ]
        });
        for (key, value, low, high) in whole.into_iter().chain(sources) {
            if !(low..=high).contains(&value) {
                return Err(out_of_range(key, value as f64, &format!("a whole number from {low} to {high}")));
            }
        }
        if self.cell == Cell::BlockGru && !self.deter.is_multiple_of(self.blocks) {
            let range =
                format!("a number that divides agent.deter, which is {}, with agent.cell = \"block_gru\"", self.deter);
            return Err(out_of_range("blocks", self.blocks as f64, &range));
        }
        self.check_replay_value()?;
        if !self.image_multipliers.iter().all(|factor| (1..=64).contains(factor)) {
            return Err(DreamerError::Config {
                key: "image_multipliers".to_owned(),
                value: format!("{:?}", self.image_multipliers),
                range: "four whole numbers from 1 to 64".to_owned(),
            });
        }
        self.check_image_blocks()?;
        if self.reward_sources.is_empty() && self.reward_sources_standardised {
            return Err(DreamerError::Config {
                key: "reward_sources_standardised".to_owned(),
                value: "true".to_owned(),
                range: "false without reward_sources; the plan of a transfer sets both".to_owned(),
            });
        }
        if self.reward_sources.is_empty() && self.reward_sources_l1 != 0.0 {
            let range = "0 without reward_sources; the plan of a transfer sets both";
            return Err(out_of_range("reward_sources_l1", self.reward_sources_l1, range));
        }
        if self.actor_warmup > 1_000_000_000 {
            return Err(out_of_range("actor_warmup", self.actor_warmup as f64, "a whole number up to 1000000000"));
        }
        if self.learning_rate_warmup > 1_000_000_000 {
            let range = "a whole number up to 1000000000";
            return Err(out_of_range("learning_rate_warmup", self.learning_rate_warmup as f64, range));
        }
        let reals = [
            ("vector_scale", self.vector_scale, 0.0, 1e6),
            ("reward_sources_l1", self.reward_sources_l1, 0.0, 1e6),
            ("barlow_scale", self.barlow_scale, 0.0, 1e6),
            ("discount_scale", self.discount_scale, 0.0, 1e6),
            ("imagine_from", self.imagine_from, 1e-6, 1.0),
            ("discount", self.discount, 0.0, 1.0),
            ("lambda", self.lambda, 0.0, 1.0),
            ("free_nats", self.free_nats, 0.0, 1e6),
            ("kl_scale", self.kl_scale, 0.0, 1e6),
            ("representation_scale", self.representation_scale, 0.0, 1e6),
            ("latent_unimix", self.latent_unimix, 1e-6, 1.0),
            ("min_std", self.min_std, 1e-6, 1e3),
            ("model_learning_rate", self.model_learning_rate, 0.0, 1.0),
            ("value_learning_rate", self.value_learning_rate, 0.0, 1.0),
            ("actor_learning_rate", self.actor_learning_rate, 0.0, 1.0),
            ("actor_unimix", self.actor_unimix, 1e-6, 1.0),
            ("actor_mean_scale", self.actor_mean_scale, 1e-3, 100.0),
            ("actor_initial_std", self.actor_initial_std, 1e-3, 100.0),
            ("actor_entropy", self.actor_entropy, 0.0, 1e6),
            ("slow_value", self.slow_value, 0.0, 1.0),
            ("replay_value", self.replay_value, 0.0, 1e6),
            ("clip_ratio", self.clip_ratio, 1e-6, 1e12),
            ("gradient_clip", self.gradient_clip, 1e-6, 1e12),
            ("exploration_noise", self.exploration_noise, 0.0, 10.0),
            ("exploration_epsilon", self.exploration_epsilon, 0.0, 1.0),
        ];
        for (key, value, low, high) in reals {
            if !(low..=high).contains(&value) {
                return Err(out_of_range(key, value, &format!("a number from {low} to {high}")));
            }
        }
        Ok(())
    }

    /// Checks that every state of the batch has an imagined return if values learn from replayed states.
    fn check_replay_value(&self) -> Result<(), DreamerError> {
        let other = match self.returns_from {
            _ if self.replay_value <= 0.0 => return Ok(()),
            ReturnsFrom::Imagined => "agent.returns_from = \"imagined\"".to_owned(),
            ReturnsFrom::Start if self.draws_starts() => format!("agent.imagine_from = {}", self.imagine_from),
            ReturnsFrom::Start => return Ok(()),
        };
        let range = format!(
            "0 with {other}; other values need the imagined return of every state of the batch, which agent.returns_from = \"start\" \
             and agent.imagine_from = 1 give"
        );
        Err(out_of_range("replay_value", self.replay_value, &range))
    }

    /// Checks that the decoder's layer in blocks can be divided, if there is one.
    fn check_image_blocks(&self) -> Result<(), DreamerError> {
        let (blocks, channels) = (self.image_blocks, self.image_channels()[3]);
        let divides = |number: usize| number.is_multiple_of(blocks);
        if !self.predicts_images() || self.image_network == ImageNetwork::V1 || divides(self.deter) && divides(channels)
        {
            return Ok(());
        }
        let range = format!(
            "a number that divides agent.deter, which is {}, and the channels of the last convolution, which are {channels}, with \
             agent.image_network = \"{}\"",
            self.deter,
            self.image_network.name()
        );
        Err(out_of_range("image_blocks", blocks as f64, &range))
    }
}

fn out_of_range(key: &str, value: f64, range: &str) -> DreamerError {
    DreamerError::Config { key: key.to_owned(), value: value.to_string(), range: range.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reconstruction;

    #[test]
    fn blocks_of_images_divide_states_and_channels() {
        let config =
            |image_network, depth, deter| AgentConfig { image_network, depth, deter, ..AgentConfig::default() };
        let refused = |config: AgentConfig| config.validate().err().map(|error| error.to_string());
        assert_eq!(refused(config(ImageNetwork::V3Pool, 2, 200)), None);
        // Who does not have these networks has nothing to divide.
        assert_eq!(refused(config(ImageNetwork::V1, 1, 201)), None);
        assert_eq!(refused(AgentConfig { images: false, vector: 1, ..config(ImageNetwork::V3Pool, 1, 201) }), None);
        let without_decoder = config(ImageNetwork::V3Pool, 1, 201);
        assert_eq!(refused(AgentConfig { reconstruction: Reconstruction::Barlow, ..without_decoder }), None);
        for (depth, deter) in [(1, 200), (2, 201)] {
            let message = refused(config(ImageNetwork::V3Strided, depth, deter)).expect("refused");
            let expected = format!(
                "a number that divides agent.deter, which is {deter}, and the channels of the last convolution, which are {}, with \
                 agent.image_network = \"v3_strided\"",
                4 * depth
            );
            assert!(message.contains("image_blocks") && message.contains(&expected), "{message}");
            assert_eq!(message.lines().count(), 1);
        }
    }
}
