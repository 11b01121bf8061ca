//! Joining, cutting and rearranging values.

use super::Op;
use crate::kernels::dispatch::Real;
use crate::kernels::doubling_convolution::swap_axes;
use crate::kernels::elementwise::add;
use crate::plan::{Own, Planner, Slot, Traced};
use crate::tape::{Backward, List, Tape, Var};

impl<F: Real> Tape<'_, F> {
    /// Columns of `left`, then those of `right`: [N, L + R].
    pub fn concat(&mut self, left: Var, right: Var) -> Var {
        let (rows, l) = self.shape(left);
        let r = self.cols(right);
        self.push(Op::Concat { left, right }, rows, l + r, left.gradient || right.gradient, |context, y| {
            let (left, right) = (context.value(left), context.value(right));
            for (i, y) in y.chunks_exact_mut(l + r).enumerate() {
                y[..l].copy_from_slice(&left[i * l..(i + 1) * l]);
                y[l..].copy_from_slice(&right[i * r..(i + 1) * r]);
            }
        })
    }

    /// Rows start..start + count.
    pub fn rows_of(&mut self, x: Var, start: usize, count: usize) -> Var {
        let cols = self.cols(x);
        self.push(Op::Rows { x, start }, count, cols, x.gradient, |context, y| {
            y.copy_from_slice(&context.value(x)[start * cols..(start + count) * cols]);
        })
    }

    /// Columns start..start + count.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn columns_of(&mut self, x: Var, start: usize, count: usize) -> Var {
        let (rows, cols) = self.shape(x);
        assert!(start + count <= cols, "columns of the value");
        self.push(Op::Columns { x, start }, rows, count, x.gradient, |context, y| {
            for (y, x) in y.chunks_exact_mut(count).zip(context.value(x).chunks_exact(cols)) {
                y.copy_from_slice(&x[start..start + count]);
            }
        })
    }

    /// Swaps two axes of rows: [N, A, B, C] to [N, B, A, C], where A is `outer` and B is `inner`.
    ///
    /// # Panics
    /// If rows cannot be cut like this.
    pub fn swap_axes(&mut self, x: Var, outer: usize, inner: usize) -> Var {
        let (rows, cols) = self.shape(x);
        assert!(cols.is_multiple_of(outer * inner), "rows of equal pieces");
        let sizes = [outer, inner, cols / (outer * inner)];
        self.push(Op::SwapAxes { x, sizes }, rows, cols, x.gradient, |context, y| {
            swap_axes(y, context.value(x), sizes, false);
        })
    }

    /// The rows of every value in turn: [sum of rows, C]. Take the list from [`Tape::list`]: it goes back there.
    ///
    /// # Panics
    /// If there are no values.
    pub fn stack(&mut self, vars: Vec<Var>) -> Var {
        let cols = self.cols(vars[0]);
        let rows = vars.iter().map(|&var| self.rows(var)).sum();
        let gradient = vars.iter().any(|var| var.gradient);
        let list = self.push_list(&vars);
        self.workspace.give_back(vars);
        self.push(Op::Stack { list }, rows, cols, gradient, |context, y| {
            let mut rest = y;
            for &var in context.list(list) {
                let value = context.value(var);
                let (part, after) = rest.split_at_mut(value.len());
                part.copy_from_slice(value);
                rest = after;
            }
        })
    }
}

pub(super) fn concat_backward<F: Real>(back: &mut Backward<F>, left: Var, right: Var) {
    let (l, r) = (back.shape(left).1, back.shape(right).1);
    for (var, from, size) in [(left, 0, l), (right, l, r)] {
        back.input(var, |_, gradient, target, accumulate| {
            for (target, gradient) in target.chunks_exact_mut(size).zip(gradient.chunks_exact(l + r)) {
                add(target, &gradient[from..from + size], accumulate);
            }
        });
    }
}

pub(super) fn rows_backward<F: Real>(back: &mut Backward<F>, x: Var, start: usize) {
    let cols = back.cols;
    back.part(x, |_, gradient, target| {
        add(&mut target[start * cols..start * cols + gradient.len()], gradient, true);
    });
}

pub(super) fn columns_backward<F: Real>(back: &mut Backward<F>, x: Var, start: usize) {
    let (count, cols) = (back.cols, back.shape(x).1);
    back.part(x, |_, gradient, target| {
        for (target, gradient) in target.chunks_exact_mut(cols).zip(gradient.chunks_exact(count)) {
            add(&mut target[start..start + count], gradient, true);
        }
    });
}

pub(super) fn swap_axes_backward<F: Real>(back: &mut Backward<F>, x: Var, [outer, inner, size]: [usize; 3]) {
    back.input(x, |_, gradient, target, accumulate| swap_axes(target, gradient, [inner, outer, size], accumulate));
}

