//! Adam (Kingma and Ba, 2015) as Keras computes it, with the gradient clipped by its global norm.
//!
//! Epsilon is not bias-corrected: `w -= rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)`.

use crate::kernels::elementwise::{interleaved_sum, vectorised};
use crate::number::Number;
use crate::parameters::{ParameterSet, Parameters};
use rayon::prelude::*;

/// Decay of the first moment.
const BETA1: f64 = 0.9;
/// Decay of the second moment.
const BETA2: f64 = 0.999;
/// Added to the second moment's root.
const EPSILON: f64 = 1e-7;
/// Numbers that one worker handles at a time: part of the norm's definition, so that it does not depend on the cores.
const CHUNK: usize = 16 * 1024;

/// One optimiser: the moments of a set of parameters.
#[derive(Clone, Debug)]
pub struct Adam<F> {
    set: ParameterSet,
    /// Step size.
    pub rate: f64,
    /// Global norm to which gradients are clipped.
    pub clip: f64,
    first: Vec<F>,
    second: Vec<F>,
    updates: u64,
    partial: Vec<f64>,
}

impl<F: Number> Adam<F> {
    /// An optimiser that has seen no gradient.
    pub fn new(set: &ParameterSet, rate: f64, clip: f64) -> Self {
        let zeros = vec![F::ZERO; set.numbers()];
        let partial = vec![0.0; set.numbers().div_ceil(CHUNK)];
        Self { set: set.clone(), rate, clip, first: zeros.clone(), second: zeros, updates: 0, partial }
    }

    /// The parameters it updates.
    pub fn set(&self) -> &ParameterSet {
        &self.set
    }

    /// The number of updates so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// First and second moments, in the set's order.
    pub fn moments(&self) -> (&[F], &[F]) {
        (&self.first, &self.second)
    }

    /// First and second moments, to be restored from a checkpoint.
    pub fn moments_mut(&mut self) -> (&mut [F], &mut [F]) {
        (&mut self.first, &mut self.second)
    }

    /// Restores the number of updates.
    pub fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }

    /// The gradient's global norm: in double precision, chunk by chunk in a fixed order.
    pub fn norm(&mut self, gradient: &[F]) -> f64 {
        self.partial.par_iter_mut().zip(gradient.par_chunks(CHUNK)).for_each(|(partial, chunk)| {
            *partial = vectorised(
                #[inline(always)]
                || interleaved_sum(chunk.len(), |i| chunk[i].to_f64() * chunk[i].to_f64()),
            );
        });
        self.partial.iter().sum::<f64>().sqrt()
    }

    /// One step along `gradient` (in the set's order), whose global norm is `norm`.
    ///
    /// # Panics
    /// If the gradient is not of this optimiser's set.
    pub fn step(&mut self, parameters: &mut Parameters<F>, gradient: &[F], norm: f64) {
        assert_eq!(gradient.len(), self.set.numbers(), "a gradient of the optimiser's set");
        self.updates += 1;
        let updates = self.updates as f64;
        let rate = F::of(self.rate * (1.0 - BETA2.powf(updates)).sqrt() / (1.0 - BETA1.powf(updates)));
        let scale = F::of(self.clip * (1.0 / norm).min(1.0 / self.clip));
        let (b1, b2, epsilon) = (F::of(BETA1), F::of(BETA2), F::of(EPSILON));
        let (c1, c2) = (F::of(1.0 - BETA1), F::of(1.0 - BETA2));
        for parameter in self.set.iter() {
            let place = self.set.place(parameter).expect("of the set");
            let values = parameters.values_mut(parameter);
            values
                .par_chunks_mut(CHUNK)
                .zip(gradient[place.clone()].par_chunks(CHUNK))
                .zip(self.first[place.clone()].par_chunks_mut(CHUNK))
                .zip(self.second[place].par_chunks_mut(CHUNK))
                .for_each(|(((values, gradient), first), second)| {
                    vectorised(
                        #[inline(always)]
                        || {
                            for i in 0..values.len() {
                                let g = gradient[i] * scale;
                                first[i] = b1 * first[i] + c1 * g;
                                second[i] = b2 * second[i] + c2 * g * g;
                                values[i] -= rate * first[i] / (second[i].sqrt() + epsilon);
                            }
                        },
                    );
                });
        }
    }
}
