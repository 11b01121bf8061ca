//! The gated recurrent unit, as Keras's GRUCell with `reset_after` computes it.

use super::Op;
use crate::kernels::column_sums::column_sums;
use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::vectorised;
use crate::kernels::matmul::{Matrix, matmul};
use crate::parameters::Parameter;
use crate::plan::{self, Cell, Own, ParameterGradients, Planner, Slot, Term, Traced};
use crate::tape::{Backward, Scratch, Tape, Var};

#[derive(Clone, Debug)]
pub(crate) struct Gru {
    pub x: Var,
    pub h: Var,
    /// z, r and the candidate [N, 3D], then h @ recurrent + bias [N, 3D].
    pub gates: Var,
    pub weights: GruWeights,
    pub trainable: bool,
}

/// A recurrent unit's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GruWeights {
    /// [I, 3D], columns z, r, h.
    pub kernel: Parameter,
    /// [D, 3D].
    pub recurrent: Parameter,
    /// [2, 3D]: the input's and the recurrent bias.
    pub bias: Parameter,
}

impl<F: Real> Tape<'_, F> {
    /// `h' = z * h + (1 - z) * tanh(x W_h + b_h + r * (h U_h + c_h))`: x [N, I], h [N, D].
    ///
    /// The three parameters are trainable together or not at all.
    pub fn gru(&mut self, x: Var, h: Var, weights: GruWeights) -> Var {
        let (rows, inputs) = self.shape(x);
        let size = self.cols(h);
        let trainable = self.is_trainable(weights.kernel);
        let gates = self.push(Op::Leaf, 2 * rows, 3 * size, false, |context, gates| {
            let (x, h) = (&context.values[x.index()], &context.values[h.index()]);
            let (from_x, from_h) = gates.split_at_mut(rows * 3 * size);
            let (kernel, recurrent) =
                (context.parameters.values(weights.kernel), context.parameters.values(weights.recurrent));
            let panels = &mut context.scratch.panels;
            matmul(from_x, Matrix::new(x, rows, inputs), Matrix::new(kernel, inputs, 3 * size), false, panels);
            matmul(from_h, Matrix::new(h, rows, size), Matrix::new(recurrent, size, 3 * size), false, panels);
            let bias = context.parameters.values(weights.bias);
            vectorised(
                #[inline(always)]
                || activate_gates(from_x, from_h, bias, size),
            );
        });
        let gradient = x.gradient || h.gradient || trainable;
        self.push(Op::Gru(Gru { x, h, gates, weights, trainable }), rows, size, gradient, |context, y| {
            let (gates, h) = (context.value(gates), context.value(h));
            for ((y, gates), h) in y.chunks_exact_mut(size).zip(gates.chunks_exact(3 * size)).zip(h.chunks_exact(size))
            {
                for i in 0..size {
                    let z = gates[i];
                    y[i] = z * h[i] + (F::ONE - z) * gates[2 * size + i];
                }
            }
        })
    }
}

#[inline(always)]
fn activate_gates<F: Real>(from_x: &mut [F], from_h: &mut [F], bias: &[F], size: usize) {
    let (bias_x, bias_h) = bias.split_at(3 * size);
    for (x, h) in from_x.chunks_exact_mut(3 * size).zip(from_h.chunks_exact_mut(3 * size)) {
        for (h, &b) in h.iter_mut().zip(bias_h) {
            *h += b;
        }
        let (gates, candidate) = x.split_at_mut(2 * size);
        let (h_gates, h_candidate) = h.split_at(2 * size);
        for i in 0..2 * size {
            gates[i] = (gates[i] + bias_x[i] + h_gates[i]).sigmoid();
        }
        for i in 0..size {
            candidate[i] = (candidate[i] + bias_x[2 * size + i] + gates[size + i] * h_candidate[i]).tanh();
        }
    }
}

