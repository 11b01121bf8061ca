//! Layers that run many times with the same parameters, such as those of a recurrent model, step by step.
//!
//! The gradient of such a layer's parameters is a sum over all its runs. A launch for each run would be small, and
//! there would be hundreds. So the inputs of a layer's runs lie one after the other in memory, and so do the gradients
//! of their sums; they are kept until the end, when one product over all rows gives the gradient of the weights, and
//! one sum that of the bias. Runs whose inputs lie elsewhere, such as a first step's zeros, have launches of their own.
//!
//! In the same way, gradients of layers' sums that are also those of consecutive rows of another value are copied at
//! once.

use super::gradients::ParameterGradients;
use super::launch::Place;
use super::layout::Planner;
use super::products::Matrix;
use super::traced::Traced;
use crate::ops::Op;
use crate::parameters::Parameter;
use crate::tape::Var;
use std::collections::BTreeMap;

/// The repeated layers of a recording, and the gradients of their parameters that were not planned yet.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    /// The layer of each node that is a run of one, and the run's number.
    runs: BTreeMap<usize, (usize, usize)>,
    layers: Vec<Layer>,
    terms: Vec<Term>,
    copies: Vec<Copied>,
}

/// A layer that runs more than once.
#[derive(Debug)]
struct Layer {
    runs: usize,
    /// Numbers in the gradient of a run's sums, and where they begin once they have a place.
    numbers: usize,
    place: Option<Place>,
}

/// A part of a parameter's gradient: the transpose of x, if any, times the gradient of sums; or its column sums.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub parameter: Parameter,
    pub trainable: bool,
    /// Where the part begins within the parameter.
    pub from: usize,
    pub x: Option<Matrix>,
    pub above: Matrix,
}

impl Term {
    /// Appends or prepends the rows of a term of the same parameter, if they lie there.
    fn extend(&mut self, other: &Self) -> bool {
        if (self.parameter, self.from) != (other.parameter, other.from) {
            return false;
        }
        let after = |one: &Self, next: &Self| {
            let x = match (&one.x, &next.x) {
                (Some(one), Some(next)) => follows(one, next),
                (None, None) => true,
                _ => false,
            };
            x && follows(&one.above, &next.above)
        };
        if after(other, self) {
            let rows = self.above.rows;
            *self = *other;
            self.grow(rows);
        } else if after(self, other) {
            self.grow(other.above.rows);
        } else {
            return false;
        }
        true
    }

    fn grow(&mut self, rows: usize) {
        self.above.rows += rows;
        if let Some(x) = &mut self.x {
            x.rows += rows;
        }
    }
}

/// Whether the rows of a matrix come directly after those of another.
fn follows(one: &Matrix, next: &Matrix) -> bool {
    one.cols == next.cols && one.place.after(one.rows * one.cols) == next.place
}

/// Numbers to be added to the gradient of a value.
#[derive(Clone, Copy, Debug)]
struct Copied {
    node: usize,
    /// Where they begin within the value.
    from: usize,
    place: Place,
    count: usize,
}

impl Repeated {
    /// Whether a node is a run of a repeated layer.
    pub fn includes(&self, node: usize) -> bool {
        self.runs.contains_key(&node)
    }

    /// Whether copies to the gradient of a node's value are still to be planned.
    pub fn has_copies(&self, node: usize) -> bool {
        self.copies.iter().any(|one| one.node == node)
    }

    /// Adds a part of a parameter's gradient, to be planned at the end. Its matrices must lie row by row, and stay.
    pub fn add(&mut self, term: Term) {
        if !self.terms.iter_mut().rev().any(|earlier| earlier.extend(&term)) {
            self.terms.push(term);
        }
    }

    /// Adds numbers to the gradient of a node's value, from number `from` on, before the node is planned.
    pub fn copy(&mut self, node: usize, from: usize, place: Place, count: usize) {
        if let Some(last) = self.copies.last_mut()
            && (last.node, last.from) == (node, from + count)
            && last.place == place.after(count)
        {
            *last = Copied { node, from, place, count: count + last.count };
            return;
        }
        self.copies.push(Copied { node, from, place, count });
    }
}

