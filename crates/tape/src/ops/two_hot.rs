//! A distribution over fixed numbers, the bins, as the prediction of one number: its mean, and the log-density of a target that is
//! divided between the two bins next to it.
//!
//! The bins are close together near zero and far apart far from it, so one network predicts numbers of any size. Source: DreamerV3
//! (`heads.py`, `outs.py`).

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::{interleaved_sum, vectorised};
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// The logarithm of the outermost bins.
const OUTERMOST: f64 = 20.0;

/// The bins in ascending order: `symexp` of evenly spaced numbers from -20 to 0, and their mirror image. An odd number of bins has
/// one at zero, an even one has two.
pub fn two_hot_bins<F: Real>(bins: &mut [F]) {
    let count = bins.len();
    let half = count.div_ceil(2);
    for i in 0..half {
        let even = OUTERMOST * (1.0 - i as f64 / (half - 1).max(1) as f64);
        let number = F::of(-even.exp_m1());
        (bins[i], bins[count - 1 - i]) = (number, -number);
    }
    if count % 2 == 1 {
        bins[count / 2] = F::ZERO;
    }
}

/// The largest of a row's logits, and the sum of the exponentials of what each is above it.
#[inline(always)]
fn log_total<F: Real>(logits: &[F]) -> (F, F) {
    let largest = logits.iter().fold(logits[0], |most, logit| most.at_least(*logit));
    (largest, interleaved_sum(logits.len(), |i| (logits[i] - largest).exp_relative()))
}

/// The probabilities of a row's logits. They are exact in relation to their size, since the outermost bins are huge.
#[inline(always)]
fn softmax<F: Real>(logits: &[F], probabilities: &mut [F]) {
    let (largest, total) = log_total(logits);
    let inverse = F::ONE / total;
    for (probability, logit) in probabilities.iter_mut().zip(logits) {
        *probability = (*logit - largest).exp_relative() * inverse;
    }
}

/// The mean over the bins, added up in pairs from the middle, so that equal probabilities give exactly zero.
#[inline(always)]
fn mean<F: Real>(probabilities: &[F], bins: &[F]) -> F {
    let count = bins.len();
    let weighted = |i: usize| probabilities[i] * bins[i];
    let middle = if count % 2 == 1 { weighted(count / 2) } else { F::ZERO };
    let pairs = (0..count / 2).rev().map(|i| weighted(i) + weighted(count - 1 - i));
    pairs.fold(middle, |sum, pair| sum + pair)
}

/// The two bins next to a target, and the weight of each. A target on a bin, or beyond the outermost, has that bin twice.
#[derive(Clone, Copy)]
struct Neighbours<F> {
    below: (usize, F),
    above: (usize, F),
}

impl<F: Real> Neighbours<F> {
    fn of(target: F, bins: &[F]) -> Self {
        let reached = bins.partition_point(|bin| *bin <= target);
        let below = reached.saturating_sub(1);
        let above = reached.min(bins.len() - 1);
        if below == above {
            // A target that is infinite or NaN makes the density NaN, which a gradient step refuses.
            let half = F::of(0.5) + F::ZERO * target;
            return Self { below: (below, half), above: (above, half) };
        }
        let [to_below, to_above] = [below, above].map(|bin| (bins[bin] - target).abs());
        let total = to_below + to_above;
        Self { below: (below, to_above / total), above: (above, to_below / total) }
    }
}

impl<F: Real> Tape<'_, F> {
    /// The bins of [`two_hot_bins`] as a constant [1, K].
    pub fn two_hot_bins(&mut self, count: usize) -> Var {
        self.constant(1, count, two_hot_bins)
    }

    /// The mean of the distribution with these logits: [N, K], bins [1, K] give [N, 1].
    pub fn two_hot_mean(&mut self, logits: Var, bins: Var) -> Var {
        let (rows, count) = self.shape(logits);
        self.push(Op::TwoHotMean { logits, bins }, rows, 1, logits.gradient, |context, y| {
            let (values, row) = (context.values, &mut context.scratch.row);
            let (logits, bins) = (&values[logits.index()], &values[bins.index()]);
            row.resize(count, F::ZERO);
            vectorised(
                #[inline(always)]
                || {
                    for (y, logits) in y.iter_mut().zip(logits.chunks_exact(count)) {
                        softmax(logits, row);
                        *y = mean(row, bins);
                    }
                },
            );
        })
    }

    /// The log-probability of targets [N, 1], each divided between the two bins next to it: logits [N, K] and bins [1, K] give
    /// [N, 1]. The target is a constant.
    pub fn two_hot_log_density(&mut self, logits: Var, bins: Var, target: Var) -> Var {
        let (rows, count) = self.shape(logits);
        self.push(Op::TwoHotDensity { logits, bins, target }, rows, 1, logits.gradient, |context, y| {
            let (bins, targets) = (context.value(bins), context.value(target));
            let logits = context.value(logits);
            vectorised(
                #[inline(always)]
                || {
                    for ((y, logits), target) in y.iter_mut().zip(logits.chunks_exact(count)).zip(targets) {
                        let (largest, total) = log_total(logits);
                        let Neighbours { below, above } = Neighbours::of(*target, bins);
                        // The weights add up to one.
                        let chosen = below.1 * (logits[below.0] - largest) + above.1 * (logits[above.0] - largest);
                        *y = chosen - total.ln();
                    }
                },
            );
        })
    }
}

