//! A deterministic reduction: the shards' gradients are added up in the shards' order, whichever shard is finished first.
//!
//! A sum of floating-point numbers depends on the order of its terms, so the gradients of a shard that is finished early wait
//! for their turn. Buffers are used again: there are about as many of them as workers, not one for each shard.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tape::{Gradients, Real};

/// The sum of one round over the shards.
pub(crate) struct OrderedSum<'a, F> {
    inner: Mutex<Inner<'a, F>>,
}

struct Inner<'a, F> {
    total: &'a mut Gradients<F>,
    /// The shard whose turn it is.
    next: usize,
    buffers: &'a mut SpareGradients<F>,
}

/// Buffers that are kept from one round to the next.
#[derive(Debug)]
pub(crate) struct SpareGradients<F> {
    /// Gradients that wait for their turn, with their shards.
    early: Vec<(usize, Gradients<F>)>,
    /// Unused buffers.
    spare: Vec<Gradients<F>>,
}

impl<F> Default for SpareGradients<F> {
    fn default() -> Self {
        Self { early: Vec::new(), spare: Vec::new() }
    }
}

impl<'a, F: Real> OrderedSum<'a, F> {
    /// Starts a round that adds to `total`.
    pub fn new(total: &'a mut Gradients<F>, buffers: &'a mut SpareGradients<F>) -> Self {
        // An interrupted round may have left gradients.
        let SpareGradients { early, spare } = &mut *buffers;
        spare.extend(early.drain(..).map(|(_, gradients)| gradients));
        Self { inner: Mutex::new(Inner { total, next: 0, buffers }) }
    }

    /// An empty buffer, to be handed back with [`OrderedSum::add`].
    pub fn buffer(&self) -> Gradients<F> {
        let mut inner = self.lock();
        let mut buffer = inner.buffers.spare.pop().unwrap_or_else(|| Gradients::new(inner.total.set()));
        buffer.clear();
        buffer
    }

    /// Adds shard `index`'s gradients as soon as those of all shards before it have been added.
    pub fn add(&self, index: usize, gradients: Gradients<F>) {
        let mut inner = self.lock();
        let Inner { total, next, buffers: SpareGradients { early, spare } } = &mut *inner;
        early.push((index, gradients));
        while let Some(place) = early.iter().position(|(index, _)| index == next) {
            let (_, gradients) = early.swap_remove(place);
            total.add(&gradients);
            spare.push(gradients);
            *next += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<'a, F>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tape::{Activation, Parameters, Tape, Workspace};

    /// Gradients of one dense layer's bias: `value` for each of two outputs.
    fn gradients(parameters: &Parameters<f32>, mut buffer: Gradients<f32>, value: f32) -> Gradients<f32> {
        let set = buffer.set().clone();
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(parameters, &set, &mut workspace);
        let x = tape.constant(1, 1, |x| x[0] = 1.0);
        let (kernel, bias) = (parameters.find("kernel").unwrap(), parameters.find("bias").unwrap());
        let y = tape.dense(x, kernel, bias, Activation::None);
        tape.seed(y, value);
        tape.backward(&mut buffer);
        buffer
    }

    proptest! {
        #[test]
        fn the_sum_does_not_depend_on_the_order_of_arrival(values in prop::collection::vec(-1e3f32..1e3, 1..12), keys: u64) {
            let mut parameters = Parameters::new();
            parameters.declare("kernel", &[1, 2]);
            parameters.declare("bias", &[2]);
            parameters.allocate();
            let set = parameters.set(|path| path == "bias");
            let (mut total, mut buffers) = (Gradients::new(&set), SpareGradients::default());
            // Any order of arrival.
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(keys | 1) >> 7);
            let sum = OrderedSum::new(&mut total, &mut buffers);
            for &index in &order {
                sum.add(index, gradients(&parameters, sum.buffer(), values[index]));
            }

            let expected = values.iter().copied().reduce(|sum, x| sum + x).unwrap();
            prop_assert_eq!(total.finish(), &[expected, expected]);
            prop_assert!(buffers.early.is_empty() && buffers.spare.len() <= values.len());
        }
    }
}
