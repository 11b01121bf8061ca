//! The categorical distribution: one of several classes, whose logits are mixed with equal chances.
//!
//! Probabilities are p = (1 - u) softmax(logits) + u / K, with u the share of equal chances: no class is ever impossible, and no
//! logarithm infinite. Source: the discrete actions of DreamerV3.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::tape::{Backward, Tape, Var};

/// A row's softmax, and the mixture's two weights.
#[derive(Clone, Copy)]
struct Mixture<F> {
    largest: F,
    total: F,
    kept: F,
    share: F,
}

impl<F: Real> Mixture<F> {
    #[inline(always)]
    fn new(logits: &[F], unimix: f64) -> Self {
        let largest = logits.iter().fold(logits[0], |most, logit| most.at_least(*logit));
        let total = logits.iter().map(|logit| (*logit - largest).exp()).sum();
        Self { largest, total, kept: F::of(1.0 - unimix), share: F::of(unimix / logits.len() as f64) }
    }

    #[inline(always)]
    fn softmax(&self, logit: F) -> F {
        (logit - self.largest).exp() / self.total
    }

    #[inline(always)]
    fn probability(&self, logit: F) -> F {
        self.kept * self.softmax(logit) + self.share
    }
}

/// The probabilities of classes with these logits, of which `unimix` is shared equally.
pub fn class_probabilities<F: Real>(logits: &[F], unimix: f64, probabilities: &mut [F]) {
    let mixture = Mixture::new(logits, unimix);
    for (probability, logit) in probabilities.iter_mut().zip(logits) {
        *probability = mixture.probability(*logit);
    }
}

/// The class that a standard Gumbel draw for each of them samples: the one with the largest sum of log-probability and draw, the
/// first of equal ones. Without draws it is the most probable class.
pub fn sampled_class<F: Real>(logits: &[F], unimix: f64, gumbel: Option<&[F]>) -> usize {
    let mixture = Mixture::new(logits, unimix);
    let score = |class: usize| mixture.probability(logits[class]).ln() + gumbel.map_or(F::ZERO, |gumbel| gumbel[class]);
    let first = (0, score(0));
    let best = (1..logits.len()).fold(first, |best, class| {
        let score = score(class);
        if score > best.1 { (class, score) } else { best }
    });
    best.0
}

impl<F: Real> Tape<'_, F> {
    /// One-hot samples with the gradient of the probabilities (straight-through): logits [N, K], standard Gumbel draws [N, K];
    /// result [N, K].
    pub fn one_hot_sample(&mut self, logits: Var, gumbel: Var, unimix: f64) -> Var {
        let (rows, size) = self.shape(logits);
        self.push(Op::OneHotSample { logits, gumbel, unimix }, rows, size, logits.gradient, |context, y| {
            let (logits, gumbel) = (context.value(logits), context.value(gumbel));
            for ((y, x), g) in y.chunks_exact_mut(size).zip(logits.chunks_exact(size)).zip(gumbel.chunks_exact(size)) {
                y.fill(F::ZERO);
                y[sampled_class(x, unimix, Some(g))] = F::ONE;
            }
        })
    }

    /// The entropy of each row's distribution in nats: logits [N, K] to [N, 1].
    pub fn categorical_entropy(&mut self, logits: Var, unimix: f64) -> Var {
        let (rows, size) = self.shape(logits);
        self.push(Op::CategoricalEntropy { logits, unimix }, rows, 1, logits.gradient, |context, y| {
            for (y, x) in y.iter_mut().zip(context.value(logits).chunks_exact(size)) {
                let mixture = Mixture::new(x, unimix);
                *y = x
                    .iter()
                    .map(|logit| {
                        let probability = mixture.probability(*logit);
                        -probability * probability.ln()
                    })
                    .sum();
            }
        })
    }
}

/// Adds to `target` the gradient of a row's logits, given the derivative of the result with respect to each probability.
#[inline(always)]
fn row_backward<F: Real>(logits: &[F], unimix: f64, derivative: impl Fn(usize, F) -> F, target: &mut [F], add: bool) {
    let mixture = Mixture::new(logits, unimix);
    let of = |class: usize| derivative(class, mixture.probability(logits[class]));
    let mean: F = (0..logits.len()).map(|class| of(class) * mixture.softmax(logits[class])).sum();
    for class in 0..logits.len() {
        let softmax = mixture.softmax(logits[class]);
        put(&mut target[class], mixture.kept * softmax * (of(class) - mean), add);
    }
}

pub(super) fn sample_backward<F: Real>(back: &mut Backward<F>, logits: Var, unimix: f64) {
    let size = back.cols;
    back.input(logits, |context, gradient, target, accumulate| {
        let rows = context.value(logits).chunks_exact(size);
        for ((x, g), target) in rows.zip(gradient.chunks_exact(size)).zip(target.chunks_exact_mut(size)) {
            row_backward(x, unimix, |class, _| g[class], target, accumulate);
        }
    });
}

pub(super) fn entropy_backward<F: Real>(back: &mut Backward<F>, logits: Var, unimix: f64) {
    let size = back.shape(logits).1;
    back.input(logits, |context, gradient, target, accumulate| {
        let rows = context.value(logits).chunks_exact(size);
        for ((x, &g), target) in rows.zip(gradient).zip(target.chunks_exact_mut(size)) {
            row_backward(x, unimix, |_, p| -g * (p.ln() + F::ONE), target, accumulate);
        }
    });
}
