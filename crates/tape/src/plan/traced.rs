//! [`Traced`]: where the values and gradients of a recording lie in a device's memory.

use super::launch::Place;
use super::products::{ColumnParts, Matrix};
use super::repeated::Repeated;
use crate::ops::Op;
use crate::parameters::{Parameter, Parameters};
use crate::tape::{List, Var, Workspace};

/// A recording ([`Tape::trace`](crate::Tape::trace)) on a device: where its values are, and the gradients that are still
/// being added to.
#[derive(Debug)]
pub struct Traced<'a> {
    pub(crate) workspace: &'a Workspace<f32>,
    pub(crate) parameters: &'a Parameters<f32>,
    /// Where all parameters begin.
    pub(crate) weights: Place,
    pub(crate) places: Vec<Option<Place>>,
    pub(crate) gradients: Vec<Option<Place>>,
    /// Whether a gradient is part of another gradient's memory.
    pub(crate) within: Vec<bool>,
    /// Whether a gradient is already that before the value's activation.
    pub(crate) before: Vec<bool>,
    /// The sums of the columns of gradients, if the launch that completed one has made them.
    pub(crate) sums: Vec<Option<ColumnParts>>,
    /// Where values are to be put that are not planned yet.
    pub(crate) requested: Vec<Option<Place>>,
    /// The outputs of the hidden layers of perceptrons with one output.
    pub(crate) hidden: Vec<(List, Vec<Matrix>)>,
    /// Layers that run many times.
    pub(crate) repeated: Repeated,
}

impl<'a> Traced<'a> {
    /// The recording in `workspace`, whose parameters lie one after the other from `weights` on.
    pub fn new(workspace: &'a Workspace<f32>, parameters: &'a Parameters<f32>, weights: Place) -> Self {
        let none = vec![None; workspace.nodes.len()];
        Self {
            workspace,
            parameters,
            weights,
            places: none.clone(),
            gradients: none.clone(),
            within: vec![false; none.len()],
            before: vec![false; none.len()],
            sums: vec![None; none.len()],
            requested: none,
            hidden: Vec::new(),
            repeated: Repeated::default(),
        }
    }

    /// Sets the place of an input that the plan does not compute. Call it before
    /// [`Planner::forward`](super::Planner::forward).
    pub fn bind(&mut self, var: Var, place: Place) {
        self.places[var.index()] = Some(place);
    }

    /// Sets the place of a value that the plan computes. Call it before [`Planner::forward`](super::Planner::forward).
    ///
    /// # Panics
    /// If the value is part of another one.
    pub fn bind_result(&mut self, var: Var, place: Place) {
        assert!(!matches!(self.workspace.nodes[var.index()].op, Op::Rows { .. }), "a value of its own");
        self.requested[var.index()] = Some(place);
    }

    /// Where a value is.
    ///
    /// # Panics
    /// If the value is not planned yet.
    pub fn place(&self, var: Var) -> Place {
        self.places[var.index()].expect("a value is planned before it is used")
    }

    /// Where the gradient of an input lies, once [`Planner::backward`](super::Planner::backward) has reached it.
    pub fn gradient(&self, input: Var) -> Option<Place> {
        self.gradients[input.index()]
    }

    /// A value's rows and columns.
    pub fn shape(&self, var: Var) -> (usize, usize) {
        let node = &self.workspace.nodes[var.index()];
        (node.rows, node.cols)
    }

    /// The outputs of the hidden layers of the perceptron with these layers.
    pub(crate) fn hidden(&self, layers: List) -> &[Matrix] {
        &self.hidden.iter().find(|(of, _)| *of == layers).expect("a perceptron's value comes before its gradient").1
    }

    pub(crate) fn parameter(&self, parameter: Parameter) -> Place {
        self.weights.after(self.parameters.place(parameter).start)
    }

    pub(crate) fn matrix(&self, var: Var) -> Matrix {
        let (rows, cols) = self.shape(var);
        Matrix::new(self.place(var), rows, cols)
    }
}
