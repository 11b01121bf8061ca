//! The operations, in one file for each group, which has an operation's value, its gradient, the launches of both on a
//! device, and often its tests.
//!
//! A new operation needs a variant of [`Op`], a method of [`crate::Tape`] that records it, its `backward`, `plan` and
//! `plan_backward`, each with its line in the `match` of all operations (here and in `plans`), and a finite-difference
//! test in `tests/gradients`.

pub(crate) mod absolute;
pub(crate) mod action;
pub(crate) mod at_least;
pub(crate) mod block_dense;
pub(crate) mod block_gates;
pub(crate) mod bounded;
pub(crate) mod categorical;
pub(crate) mod columns;
pub(crate) mod convolution;
pub(crate) mod dense;
pub(crate) mod density;
pub(crate) mod doubling_convolution;
pub(crate) mod gaussian;
pub(crate) mod gru;
pub(crate) mod halving_convolution;
pub(crate) mod harmony;
pub(crate) mod identity;
pub(crate) mod norm;
mod plans;
pub(crate) mod range;
pub(crate) mod returns;
pub(crate) mod scalar;
pub(crate) mod scaled_rows;
pub(crate) mod shape;
pub(crate) mod standardise;
pub(crate) mod two_hot;

pub use action::{Squash, squashed_log_density};
pub use bounded::{bounded_mean_and_std, within_bounds};
pub use categorical::{Classes, class_probabilities, sampled_class};
pub use gru::GruWeights;
pub use halving_convolution::Halving;
pub use harmony::Harmony;
pub use identity::IdentityDistance;
pub use range::{follow, follow_percentiles, percentiles, range_divisor};
pub use returns::Replayed;
pub use two_hot::two_hot_bins;

use crate::kernels::dispatch::Real;
use crate::kernels::elementwise::Activation;
use crate::parameters::Parameter;
use crate::tape::{Backward, List, Var};

/// A recorded operation with its inputs.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// A value from outside, or one that another operation keeps for its gradient.
    Leaf,
    Dense(dense::Dense),
    BlockDense(block_dense::BlockDense),
    BlockGates {
        sums: Var,
        h: Var,
        blocks: usize,
    },
    Gru(gru::Gru),
    Convolution(convolution::Convolution),
    TransposedConvolution(convolution::Convolution),
    HalvingConvolution(halving_convolution::HalvingConvolution),
    DoublingConvolution(doubling_convolution::DoublingConvolution),
    Concat {
        left: Var,
        right: Var,
    },
    Rows {
        x: Var,
        start: usize,
    },
    Columns {
        x: Var,
        start: usize,
    },
    SwapAxes {
        x: Var,
        /// Of the two axes, and of what follows them.
        sizes: [usize; 3],
    },
    Difference {
        left: Var,
        right: Var,
    },
    ScaledRows {
        x: Var,
        factor: Var,
    },
    Stack {
        list: List,
    },
    Gaussian {
        raw: Var,
        min_std: f64,
    },
    Sample {
        gaussian: Var,
        noise: Var,
    },
    Divergence {
        posterior: Var,
        prior: Var,
    },
    AtLeast {
        x: Var,
        least: f64,
    },
    NormalDensity {
        mean: Var,
        target: Var,
        /// One over the variance.
        precision: f64,
        constant: f64,
    },
    BernoulliDensity {
        logit: Var,
        target: Var,
    },
    Sigmoid {
        x: Var,
        shift: f64,
    },
    Squash {
        raw: Var,
        noise: Var,
        squash: Squash,
    },
    SquashedEntropy {
        raw: Var,
        noise: Var,
        squash: Squash,
    },
    SquashedLogDensity {
        raw: Var,
        noise: Var,
        squash: Squash,
    },
    BoundedSample {
        raw: Var,
        noise: Var,
    },
    BoundedEntropy {
        raw: Var,
    },
    BoundedLogDensity {
        raw: Var,
        noise: Var,
    },
    TwoHotMean {
        logits: Var,
        bins: Var,
    },
    TwoHotDensity {
        logits: Var,
        bins: Var,
        target: Var,
    },
    OneHotSample {
        logits: Var,
        gumbel: Var,
        classes: Classes,
    },
    OneHotLogDensity {
        logits: Var,
        gumbel: Var,
        classes: Classes,
    },
    CategoricalEntropy {
        logits: Var,
        classes: Classes,
    },
    CategoricalDivergence {
        posterior: Var,
        prior: Var,
        classes: Classes,
    },
    RmsNorm {
        x: Var,
        scale: Parameter,
        trainable: bool,
    },
    Activated {
        x: Var,
        activation: Activation,
    },
    Silu {
        x: Var,
    },
    Standardise {
        x: Var,
        mean: Parameter,
        deviation: Parameter,
        first: usize,
    },
    DivideByRange {
        x: Var,
        range: Parameter,
    },
    StandardisedColumns {
        x: Var,
    },
    ColumnProducts {
        left: Var,
        right: Var,
    },
    IdentityDistance {
        x: Var,
        distance: IdentityDistance,
    },
    Harmonised {
        x: Var,
        s: Parameter,
        harmony: Harmony,
        trainable: bool,
    },
    AbsoluteSum(absolute::AbsoluteSum),
    Returns(returns::Returns),
    ReplayReturns(Replayed),
    Weights {
        discount: Var,
        rollouts: usize,
        including_own: bool,
    },
    WeightedSum {
        x: Var,
        weight: Var,
    },
    InputScalar {
        x: Var,
        derivatives: Var,
        layers: List,
        activation: Activation,
    },
    Scalar(scalar::Scalar),
    Trained {
        factors: Var,
        value: Var,
    },
}

