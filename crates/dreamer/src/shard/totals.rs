//! The totals to which the terms of a shard's recordings are added.

use crate::losses::{LossFormula, Terms};
use crate::metrics::Sums;
use tape::{Gradients, Real, Tape};

/// The totals of the losses.
pub(super) struct Totals<'a, F> {
    pub sums: &'a mut Sums,
    pub model_loss: &'a mut LossFormula,
    pub gradients: &'a mut Gradients<F>,
}

impl<F: Real> Totals<'_, F> {
    /// Adds up the terms of a recording, and walks back over it from them.
    pub fn differentiate(&mut self, tape: &mut Tape<F>, terms: &Terms) {
        terms.sum_up(tape, self.sums);
        self.model_loss.include(terms);
        terms.seed(tape);
        tape.backward(self.gradients);
    }
}