impl Gru {
    pub(super) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        let &Gru { x, h, gates, weights, trainable } = self;
        let (rows, size) = (back.rows, back.cols);
        let inputs = back.shape(x).1;
        let wide = 3 * size;
        let scratch = &mut back.context.scratch;
        scratch.row.resize(2 * rows * wide, F::ZERO);
        // Gradients before the gates' functions: of x @ kernel [N, 3D], then of h @ recurrent [N, 3D].
        let (to_x, to_h) = scratch.row.split_at_mut(rows * wide);
        let (gates, past) = (&back.context.values[gates.index()], &back.context.values[h.index()]);
        let (gates, from_h) = gates.split_at(rows * wide);
        let gradient = &*back.gradient;
        vectorised(
            #[inline(always)]
            || {
                for row in 0..rows {
                    let three = row * wide..(row + 1) * wide;
                    let one = row * size..(row + 1) * size;
                    gate_gradients(
                        &mut to_x[three.clone()],
                        &mut to_h[three.clone()],
                        &gates[three.clone()],
                        &from_h[three][2 * size..],
                        &past[one.clone()],
                        &gradient[one],
                    );
                }
            },
        );
        back.input(h, |context, gradient, target, accumulate| {
            let values = &context.values[self.gates.index()];
            for row in 0..rows {
                let z = &values[row * wide..row * wide + size];
                let one = row * size..(row + 1) * size;
                for ((t, &g), &z) in target[one.clone()].iter_mut().zip(&gradient[one]).zip(z) {
                    *t = if accumulate { *t + g * z } else { g * z };
                }
            }
            let Scratch { panels, row, .. } = &mut *context.scratch;
            let recurrent = Matrix::new(context.parameters.values(weights.recurrent), size, wide).transposed();
            matmul(target, Matrix::new(&row[rows * wide..2 * rows * wide], rows, wide), recurrent, true, panels);
        });
        back.input(x, |context, _, target, accumulate| {
            let Scratch { panels, row, .. } = &mut *context.scratch;
            let kernel = Matrix::new(context.parameters.values(weights.kernel), inputs, wide).transposed();
            matmul(target, Matrix::new(&row[..rows * wide], rows, wide), kernel, accumulate, panels);
        });
        back.parameter(weights.kernel, trainable, |context, _, target, accumulate| {
            let Scratch { panels, row, .. } = &mut *context.scratch;
            let x = Matrix::new(&context.values[x.index()], rows, inputs).transposed();
            matmul(target, x, Matrix::new(&row[..rows * wide], rows, wide), accumulate, panels);
        });
        back.parameter(weights.recurrent, trainable, |context, _, target, accumulate| {
            let Scratch { panels, row, .. } = &mut *context.scratch;
            let h = Matrix::new(&context.values[h.index()], rows, size).transposed();
            matmul(target, h, Matrix::new(&row[rows * wide..2 * rows * wide], rows, wide), accumulate, panels);
        });
        back.parameter(weights.bias, trainable, |context, _, target, accumulate| {
            let (to_x, to_h) = context.scratch.row[..2 * rows * wide].split_at(rows * wide);
            column_sums(&mut target[..wide], to_x, accumulate);
            column_sums(&mut target[wide..], to_h, accumulate);
        });
    }
}

#[inline(always)]
fn gate_gradients<F: Real>(to_x: &mut [F], to_h: &mut [F], gates: &[F], from_h: &[F], past: &[F], gradient: &[F]) {
    let size = past.len();
    let (z, rest) = gates.split_at(size);
    let (r, candidate) = rest.split_at(size);
    let (x_z, x_rest) = to_x.split_at_mut(size);
    let (x_r, x_c) = x_rest.split_at_mut(size);
    let (h_z, h_rest) = to_h.split_at_mut(size);
    let (h_r, h_c) = h_rest.split_at_mut(size);
    for i in 0..size {
        let g = gradient[i];
        let to_candidate = g * (F::ONE - z[i]) * (F::ONE - candidate[i] * candidate[i]);
        let to_z = g * (past[i] - candidate[i]) * z[i] * (F::ONE - z[i]);
        let to_r = to_candidate * from_h[i] * r[i] * (F::ONE - r[i]);
        x_z[i] = to_z;
        x_r[i] = to_r;
        x_c[i] = to_candidate;
        h_z[i] = to_z;
        h_r[i] = to_r;
        h_c[i] = to_candidate * r[i];
    }
}

