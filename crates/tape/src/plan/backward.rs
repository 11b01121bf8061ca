//! The launches that compute a recording's gradients, back over its operations like
//! [`Tape::backward`](crate::Tape::backward).

use super::gradients::{Own, ParameterGradients};
use super::launch::Place;
use super::layout::{Planner, arguments};
use super::products::{Factor, Finish, Matrix, Total};
use super::repeated::Term;
use super::scalar;
use super::traced::Traced;
use crate::kernels::elementwise::Activation;
use crate::ops::absolute::AbsoluteSum;
use crate::ops::convolution::Convolution;
use crate::ops::dense::Dense;
use crate::ops::gru::Gru;
use crate::ops::norm::EPSILON;
use crate::ops::range::{RATE, SHARES, position};
use crate::ops::returns::Returns;
use crate::ops::{Classes, Op};
use crate::parameters::Parameter;
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

    /// The gradient before a layer's activation, in place.
    pub(super) fn before(&mut self, gradient: Place, y: Place, [rows, cols]: [usize; 2], activation: Activation) {
        if activation != Activation::None {
            let arguments = arguments![gradient, y, rows, cols, activation];
            self.each("activation_gradient", rows * cols, arguments);
        }
    }

    /// The gradient before the activation of a node's own value, unless the launch that completed the gradient did that.
    fn before_own(&mut self, traced: &Traced<'_>, own: Own, shape: [usize; 2], activation: Activation) {
        if !traced.before[own.node] {
            self.before(own.gradient, own.y, shape, activation);
        }
    }

    /// The operation after the sums that a node adds to the gradient of x: if no later launch adds to it, they are followed
    /// by the gradient before x's activation. This is certain where no operation lies between the two on the tape.
    fn finish_gradient_of(&self, traced: &mut Traced<'_>, x: Var, node: usize) -> Finish {
        let nodes = &traced.workspace.nodes;
        let activation = match &nodes[x.index()].op {
            Op::Dense(dense) => dense.activation,
            Op::Convolution(layer) | Op::TransposedConvolution(layer) => layer.activation,
            _ => Activation::None,
        };
        let last = nodes[x.index() + 1..node].iter().all(|between| matches!(between.op, Op::Leaf));
        if !last || !x.gradient || activation == Activation::None || traced.repeated.has_copies(x.index()) {
            return Finish::NONE;
        }
        traced.before[x.index()] = true;
        Finish::before(traced.place(x), activation)
    }

    pub(super) fn bias_gradient(
        &mut self,
        bias: Parameter,
        trainable: bool,
        gradient: Place,
        [rows, cols]: [usize; 2],
        gradients: &mut ParameterGradients,
    ) {
        if let Some((out, accumulate)) = gradients.slot(bias, trainable) {
            self.column_sums(out, gradient, rows, cols, accumulate);
        }
    }

    fn dense_gradient(&mut self, traced: &mut Traced<'_>, dense: &Dense, own: Own, gradients: &mut ParameterGradients) {
        let &Dense { x, kernel, first_row, bias, plus, activation, kernel_trainable, bias_trainable } = dense;
        let Own { node, gradient, rows, cols, .. } = own;
        let inputs = traced.shape(x).1;
        self.before_own(traced, own, [rows, cols], activation);
        let above = Matrix::new(gradient, rows, cols);
        if let Some((out, accumulate)) = self.input(traced, x) {
            let weights = Matrix::new(traced.parameter(kernel).after(first_row * cols), inputs, cols);
            let finish = self.finish_gradient_of(traced, x, node);
            self.layer(out, above, weights.transposed(), accumulate, finish);
        }
        if traced.repeated.includes(node) {
            let read = Some(traced.matrix(x));
            let weights =
                Term { parameter: kernel, trainable: kernel_trainable, from: first_row * cols, x: read, above };
            traced.repeated.add(weights);
            if let Some(bias) = bias {
                traced.repeated.add(Term { parameter: bias, trainable: bias_trainable, from: 0, x: None, above });
            }
        } else {
            if let Some((out, mut accumulate)) = gradients.slot(kernel, kernel_trainable) {
                let whole = traced.parameters.place(kernel).len();
                if !accumulate && inputs * cols < whole {
                    self.fill(out, whole, 0.0);
                    accumulate = true;
                }
                self.product(out.after(first_row * cols), traced.matrix(x).transposed(), above, accumulate);
            }
            if let Some(bias) = bias {
                self.bias_gradient(bias, bias_trainable, gradient, [rows, cols], gradients);
            }
        }
        let Some(plus) = plus.filter(|plus| plus.gradient) else { return };
        match traced.workspace.nodes[plus.index()].op {
            // The rows of another value have the gradients of the runs, one after the other.
            Op::Rows { x, start } if traced.repeated.includes(node) && x.gradient => {
                traced.repeated.copy(x.index(), start * cols, gradient, rows * cols);
            }
            _ => {
                if let Some((out, accumulate)) = self.input(traced, plus) {
                    self.piece([out, gradient], [cols; 2], rows, cols, accumulate);
                }
            }
        }
    }

    fn recurrent_gradient(&mut self, traced: &mut Traced<'_>, gru: &Gru, own: Own, gradients: &mut ParameterGradients) {
        let &Gru { x, h, gates, weights, trainable } = gru;
        let Own { node, gradient, rows, cols: size, .. } = own;
        let (inputs, wide) = (traced.shape(x).1, 3 * size);
        let gates = traced.place(gates);
        let kept = [false, true].map(|second| self.sums_of_run(traced, node, second));
        self.with_scratch(2 * rows * wide, |planner, scratch| {
            let [to_x, to_h] = [kept[0].unwrap_or(scratch), kept[1].unwrap_or(scratch.after(rows * wide))];
            let arguments =
                arguments![to_x, to_h, gates, gates.after(rows * wide), traced.place(h), gradient, rows, size];
            planner.each("recurrent_gradient", rows * size, arguments);
            let [from_x, from_h] = [to_x, to_h].map(|place| Matrix::new(place, rows, wide));
            if let Some((out, accumulate)) = planner.input(traced, h) {
                planner.each("recurrent_past", rows * size, arguments![out, gradient, gates, rows, size, accumulate]);
                let recurrent = Matrix::new(traced.parameter(weights.recurrent), size, wide);
                planner.product(out, from_h, recurrent.transposed(), true);
            }
            if let Some((out, accumulate)) = planner.input(traced, x) {
                let kernel = Matrix::new(traced.parameter(weights.kernel), inputs, wide);
                let finish = planner.finish_gradient_of(traced, x, node);
                planner.layer(out, from_x, kernel.transposed(), accumulate, finish);
            }
            if traced.repeated.includes(node) {
                let terms = [(weights.kernel, x, from_x, 0), (weights.recurrent, h, from_h, wide)];
                for (parameter, read, above, from) in terms {
                    let read = Some(traced.matrix(read));
                    traced.repeated.add(Term { parameter, trainable, from: 0, x: read, above });
                    traced.repeated.add(Term { parameter: weights.bias, trainable, from, x: None, above });
                }
                return;
            }
            for (parameter, read, sums) in [(weights.kernel, x, from_x), (weights.recurrent, h, from_h)] {
                if let Some((out, accumulate)) = gradients.slot(parameter, trainable) {
                    planner.product(out, traced.matrix(read).transposed(), sums, accumulate);
                }
            }
            if let Some((out, accumulate)) = gradients.slot(weights.bias, trainable) {
                planner.column_sums(out, to_x, rows, wide, accumulate);
                planner.column_sums(out.after(wide), to_h, rows, wide, accumulate);
            }
        });
    }

    fn convolution_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        layer: &Convolution,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Convolution { x, kernel, bias, patches, channels, activation, trainable } = layer;
        let Own { node, gradient, rows: images, .. } = own;
        let shape = [images * patches.count(), channels];
        self.before_own(traced, own, shape, activation);
        self.bias_gradient(bias, trainable, gradient, shape, gradients);
        let weights = Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let above = Matrix::new(gradient, shape[0], channels);
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            let read = Factor::patches(traced.place(x), images, patches);
            self.product(out, read.transposed(), above, accumulate);
        }
        if let Some((out, accumulate)) = self.input(traced, x) {
            let finish = self.finish_gradient_of(traced, x, node);
            self.transposed_convolution_of(out, images, patches, [above, weights.transposed()], accumulate, finish);
        }
    }

    fn transposed_convolution_gradient(
        &mut self,
        traced: &mut Traced<'_>,
        layer: &Convolution,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        let &Convolution { x, kernel, bias, patches, channels, activation, trainable } = layer;
        let Own { node, gradient, rows: images, .. } = own;
        let shape = [images * patches.side * patches.side, patches.channels];
        self.before_own(traced, own, shape, activation);
        self.bias_gradient(bias, trainable, gradient, shape, gradients);
        let weights = Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let above = Factor::patches(gradient, images, patches);
        if let Some((out, accumulate)) = gradients.slot(kernel, trainable) {
            let read = Matrix::new(traced.place(x), images * patches.count(), channels);
            self.product(out, above.transposed(), read, accumulate);
        }
        if let Some((out, accumulate)) = self.input(traced, x) {
            let finish = self.finish_gradient_of(traced, x, node);
            self.layer(out, above, weights, accumulate, finish);
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
            planner.total(factor, own.gradient, own.rows, Total::Numbers);
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
