//! The table of all metrics of a gradient step: names, units, formulas, healthy ranges, and how each follows from a sum.
//!
//! The texts are Markdown, in the letters of `docs/metrics.md`: B sequences of L transitions in a batch, H imagined steps,
//! A action size, S stochastic state size. A test compares the page with this table.

use super::{Metric, Per, Reduction};

/// A metric and its description.
#[derive(Clone, Copy, Debug)]
pub struct MetricRow {
    /// The metric.
    pub metric: Metric,
    /// The name by which it is logged.
    pub name: &'static str,
    /// The part of the agent that it is about.
    pub group: MetricGroup,
    /// Its unit.
    pub unit: &'static str,
    /// Its formula.
    pub formula: &'static str,
    /// Healthy values.
    pub healthy: &'static str,
    /// How it is computed.
    pub value: MetricValue,
}

/// The part of the agent that a metric is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricGroup {
    /// The world model.
    WorldModel,
    /// Actor and value model, and the rollouts that they learn from.
    Behaviour,
}

/// How a metric is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricValue {
    /// From the mean of a recorded value over the batch.
    Mean {
        /// How the value is summed.
        of: Reduction,
        /// The divisor of the sum.
        per: Per,
        /// The transformation of the mean.
        form: MeanForm,
    },
    /// The world model's loss: the weighted means of its terms.
    ModelLoss,
    /// The global norm of an optimiser's gradient, before it is clipped.
    GradientNorm,
}

/// The transformation of the mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeanForm {
    /// The mean itself.
    Plain,
    /// Minus the mean: a loss, where the mean is of log-densities or of returns.
    Negated,
    /// Its square root.
    Root,
}

impl MeanForm {
    /// The metric from a sum and its divisor.
    pub(crate) fn of(self, sum: f64, count: f64) -> f64 {
        match self {
            Self::Plain => sum / count,
            Self::Negated => -sum / count,
            Self::Root => (sum / count).sqrt(),
        }
    }
}

const fn mean(of: Reduction, per: Per) -> MetricValue {
    MetricValue::Mean { of, per, form: MeanForm::Plain }
}

const fn negated_mean(per: Per) -> MetricValue {
    MetricValue::Mean { of: Reduction::Numbers, per, form: MeanForm::Negated }
}

