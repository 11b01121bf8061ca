//! The gates of DreamerV3's recurrent cell, whose sums come in blocks.
//!
//! Unlike in the GRU of Keras, the reset gate multiplies all of the candidate's sum, and an update gate of 1 means the new state.
//! Source: DreamerV3 (`rssm.py`, `_core`).

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::vectorised;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// Added to the update gate's sum, so that states last at first.
const UPDATE_BIAS: f64 = -1.0;

impl<F: Real> Tape<'_, F> {
    /// `u c + (1 - u) h` with `u = sigmoid(update - 1)` and `c = tanh(sigmoid(reset) candidate)`: h [N, D]; sums [N, 3D] in blocks,
    /// each of which has its resets, then its candidates, then its updates.
    pub fn block_gates(&mut self, sums: Var, h: Var, blocks: usize) -> Var {
        let (rows, size) = self.shape(h);
        let gradient = sums.gradient || h.gradient;
        self.push(Op::BlockGates { sums, h, blocks }, rows, size, gradient, |context, y| {
            let (sums, h) = (context.value(sums), context.value(h));
            let width = size / blocks;
            vectorised(
                #[inline(always)]
                || {
                    let pieces = sums.chunks_exact(3 * width).zip(h.chunks_exact(width));
                    for (y, (sums, h)) in y.chunks_exact_mut(width).zip(pieces) {
                        for i in 0..width {
                            let (_, candidate, update) = gates([sums[i], sums[width + i], sums[2 * width + i]]);
                            y[i] = update * candidate + (F::ONE - update) * h[i];
                        }
                    }
                },
            );
        })
    }
}

/// Reset, candidate and update, from their sums.
#[inline(always)]
fn gates<F: Real>([reset, candidate, update]: [F; 3]) -> (F, F, F) {
    let reset = reset.sigmoid();
    (reset, (reset * candidate).tanh(), (update + F::of(UPDATE_BIAS)).sigmoid())
}

pub(super) fn backward<F: Real>(back: &mut Backward<F>, sums: Var, h: Var, blocks: usize) {
    let width = back.cols / blocks;
    back.input(sums, |context, gradient, target, accumulate| {
        let (sums, h) = (context.value(sums), context.value(h));
        vectorised(
            #[inline(always)]
            || {
                let pieces = sums.chunks_exact(3 * width).zip(h.chunks_exact(width)).zip(gradient.chunks_exact(width));
                for (target, ((sums, h), gradient)) in target.chunks_exact_mut(3 * width).zip(pieces) {
                    for i in 0..width {
                        let candidate_sum = sums[width + i];
                        let (reset, candidate, update) = gates([sums[i], candidate_sum, sums[2 * width + i]]);
                        let g = gradient[i];
                        let to_candidate = g * update * (F::ONE - candidate * candidate);
                        put(&mut target[i], to_candidate * candidate_sum * reset * (F::ONE - reset), accumulate);
                        put(&mut target[width + i], to_candidate * reset, accumulate);
                        let to_update = g * (candidate - h[i]) * update * (F::ONE - update);
                        put(&mut target[2 * width + i], to_update, accumulate);
                    }
                }
            },
        );
    });
    back.input(h, |context, gradient, target, accumulate| {
        let sums = context.value(sums);
        let pieces = sums.chunks_exact(3 * width).zip(gradient.chunks_exact(width));
        for (target, (sums, gradient)) in target.chunks_exact_mut(width).zip(pieces) {
            for i in 0..width {
                let update = (sums[2 * width + i] + F::of(UPDATE_BIAS)).sigmoid();
                put(&mut target[i], gradient[i] * (F::ONE - update), accumulate);
            }
        }
    });
}

/// Launches of the value of [`Op::BlockGates`].
pub(crate) fn plan(planner: &mut Planner, traced: &Traced<'_>, sums: Var, h: Var, blocks: usize, own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.each(
        count,
        plan::kernels::BlockGates { y, sums: traced.place(sums), past: traced.place(h), count, width: cols / blocks },
    );
}

/// Launches of the gradients of [`Op::BlockGates`].
pub(crate) fn plan_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    sums: Var,
    h: Var,
    blocks: usize,
    own: Own,
) {
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    let width = cols / blocks;
    let [from, past] = [sums, h].map(|var| traced.place(var));
    if let Some((out, accumulate)) = planner.input(traced, sums) {
        planner.each(
            count,
            plan::kernels::BlockGatesGradient { out, gradient, sums: from, past, count, width, accumulate },
        );
    }
    if let Some((out, accumulate)) = planner.input(traced, h) {
        planner.each(count, plan::kernels::BlockGatesPast { out, gradient, sums: from, count, width, accumulate });
    }
}
