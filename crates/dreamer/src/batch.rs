//! A batch as the agent reads it, in the learner's precision.

use crate::{AgentConfig, DreamerError, networks::IMAGE_NUMBERS};

/// B sequences of L transitions, sequence by sequence.
#[derive(Clone, Copy, Debug)]
pub struct BatchView<'a, F> {
    /// Images [B, L, 64, 64, 3]; empty if the agent does not observe images.
    pub image: &'a [u8],
    /// Vectors [B, L, V]; empty if the agent does not observe vectors.
    pub vector: &'a [F],
    /// The actions that led to the observations [B, L, A].
    pub action: &'a [F],
    /// Rewards that came with the observations [B, L].
    pub reward: &'a [F],
    /// Discounts that came with the observations [B, L]: 0 at a terminal state, else 1.
    pub discount: &'a [F],
    /// 1 where an episode begins, else 0 [B, L]; empty unless [`AgentConfig::resets`].
    pub first: &'a [F],
    /// The latent states that the sequences begin from, [stoch, deter] [B, S + D]; empty if they begin from zeros.
    pub start: &'a [F],
    /// The embeddings [B, L, E] of the images by a frozen encoder, if they are known already; empty if they must be
    /// computed, or if the encoder is trained.
    pub embedding: &'a [F],
}

impl<F> BatchView<'_, F> {
    /// Checks every size against the agent's.
    ///
    /// # Errors
    /// [`DreamerError::Batch`] names the part that does not fit.
    pub fn check(&self, config: &AgentConfig, action_size: usize) -> Result<(), DreamerError> {
        let transitions = config.batch * config.length;
        let parts = [
            ("images", self.image.len(), if config.images { transitions * IMAGE_NUMBERS } else { 0 }),
            ("vectors", self.vector.len(), transitions * config.vector),
            ("actions", self.action.len(), transitions * action_size),
            ("rewards", self.reward.len(), transitions),
            ("discounts", self.discount.len(), transitions),
            ("start", self.start.len(), if self.start.is_empty() { 0 } else { config.batch * config.feature() }),
            ("beginnings of episodes", self.first.len(), if config.resets { transitions } else { 0 }),
            (
                "embeddings",
                self.embedding.len(),
                if self.embedding.is_empty() { 0 } else { transitions * config.embed() },
            ),
        ];
        if !self.embedding.is_empty() && !config.frozen_encoder {
            let what = "it contains embeddings, but the agent trains its encoder, so they would come from an earlier \
                encoder";
            return Err(DreamerError::Batch { what: what.to_owned() });
        }
        for (part, found, expected) in parts {
            if found != expected {
                let what = format!(
                    "{part} has {found} numbers, but {} sequences of {} transitions with {action_size} action elements \
                     need {expected}",
                    config.batch, config.length
                );
                return Err(DreamerError::Batch { what });
            }
        }
        Ok(())
    }
}