impl Gru {
    /// Launches of its value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &mut Traced<'_>, own: Slot) {
        let &Self { x, h, gates, weights, .. } = self;
        let Slot { y, rows, cols: size } = own;
        let (inputs, wide) = (traced.shape(x).1, 3 * size);
        let from_x = planner.reserve(2 * rows * wide);
        traced.places[gates.index()] = Some(from_x);
        let from_h = from_x.after(rows * wide);
        let bias = traced.parameter(weights.bias);
        if let Some(cell) = Cell::small(planner.precision(), rows, inputs, size) {
            let [x, h] = [x, h].map(|var| traced.place(var));
            let [kernel, recurrent] = [weights.kernel, weights.recurrent].map(|one| traced.parameter(one));
            let which = cell.kernel;
            let gates = from_x;
            let kernel = plan::kernels::RecurrentCell {
                which,
                y,
                gates,
                from_h,
                x,
                h,
                kernel,
                recurrent,
                bias,
                rows,
                inputs,
                size,
            };
            return planner.launch(cell.grid(rows, size), kernel);
        }
        let kernel = plan::Matrix::new(traced.parameter(weights.kernel), inputs, wide);
        planner.product(from_x, traced.matrix(x), kernel, false);
        let recurrent = plan::Matrix::new(traced.parameter(weights.recurrent), size, wide);
        planner.product(from_h, traced.matrix(h), recurrent, false);
        planner.each(rows * size, plan::kernels::Recurrent { y, from_x, from_h, bias, h: traced.place(h), rows, size });
    }

    /// Launches of its gradients.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Self { x, h, gates, weights, trainable } = self;
        let Own { node, gradient, rows, cols: size, .. } = own;
        let (inputs, wide) = (traced.shape(x).1, 3 * size);
        let gates = traced.place(gates);
        let kept = [false, true].map(|second| planner.sums_of_run(traced, node, second));
        planner.with_scratch(2 * rows * wide, |planner, scratch| {
            let [to_x, to_h] = [kept[0].unwrap_or(scratch), kept[1].unwrap_or(scratch.after(rows * wide))];
            let past = planner.input(traced, h);
            // Without a gradient of the state, any place will do: it is not written.
            let (to_past, adds) = past.unwrap_or((to_h, false));
            planner.each(
                rows * size,
                plan::kernels::RecurrentGradient {
                    to_x,
                    to_h,
                    gates,
                    from_h: gates.after(rows * wide),
                    h: traced.place(h),
                    gradient,
                    rows,
                    size,
                    to_past,
                    with_past: past.is_some(),
                    accumulate: adds,
                },
            );
            let [from_x, from_h] = [to_x, to_h].map(|place| plan::Matrix::new(place, rows, wide));
            if let Some((out, _)) = past {
                let recurrent = plan::Matrix::new(traced.parameter(weights.recurrent), size, wide);
                planner.product(out, from_h, recurrent.transposed(), true);
            }
            if let Some((out, accumulate)) = planner.input(traced, x) {
                let kernel = plan::Matrix::new(traced.parameter(weights.kernel), inputs, wide);
                let finish = planner.finish_gradient_of(traced, x, node, gradients);
                let sums = planner.layer(out, from_x, kernel.transposed(), accumulate, finish);
                Planner::keep_sums(traced, x, sums);
            }
            if traced.repeated.includes(node) {
                let terms = [(weights.kernel, x, from_x, 0), (weights.recurrent, h, from_h, wide)];
                for (parameter, read, above, from) in terms {
                    let read = Some(traced.matrix(read));
                    traced.repeated.add(Term { parameter, trainable, from: 0, x: read, above });
                    traced.repeated.add(Term { parameter: weights.bias, trainable, from, x: None, above });
                }
                return;
            }
            for (parameter, read, sums) in [(weights.kernel, x, from_x), (weights.recurrent, h, from_h)] {
                if let Some((out, accumulate)) = gradients.slot(parameter, trainable) {
                    planner.product(out, traced.matrix(read).transposed(), sums, accumulate);
                }
            }
            if let Some((out, accumulate)) = gradients.slot(weights.bias, trainable) {
                planner.column_sums(out, to_x, rows, wide, accumulate);
                planner.column_sums(out.after(wide), to_h, rows, wide, accumulate);
            }
        });
    }
}
