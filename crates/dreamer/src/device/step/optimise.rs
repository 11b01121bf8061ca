//! The end of a gradient step on a device: the norms of gradients, a step of each optimiser, and the parameters that
//! follow others.

use super::Step;
use crate::device::places::OptimiserPlaces;
use crate::metrics::Metric;
use tape::plan::kernels;
use tape::{Optimiser, Rule};

impl Step<'_> {
    /// The norms, and a step of each optimiser if all metrics are finite.
    pub(super) fn optimise(&mut self, optimisers: [&Optimiser<f32>; 3]) {
        let config = self.learner.config();
        let places = self.places.clone();
        let norms = [Metric::ModelGradientNorm, Metric::ActorGradientNorm, Metric::ValueGradientNorm]
            .map(|metric| self.metric(metric));
        for ((optimiser, place), norm) in optimisers.iter().zip(&places.optimisers).zip(norms) {
            let count = optimiser.set().numbers();
            let parts = count.div_ceil(16 * 1024).max(1);
            let sums = self.planner.reserve(2 * parts);
            self.planner.launch([parts, 1, 1], kernels::SquareParts { parts: sums, x: place.gradient, n: count });
            self.planner.launch([1; 3], kernels::RootOfSum { norm, parts: sums, n: parts });
        }
        let go = self.planner.reserve(1);
        self.planner.launch([1; 3], kernels::AllFinite { go, values: places.metrics, n: Metric::COUNT });
        let model_steps = places.optimisers[0].state;
        // The actor first, while the model's steps are those from before.
        for index in [1, 0, 2] {
            let (optimiser, place) = (optimisers[index], places.optimisers[index]);
            let warmup = if index == 1 { config.actor_warmup as usize } else { 0 };
            match optimiser.rule {
                Rule::Adam { clip } => {
                    self.planner.launch(
                        [1; 3],
                        kernels::BeginAdam {
                            state: place.state,
                            go,
                            others: model_steps,
                            warmup,
                            norm: norms[index],
                            rate: optimiser.rate,
                            clip,
                        },
                    );
                    self.adam(optimiser, place);
                }
                Rule::LaProp { clip_ratio, warmup: rising } => {
                    let rising = rising as usize;
                    self.planner.launch(
                        [1; 3],
                        kernels::BeginLaprop {
                            state: place.state,
                            go,
                            others: model_steps,
                            warmup,
                            rate: optimiser.rate,
                            rising,
                        },
                    );
                    self.laprop(optimiser, place, clip_ratio);
                }
            }
        }
        for (slow, value) in self.learner.networks().slow_pairs(self.learner.parameters()) {
            let [slow, value] = [slow, value].map(|parameter| self.learner.parameters().place(parameter));
            let [to, from] = [&slow, &value].map(|place| places.weights.after(place.start));
            self.planner
                .each(slow.len(), kernels::Follow { y: to, go, x: from, n: slow.len(), share: config.slow_value });
        }
        if let (Some(range), Some((returns, count))) = (self.learner.networks().return_range, self.returns) {
            let range = places.weights.after(self.learner.parameters().place(range).start);
            self.planner.follow_percentiles(range, go, returns, count);
        }
        self.planner.launch([1; 3], kernels::CountUpdate { state: places.random });
    }

    /// An optimiser's parameters, one after the other: each is clipped by its own norm.
    fn laprop(&mut self, optimiser: &Optimiser<f32>, places: OptimiserPlaces, clip_ratio: f64) {
        let (set, parameters) = (optimiser.set(), self.learner.parameters());
        let factor = self.planner.reserve(1);
        for parameter in set.iter() {
            let (at, from) = (parameters.place(parameter), set.place(parameter).expect("of the set"));
            let (values, gradient, count) =
                (self.places.weights.after(at.start), places.gradient.after(from.start), from.len());
            self.planner
                .launch([1; 3], kernels::ClipByOwnNorm { factor, values, gradient, n: count, ratio: clip_ratio });
            let [first, second] = [places.first, places.second].map(|place| place.after(from.start));
            self.planner.each(
                count,
                kernels::Laprop { values, gradient, first, second, state: places.state, factor, n: count },
            );
        }
    }

    /// An optimiser's parameters, those that lie side by side at once.
    fn adam(&mut self, optimiser: &Optimiser<f32>, places: OptimiserPlaces) {
        let (set, parameters) = (optimiser.set(), self.learner.parameters());
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        for parameter in set.iter() {
            let (place, from) = (parameters.place(parameter), set.place(parameter).expect("of the set").start);
            match runs.last_mut() {
                Some((start, _, count)) if *start + *count == place.start => *count += place.len(),
                _ => runs.push((place.start, from, place.len())),
            }
        }
        for (at, from, count) in runs {
            self.planner.each(
                count,
                kernels::Adam {
                    values: self.places.weights.after(at),
                    gradient: places.gradient.after(from),
                    first: places.first.after(from),
                    second: places.second.after(from),
                    state: places.state,
                    n: count,
                },
            );
        }
    }
}
