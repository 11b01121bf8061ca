//! Statistics over the rows of a matrix: its columns standardised by their own mean and deviation, and the products of
//! the columns of two matrices.

use super::Op;
use super::gaussian::put;
use crate::kernels::dispatch::Real;
use crate::kernels::matmul::{Matrix, matmul};
use crate::plan::{self, Matrix as PlannedMatrix, Own, Planner, Slot, Traced};
use crate::tape::{Backward, Tape, Var};

/// Added to deviations.
pub(crate) const EPSILON: f64 = 1e-8;

impl<F: Real> Tape<'_, F> {
    /// Each column less its mean, over its deviation: x [N, C] gives [N, C]. The deviation is the square root of the sum of
    /// squares over N - 1, plus 1e-8.
    ///
    /// # Panics
    /// If there are fewer than two rows.
    pub fn standardised_columns(&mut self, x: Var) -> Var {
        let (rows, cols) = self.shape(x);
        assert!(rows > 1, "a deviation needs two rows");
        self.push(Op::StandardisedColumns { x }, rows, cols, x.gradient, |context, y| {
            let x = context.value(x);
            for column in 0..cols {
                let Moments { mean, deviation } = Moments::of(x, cols, column);
                let divisor = deviation + F::of(EPSILON);
                for row in 0..rows {
                    y[row * cols + column] = (x[row * cols + column] - mean) / divisor;
                }
            }
        })
    }

    /// The products of the columns of two matrices: left [N, L] and right [N, R] give `left^T right` [L, R].
    pub fn column_products(&mut self, left: Var, right: Var) -> Var {
        let ((rows, outputs), (_, cols)) = (self.shape(left), self.shape(right));
        assert_eq!(rows, self.shape(right).0, "as many rows");
        let gradient = left.gradient || right.gradient;
        self.push(Op::ColumnProducts { left, right }, outputs, cols, gradient, |context, y| {
            let [left, right] = [(left, outputs), (right, cols)]
                .map(|(var, cols)| Matrix::new(&context.values[var.index()], rows, cols));
            matmul(y, left.transposed(), right, false, &mut context.scratch.panels);
        })
    }
}

/// Mean and deviation of a column.
struct Moments<F> {
    mean: F,
    deviation: F,
}

impl<F: Real> Moments<F> {
    /// Sums are in double precision.
    fn of(x: &[F], cols: usize, column: usize) -> Self {
        let rows = (x.len() / cols) as f64;
        let numbers = || x[column..].iter().step_by(cols).map(|x| x.to_f64());
        let mean = numbers().sum::<f64>() / rows;
        let squares: f64 = numbers().map(|x| (x - mean) * (x - mean)).sum();
        Self { mean: F::of(mean), deviation: F::of((squares / (rows - 1.0)).sqrt()) }
    }
}

pub(super) fn standardised_backward<F: Real>(back: &mut Backward<F>, x: Var) {
    let (rows, cols) = (back.rows, back.cols);
    back.input(x, |context, gradient, target, accumulate| {
        let x = context.value(x);
        for column in 0..cols {
            let Moments { mean, deviation } = Moments::of(x, cols, column);
            let divisor = deviation + F::of(EPSILON);
            let places = || (column..rows * cols).step_by(cols);
            let mean_gradient = places().map(|at| gradient[at].to_f64()).sum::<f64>() / rows as f64;
            let along: f64 = places().map(|at| gradient[at].to_f64() * (x[at] - mean).to_f64()).sum();
            // Of a column whose numbers are all the same, the deviation has no gradient.
            let slope = if deviation > F::ZERO {
                F::of(along) / (divisor * divisor * deviation * F::of((rows - 1) as f64))
            } else {
                F::ZERO
            };
            for at in places() {
                let own = (gradient[at] - F::of(mean_gradient)) / divisor - (x[at] - mean) * slope;
                put(&mut target[at], own, accumulate);
            }
        }
    });
}

pub(super) fn products_backward<F: Real>(back: &mut Backward<F>, left: Var, right: Var) {
    let (outputs, cols) = (back.rows, back.cols);
    let rows = back.shape(left).0;
    back.input(left, |context, gradient, target, accumulate| {
        let right = Matrix::new(&context.values[right.index()], rows, cols);
        let gradient = Matrix::new(gradient, outputs, cols).transposed();
        matmul(target, right, gradient, accumulate, &mut context.scratch.panels);
    });
    back.input(right, |context, gradient, target, accumulate| {
        let left = Matrix::new(&context.values[left.index()], rows, outputs);
        matmul(target, left, Matrix::new(gradient, outputs, cols), accumulate, &mut context.scratch.panels);
    });
}

/// Launches of the value of [`Op::StandardisedColumns`].
pub(crate) fn plan_standardised(planner: &mut Planner, traced: &Traced<'_>, x: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    planner.launch(
        [cols, 1, 1],
        plan::kernels::StandardisedColumns { y, x: traced.place(x), rows, columns: cols, epsilon: EPSILON },
    );
}

/// Launches of the value of [`Op::ColumnProducts`].
pub(crate) fn plan_products(planner: &mut Planner, traced: &Traced<'_>, left: Var, right: Var, own: Slot) {
    let Slot { y, .. } = own;
    let [left, right] = [left, right].map(|var| traced.matrix(var));
    planner.product(y, left.transposed(), right, false);
}

/// Launches of the gradients of [`Op::StandardisedColumns`].
pub(crate) fn plan_standardised_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.launch(
            [cols, 1, 1],
            plan::kernels::StandardisedColumnsGradient {
                out,
                gradient,
                x: traced.place(x),
                rows,
                columns: cols,
                epsilon: EPSILON,
                accumulate,
            },
        );
    }
}

/// Launches of the gradients of [`Op::ColumnProducts`].
pub(crate) fn plan_products_backward(planner: &mut Planner, traced: &mut Traced<'_>, left: Var, right: Var, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let own = PlannedMatrix::new(gradient, rows, cols);
    if let Some((out, accumulate)) = planner.input(traced, left) {
        planner.product(out, traced.matrix(right), own.transposed(), accumulate);
    }
    if let Some((out, accumulate)) = planner.input(traced, right) {
        planner.product(out, traced.matrix(left), own, accumulate);
    }
}
