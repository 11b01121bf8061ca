//! Adam (Kingma and Ba, 2015) as Keras computes it, with the gradient clipped by its global norm.
//!
//! Epsilon is not bias-corrected: `w -= rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)`.

use crate::number::Number;
use crate::optimiser::Moving;

/// Decay of the first moment.
const BETA1: f64 = 0.9;
/// Decay of the second moment.
const BETA2: f64 = 0.999;
/// Added to the second moment's root.
const EPSILON: f64 = 1e-7;

/// The step of a parameter, the `updates`th. The global norm of the set's gradient is `norm`.
pub(crate) fn step<F: Number>(moving: Moving<'_, F>, rate: f64, [clip, norm]: [f64; 2], updates: u64) {
    let updates = updates as f64;
    let rate = F::of(rate * (1.0 - BETA2.powf(updates)).sqrt() / (1.0 - BETA1.powf(updates)));
    let scale = F::of(clip * (1.0 / norm).min(1.0 / clip));
    let (b1, b2, epsilon) = (F::of(BETA1), F::of(BETA2), F::of(EPSILON));
    let (c1, c2) = (F::of(1.0 - BETA1), F::of(1.0 - BETA2));
    moving.each(
        #[inline(always)]
        |value, gradient, first, second| {
            let g = gradient * scale;
            *first = b1 * *first + c1 * g;
            *second = b2 * *second + c2 * g * g;
            *value -= rate * *first / (second.sqrt() + epsilon);
        },
    );
}
