//! The inputs of the output layer of a head along a sequence: its prediction is linear in the layer's parameters.

use crate::filtered::with_filtered;
use crate::learner::Learner;
use crate::networks::Role;
use environment::Observation;
use tape::Real;

impl<F: Real> Learner<F> {
    /// The inputs [T, units] of the output layer of a head that predicts a number, in the states (means of the
    /// posterior) of one sequence: T observations and the actions that led to them [T, A]. `None` for other roles, and
    /// for a head that the agent does not have.
    ///
    /// # Panics
    /// If observations and actions have different lengths, or there are none.
    pub fn head_inputs(&self, role: Role, observations: Observation<'_>, actions: &[F]) -> Option<Vec<f64>> {
        let networks = self.networks();
        networks.linear_output_layer(role)?;
        Some(with_filtered(self.constant_view(), observations, actions, |tape, observed| {
            let feature = observed.feature;
            let hidden = match role {
                Role::Reward => networks.reward.hidden(tape, feature),
                Role::Value => networks.value.mlp().hidden(tape, feature),
                _ => networks.discount.as_ref().expect("it has an output layer").hidden(tape, feature),
            };
            tape.value(hidden).iter().map(|x| x.to_f64()).collect()
        }))
    }
}
