//! Fits fractions to the target's own first episodes: the fraction with which the output layer of a head predicts them
//! best.
//!
//! The prediction of a head is linear in the parameters of its output layer. If `f` is the input of the layer, Eq. 3
//! predicts `f . (W_random + w W_source) + b_random + w b_source`, which is linear in w, for one source or several. So
//! the best w is found with a single forward pass, before the first gradient step. The reward head should predict the
//! rewards, the value head the discounted returns, and the discount head whether the episode continues. The mean
//! squared error leaves out the best constant that can be added to all predictions: the bias learns it soon, and
//! otherwise every source whose predictions have the right sign on average would be transferred in full.
//!
//! Here: the fit. Not here: which fractions can be fitted (`fittable`), the search for the best weights (`mixture`),
//! and its time (`train`).

use crate::error::TransferError;
use crate::fittable::{check_fitted, is_fitted};
use crate::matching::{effective_rules, match_rules};
use crate::mixture::{Criterion, Mixture};
use crate::plan::Plan;
use crate::report::{FittedFraction, Report, SourceFraction};
use crate::resolve::{FittedSource, fit_all};
use crate::source::Sources;
use dreamer::Learner;
use dreamer::networks::Role;
use replay::Episode;
use std::ops::Range;
use tape::Real;

/// Pieces of episodes, at least, by whose differences chance is judged.
const FEWEST_PIECES: usize = 10;
/// An improvement counts if it is more than this many standard errors above nothing.
const STANDARD_ERRORS: f64 = 2.0;

/// Fits the fractions of a plan to `episodes` of the target: adds the best fraction of its sources to each output layer
/// that the plan fits, and writes the results into `report`, which is the report of resolving the plan for this target.
///
/// # Errors
/// If the plan does not match the target or its sources, or there is no episode.
pub fn fit_fractions<F: Real>(
    plan: &Plan,
    target: &mut Learner<F>,
    sources: &Sources<F>,
    episodes: &mut dyn Iterator<Item = Episode>,
    report: &mut Report,
) -> Result<(), TransferError> {
    let rules = effective_rules(plan)?;
    let claims = match_rules(&rules, target, plan.name())?;
    check_fitted(&rules, &claims, target)?;
    let fits = fit_all(&rules, &claims, target, sources)?;
    let mut heads: Vec<Head> = Vec::new();
    for (claim, fits) in claims.iter().zip(fits) {
        let rule = &rules[claim.rule];
        // A layer that does not fit its source stays random, where its rule allows that.
        let (true, Ok(fits)) = (is_fitted(rule), fits) else { continue };
        let role = target.networks().role(claim.parameter);
        let values = |source: &FittedSource<'_>| source.values(sources).iter().map(|x| x.to_f64()).collect();
        let values: Vec<Vec<f64>> = fits.iter().map(values).collect();
        let (kernel, _) = target.networks().linear_output_layer(role).expect("it was checked");
        let head = match heads.iter().position(|head| head.role == role) {
            Some(index) => &mut heads[index],
            None => {
                let names = rule.sources.iter().map(|(name, _)| name.clone()).collect();
                heads.push(Head::new(role, claim.rule, names));
                heads.last_mut().expect("it was just added")
            }
        };
        if claim.parameter == kernel {
            head.kernels = values;
        } else {
            head.biases = values.into_iter().map(|bias| bias[0]).collect();
        }
    }
    for episode in episodes {
        heads.iter_mut().for_each(|head| head.observe(target, &episode));
    }
    if heads.iter().any(|head| head.ends.is_empty()) {
        return Err(TransferError::NothingToFit { plan: plan.name().to_owned() });
    }
    report.fractions = heads.iter_mut().map(|head| head.fit(target)).collect();
    report.note_fitted(target);
    Ok(())
}

/// A head whose output layer is fitted.
struct Head {
    role: Role,
    /// The rule's place in the report.
    rule: usize,
    /// The names of its sources.
    sources: Vec<String>,
    /// The layer's kernel in each source.
    kernels: Vec<Vec<f64>>,
    /// The layer's bias in each source.
    biases: Vec<f64>,
    /// The predictions in each seen state, with the random start and with each source.
    rows: Mixture,
    /// The end of the states of each episode.
    ends: Vec<usize>,
}

impl Head {
    fn new(role: Role, rule: usize, sources: Vec<String>) -> Self {
        let (kernels, biases, rows) = (Vec::new(), Vec::new(), Mixture::default());
        Self { role, rule, sources, kernels, biases, rows, ends: Vec::new() }
    }

    fn criterion(&self) -> Criterion {
        if self.role == Role::Discount { Criterion::LogLoss } else { Criterion::SquaredError }
    }

