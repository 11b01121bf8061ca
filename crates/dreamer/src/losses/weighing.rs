//! The weights of the world model's losses: those of the settings, or learned ones that start there.
//!
//! A loss L with a learned weight becomes `L / e^s + ln(1 + e^s)`, with s a parameter: where L is large, so is e^s, and all
//! losses count about alike. Source: HarmonyDream (Ma et al., 2024).

use super::Terms;
use crate::agent_view::AgentView;
use crate::metrics::Metric;
use crate::networks::LossKind;
use tape::{Harmony, Parameter, Real, Tape, Var};

/// A loss of the world model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    pub kind: LossKind,
    /// The metric that reports the mean of its value.
    pub metric: Metric,
    /// The recorded value [N, 1].
    pub value: Var,
    /// The weight of the mean that the settings give it.
    pub weight: f64,
    /// The share of ln(1 + e^s) that comes with it: losses of one kind share an s, and have one such term together.
    pub share: f64,
}

impl Loss {
    /// The only loss of its kind.
    pub fn new(kind: LossKind, metric: Metric, value: Var, weight: f64) -> Self {
        Self { kind, metric, value, weight, share: 1.0 }
    }
}

/// How a learned weight enters a reported loss.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learned {
    /// The metric of the factor e^-s.
    pub factor: Metric,
    /// The share of ln(1 + e^s).
    pub share: f64,
}

impl LossKind {
    /// The metric of the factor e^-s that is learned.
    fn factor(self) -> Metric {
        match self {
            Self::Image => Metric::ImageWeight,
            Self::Vector => Metric::VectorWeight,
            Self::Barlow => Metric::BarlowWeight,
            Self::Reward => Metric::RewardWeight,
            Self::Divergence => Metric::DivergenceWeight,
        }
    }
}

/// Adds a loss to the terms, with its weight.
pub(crate) fn add<F: Real>(agent: AgentView<F>, tape: &mut Tape<F>, loss: Loss, terms: &mut Terms) {
    let Loss { kind, metric, value, weight, share } = loss;
    let Some(s) = learned(agent, kind) else { return terms.add(metric, value, weight) };
    let weighed = tape.harmonised(value, s, Harmony { weight, share });
    terms.add_learned(metric, value, weighed, weight, Learned { factor: kind.factor(), share });
    if share > 0.0 {
        let rows = tape.shape(value).0;
        let ones = constant(tape, rows, 1.0);
        let factors = tape.harmonised(ones, s, Harmony { weight: 1.0, share: 0.0 });
        terms.measure(kind.factor(), factors.detached());
    }
}

/// As [`add`], but the mean counts as `least` where it is less, and then has no gradient; a learned weight still has.
pub(crate) fn add_above<F: Real>(agent: AgentView<F>, tape: &mut Tape<F>, loss: Loss, least: f64, terms: &mut Terms) {
    add(agent, tape, loss, terms);
    terms.count_above(least);
    if let Some(s) = learned(agent, loss.kind) {
        let rows = tape.shape(loss.value).0;
        let in_its_place = constant(tape, rows, least);
        let weighed = tape.harmonised(in_its_place, s, Harmony { weight: loss.weight, share: loss.share });
        terms.add_below(loss.metric, weighed, least);
    }
}

/// The s of a kind of loss, if its weight is learned.
fn learned<F>(agent: AgentView<F>, kind: LossKind) -> Option<Parameter> {
    agent.networks.loss_weights.map(|weights| weights.of(kind))
}

fn constant<F: Real>(tape: &mut Tape<F>, rows: usize, number: f64) -> Var {
    tape.constant(rows, 1, |y| y.fill(F::of(number)))
}
