//! LaProp (Ziyin et al., 2020), which normalises gradients before it averages them, with the gradient of each parameter clipped in
//! relation to the parameter's norm (adaptive gradient clipping; Brock et al., 2021).
//!
//! Source: DreamerV3 (`opt.py`).

use crate::number::Number;
use crate::optimiser::{CHUNK, Moving, sum_of_squares};

/// Decay of the average of normalised gradients.
const BETA1: f64 = 0.9;
/// Decay of the average of squares.
const BETA2: f64 = 0.999;
/// Added to the root of the squares.
const EPSILON: f64 = 1e-20;
/// The least norm that a parameter counts as having.
pub(crate) const LEAST_NORM: f64 = 1e-3;

/// The rate of the `updates`th step: it rises from 0, in the first, to `rate` after `warmup` steps.
pub(crate) fn warm_rate(rate: f64, warmup: u64, updates: u64) -> f64 {
    let before = (updates - 1) as f64;
    if warmup == 0 { rate } else { rate * (before / warmup as f64).min(1.0) }
}

/// The factor by which a parameter's gradient is clipped.
fn clip<F: Number>(values: &[F], gradient: &[F], clip_ratio: f64) -> f64 {
    let [own, norm] = [values, gradient].map(|numbers| numbers.chunks(CHUNK).map(sum_of_squares).sum::<f64>().sqrt());
    1.0 / (norm / (clip_ratio * own.max(LEAST_NORM))).max(1.0)
}

/// The step of a parameter, the `updates`th.
pub(crate) fn step<F: Number>(moving: Moving<'_, F>, rate: f64, clip_ratio: f64, updates: u64) {
    let scale = F::of(clip(moving.values, moving.gradient, clip_ratio));
    let rate = F::of(rate / (1.0 - BETA1.powf(updates as f64)));
    let correction = F::of(1.0 / (1.0 - BETA2.powf(updates as f64)));
    let (b1, b2, epsilon) = (F::of(BETA1), F::of(BETA2), F::of(EPSILON));
    let (c1, c2) = (F::of(1.0 - BETA1), F::of(1.0 - BETA2));
    moving.each(
        #[inline(always)]
        |value, gradient, first, second| {
            let g = gradient * scale;
            *second = b2 * *second + c2 * g * g;
            *first = b1 * *first + c1 * (g / ((*second * correction).sqrt() + epsilon));
            *value -= rate * *first;
        },
    );
}
