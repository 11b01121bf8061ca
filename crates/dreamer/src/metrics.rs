//! What one training step reports. `docs/metrics.md` explains every number.

/// Losses, norms and averages of one gradient step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepMetrics {
    /// The world model's loss.
    pub model_loss: f64,
    /// -mean log p(image), summed over an image's numbers.
    pub image_loss: f64,
    /// -mean log p(reward).
    pub reward_loss: f64,
    /// -mean log p(discount); zero without a discount head.
    pub discount_loss: f64,
    /// Mean KL(posterior || prior) in nats, before the free nats.
    pub kl: f64,
    /// Mean entropy of the prior, nats.
    pub prior_entropy: f64,
    /// Mean entropy of the posterior, nats.
    pub posterior_entropy: f64,
    /// The actor's loss.
    pub actor_loss: f64,
    /// The value head's loss.
    pub value_loss: f64,
    /// Mean imagined reward of a step.
    pub imagined_reward: f64,
    /// Mean imagined value.
    pub imagined_value: f64,
    /// Mean lambda-return.
    pub imagined_return: f64,
    /// Mean entropy of the policy in imagination, nats; estimated from the actions drawn.
    pub policy_entropy: f64,
    /// Root of the mean square of imagined actions: 1 means saturated.
    pub action_rms: f64,
    /// Global norm of the world model's gradient, before clipping.
    pub model_gradient_norm: f64,
    /// Global norm of the actor's gradient, before clipping.
    pub actor_gradient_norm: f64,
    /// Global norm of the value head's gradient, before clipping.
    pub value_gradient_norm: f64,
}

impl StepMetrics {
    /// Every number under the name it is logged by.
    pub fn named(&self) -> [(&'static str, f64); 17] {
        [
            ("model_loss", self.model_loss),
            ("image_loss", self.image_loss),
            ("reward_loss", self.reward_loss),
            ("discount_loss", self.discount_loss),
            ("kl", self.kl),
            ("prior_entropy", self.prior_entropy),
            ("posterior_entropy", self.posterior_entropy),
            ("actor_loss", self.actor_loss),
            ("value_loss", self.value_loss),
            ("imagined_reward", self.imagined_reward),
            ("imagined_value", self.imagined_value),
            ("imagined_return", self.imagined_return),
            ("policy_entropy", self.policy_entropy),
            ("action_rms", self.action_rms),
            ("model_gradient_norm", self.model_gradient_norm),
            ("actor_gradient_norm", self.actor_gradient_norm),
            ("value_gradient_norm", self.value_gradient_norm),
        ]
    }

    /// The first number that is infinite or NaN, if any.
    pub fn not_finite(&self) -> Option<(&'static str, f64)> {
        self.named().into_iter().find(|(_, x)| !x.is_finite())
    }
}
