//! Numbers that follow others and are never trained, and division by a range of such numbers. Source: DreamerV3
//! (`utils.py`, `Normalize`).

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::parameters::Parameter;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// The shares of numbers below the two bounds of a range.
pub(crate) const SHARES: [f64; 2] = [0.05, 0.95];
/// How much of a bound is replaced in each update.
pub(crate) const RATE: f64 = 0.01;

/// The position of a share of `count` sorted numbers: between two of them, how far from the first to the second.
pub(crate) fn position(share: f64, count: usize) -> (usize, f64) {
    let position = share * (count - 1) as f64;
    (position as usize, position - position.floor())
}

/// The 5th and 95th percentile of `numbers`, which are sorted on the way. Percentiles are interpolated linearly.
///
/// # Panics
/// If there are no numbers.
pub fn percentiles<F: Real>(numbers: &mut [F]) -> [F; 2] {
    numbers.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    SHARES.map(|share| {
        let (index, fraction) = position(share, numbers.len());
        let (below, above) = (numbers[index], numbers[(index + 1).min(numbers.len() - 1)]);
        below + (above - below) * F::of(fraction)
    })
}

/// Moves a range `[low, high]` towards the [`percentiles`] of `numbers`, which are sorted on the way.
///
/// # Panics
/// If there are no numbers.
pub fn follow_percentiles<F: Real>(range: &mut [F], numbers: &mut [F]) {
    follow(range, &percentiles(numbers), RATE);
}

/// Moves `numbers` towards `others` by this share of the way.
pub fn follow<F: Real>(numbers: &mut [F], others: &[F], share: f64) {
    let (kept, replaced) = (F::of(1.0 - share), F::of(share));
    for (number, other) in numbers.iter_mut().zip(others) {
        *number = kept * *number + replaced * *other;
    }
}

/// The divisor that a range `[low, high]` stands for: what is small is not made larger.
#[inline(always)]
pub fn range_divisor<F: Real>(range: &[F]) -> F {
    (range[1] - range[0]).at_least(F::ONE)
}

impl<F: Real> Tape<'_, F> {
    /// `x / max(1, high - low)` for each number, with `range` the parameter `[low, high]`, which no gradient reaches.
    pub fn divide_by_range(&mut self, x: Var, range: Parameter) -> Var {
        let (rows, cols) = self.shape(x);
        self.push(Op::DivideByRange { x, range }, rows, cols, x.gradient, |context, y| {
            let divisor = range_divisor(context.parameters.values(range));
            for (y, x) in y.iter_mut().zip(context.value(x)) {
                *y = *x / divisor;
            }
        })
    }
}

pub(super) fn divide_backward<F: Real>(back: &mut Backward<F>, x: Var, range: Parameter) {
    back.input(x, |context, gradient, target, accumulate| {
        let divisor = range_divisor(context.parameters.values(range));
        for (target, g) in target.iter_mut().zip(gradient) {
            put(target, *g / divisor, accumulate);
        }
    });
}

/// Launches of the value of [`Op::DivideByRange`].
pub(crate) fn plan_divide(planner: &mut Planner, traced: &Traced<'_>, x: Var, range: Parameter, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner
        .each(count, plan::kernels::DivideByRange { y, x: traced.place(x), range: traced.parameter(range), n: count });
}

/// Launches of the gradients of [`Op::DivideByRange`].
pub(crate) fn plan_divide_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, range: Parameter, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.each(
            count,
            plan::kernels::DivideByRangeGradient {
                out,
                gradient,
                range: traced.parameter(range),
                n: count,
                accumulate,
            },
        );
    }
}
