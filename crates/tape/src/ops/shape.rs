//! Joining, cutting and rearranging values.

use super::Op;
use crate::kernels::dispatch::Real;
use crate::kernels::doubling_convolution::swap_axes;
use crate::kernels::elementwise::add;
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