    /// Adds the states of an episode but the first, which no action led to.
    fn observe<F: Real>(&mut self, target: &Learner<F>, episode: &Episode) {
        let action: Vec<F> = episode.action().iter().map(|x| F::of(f64::from(*x))).collect();
        let inputs = target.head_inputs(self.role, episode.observations(), &action).expect("it was checked");
        let (kernel, bias) = target.networks().linear_output_layer(self.role).expect("it was checked");
        let own = |parameter| target.parameters().values(parameter).iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
        let (kernel, bias) = (own(kernel), own(bias)[0]);
        let states = || inputs.chunks_exact(kernel.len()).skip(1);
        self.rows.base.extend(states().map(|state| product(state, &kernel) + bias));
        self.rows.parts.resize(self.sources.len(), Vec::new());
        for ((kernel, bias), rows) in self.kernels.iter().zip(&self.biases).zip(&mut self.rows.parts) {
            rows.extend(states().map(|state| product(state, kernel) + bias));
        }
        self.rows.targets.extend(targets(self.role, episode, target.config().discount).into_iter().skip(1));
        self.ends.push(self.rows.targets.len());
    }

    /// Finds the fractions and adds them to the target's parameters.
    fn fit<F: Real>(&mut self, target: &mut Learner<F>) -> FittedFraction {
        if self.criterion() == Criterion::SquaredError {
            self.rows.subtract_means();
        }
        let (criterion, count) = (self.criterion(), self.sources.len());
        let nothing = vec![0.0; count];
        let best = self.rows.best_weights(criterion);
        let is_sure = self.is_better_than_nothing(&best);
        let fractions = if is_sure { best.clone() } else { nothing.clone() };
        let alone = |source: usize, omega: f64| {
            let mut weights = nothing.clone();
            weights[source] = omega;
            self.rows.loss(criterion, &weights)
        };
        let (error_of_random, error) = (self.rows.loss(criterion, &nothing), self.rows.loss(criterion, &fractions));
        let sources = self.sources.iter().enumerate().map(|(index, name)| SourceFraction {
            source: name.clone(),
            fraction: fractions[index],
            best: best[index],
            errors: std::array::from_fn(|step| alone(index, step as f64 / 10.0)),
        });
        let fitted = FittedFraction {
            head: self.role.name().to_owned(),
            rule: self.rule,
            states: self.rows.targets.len(),
            episodes: self.ends.len(),
            error_of_random,
            error,
            sources: sources.collect(),
        };
        let (kernel, bias) = target.networks().linear_output_layer(self.role).expect("it was checked");
        let mut add = |parameter, transferred: &dyn Fn(usize, usize) -> f64| {
            for (index, value) in target.parameters_mut().values_mut(parameter).iter_mut().enumerate() {
                let sum: f64 =
                    fractions.iter().enumerate().map(|(source, omega)| omega * transferred(source, index)).sum();
                *value = F::of(value.to_f64() + sum);
            }
        };
        add(kernel, &|source, index| self.kernels[source][index]);
        add(bias, &|source, _| self.biases[source]);
        fitted
    }

    /// Whether these fractions predict the episodes better than none, by more than chance would: by the differences
    /// between states and between pieces of the episodes, whose states are not independent. A constant prediction
    /// explains nothing.
    fn is_better_than_nothing(&self, fractions: &[f64]) -> bool {
        let targets = &self.rows.targets;
        if targets.iter().all(|target| target == &targets[0]) {
            return false;
        }
        let nothing = vec![0.0; fractions.len()];
        let gains = self.rows.gains(self.criterion(), &nothing, fractions);
        let of_pieces: Vec<f64> = self.pieces().into_iter().map(|piece| mean(&gains[piece])).collect();
        mean(&gains) > STANDARD_ERRORS * standard_error(&gains).max(standard_error(&of_pieces))
    }

    /// The states of the episodes in pieces: whole episodes if there are many, otherwise parts of them.
    fn pieces(&self) -> Vec<Range<usize>> {
        let parts = FEWEST_PIECES.div_ceil(self.ends.len().max(1));
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let of_episode = |(start, end): (usize, usize)| {
            let length = (end - start).div_ceil(parts).max(1);
            (start..end).step_by(length).map(move |first| first..(first + length).min(end))
        };
        starts.zip(self.ends.iter().copied()).flat_map(of_episode).collect()
    }
}

/// Of the mean of these values.
fn standard_error(values: &[f64]) -> f64 {
    let (count, center) = (values.len() as f64, mean(values));
    let variance = values.iter().map(|value| (value - center).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (variance / count).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn product(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// The values that a head is to predict in the states of an episode.
fn targets(role: Role, episode: &Episode, discount: f64) -> Vec<f64> {
    let numbers = |values: &[f32]| values.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
    match role {
        Role::Discount => episode.discount().iter().map(|x| discount * f64::from(*x)).collect(),
        Role::Value => {
            let mut returns = numbers(episode.reward());
            for step in (1..returns.len()).rev() {
                returns[step - 1] += discount * f64::from(episode.discount()[step - 1]) * returns[step];
            }
            returns
        }
        _ => numbers(episode.reward()),
    }
}
