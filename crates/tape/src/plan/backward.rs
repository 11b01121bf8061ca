//! The launches that compute a recording's gradients, back over its operations like
//! [`Tape::backward`](crate::Tape::backward).

use super::gradients::{Own, ParameterGradients};
use super::launch::Place;
use super::layout::{Planner, arguments};
use super::products::{Matrix, Total};
use super::scalar;
use super::traced::Traced;
use crate::ops::absolute::AbsoluteSum;
use crate::ops::columns;
use crate::ops::norm::EPSILON;
use crate::ops::range::{RATE, SHARES, position};
use crate::ops::returns::Returns;
use crate::ops::{Classes, Harmony, IdentityDistance, Op};
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
            self.gradient(traced, &node.op, own, gradients);
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
        let arguments = arguments![range, go, numbers, count, low, low_beyond, high, high_beyond, RATE];
        self.launch("follow_percentiles", [1; 3], arguments);
    }

    pub(super) fn fill(&mut self, place: Place, count: usize, value: f64) {
        self.each("fill", count, arguments![place, count, 1usize, value]);
    }

    /// The place for an input's gradient and whether to add to it; `None` if the input has no gradient.
    pub(super) fn input(&mut self, traced: &mut Traced<'_>, var: Var) -> Option<(Place, bool)> {
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
    pub(super) fn part(&mut self, traced: &mut Traced<'_>, var: Var) -> Option<Place> {
        let (place, accumulate) = self.input(traced, var)?;
        if !accumulate {
            let (rows, cols) = traced.shape(var);
            self.fill(place, rows * cols, 0.0);
        }
        Some(place)
    }

    fn gradient(&mut self, traced: &mut Traced<'_>, op: &Op, own: Own, gradients: &mut ParameterGradients) {
        let Own { y, gradient, rows, cols, .. } = own;
        let count = rows * cols;
        match op {
            Op::Leaf | Op::Weights { .. } | Op::ReplayReturns(_) => {}
            Op::Dense(dense) => self.dense_gradient(traced, dense, own, gradients),
            Op::BlockDense(layer) => self.block_dense_gradient(traced, layer, own, gradients),
            &Op::BlockGates { sums, h, blocks } => {
                let width = cols / blocks;
                let [from, past] = [sums, h].map(|var| traced.place(var));
                if let Some((out, accumulate)) = self.input(traced, sums) {
                    let arguments = arguments![out, gradient, from, past, count, width, accumulate];
                    self.each("block_gates_gradient", count, arguments);
                }
                if let Some((out, accumulate)) = self.input(traced, h) {
                    self.each("block_gates_past", count, arguments![out, gradient, from, count, width, accumulate]);
                }
            }
            Op::Gru(gru) => self.recurrent_gradient(traced, gru, own, gradients),
            Op::Convolution(layer) => self.convolution_gradient(traced, layer, own, gradients),
            Op::TransposedConvolution(layer) => self.transposed_convolution_gradient(traced, layer, own, gradients),
            &Op::Concat { left, right } => {
                let l = traced.shape(left).1;
                for (var, from) in [(left, gradient), (right, gradient.after(l))] {
                    if let Some((out, accumulate)) = self.input(traced, var) {
                        let width = traced.shape(var).1;
                        self.piece([out, from], [width, cols], rows, width, accumulate);
                    }
                }
            }
            Op::HalvingConvolution(layer) => self.halving_convolution_gradient(traced, layer, own, gradients),
            Op::DoublingConvolution(layer) => self.doubling_convolution_gradient(traced, layer, own, gradients),
            &Op::Columns { x, start } => {
                let width = traced.shape(x).1;
                if let Some(out) = self.part(traced, x) {
                    self.piece([out.after(start), gradient], [width, cols], rows, cols, true);
                }
            }
            &Op::SwapAxes { x, sizes: [outer, inner, size] } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.swap_axes(out, gradient, count, [inner, outer, size], accumulate);
                }
            }
            &Op::ScaledRows { x, factor } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let arguments = arguments![out, gradient, traced.place(factor), count, cols, accumulate];
                    self.each("scaled_rows", count, arguments);
                }
            }
            &Op::Rows { x, start } => {
                if let Some(out) = self.part(traced, x) {
                    self.piece([out.after(start * cols), gradient], [cols; 2], rows, cols, true);
                }
            }
            Op::Stack { list } => {
                let mut row = 0;
                for &var in &traced.workspace.lists[list.range()] {
                    let (rows, part) = (traced.shape(var).0, gradient.after(row * cols));
                    if var.gradient && traced.gradients[var.index()].is_none() {
                        // It lies where it is: the stack's gradient is not given back.
                        traced.gradients[var.index()] = Some(part);
                        traced.within[var.index()] = true;
                    } else if let Some((out, accumulate)) = self.input(traced, var) {
                        self.piece([out, part], [cols; 2], rows, cols, accumulate);
                    }
                    row += rows;
                }
            }
            &Op::Gaussian { raw, .. } => {
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    if let Some(sampled) = self.take_last("sample_gradient", gradient) {
                        // What a sample adds to this gradient is not needed anywhere else.
                        let &[_, of_sample, noise, .., adds] = &sampled[..] else { panic!("a launch of that kernel") };
                        let raw = traced.place(raw);
                        let arguments = arguments![out, gradient, adds, of_sample, noise, raw, rows, cols, accumulate];
                        self.each("gaussian_sample_gradient", count, arguments);
                        return;
                    }
                    let arguments = arguments![out, gradient, traced.place(raw), rows, cols, accumulate];
                    self.each("gaussian_gradient", count, arguments);
                }
            }
            &Op::Sample { gaussian, noise } => {
                if let Some((out, accumulate)) = self.input(traced, gaussian) {
                    let arguments = arguments![out, gradient, traced.place(noise), rows, cols, accumulate];
                    self.each("sample_gradient", count, arguments);
                }
            }
            &Op::Divergence { posterior, prior } => {
                let size = traced.shape(posterior).1 / 2;
                for (var, kernel) in [(posterior, "divergence_of_first"), (prior, "divergence_of_second")] {
                    if let Some((out, accumulate)) = self.input(traced, var) {
                        let [q, p] = [posterior, prior].map(|var| traced.place(var));
                        self.each(kernel, rows * size, arguments![out, gradient, q, p, rows, size, accumulate]);
                    }
                }
            }
            &Op::NormalDensity { mean, target, precision, .. } => {
                if let Some((out, accumulate)) = self.input(traced, mean) {
                    let cols = traced.shape(mean).1;
                    let [mean, target] = [mean, target].map(|var| traced.place(var));
                    let arguments = arguments![out, gradient, mean, target, rows, cols, precision, accumulate];
                    self.each("normal_density_gradient", rows * cols, arguments);
                }
            }
            &Op::BernoulliDensity { logit, target } => {
                if let Some((out, accumulate)) = self.input(traced, logit) {
                    let [logit, target] = [logit, target].map(|var| traced.place(var));
                    let arguments = arguments![out, gradient, logit, target, count, accumulate];
                    self.each("bernoulli_density_gradient", count, arguments);
                }
            }
            &Op::Sigmoid { x, shift } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each("logistic_gradient", count, arguments![out, gradient, y, count, shift, accumulate]);
                }
            }
            &Op::Squash { raw, noise, squash } => {
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                    let arguments = arguments![out, gradient, y, raw, noise, rows, cols, bound, initial, accumulate];
                    self.each("squashed_sample_gradient", count, arguments);
                }
            }
            &Op::SquashedEntropy { raw, noise, squash } => {
                let size = traced.shape(noise).1;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                    let arguments = arguments![out, gradient, raw, noise, rows, size, bound, initial, accumulate];
                    self.each("squashed_entropy_gradient", rows * size, arguments);
                }
            }
            &Op::AtLeast { x, least } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let arguments = arguments![out, gradient, traced.place(x), count, least, accumulate];
                    self.each("at_least_gradient", count, arguments);
                }
            }
            &Op::Activated { x, activation } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let arguments = arguments![out, gradient, y, count, activation, accumulate];
                    self.each("activated_gradient", count, arguments);
                }
            }
            &Op::BoundedSample { raw, noise } => {
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let arguments = arguments![out, gradient, raw, noise, rows, cols, accumulate];
                    self.each("bounded_sample_gradient", count, arguments);
                }
            }
            &Op::SquashedLogDensity { raw, noise, squash } => {
                let size = traced.shape(noise).1;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                    let arguments = arguments![out, gradient, raw, noise, rows, size, bound, initial, accumulate];
                    self.each("squashed_log_density_gradient", rows * size, arguments);
                }
            }
            &Op::BoundedLogDensity { raw, noise } => {
                let size = traced.shape(noise).1;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let arguments = arguments![out, gradient, raw, noise, rows, size, accumulate];
                    self.each("bounded_log_density_gradient", rows * size, arguments);
                }
            }
            &Op::OneHotLogDensity { logits, gumbel, classes: Classes { count: size, unimix } } => {
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let [logits, gumbel] = [logits, gumbel].map(|var| traced.place(var));
                    let arguments = arguments![out, gradient, logits, gumbel, count, size, unimix, accumulate];
                    self.each("one_hot_log_density_gradient", count, arguments);
                }
            }
            &Op::Difference { left, right } => {
                for (var, factor) in [(left, 1.0), (right, -1.0)] {
                    if let Some((out, accumulate)) = self.input(traced, var) {
                        self.each("scaled", count, arguments![out, gradient, factor, count, accumulate]);
                    }
                }
            }
            &Op::BoundedEntropy { raw } => {
                let size = traced.shape(raw).1 / 2;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let arguments = arguments![out, gradient, traced.place(raw), rows, size, accumulate];
                    self.each("bounded_entropy_gradient", rows * size, arguments);
                }
            }
            &Op::TwoHotMean { logits, bins } => {
                let bin_count = traced.shape(logits).1;
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let [logits, bins] = [logits, bins].map(|var| traced.place(var));
                    let arguments = arguments![out, gradient, logits, bins, y, bin_count, accumulate];
                    self.launch("two_hot_mean_gradient", [rows, 1, 1], arguments);
                }
            }
            &Op::TwoHotDensity { logits, bins, target } => {
                let bin_count = traced.shape(logits).1;
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let [logits, bins, target] = [logits, bins, target].map(|var| traced.place(var));
                    let arguments = arguments![out, gradient, logits, bins, target, bin_count, accumulate];
                    self.launch("two_hot_density_gradient", [rows, 1, 1], arguments);
                }
            }
            &Op::OneHotSample { logits, classes: Classes { count: size, unimix }, .. } => {
                let all = count / size;
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let arguments = arguments![out, gradient, traced.place(logits), all, size, unimix, accumulate];
                    self.each("one_hot_sample_gradient", all, arguments);
                }
            }
            &Op::CategoricalEntropy { logits, classes: Classes { count: size, unimix } } => {
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let arguments = arguments![out, gradient, traced.place(logits), count, size, unimix, accumulate];
                    self.each("categorical_entropy_gradient", count, arguments);
                }
            }
            &Op::CategoricalDivergence { posterior, prior, classes: Classes { count: size, unimix } } => {
                let groups = traced.shape(posterior).1 / size;
                let kernels = ["categorical_divergence_of_first", "categorical_divergence_of_second"];
                for (var, kernel) in [posterior, prior].into_iter().zip(kernels) {
                    if let Some((out, accumulate)) = self.input(traced, var) {
                        let [q, p] = [posterior, prior].map(|var| traced.place(var));
                        let arguments = arguments![out, gradient, q, p, rows, groups, size, unimix, accumulate];
                        self.each(kernel, rows * groups, arguments);
                    }
                }
            }
            &Op::RmsNorm { x, scale, trainable } => {
                let group = traced.parameters.shape(scale)[0];
                let (groups, from, weights) = (count / group, traced.place(x), traced.parameter(scale));
                if let Some((out, accumulate)) = gradients.slot(scale, trainable) {
                    self.with_scratch(count, |planner, parts| {
                        let arguments = arguments![parts, gradient, from, groups, group, EPSILON];
                        planner.each("rms_norm_parts", groups, arguments);
                        planner.column_sums(out, parts, groups, group, accumulate);
                    });
                }
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let arguments = arguments![out, gradient, from, weights, groups, group, EPSILON, accumulate];
                    self.each("rms_norm_gradient", groups, arguments);
                }
            }
            &Op::Silu { x } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each("silu_gradient", count, arguments![out, gradient, traced.place(x), count, accumulate]);
                }
            }
            &Op::Standardise { x, deviation, first, .. } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let deviation = traced.parameter(deviation).after(first);
                    let arguments = arguments![out, gradient, deviation, rows, cols, accumulate];
                    self.each("standardise_gradient", count, arguments);
                }
            }
            &Op::DivideByRange { x, range } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let arguments = arguments![out, gradient, traced.parameter(range), count, accumulate];
                    self.each("divide_by_range_gradient", count, arguments);
                }
            }
            &Op::StandardisedColumns { x } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let arguments =
                        arguments![out, gradient, traced.place(x), rows, cols, columns::EPSILON, accumulate];
                    self.launch("standardised_columns_gradient", [cols, 1, 1], arguments);
                }
            }
            &Op::ColumnProducts { left, right } => {
                let own = Matrix::new(gradient, rows, cols);
                if let Some((out, accumulate)) = self.input(traced, left) {
                    self.product(out, traced.matrix(right), own.transposed(), accumulate);
                }
                if let Some((out, accumulate)) = self.input(traced, right) {
                    self.product(out, traced.matrix(left), own, accumulate);
                }
            }
            &Op::IdentityDistance { x, distance } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let IdentityDistance { factor, diagonal, others } = distance;
                    let arguments =
                        arguments![out, gradient, traced.place(x), rows, factor, diagonal, others, accumulate];
                    self.each("identity_distance_gradient", rows * rows, arguments);
                }
            }
            &Op::Harmonised { x, s, harmony, trainable } => {
                let Harmony { weight, share } = harmony;
                let (from, own) = (traced.place(x), traced.parameter(s));
                if let Some((out, accumulate)) = gradients.slot(s, trainable) {
                    self.with_scratch(count + 1, |planner, slopes| {
                        let sum = slopes.after(count);
                        let arguments = arguments![slopes, gradient, from, own, count, weight, share];
                        planner.each("harmonised_slopes", count, arguments);
                        planner.total(sum, slopes, [count, 1], Total::Numbers);
                        planner.piece([out, sum], [1; 2], 1, 1, accumulate);
                    });
                }
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each("harmonised_gradient", count, arguments![out, gradient, own, count, weight, accumulate]);
                }
            }
            Op::AbsoluteSum(sum) => self.absolute_sum_gradient(traced, sum, own, gradients),
            Op::Returns(returns) => self.returns_gradient(traced, returns, own),
            &Op::WeightedSum { x, weight } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let rows = traced.shape(x).0;
                    self.with_scratch(rows, |planner, same| {
                        planner.each("same_rows", rows, arguments![same, gradient, rows, 1usize]);
                        let arguments = arguments![out, traced.place(weight), same, rows, 1usize, accumulate];
                        planner.each("scale_rows", rows, arguments);
                    });
                }
            }
            &Op::InputScalar { x, layers, activation, .. } => {
                let network = scalar::Network { x, layers, activation };
                self.perceptron_gradient(traced, &network, None, own, gradients);
            }
            Op::Scalar(scalar) => {
                let trained = traced.gradients[scalar.trained.index()].take();
                let count = traced.shape(scalar.trained).0;
                let training = trained.filter(|_| scalar.trainable).map(|factors| (factors, count));
                self.perceptron_gradient(traced, &scalar::Network::of(scalar), training, own, gradients);
                if let Some(place) = trained {
                    self.give_back(place, count);
                }
            }
            &Op::Trained { factors, value } => {
                if let Some((out, accumulate)) = self.input(traced, factors) {
                    self.piece([out, gradient], [1; 2], rows, 1, accumulate);
                }
                // The factors wait for the value's own gradient.
                self.part(traced, value);
            }
        }
    }

    fn absolute_sum_gradient(
        &mut self,
        traced: &Traced<'_>,
        sum: &AbsoluteSum,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let AbsoluteSum { parameter, numbers, trainable } = sum;
        let Some((out, accumulate)) = gradients.slot(*parameter, *trainable) else { return };
        if !accumulate {
            self.fill(out, traced.parameters.place(*parameter).len(), 0.0);
        }
        let from = traced.parameter(*parameter).after(numbers.start);
        self.with_scratch(1, |planner, factor| {
            planner.total(factor, own.gradient, [own.rows, 1], Total::Numbers);
            let arguments = arguments![out.after(numbers.start), from, factor, numbers.len()];
            planner.each("add_signs", numbers.len(), arguments);
        });
    }

    fn returns_gradient(&mut self, traced: &mut Traced<'_>, returns: &Returns, own: Own) {
        let &Returns { reward, value, discount, lambda, rollouts } = returns;
        let Own { y, gradient, rows: count, .. } = own;
        let steps = count / rollouts + 1;
        let [value_place, discount_place] = [value, discount].map(|var| traced.place(var));
        self.each("returns_gradient", rollouts, arguments![gradient, discount_place, steps, rollouts, lambda]);
        if let Some(out) = self.part(traced, reward) {
            self.piece([out, gradient], [1; 2], count, 1, true);
        }
        if let Some(out) = self.part(traced, value) {
            let arguments = arguments![out, gradient, discount_place, steps, rollouts, lambda];
            self.each("returns_of_value", count, arguments);
        }
        if let Some(out) = self.part(traced, discount) {
            let arguments = arguments![out, gradient, y, value_place, steps, rollouts, lambda];
            self.each("returns_of_discount", count, arguments);
        }
    }
}
