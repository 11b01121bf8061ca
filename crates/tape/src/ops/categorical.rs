//! Categorical distributions: one of several classes, whose logits are mixed with equal chances.
//!
//! Probabilities are p = (1 - u) softmax(logits) + u / K, with u the share of equal chances: no class is ever impossible, and no
//! logarithm infinite. A row has one distribution, or several of K classes each, one after the other. Source: DreamerV3, its
//! discrete actions and latent states.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// The mixture of a value's distributions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Classes {
    /// Classes of each distribution, K.
    pub count: usize,
    /// The share of the probability that all classes have equally.
    pub unimix: f64,
}

/// A distribution's softmax, and the mixture's two weights.
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
    /// One-hot samples with the gradient of the probabilities (straight-through): logits [N, S K], standard Gumbel draws
    /// [N, S K]; result [N, S K].
    pub fn one_hot_sample(&mut self, logits: Var, gumbel: Var, classes: Classes) -> Var {
        let (rows, cols) = self.shape(logits);
        self.push(Op::OneHotSample { logits, gumbel, classes }, rows, cols, logits.gradient, |context, y| {
            let Classes { count, unimix } = classes;
            let (logits, gumbel) = (context.value(logits), context.value(gumbel));
            for ((y, x), g) in y.chunks_exact_mut(count).zip(logits.chunks_exact(count)).zip(gumbel.chunks_exact(count))
            {
                y.fill(F::ZERO);
                y[sampled_class(x, unimix, Some(g))] = F::ONE;
            }
        })
    }

    /// The entropy of each distribution in nats: logits [N, S K] to [N, S].
    pub fn categorical_entropy(&mut self, logits: Var, classes: Classes) -> Var {
        let (rows, cols) = self.shape(logits);
        let Classes { count, unimix } = classes;
        self.push(Op::CategoricalEntropy { logits, classes }, rows, cols / count, logits.gradient, |context, y| {
            for (y, x) in y.iter_mut().zip(context.value(logits).chunks_exact(count)) {
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

    /// The log-probability of the sample that [`Tape::one_hot_sample`] draws, as a constant, of each distribution: logits and Gumbel
    /// draws [N, S K] to [N, S].
    pub fn one_hot_log_density(&mut self, logits: Var, gumbel: Var, classes: Classes) -> Var {
        let (rows, cols) = self.shape(logits);
        let Classes { count, unimix } = classes;
        let op = Op::OneHotLogDensity { logits, gumbel, classes };
        self.push(op, rows, cols / count, logits.gradient, |context, y| {
            let (logits, gumbel) = (context.value(logits), context.value(gumbel));
            for ((y, x), g) in y.iter_mut().zip(logits.chunks_exact(count)).zip(gumbel.chunks_exact(count)) {
                let class = sampled_class(x, unimix, Some(g));
                *y = Mixture::new(x, unimix).probability(x[class]).ln();
            }
        })
    }

    /// KL(posterior || prior), summed over the distributions of a row: two logits [N, S K] give [N, 1].
    pub fn categorical_divergence(&mut self, posterior: Var, prior: Var, classes: Classes) -> Var {
        let (rows, cols) = self.shape(posterior);
        let gradient = posterior.gradient || prior.gradient;
        let Classes { count, unimix } = classes;
        self.push(Op::CategoricalDivergence { posterior, prior, classes }, rows, 1, gradient, |context, y| {
            let (posterior, prior) = (context.value(posterior), context.value(prior));
            for ((y, q), p) in y.iter_mut().zip(posterior.chunks_exact(cols)).zip(prior.chunks_exact(cols)) {
                let pairs = q.chunks_exact(count).zip(p.chunks_exact(count));
                *y = pairs
                    .map(|(q, p)| {
                        let (own, other) = (Mixture::new(q, unimix), Mixture::new(p, unimix));
                        let part = |(q, p): (&F, &F)| {
                            let (q, p) = (own.probability(*q), other.probability(*p));
                            q * (q.ln() - p.ln())
                        };
                        q.iter().zip(p).map(part).sum()
                    })
                    .sum();
            }
        })
    }
}

/// Adds to `target` the gradient of a distribution's logits, given the derivative of the result with respect to each probability.
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

pub(super) fn sample_backward<F: Real>(back: &mut Backward<F>, logits: Var, classes: Classes) {
    let Classes { count: size, unimix } = classes;
    back.input(logits, |context, gradient, target, accumulate| {
        let rows = context.value(logits).chunks_exact(size);
        for ((x, g), target) in rows.zip(gradient.chunks_exact(size)).zip(target.chunks_exact_mut(size)) {
            row_backward(x, unimix, |class, _| g[class], target, accumulate);
        }
    });
}

pub(super) fn entropy_backward<F: Real>(back: &mut Backward<F>, logits: Var, classes: Classes) {
    let Classes { count: size, unimix } = classes;
    back.input(logits, |context, gradient, target, accumulate| {
        let rows = context.value(logits).chunks_exact(size);
        for ((x, &g), target) in rows.zip(gradient).zip(target.chunks_exact_mut(size)) {
            row_backward(x, unimix, |_, p| -g * (p.ln() + F::ONE), target, accumulate);
        }
    });
}

pub(super) fn divergence_backward<F: Real>(back: &mut Backward<F>, posterior: Var, prior: Var, classes: Classes) {
    let Classes { count, unimix } = classes;
    let groups = back.shape(posterior).1 / count;
    back.input(posterior, |context, gradient, target, accumulate| {
        let pairs = context.value(posterior).chunks_exact(count).zip(context.value(prior).chunks_exact(count));
        for (index, ((q, p), target)) in pairs.zip(target.chunks_exact_mut(count)).enumerate() {
            let (g, other) = (gradient[index / groups], Mixture::new(p, unimix));
            let slope = |class: usize, own: F| g * (own.ln() - other.probability(p[class]).ln() + F::ONE);
            row_backward(q, unimix, slope, target, accumulate);
        }
    });
    back.input(prior, |context, gradient, target, accumulate| {
        let pairs = context.value(posterior).chunks_exact(count).zip(context.value(prior).chunks_exact(count));
        for (index, ((q, p), target)) in pairs.zip(target.chunks_exact_mut(count)).enumerate() {
            let (g, other) = (gradient[index / groups], Mixture::new(q, unimix));
            row_backward(p, unimix, |class, own| -g * other.probability(q[class]) / own, target, accumulate);
        }
    });
}

pub(super) fn log_density_backward<F: Real>(back: &mut Backward<F>, logits: Var, gumbel: Var, classes: Classes) {
    let Classes { count, unimix } = classes;
    back.input(logits, |context, gradient, target, accumulate| {
        let rows = context.value(logits).chunks_exact(count).zip(context.value(gumbel).chunks_exact(count));
        for (((x, draws), &g), target) in rows.zip(gradient).zip(target.chunks_exact_mut(count)) {
            let sampled = sampled_class(x, unimix, Some(draws));
            let slope = |class: usize, probability: F| if class == sampled { g / probability } else { F::ZERO };
            row_backward(x, unimix, slope, target, accumulate);
        }
    });
}

/// Launches of the value of [`Op::OneHotLogDensity`].
pub(crate) fn plan_log_density(
    planner: &mut Planner,
    traced: &Traced<'_>,
    logits: Var,
    gumbel: Var,
    classes: Classes,
    own: Slot,
) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(
        count,
        plan::kernels::OneHotLogDensity {
            y,
            logits: traced.place(logits),
            gumbel: traced.place(gumbel),
            rows: count,
            size: classes.count,
            unimix: classes.unimix,
        },
    );
}

/// Launches of the value of [`Op::OneHotSample`].
pub(crate) fn plan_sample(
    planner: &mut Planner,
    traced: &Traced<'_>,
    logits: Var,
    gumbel: Var,
    classes: Classes,
    own: Slot,
) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    let all = count / classes.count;
    planner.each(
        all,
        plan::kernels::OneHotSample {
            y,
            logits: traced.place(logits),
            gumbel: traced.place(gumbel),
            rows: all,
            size: classes.count,
            unimix: classes.unimix,
        },
    );
}

/// Launches of the value of [`Op::CategoricalEntropy`].
pub(crate) fn plan_entropy(planner: &mut Planner, traced: &Traced<'_>, logits: Var, classes: Classes, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(
        count,
        plan::kernels::CategoricalEntropy {
            y,
            logits: traced.place(logits),
            rows: count,
            size: classes.count,
            unimix: classes.unimix,
        },
    );
}