pub(super) fn stack_backward<F: Real>(back: &mut Backward<F>, list: List) {
    let mut start = 0;
    for i in list.start..list.end {
        let var = back.context.lists[i as usize];
        let (rows, cols) = back.shape(var);
        back.input(var, |_, gradient, target, accumulate| {
            add(target, &gradient[start..start + rows * cols], accumulate);
        });
        start += rows * cols;
    }
}

/// Launches of the value of [`Op::Columns`].
pub(crate) fn plan_columns(planner: &mut Planner, traced: &Traced<'_>, x: Var, start: usize, own: Slot) {
    let Slot { y, rows, cols } = own;
    let from = traced.matrix(x).columns(start, cols);
    planner.piece([y, from.place], [cols, from.steps[0]], rows, cols, false);
}

/// Launches of the value of [`Op::SwapAxes`].
pub(crate) fn plan_swap_axes(planner: &mut Planner, traced: &Traced<'_>, x: Var, sizes: [usize; 3], own: Slot) {
    let Slot { y, rows, cols } = own;
    let count = rows * cols;
    planner.swap_axes(y, traced.place(x), count, sizes, false)
}

/// Launches of the value of [`Op::Concat`].
pub(crate) fn plan_concat(planner: &mut Planner, traced: &Traced<'_>, left: Var, right: Var, own: Slot) {
    let Slot { y, rows, cols } = own;
    let widths = [left, right].map(|part| traced.shape(part).1);
    planner.piece([y, traced.place(left)], [cols, widths[0]], rows, widths[0], false);
    planner.piece([y.after(widths[0]), traced.place(right)], [cols, widths[1]], rows, widths[1], false);
}

/// Launches of the value of [`Op::Stack`].
pub(crate) fn plan_stack(planner: &mut Planner, traced: &Traced<'_>, list: List, own: Slot) {
    let Slot { y, cols, .. } = own;
    let mut row = 0;
    for &var in &traced.workspace.lists[list.range()] {
        let (rows, place) = (traced.shape(var).0, y.after(row * cols));
        if traced.place(var) != place {
            planner.piece([place, traced.place(var)], [cols; 2], rows, cols, false);
        }
        row += rows;
    }
}

/// Launches of the gradients of [`Op::Concat`].
pub(crate) fn plan_concat_backward(planner: &mut Planner, traced: &mut Traced<'_>, left: Var, right: Var, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let l = traced.shape(left).1;
    for (var, from) in [(left, gradient), (right, gradient.after(l))] {
        if let Some((out, accumulate)) = planner.input(traced, var) {
            let width = traced.shape(var).1;
            planner.piece([out, from], [width, cols], rows, width, accumulate);
        }
    }
}

/// Launches of the gradients of [`Op::Columns`].
pub(crate) fn plan_columns_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, start: usize, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    let width = traced.shape(x).1;
    if let Some(out) = planner.part(traced, x) {
        planner.piece([out.after(start), gradient], [width, cols], rows, cols, true);
    }
}

/// Launches of the gradients of [`Op::Rows`].
pub(crate) fn plan_rows_backward(planner: &mut Planner, traced: &mut Traced<'_>, x: Var, start: usize, own: Own) {
    let Own { gradient, rows, cols, .. } = own;
    if let Some(out) = planner.part(traced, x) {
        planner.piece([out.after(start * cols), gradient], [cols; 2], rows, cols, true);
    }
}

/// Launches of the gradients of [`Op::SwapAxes`].
pub(crate) fn plan_swap_axes_backward(
    planner: &mut Planner,
    traced: &mut Traced<'_>,
    x: Var,
    sizes: [usize; 3],
    own: Own,
) {
    let [outer, inner, size] = sizes;
    let Own { gradient, rows, cols, .. } = own;
    let count = rows * cols;
    if let Some((out, accumulate)) = planner.input(traced, x) {
        planner.swap_axes(out, gradient, count, [inner, outer, size], accumulate);
    }
}

/// Launches of the gradients of [`Op::Stack`].
pub(crate) fn plan_stack_backward(planner: &mut Planner, traced: &mut Traced<'_>, list: List, own: Own) {
    let Own { gradient, cols, .. } = own;
    let mut row = 0;
    for &var in &traced.workspace.lists[list.range()] {
        let (rows, part) = (traced.shape(var).0, gradient.after(row * cols));
        if var.gradient && traced.gradients[var.index()].is_none() {
            // It lies where it is: the stack's gradient is not given back.
            traced.gradients[var.index()] = Some(part);
            traced.within[var.index()] = true;
        } else if let Some((out, accumulate)) = planner.input(traced, var) {
            planner.piece([out, part], [cols; 2], rows, cols, accumulate);
        }
        row += rows;
    }
}