/// Every metric of a gradient step, in the order of [`Metric`], in which they are logged.
pub const METRICS: [MetricRow; Metric::COUNT] = [
    MetricRow {
        metric: Metric::ModelLoss,
        name: "model_loss",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "`kl_scale * D + image_loss + 2 vector_scale * vector_loss + barlow_scale * barlow_loss + \
                  reward_loss + reward_sources_l1 * reward_source_l1 + discount_scale * discount_loss`. The factor 2 \
                  makes `vector_scale` the weight of whole squared errors; `vector_loss` has half of them. D is \
                  `max(kl, free_nats)`; with a balanced divergence, it is `dynamics_loss + representation_scale * \
                  representation_loss`. With `agent.loss_weights = \"harmony\"`, each of the first five terms L \
                  becomes `L / e^s + ln(1 + e^s)`; a balanced D and its `ln(1 + e^s)` are then divided by `1 + \
                  representation_scale`",
        healthy: "Falls fast in the first thousands of gradient steps, then slowly",
        value: MetricValue::ModelLoss,
    },
    MetricRow {
        metric: Metric::ImageLoss,
        name: "image_loss",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "Mean over B and L of `-log p(image)` under a normal distribution with unit variance, summed over 64 \
                  * 64 * 3 numbers in [-0.5, 0.5]. Its minimum is `6144 ln(2 pi)` = 11,291.9; the rest is half the \
                  sum of the squared errors. With an `agent.image_network` other than `v1`, it is the sum of the \
                  squared errors, without a constant",
        healthy: "Within some tens of the minimum, which is 0 for networks other than `v1`. If it stays hundreds \
                  above the minimum, the decoder produces blurred images: look at the open-loop image",
        value: negated_mean(Per::Transition),
    },
    MetricRow {
        metric: Metric::VectorLoss,
        name: "vector_loss",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "Mean over B and L of `-log p(vector)` under a normal distribution with unit variance, summed over \
                  the symmetric logarithms of the V numbers of the observed vectors. Its minimum is `V ln(2 pi) / 2`; \
                  the rest is half the sum of the squared errors. It is 0 if no vectors are observed",
        healthy: "Falls towards the minimum, 0.919 for each number",
        value: negated_mean(Per::Transition),
    },
    MetricRow {
        metric: Metric::BarlowLoss,
        name: "barlow_loss",
        group: MetricGroup::WorldModel,
        unit: "1",
        formula: "With `agent.reconstruction = \"barlow\"`, `sum((C_ii - 1)^2) + 0.0005 sum(C_ij^2)`, otherwise 0. \
                  The second sum is over all i and j that differ. C is the correlation, over the batch, between the \
                  numbers of projected features (rows) and of embeddings (columns)",
        healthy: "Starts near the size of an embedding and falls. It cannot reach 0, because deviations are computed \
                  with `B L - 1`",
        value: mean(Reduction::Numbers, Per::Batch),
    },
    MetricRow {
        metric: Metric::RewardLoss,
        name: "reward_loss",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "Mean of `-log p(reward)` under a normal distribution with unit variance. Its minimum is `ln(2 pi) / \
                  2` = 0.919; the rest is half the mean squared error of the predicted reward. With `agent.heads = \
                  \"twohot\"`, it is a cross-entropy over the bins",
        healthy: "Near the minimum",
        value: negated_mean(Per::Transition),
    },
    MetricRow {
        metric: Metric::RewardSourceL1,
        name: "reward_source_l1",
        group: MetricGroup::WorldModel,
        unit: "1",
        formula: "Sum of the absolute values of the reward meta-model's weights for the predictions of its sources; 0 unless \
                  `agent.reward_sources_l1` is above 0",
        healthy: "Rises where a source is useful, and stays near 0 where none is",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::DiscountLoss,
        name: "discount_loss",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "Mean of `-log p(discount)` of the discount model, whose target is `agent.discount * d`; 0 without a \
                  discount model",
        healthy: "Falls to about the entropy of a coin toss with probability `agent.discount`: 0.056 for 0.99, and \
                  0.098 for 0.98, as in the preset `small`",
        value: negated_mean(Per::Transition),
    },
    MetricRow {
        metric: Metric::Kl,
        name: "kl",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "Mean over B and L of KL(posterior, prior) in nats, before the free nats are applied",
        healthy: "Above `agent.free_nats` (3 in the preset `paper`, 1 in `small`) in a task with surprises, and near \
                  that value in a simple one. If `kl` is far below that value for long, the model learns nothing from \
                  observations. If `kl` is in the tens, the prior does not follow the posterior",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::DynamicsLoss,
        name: "dynamics_loss",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "Mean over B and L of `max(free_nats, KL(posterior, prior))`, through which a balanced divergence trains the prior; 0 \
                  unless `agent.divergence` is `balanced`",
        healthy: "At or above `agent.free_nats`. If it stays exactly there for long, the states could hold more \
                  information about the observations",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::RepresentationLoss,
        name: "representation_loss",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "The same number as `dynamics_loss`, through which a balanced divergence trains the posterior, with \
                  the weight `agent.representation_scale`",
        healthy: "Equal to `dynamics_loss`",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::ImageWeight,
        name: "image_weight",
        group: MetricGroup::WorldModel,
        unit: "1",
        formula: "`e^-s`, the learned factor of `image_loss` in the loss of the world model; 0 unless `agent.loss_weights` is \
                  `harmony` and images are predicted",
        healthy: "About one divided by `image_loss`",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::VectorWeight,
        name: "vector_weight",
        group: MetricGroup::WorldModel,
        unit: "1",
        formula: "The same for `2 vector_scale * vector_loss`; 0 unless vectors are predicted",
        healthy: "About one divided by the term that it multiplies",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::BarlowWeight,
        name: "barlow_weight",
        group: MetricGroup::WorldModel,
        unit: "1",
        formula: "The same for `barlow_scale * barlow_loss`; 0 unless `agent.reconstruction` is `barlow`",
        healthy: "About one divided by the term that it multiplies",
        value: mean(Reduction::Numbers, Per::Batch),
    },
    MetricRow {
        metric: Metric::RewardWeight,
        name: "reward_weight",
        group: MetricGroup::WorldModel,
        unit: "1",
        formula: "The same for `reward_loss`",
        healthy: "About one divided by `reward_loss`",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::DivergenceWeight,
        name: "divergence_weight",
        group: MetricGroup::WorldModel,
        unit: "1",
        formula: "The same for `kl_scale * D`",
        healthy: "About one divided by the term that it multiplies",
        value: mean(Reduction::Numbers, Per::Transition),
    },
    MetricRow {
        metric: Metric::PriorEntropy,
        name: "prior_entropy",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "Mean entropy of the prior, in nats. For an S-dimensional normal distribution, it is between `-0.88 \
                  S` (all standard deviations at `min_std`, 0.1) and about `1.42 S` (standard deviation 1). For \
                  categorical distributions, it is at most `ln(agent.classes)` for each of them",
        healthy: "Falls at first",
        value: mean(Reduction::NormalEntropies, Per::Transition),
    },
    MetricRow {
        metric: Metric::PosteriorEntropy,
        name: "posterior_entropy",
        group: MetricGroup::WorldModel,
        unit: "nats",
        formula: "The same for the posterior",
        healthy: "Falls at first, and stays below `prior_entropy`",
        value: mean(Reduction::NormalEntropies, Per::Transition),
    },
    MetricRow {
        metric: Metric::ActorLoss,
        name: "actor_loss",
        group: MetricGroup::Behaviour,
        unit: "return",
        formula: "`-mean(weight * lambda-return)`, where the weight is the running product of discounts. The entropy \
                  term of `agent.actor_entropy` is not included. With `agent.returns_from = \"start\"`, the advantage \
                  of the return over the value replaces the return. With `agent.return_scale`, the return or \
                  advantage is divided by that scale. With `agent.actor_gradient = \"reinforce\"`, the loss is \
                  `-mean(weight * advantage * log p(action))`",
        healthy: "Falls as returns rise; its sign has no meaning",
        value: negated_mean(Per::Return),
    },
    MetricRow {
        metric: Metric::ValueLoss,
        name: "value_loss",
        group: MetricGroup::Behaviour,
        unit: "nats",
        formula: "`-mean(weight * log p(lambda-return))` under a normal distribution with unit variance. Its minimum \
                  is 0.919 times the mean weight. With `agent.heads = \"twohot\"`, it is a cross-entropy over the \
                  bins",
        healthy: "Low, without steady growth. It rises for a while whenever returns rise",
        value: negated_mean(Per::Return),
    },
    MetricRow {
        metric: Metric::ReplayValueLoss,
        name: "replay_value_loss",
        group: MetricGroup::Behaviour,
        unit: "nats",
        formula: "`-mean(log p(return))` of the value model over the states of the batch, except the last of each \
                  sequence. A return follows the real rewards and is bootstrapped with the imagined returns of later \
                  states; states that end an episode count as 0. The loss is 0 unless `agent.replay_value` is above 0",
        healthy: "Near `value_loss`",
        value: negated_mean(Per::Replayed),
    },
    MetricRow {
        metric: Metric::ImaginedReward,
        name: "imagined_reward",
        group: MetricGroup::Behaviour,
        unit: "reward",
        formula: "Mean predicted reward of an imagined step",
        healthy: "Approaches the mean real reward of an agent step: `train_return` divided by the agent steps of an \
                  episode, which are `train_length / 2` in the built-in tasks",
        value: mean(Reduction::Numbers, Per::ImaginedStep),
    },
    MetricRow {
        metric: Metric::ImaginedValue,
        name: "imagined_value",
        group: MetricGroup::Behaviour,
        unit: "return",
        formula: "Mean value of imagined states",
        healthy: "Near `imagined_return`; a constant difference means that the value model lags behind",
        value: mean(Reduction::Numbers, Per::ImaginedStep),
    },
    MetricRow {
        metric: Metric::ImaginedReturn,
        name: "imagined_return",
        group: MetricGroup::Behaviour,
        unit: "return",
        formula: "Mean lambda-return, `V(t) = r(t) + discount ((1 - lambda) v(t+1) + lambda V(t+1))`, over the first \
                  H - 1 steps; with `agent.returns_from = \"start\"`, `V(t) = r(t+1) + discount (...)` over the starting state \
                  and these",
        healthy: "Rises together with `eval_return`. If it rises alone, the agent exploits errors of its model",
        value: mean(Reduction::Numbers, Per::Return),
    },
    MetricRow {
        metric: Metric::PolicyEntropy,
        name: "policy_entropy",
        group: MetricGroup::Behaviour,
        unit: "nats",
        formula: "Mean of the negative log-density of the sampled actions, after tanh, in nats; for uniformly random \
                  actions, it is 0.69 for each number of an action. For a bounded normal distribution, it is the \
                  entropy before samples are cut off; for one-hot actions, it is their entropy",
        healthy: "Falls slowly. If it is far below -1 for each number, the policy hardly explores any more \
                  (`agent.actor_entropy` prevents this)",
        value: mean(Reduction::Numbers, Per::ImaginedStep),
    },
    MetricRow {
        metric: Metric::ActionRms,
        name: "action_rms",
        group: MetricGroup::Behaviour,
        unit: "1",
        formula: "Root mean square of the numbers of imagined actions",
        healthy: "0.5 to 0.95. If it stays at 1 for long, the policy is saturated and no longer learns",
        value: MetricValue::Mean { of: Reduction::Squares, per: Per::ActionElement, form: MeanForm::Root },
    },
    MetricRow {
        metric: Metric::ModelGradientNorm,
        name: "model_gradient_norm",
        group: MetricGroup::WorldModel,
        unit: "gradient",
        formula: "Global norm of the gradient of `model_loss`, before it is clipped to `agent.gradient_clip`",
        healthy: "Thousands at the start, then usually above the clip value of 100, because of the pixels. It should \
                  not explode",
        value: MetricValue::GradientNorm,
    },
    MetricRow {
        metric: Metric::ActorGradientNorm,
        name: "actor_gradient_norm",
        group: MetricGroup::Behaviour,
        unit: "gradient",
        formula: "Global norm of the actor's gradient, before clipping",
        healthy: "Below the clip value of 100 most of the time",
        value: MetricValue::GradientNorm,
    },
    MetricRow {
        metric: Metric::ValueGradientNorm,
        name: "value_gradient_norm",
        group: MetricGroup::Behaviour,
        unit: "gradient",
        formula: "Global norm of the value model's gradient, before clipping",
        healthy: "Below the clip value of 100 most of the time",
        value: MetricValue::GradientNorm,
    },
];

// A metric's place in the table is its number.
const _: () = {
    let mut index = 0;
    while index < METRICS.len() {
        assert!(METRICS[index].metric as usize == index, "the table is in the order of the enum");
        index += 1;
    }
};