impl Op {
    /// Adds the gradients of the inputs, given that of the result.
    pub(crate) fn backward<F: Real>(&self, back: &mut Backward<F>) {
        match self {
            Op::Leaf | Op::Weights { .. } | Op::ReplayReturns(_) => {}
            Op::Dense(dense) => dense.backward(back),
            Op::BlockDense(layer) => layer.backward(back),
            &Op::BlockGates { sums, h, blocks } => block_gates::backward(back, sums, h, blocks),
            Op::Gru(gru) => gru.backward(back),
            Op::Convolution(convolution) => convolution.backward(back),
            Op::TransposedConvolution(convolution) => convolution.backward_transposed(back),
            Op::HalvingConvolution(layer) => layer.backward(back),
            Op::DoublingConvolution(layer) => layer.backward(back),
            &Op::Concat { left, right } => shape::concat_backward(back, left, right),
            &Op::Rows { x, start } => shape::rows_backward(back, x, start),
            &Op::Columns { x, start } => shape::columns_backward(back, x, start),
            &Op::SwapAxes { x, sizes } => shape::swap_axes_backward(back, x, sizes),
            &Op::ScaledRows { x, factor } => scaled_rows::backward(back, x, factor),
            &Op::Difference { left, right } => scaled_rows::difference_backward(back, left, right),
            &Op::SquashedLogDensity { raw, noise, squash } => {
                action::squashed_log_density_backward(back, raw, noise, squash);
            }
            &Op::BoundedLogDensity { raw, noise } => bounded::log_density_backward(back, raw, noise),
            &Op::OneHotLogDensity { logits, gumbel, classes } => {
                categorical::log_density_backward(back, logits, gumbel, classes);
            }
            &Op::Stack { list } => shape::stack_backward(back, list),
            &Op::Gaussian { raw, .. } => gaussian::gaussian_backward(back, raw),
            &Op::Sample { gaussian, noise } => gaussian::sample_backward(back, gaussian, noise),
            &Op::Divergence { posterior, prior } => gaussian::divergence_backward(back, posterior, prior),
            &Op::AtLeast { x, least } => at_least::at_least_backward(back, x, least),
            &Op::NormalDensity { mean, target, precision, .. } => {
                density::normal_backward(back, mean, target, precision);
            }
            &Op::BernoulliDensity { logit, target } => density::bernoulli_backward(back, logit, target),
            &Op::Sigmoid { x, shift } => density::sigmoid_backward(back, x, shift),
            &Op::Squash { raw, noise, squash } => action::squash_backward(back, raw, noise, squash),
            &Op::SquashedEntropy { raw, noise, squash } => {
                action::squashed_entropy_backward(back, raw, noise, squash);
            }
            &Op::BoundedSample { raw, noise } => bounded::sample_backward(back, raw, noise),
            &Op::BoundedEntropy { raw } => bounded::entropy_backward(back, raw),
            &Op::TwoHotMean { logits, bins } => two_hot::mean_backward(back, logits, bins),
            &Op::TwoHotDensity { logits, bins, target } => two_hot::density_backward(back, logits, bins, target),
            &Op::OneHotSample { logits, classes, .. } => categorical::sample_backward(back, logits, classes),
            &Op::CategoricalEntropy { logits, classes } => categorical::entropy_backward(back, logits, classes),
            &Op::CategoricalDivergence { posterior, prior, classes } => {
                categorical::divergence_backward(back, posterior, prior, classes);
            }
            &Op::RmsNorm { x, scale, trainable } => norm::rms_backward(back, x, scale, trainable),
            &Op::Activated { x, activation } => norm::activated_backward(back, x, activation),
            &Op::Silu { x } => norm::silu_backward(back, x),
            &Op::Standardise { x, deviation, first, .. } => {
                standardise::standardise_backward(back, x, deviation, first);
            }
            &Op::DivideByRange { x, range } => range::divide_backward(back, x, range),
            &Op::StandardisedColumns { x } => columns::standardised_backward(back, x),
            &Op::ColumnProducts { left, right } => columns::products_backward(back, left, right),
            &Op::IdentityDistance { x, distance } => identity::backward(back, x, distance),
            &Op::Harmonised { x, s, harmony, trainable } => harmony::backward(back, x, s, harmony, trainable),
            Op::AbsoluteSum(sum) => sum.backward(back),
            Op::Returns(returns) => returns.backward(back),
            &Op::WeightedSum { x, weight } => returns::weighted_sum_backward(back, x, weight),
            &Op::InputScalar { x, derivatives, .. } => scalar::input_scalar_backward(back, x, derivatives),
            Op::Scalar(scalar) => scalar.backward(back),
            &Op::Trained { factors, value } => scalar::trained_backward(back, factors, value),
        }
    }
}