pub(super) fn mean_backward<F: Real>(back: &mut Backward<F>, logits: Var, bins: Var) {
    let count = back.shape(logits).1;
    let means = back.result();
    back.input(logits, |context, gradient, target, accumulate| {
        let (values, row) = (context.values, &mut context.scratch.row);
        let (logits, bins) = (&values[logits.index()], &values[bins.index()]);
        row.resize(count, F::ZERO);
        vectorised(
            #[inline(always)]
            || {
                let rows = logits.chunks_exact(count).zip(target.chunks_exact_mut(count));
                for ((logits, target), (&g, &mean)) in rows.zip(gradient.iter().zip(means)) {
                    softmax(logits, row);
                    for ((target, probability), bin) in target.iter_mut().zip(row.iter()).zip(bins) {
                        put(target, g * *probability * (*bin - mean), accumulate);
                    }
                }
            },
        );
    });
}

pub(super) fn density_backward<F: Real>(back: &mut Backward<F>, logits: Var, bins: Var, target: Var) {
    let count = back.shape(logits).1;
    back.input(logits, |context, gradient, out, accumulate| {
        let (values, row) = (context.values, &mut context.scratch.row);
        let [logits, bins, targets] = [logits, bins, target].map(|var| &values[var.index()]);
        row.resize(count, F::ZERO);
        vectorised(
            #[inline(always)]
            || {
                let rows = logits.chunks_exact(count).zip(out.chunks_exact_mut(count));
                for ((logits, out), (&g, target)) in rows.zip(gradient.iter().zip(targets)) {
                    softmax(logits, row);
                    for (out, probability) in out.iter_mut().zip(row.iter()) {
                        put(out, -(g * *probability), accumulate);
                    }
                    let Neighbours { below, above } = Neighbours::of(*target, bins);
                    out[below.0] += g * below.1;
                    out[above.0] += g * above.1;
                }
            },
        );
    });
}

/// Launches of the value of [`Op::TwoHotMean`].
pub(crate) fn plan_mean(planner: &mut Planner, traced: &Traced<'_>, logits: Var, bins: Var, own: Slot) {
    let Slot { y, rows, .. } = own;
    let count = traced.shape(logits).1;
    planner.launch(
        [rows, 1, 1],
        plan::kernels::TwoHotMean { y, logits: traced.place(logits), bins: traced.place(bins), count },
    );
}

/// Launches of the value of [`Op::TwoHotDensity`].
pub(crate) fn plan_density(planner: &mut Planner, traced: &Traced<'_>, logits: Var, bins: Var, target: Var, own: Slot) {
    let Slot { y, rows, .. } = own;
    let count = traced.shape(logits).1;
    planner.launch(
        [rows, 1, 1],
        plan::kernels::TwoHotDensity {
            y,
            logits: traced.place(logits),
            bins: traced.place(bins),
            targets: traced.place(target),
            count,
        },
    );
}

/// Launches of the gradients of [`Op::TwoHotMean`].
pub(crate) fn plan_mean_backward(planner: &mut Planner, traced: &mut Traced<'_>, logits: Var, bins: Var, own: Own) {
    let Own { y, gradient, rows, .. } = own;
    let bin_count = traced.shape(logits).1;
    if let Some((out, accumulate)) = planner.input(traced, logits) {
        let [logits, bins] = [logits, bins].map(|var| traced.place(var));
        planner.launch(
            [rows, 1, 1],
            plan::kernels::TwoHotMeanGradient { out, gradient, logits, bins, means: y, count: bin_count, accumulate },
        );
    }
}

/// Launches of the gradients of [`Op::TwoHotDensity`].
pub(crate) fn plan_density_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    logits: Var,
    bins: Var,
    target: Var,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    let bin_count = traced.shape(logits).1;
    if let Some((out, accumulate)) = planner.input(traced, logits) {
        let [logits, bins, target] = [logits, bins, target].map(|var| traced.place(var));
        planner.launch(
            [rows, 1, 1],
            plan::kernels::TwoHotDensityGradient {
                out,
                gradient,
                logits,
                bins,
                targets: target,
                count: bin_count,
                accumulate,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_symmetric_and_ascend() {
        for count in [2, 3, 4, 255, 256] {
            let mut bins = vec![0.0f64; count];
            two_hot_bins(&mut bins);
            assert!(bins.windows(2).all(|pair| pair[0] < pair[1] || (pair[0] == 0.0 && pair[1] == 0.0)), "{bins:?}");
            assert!((0..count).all(|i| bins[i] == -bins[count - 1 - i]));
        }
    }

    #[test]
    fn equal_logits_have_a_mean_of_exactly_zero_in_single_precision() {
        for count in [8, 255] {
            let mut bins = vec![0.0f32; count];
            two_hot_bins(&mut bins);
            let mut probabilities = vec![0.0; count];
            softmax(&vec![0.3; count], &mut probabilities);
            assert_eq!(mean(&probabilities, &bins), 0.0);
        }
    }

    #[test]
    fn a_target_is_divided_between_its_neighbours() {
        let bins = [-3.0, -1.0, 0.0, 1.0, 3.0];
        let weights = |target| {
            let Neighbours { below, above } = Neighbours::of(target, &bins);
            let mut weights = [0.0; 5];
            [below, above].into_iter().for_each(|(bin, weight)| weights[bin] += weight);
            weights
        };
        assert_eq!(weights(1.5), [0.0, 0.0, 0.0, 0.75, 0.25]);
        assert_eq!(weights(-1.0), [0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(weights(7.0), [0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(weights(-7.0), [1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
