//! Adding up the shards' gradients in the shards' order, whichever order they come in.
//!
//! A sum of floating-point numbers depends on its order, so a shard that comes before its turn waits. Buffers go round: there
//! are about as many as workers, not one for each shard.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tape::{Gradients, Real};

/// One round over the shards, whose gradients are added to a total.
pub(crate) struct InOrder<'a, F> {
    inner: Mutex<Inner<'a, F>>,
}

struct Inner<'a, F> {
    total: &'a mut Gradients<F>,
    /// Whose turn it is.
    next: usize,
    room: &'a mut Room<F>,
}

/// Buffers, kept from round to round.
#[derive(Debug)]
pub(crate) struct Room<F> {
    /// Gradients that wait for their turn.
    early: Vec<(usize, Gradients<F>)>,
    /// Buffers that nobody uses.
    spare: Vec<Gradients<F>>,
}

impl<F> Default for Room<F> {
    fn default() -> Self {
        Self { early: Vec::new(), spare: Vec::new() }
    }
}

impl<'a, F: Real> InOrder<'a, F> {
    /// A round that adds to `total`.
    pub fn new(total: &'a mut Gradients<F>, room: &'a mut Room<F>) -> Self {
        // What an interrupted round left.
        let Room { early, spare } = &mut *room;
        spare.extend(early.drain(..).map(|(_, gradients)| gradients));
        Self { inner: Mutex::new(Inner { total, next: 0, room }) }
    }

    /// An empty buffer, to be handed back with [`InOrder::add`].
    pub fn buffer(&self) -> Gradients<F> {
        let mut inner = self.lock();
        let mut buffer = inner.room.spare.pop().unwrap_or_else(|| Gradients::new(inner.total.set()));
        buffer.clear();
        buffer
    }

    /// Adds shard `index`'s gradients as soon as those of all shards before it have been added.
    pub fn add(&self, index: usize, gradients: Gradients<F>) {
        let mut inner = self.lock();
        let Inner { total, next, room: Room { early, spare } } = &mut *inner;
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
    use tape::{Activation, Memory, Parameters, Tape};

    /// Gradients of one dense layer's bias: `value` for each of two outputs.
    fn gradients(parameters: &Parameters<f32>, mut buffer: Gradients<f32>, value: f32) -> Gradients<f32> {
        let set = buffer.set().clone();
        let mut memory = Memory::default();
        let mut tape = Tape::new(parameters, &set, &mut memory);
        let x = tape.constant(1, 1, |x| x[0] = 1.0);
        let (kernel, bias) = (parameters.find("kernel").unwrap(), parameters.find("bias").unwrap());
        let y = tape.dense(x, kernel, bias, Activation::None);
        tape.seed(y, value);
        tape.backward(&mut buffer);
        buffer
    }

    proptest! {
        #[test]
        fn the_sum_is_that_in_order(values in prop::collection::vec(-1e3f32..1e3, 1..12), keys: u64) {
            let mut parameters = Parameters::new();
            parameters.declare("kernel", &[1, 2]);
            parameters.declare("bias", &[2]);
            parameters.allocate();
            let set = parameters.set(|path| path == "bias");
            let (mut total, mut room) = (Gradients::new(&set), Room::default());
            // Any order of arrival.
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(keys | 1) >> 7);
            let sum = InOrder::new(&mut total, &mut room);
            for &index in &order {
                sum.add(index, gradients(&parameters, sum.buffer(), values[index]));
            }

            let expected = values.iter().copied().reduce(|sum, x| sum + x).unwrap();
            prop_assert_eq!(total.finish(), &[expected, expected]);
            prop_assert!(room.early.is_empty() && room.spare.len() <= values.len());
        }
    }
}
