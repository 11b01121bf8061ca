//! Where gradients lie in a device's memory: those of parameters, and that of the operation at hand.

use super::launch::Place;
use crate::parameters::{Parameter, ParameterSet};

/// Where the gradients of a set of parameters are, and which of them have been written.
#[derive(Clone, Debug)]
pub struct ParameterGradients {
    pub(crate) set: ParameterSet,
    place: Place,
    filled: Vec<bool>,
}

impl ParameterGradients {
    /// Gradients that lie at `place`, in the set's order, none of them written yet.
    pub fn new(set: &ParameterSet, parameters: usize, place: Place) -> Self {
        Self { set: set.clone(), place, filled: vec![false; parameters] }
    }

    /// Where the gradients begin.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Where a parameter's gradient is, and whether to add to it; `None` if it is not trainable or not in the set.
    pub(crate) fn slot(&mut self, parameter: Parameter, requested: bool) -> Option<(Place, bool)> {
        let place = self.set.place(parameter).filter(|_| requested)?;
        let accumulate = std::mem::replace(&mut self.filled[parameter.index()], true);
        Some((self.place.after(place.start), accumulate))
    }
}

/// The place of an operation's result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub y: Place,
    pub rows: usize,
    pub cols: usize,
}

/// An operation's result and its gradient, which is overwritten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub node: usize,
    pub y: Place,
    pub gradient: Place,
    pub rows: usize,
    pub cols: usize,
}
