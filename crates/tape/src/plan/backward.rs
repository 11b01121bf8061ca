//! The launches that compute a recording's gradients, back over its operations like
//! [`Tape::backward`](crate::Tape::backward).

use super::gradients::{Own, ParameterGradients};
use super::kernels;
use super::launch::Place;
use super::layout::Planner;
use super::scalar;
use super::traced::Traced;
use crate::ops::Op;
use crate::ops::range::{RATE, SHARES, position};
use crate::ops::{
    action, at_least, block_gates, bounded, categorical, columns, density, gaussian, harmony, identity, norm, range,
    returns, scaled_rows, shape, standardise, two_hot,
};
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
        self.launch(
            [1; 3],
            kernels::FollowPercentiles {
                range,
                go,
                x: numbers,
                n: count,
                low_below: low,
                low_beyond,
                high_below: high,
                high_beyond,
                rate: RATE,
            },
        );
    }

    pub(crate) fn fill(&mut self, place: Place, count: usize, value: f64) {
        self.each(count, kernels::Fill { out: place, rows: count, columns: 1, value });
    }

    /// The place for an input's gradient and whether to add to it; `None` if the input has no gradient.
    pub(crate) fn input(&mut self, traced: &mut Traced<'_>, var: Var) -> Option<(Place, bool)> {
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
    pub(crate) fn part(&mut self, traced: &mut Traced<'_>, var: Var) -> Option<Place> {
        let (place, accumulate) = self.input(traced, var)?;
        if !accumulate {
            let (rows, cols) = traced.shape(var);
            self.fill(place, rows * cols, 0.0);
        }
        Some(place)
    }

    fn gradient(&mut self, traced: &mut Traced<'_>, op: &Op, own: Own, gradients: &mut ParameterGradients) {
        let Own { gradient, rows, cols, .. } = own;
        match op {
            Op::Leaf | Op::Weights { .. } | Op::ReplayReturns(_) => {}
            Op::Dense(dense) => self.dense_gradient(traced, dense, own, gradients),
            Op::BlockDense(layer) => self.block_dense_gradient(traced, layer, own, gradients),
            &Op::BlockGates { sums, h, blocks } => block_gates::plan_backward(self, traced, sums, h, blocks, own),
            Op::Gru(gru) => self.recurrent_gradient(traced, gru, own, gradients),
            Op::Convolution(layer) => self.convolution_gradient(traced, layer, own, gradients),
            Op::TransposedConvolution(layer) => self.transposed_convolution_gradient(traced, layer, own, gradients),
            &Op::Concat { left, right } => shape::plan_concat_backward(self, traced, left, right, own),
            Op::HalvingConvolution(layer) => self.halving_convolution_gradient(traced, layer, own, gradients),
            Op::DoublingConvolution(layer) => self.doubling_convolution_gradient(traced, layer, own, gradients),
            &Op::Columns { x, start } => shape::plan_columns_backward(self, traced, x, start, own),
            &Op::SwapAxes { x, sizes } => shape::plan_swap_axes_backward(self, traced, x, sizes, own),
            &Op::ScaledRows { x, factor } => scaled_rows::plan_backward(self, traced, x, factor, own),
            &Op::Rows { x, start } => {
                if let Some(out) = self.part(traced, x) {
                    self.piece([out.after(start * cols), gradient], [cols; 2], rows, cols, true);
                }
            }
            &Op::Stack { list } => shape::plan_stack_backward(self, traced, list, own),
            &Op::Gaussian { raw, .. } => gaussian::plan_gaussian_backward(self, traced, raw, own),
            &Op::Sample { gaussian, noise } => gaussian::plan_sample_backward(self, traced, gaussian, noise, own),
            &Op::Divergence { posterior, prior } => {
                gaussian::plan_divergence_backward(self, traced, posterior, prior, own)
            }
            &Op::NormalDensity { mean, target, precision, .. } => {
                density::plan_normal_backward(self, traced, mean, target, precision, own)
            }
            &Op::BernoulliDensity { logit, target } => {
                density::plan_bernoulli_backward(self, traced, logit, target, own)
            }
            &Op::Sigmoid { x, shift } => density::plan_sigmoid_backward(self, traced, x, shift, own),
            &Op::Squash { raw, noise, squash } => action::plan_squash_backward(self, traced, raw, noise, squash, own),
            &Op::SquashedEntropy { raw, noise, squash } => {
                action::plan_squashed_entropy_backward(self, traced, raw, noise, squash, own)
            }
            &Op::AtLeast { x, least } => at_least::plan_at_least_backward(self, traced, x, least, own),
            &Op::Activated { x, activation } => norm::plan_activated_backward(self, traced, x, activation, own),
            &Op::BoundedSample { raw, noise } => bounded::plan_sample_backward(self, traced, raw, noise, own),
            &Op::SquashedLogDensity { raw, noise, squash } => {
                action::plan_squashed_log_density_backward(self, traced, raw, noise, squash, own)
            }
            &Op::BoundedLogDensity { raw, noise } => bounded::plan_log_density_backward(self, traced, raw, noise, own),
            &Op::OneHotLogDensity { logits, gumbel, classes } => {
                categorical::plan_log_density_backward(self, traced, logits, gumbel, classes, own)
            }
            &Op::Difference { left, right } => scaled_rows::plan_difference_backward(self, traced, left, right, own),
            &Op::BoundedEntropy { raw } => bounded::plan_entropy_backward(self, traced, raw, own),
            &Op::TwoHotMean { logits, bins } => two_hot::plan_mean_backward(self, traced, logits, bins, own),
            &Op::TwoHotDensity { logits, bins, target } => {
                two_hot::plan_density_backward(self, traced, logits, bins, target, own)
            }
            &Op::OneHotSample { logits, classes, .. } => {
                categorical::plan_sample_backward(self, traced, logits, classes, own)
            }
            &Op::CategoricalEntropy { logits, classes } => {
                categorical::plan_entropy_backward(self, traced, logits, classes, own)
            }
            &Op::CategoricalDivergence { posterior, prior, classes } => {
                categorical::plan_divergence_backward(self, traced, posterior, prior, classes, own)
            }
            &Op::RmsNorm { x, scale, trainable } => {
                norm::plan_rms_backward(self, traced, x, scale, trainable, own, gradients)
            }
            &Op::Silu { x } => norm::plan_silu_backward(self, traced, x, own),
            &Op::Standardise { x, deviation, first, .. } => {
                standardise::plan_standardise_backward(self, traced, x, deviation, first, own)
            }
            &Op::DivideByRange { x, range } => range::plan_divide_backward(self, traced, x, range, own),
            &Op::StandardisedColumns { x } => columns::plan_standardised_backward(self, traced, x, own),
            &Op::ColumnProducts { left, right } => columns::plan_products_backward(self, traced, left, right, own),
            &Op::IdentityDistance { x, distance } => identity::plan_backward(self, traced, x, distance, own),
            &Op::Harmonised { x, s, harmony, trainable } => {
                harmony::plan_backward(self, traced, x, (s, trainable), harmony, own, gradients)
            }
            Op::AbsoluteSum(sum) => sum.plan_backward(self, traced, own, gradients),
            Op::Returns(returns) => returns.plan_backward(self, traced, own),
            &Op::WeightedSum { x, weight } => returns::plan_weighted_sum_backward(self, traced, x, weight, own),
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
}
