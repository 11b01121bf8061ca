//! How far a square matrix is from the identity.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::plan::{self, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// The weights of a distance from the identity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdentityDistance {
    /// The factor of the matrix.
    pub factor: f64,
    /// The weight of the squared differences between the diagonal and 1.
    pub diagonal: f64,
    /// The weight of the squares of all other numbers.
    pub others: f64,
}

impl<F: Real> Tape<'_, F> {
    /// The weighted squared difference of each row from that of the identity: x [C, C] gives [C, 1].
    pub fn identity_distance(&mut self, x: Var, distance: IdentityDistance) -> Var {
        let (rows, cols) = self.shape(x);
        assert_eq!(rows, cols, "a square matrix");
        self.push(Op::IdentityDistance { x, distance }, rows, 1, x.gradient, |context, y| {
            for (row, (y, x)) in y.iter_mut().zip(context.value(x).chunks_exact(cols)).enumerate() {
                let sum: f64 = x.iter().enumerate().map(|(column, x)| distance.of(x.to_f64(), row == column)).sum();
                *y = F::of(sum);
            }
        })
    }
}

impl IdentityDistance {
    /// The term of a number.
    fn of(self, x: f64, on_diagonal: bool) -> f64 {
        let (x, target, weight) = self.parts(x, on_diagonal);
        weight * (x - target) * (x - target)
    }

    /// The number times the factor, the number that it should be, and the weight.
    fn parts(self, x: f64, on_diagonal: bool) -> (f64, f64, f64) {
        if on_diagonal { (self.factor * x, 1.0, self.diagonal) } else { (self.factor * x, 0.0, self.others) }
    }
}

pub(super) fn backward<F: Real>(back: &mut Backward<F>, x: Var, distance: IdentityDistance) {
    let cols = back.rows;
    back.input(x, |context, gradient, target, accumulate| {
        let rows = target.chunks_exact_mut(cols).zip(context.value(x).chunks_exact(cols));
        for (row, ((target, x), g)) in rows.zip(gradient).enumerate() {
            for (column, (target, x)) in target.iter_mut().zip(x).enumerate() {
                let (scaled, aim, weight) = distance.parts(x.to_f64(), row == column);
                put(target, *g * F::of(2.0 * weight * distance.factor * (scaled - aim)), accumulate);
            }
        }
    });
}

/// Launches of the value of [`Op::IdentityDistance`].
pub(crate) fn plan(planner: &mut Planner, traced: &Traced<'_>, x: Var, distance: IdentityDistance, own: Slot) {
    let Slot { y, rows, .. } = own;
    let IdentityDistance { factor, diagonal, others } = distance;
    planner.launch(
        [rows, 1, 1],
        plan::kernels::IdentityDistance { y, x: traced.place(x), n: rows, factor, diagonal, others },
    );
}

/// Launches of the gradients of [`Op::IdentityDistance`].
pub(crate) fn plan_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    x: Var,
    distance: IdentityDistance,
    own: Own,
) {
    let Own { gradient, rows, .. } = own;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        let IdentityDistance { factor, diagonal, others } = distance;
        planner.each(
            rows * rows,
            plan::kernels::IdentityDistanceGradient {
                out,
                gradient,
                x: traced.place(x),
                n: rows,
                factor,
                diagonal,
                others,
                accumulate,
            },
        );
    }
}