/// Launches of the value of [`Op::CategoricalDivergence`].
pub(crate) fn plan_divergence(
    planner: &mut Planner,
    traced: &Traced<'_>,
    posterior: Var,
    prior: Var,
    classes: Classes,
    own: Slot,
) {
    let Slot { y, rows, .. } = own;
    let groups = traced.shape(posterior).1 / classes.count;
    let [q, p] = [posterior, prior].map(|var| traced.place(var));
    planner.each(
        rows,
        plan::kernels::CategoricalDivergence {
            y,
            first: q,
            second: p,
            rows,
            groups,
            size: classes.count,
            unimix: classes.unimix,
        },
    );
}

/// Launches of the gradients of [`Op::OneHotLogDensity`].
pub(crate) fn plan_log_density_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    logits: Var,
    gumbel: Var,
    classes: Classes,
    own: Own,
) {
    let Classes { count: size, unimix } = classes;
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, logits) {
        let [logits, gumbel] = [logits, gumbel].map(|var| traced.place(var));
        planner.each(
            count,
            plan::kernels::OneHotLogDensityGradient {
                out,
                gradient,
                logits,
                gumbel,
                rows: count,
                size,
                unimix,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::OneHotSample`].
pub(crate) fn plan_sample_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    logits: Var,
    classes: Classes,
    own: Own,
) {
    let Classes { count: size, unimix } = classes;
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    let all = count / size;
    if let Some((out, accumulate)) = planner.input(traced, logits) {
        planner.each(
            all,
            plan::kernels::OneHotSampleGradient {
                out,
                gradient,
                logits: traced.place(logits),
                rows: all,
                size,
                unimix,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::CategoricalEntropy`].
pub(crate) fn plan_entropy_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    logits: Var,
    classes: Classes,
    own: Own,
) {
    let Classes { count: size, unimix } = classes;
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, logits) {
        planner.each(
            count,
            plan::kernels::CategoricalEntropyGradient {
                out,
                gradient,
                logits: traced.place(logits),
                rows: count,
                size,
                unimix,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::CategoricalDivergence`].
pub(crate) fn plan_divergence_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    posterior: Var,
    prior: Var,
    classes: Classes,
    own: Own,
) {
    let Classes { count: size, unimix } = classes;
    let Own { gradient, rows, .. } = own;
    let groups = traced.shape(posterior).1 / size;
    let [q, p] = [posterior, prior].map(|var| traced.place(var));
    if let Some((out, accumulate)) = planner.input(traced, posterior) {
        let kernel = plan::kernels::CategoricalDivergenceOfFirst {
            out,
            gradient,
            first: q,
            second: p,
            rows,
            groups,
            size,
            unimix,
            accumulate,
        };
        planner.each(rows * groups, kernel);
    }
    if let Some((out, accumulate)) = planner.input(traced, prior) {
        let kernel = plan::kernels::CategoricalDivergenceOfSecond {
            out,
            gradient,
            first: q,
            second: p,
            rows,
            groups,
            size,
            unimix,
            accumulate,
        };
        planner.each(rows * groups, kernel);
    }
}