impl Planner {
    /// Finds the repeated layers whose parameters are trained, and gives their inputs places one after the other.
    pub(crate) fn place_repeated(&mut self, traced: &mut Traced<'_>) {
        let workspace = traced.workspace;
        let mut layers: BTreeMap<[usize; 4], Vec<usize>> = BTreeMap::new();
        for (index, node) in workspace.nodes.iter().enumerate() {
            let (parameter, first_row) = match &node.op {
                Op::Dense(dense) if dense.kernel_trainable => (dense.kernel, dense.first_row),
                Op::Gru(gru) if gru.trainable => (gru.weights.kernel, 0),
                _ => continue,
            };
            layers.entry([parameter.index(), first_row, node.rows, node.cols]).or_default().push(index);
        }
        for (_, nodes) in layers.into_iter().filter(|(_, nodes)| nodes.len() > 1) {
            let inputs = |of: fn(&Op) -> Option<Var>| -> Vec<Var> {
                nodes.iter().filter_map(|&node| of(&workspace.nodes[node].op)).collect()
            };
            self.place_in_a_row(traced, &inputs(input));
            self.place_in_a_row(traced, &inputs(state));
            let of = &workspace.nodes[nodes[0]];
            let numbers = of.rows * of.cols * if matches!(of.op, Op::Gru(_)) { 3 } else { 1 };
            let layer = traced.repeated.layers.len();
            traced.repeated.layers.push(Layer { runs: nodes.len(), numbers, place: None });
            traced.repeated.runs.extend(nodes.iter().enumerate().map(|(run, &node)| (node, (layer, run))));
        }
    }

    /// Gives values that have no place yet places one after the other.
    fn place_in_a_row(&mut self, traced: &mut Traced<'_>, vars: &[Var]) {
        let mut free: Vec<usize> = Vec::new();
        for var in vars {
            let index = var.index();
            let placed = traced.places[index].or(traced.requested[index]).is_some();
            let op = &traced.workspace.nodes[index].op;
            if !placed && !matches!(op, Op::Leaf | Op::Rows { .. }) && !free.contains(&index) {
                free.push(index);
            }
        }
        let numbers = |index: &usize| {
            let node = &traced.workspace.nodes[*index];
            node.rows * node.cols
        };
        let mut place = self.reserve(free.iter().map(numbers).sum());
        for index in &free {
            traced.requested[*index] = Some(place);
            place = place.after(numbers(index));
        }
    }

    /// Where the gradient of the sums of a layer's run is to be written; `None` if the node is not a run of a repeated
    /// layer. A recurrent unit has two: with `second`, the gradient of its state's sums.
    pub(crate) fn sums_of_run(&mut self, traced: &mut Traced<'_>, node: usize, second: bool) -> Option<Place> {
        let &(layer, run) = traced.repeated.runs.get(&node)?;
        let both = 1 + usize::from(matches!(traced.workspace.nodes[node].op, Op::Gru(_)));
        let Layer { runs, numbers, place } = &mut traced.repeated.layers[layer];
        let place = *place.get_or_insert_with(|| self.reserve(both * *runs * *numbers));
        Some(place.after((run + usize::from(second) * *runs) * *numbers))
    }

    /// Plans the copies to the gradient of a node's value.
    pub(crate) fn finish_copies(&mut self, traced: &mut Traced<'_>, node: usize) {
        let (own, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut traced.repeated.copies).into_iter().partition(|one| one.node == node);
        traced.repeated.copies = others;
        let var = Var { node: node as u32, gradient: true };
        let (rows, cols) = traced.shape(var);
        for Copied { from, place, count, .. } in own {
            let whole = count == rows * cols;
            let out = if whole { self.input(traced, var) } else { self.part(traced, var).map(|out| (out, true)) };
            if let Some((out, accumulate)) = out {
                self.piece([out.after(from), place], [cols; 2], count / cols, cols, accumulate);
            }
        }
    }

    /// Plans the gradients of the parameters of repeated layers.
    pub(crate) fn finish_repeated(&mut self, traced: &mut Traced<'_>, gradients: &mut ParameterGradients) {
        for Term { parameter, trainable, from, x, above } in std::mem::take(&mut traced.repeated.terms) {
            let Some((out, mut accumulate)) = gradients.slot(parameter, trainable) else { continue };
            let whole = traced.parameters.place(parameter).len();
            let numbers = above.cols * x.map_or(1, |x| x.cols);
            if !accumulate && numbers < whole {
                self.fill(out, whole, 0.0);
                accumulate = true;
            }
            match x {
                Some(x) => self.product(out.after(from), x.transposed(), above, accumulate),
                None => self.column_sums(out.after(from), above.place, above.rows, above.cols, accumulate),
            }
        }
    }
}

/// The input of a layer.
fn input(op: &Op) -> Option<Var> {
    match op {
        Op::Dense(dense) => Some(dense.x),
        Op::Gru(gru) => Some(gru.x),
        _ => None,
    }
}

/// The state that a recurrent unit reads.
fn state(op: &Op) -> Option<Var> {
    match op {
        Op::Gru(gru) => Some(gru.h),
        _ => None,
    }
}
