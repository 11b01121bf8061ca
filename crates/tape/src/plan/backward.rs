//! The launches that compute a recording's gradients, back over its operations like
//! [`Tape::backward`](crate::Tape::backward).

use super::gradients::{Own, ParameterGradients};
use super::kernels;
use super::launch::Place;
use super::layout::Planner;
use super::traced::Traced;
use crate::ops::Op;
use crate::ops::range::{RATE, SHARES, position};
use crate::tape::Var;

impl Planner {
    /// Adds `scale` to every number of the gradient of `var`, to which nothing was added yet.
    ///
    /// # Panics
    /// If an addition came before.
    pub fn seed(&mut self, traced: &mut Traced<'_>, var: Var, scale: f64) {
        let (rows, cols) = traced.shape(var);
        let place = self.seed_place(traced, var);
        self.fill(place, rows * cols, scale);
    }

    /// Adds a gradient that lies at `from` to that of `var`, to which nothing was added yet.
    ///
    /// # Panics
    /// If an addition came before.
    pub fn seed_with(&mut self, traced: &mut Traced<'_>, var: Var, from: Place) {
        let (rows, cols) = traced.shape(var);
        let place = self.seed_place(traced, var);
        self.piece([place, from], [cols; 2], rows, cols, false);
    }

    /// Where the gradient of `var` is to be written, to which nothing was added yet.
    ///
    /// # Panics
    /// If something was.
    pub fn seed_place(&mut self, traced: &mut Traced<'_>, var: Var) -> Place {
        match self.input(traced, Var { gradient: true, ..var }) {
            Some((place, false)) => place,
            _ => panic!("a value is seeded once"),
        }
    }

    /// Plans the gradients of parameters, from the seeded values.
    pub fn backward(&mut self, traced: &mut Traced<'_>, gradients: &mut ParameterGradients) {
        let workspace = traced.workspace;
        for (index, node) in workspace.nodes.iter().enumerate().rev() {
            self.finish_copies(traced, index);
            let Some(gradient) = traced.gradients[index].filter(|_| node.gradient && !matches!(node.op, Op::Leaf))
            else {
                continue;
            };
            let own = Own {
                node: index,
                y: traced.places[index].expect("planned"),
                gradient,
                rows: node.rows,
                cols: node.cols,
            };
            node.op.plan_backward(self, traced, own, gradients);
            traced.gradients[index] = None;
            let within = std::mem::take(&mut traced.within[index]);
            if !within && !matches!(node.op, Op::Stack { .. }) {
                self.give_back(gradient, node.rows * node.cols);
            }
        }
        self.finish_repeated(traced, gradients);
    }

    /// Writes zeros for every parameter of the set that no operation reached.
    pub fn finish_gradients(&mut self, gradients: &mut ParameterGradients) {
        for parameter in gradients.set.clone().iter() {
            if let Some((place, false)) = gradients.slot(parameter, true) {
                self.fill(place, gradients.set.place(parameter).expect("of the set").len(), 0.0);
            }
        }
    }

    /// Moves a range towards percentiles of `numbers`, of which there are `count`, if `go` is not 0: see
    /// [`follow_percentiles`](crate::follow_percentiles).
    pub fn follow_percentiles(&mut self, range: Place, go: Place, numbers: Place, count: usize) {
        let [(low, low_beyond), (high, high_beyond)] = SHARES.map(|share| position(share, count));
        self.launch(
            [1; 3],
            kernels::FollowPercentiles {
                range,
                go,
                x: numbers,
                n: count,
                low_below: low,
                low_beyond,
                high_below: high,
                high_beyond,
                rate: RATE,
            },
        );
    }

    pub(crate) fn fill(&mut self, place: Place, count: usize, value: f64) {
        self.each(count, kernels::Fill { out: place, rows: count, columns: 1, value });
    }

    /// The place for an input's gradient and whether to add to it; `None` if the input has no gradient.
    pub(crate) fn input(&mut self, traced: &mut Traced<'_>, var: Var) -> Option<(Place, bool)> {
        if !var.gradient {
            return None;
        }
        if let Some(place) = traced.gradients[var.index()] {
            return Some((place, true));
        }
        let (rows, cols) = traced.shape(var);
        let layer = matches!(traced.workspace.nodes[var.index()].op, Op::Dense(_));
        let kept = if layer { self.sums_of_run(traced, var.index(), false) } else { None };
        traced.within[var.index()] = kept.is_some();
        let place = kept.unwrap_or_else(|| self.borrow(rows * cols));
        traced.gradients[var.index()] = Some(place);
        Some((place, false))
    }

    /// Like [`Planner::input`], but a new gradient is filled with zeros first: for gradients of a part of a value.
    pub(crate) fn part(&mut self, traced: &mut Traced<'_>, var: Var) -> Option<Place> {
        let (place, accumulate) = self.input(traced, var)?;
        if !accumulate {
            let (rows, cols) = traced.shape(var);
            self.fill(place, rows * cols, 0.0);
        }
        Some(place)
    }
}
