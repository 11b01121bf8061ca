//! [`Optimiser`]: the moments of a set of parameters, and a step along a gradient by one of two rules.
//!
//! Here: what the rules have in common. Not here: their arithmetic (`adam`, `laprop`).

use crate::kernels::elementwise::{interleaved_sum, vectorised};
use crate::number::Number;
use crate::parameters::{ParameterSet, Parameters};
use crate::{adam, laprop};
use rayon::prelude::*;

/// Numbers that one worker handles at a time: part of the norm's definition, so that it does not depend on the cores.
pub(crate) const CHUNK: usize = 16 * 1024;

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Adam, with the gradient clipped by the global norm of the set.
    Adam {
        /// The global norm to which gradients are clipped.
        clip: f64,
    },
    /// LaProp, with the gradient of each parameter clipped by the parameter's norm, and a rate that starts at zero.
    LaProp {
        /// The largest norm of a parameter's gradient, in relation to the parameter's norm.
        clip_ratio: f64,
        /// Updates until the rate is reached.
        warmup: u64,
    },
}

/// One optimiser: the moments of a set of parameters.
#[derive(Clone, Debug)]
pub struct Optimiser<F> {
    set: ParameterSet,
    /// Step size.
    pub rate: f64,
    /// The rule.
    pub rule: Rule,
    first: Vec<F>,
    second: Vec<F>,
    updates: u64,
    partial: Vec<f64>,
}

/// A parameter's numbers, its gradient, and its moments.
pub(crate) struct Moving<'a, F> {
    pub values: &'a mut [F],
    pub gradient: &'a [F],
    pub first: &'a mut [F],
    pub second: &'a mut [F],
}

impl<F: Number> Moving<'_, F> {
    /// Calls `step` with the number, its gradient and its moments at every place.
    pub fn each(self, step: impl Fn(&mut F, F, &mut F, &mut F) + Sync) {
        let Self { values, gradient, first, second } = self;
        values
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(first.par_chunks_mut(CHUNK))
            .zip(second.par_chunks_mut(CHUNK))
            .for_each(|(((values, gradient), first), second)| {
                vectorised(
                    #[inline(always)]
                    || {
                        for i in 0..values.len() {
                            step(&mut values[i], gradient[i], &mut first[i], &mut second[i]);
                        }
                    },
                );
            });
    }
}

impl<F: Number> Optimiser<F> {
    /// An optimiser that has seen no gradient.
    pub fn new(set: &ParameterSet, rate: f64, rule: Rule) -> Self {
        let zeros = vec![F::ZERO; set.numbers()];
        let partial = vec![0.0; set.numbers().div_ceil(CHUNK)];
        Self { set: set.clone(), rate, rule, first: zeros.clone(), second: zeros, updates: 0, partial }
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
        self.partial
            .par_iter_mut()
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|(partial, chunk)| *partial = sum_of_squares(chunk));
        self.partial.iter().sum::<f64>().sqrt()
    }

    /// One step along `gradient` (in the set's order), whose global norm is `norm`.
    ///
    /// # Panics
    /// If the gradient is not of this optimiser's set.
    pub fn step(&mut self, parameters: &mut Parameters<F>, gradient: &[F], norm: f64) {
        assert_eq!(gradient.len(), self.set.numbers(), "a gradient of the optimiser's set");
        self.updates += 1;
        for parameter in self.set.iter() {
            let place = self.set.place(parameter).expect("of the set");
            let moving = Moving {
                values: parameters.values_mut(parameter),
                gradient: &gradient[place.clone()],
                first: &mut self.first[place.clone()],
                second: &mut self.second[place],
            };
            match self.rule {
                Rule::Adam { clip } => adam::step(moving, self.rate, [clip, norm], self.updates),
                Rule::LaProp { clip_ratio, warmup } => {
                    let rate = laprop::warm_rate(self.rate, warmup, self.updates);
                    laprop::step(moving, rate, clip_ratio, self.updates);
                }
            }
        }
    }
}

/// The sum of the squares of at most [`CHUNK`] numbers.
pub(crate) fn sum_of_squares<F: Number>(numbers: &[F]) -> f64 {
    vectorised(
        #[inline(always)]
        || interleaved_sum(numbers.len(), |i| numbers[i].to_f64() * numbers[i].to_f64()),
    )
}
