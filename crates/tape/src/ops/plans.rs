//! Which launches each operation has on a device: for its value, and for the gradients of its inputs and parameters.
//!
//! Here is one line of both for each operation. The launches themselves are planned next to the operation's value and
//! gradient.

use super::scalar::plan::Perceptron;
use super::{
    Op, action, at_least, block_gates, bounded, categorical, columns, density, gaussian, harmony, identity, norm,
    range, returns, scalar, scaled_rows, shape, standardise, two_hot,
};
use crate::plan::{Own, ParameterGradients, Planner, Slot, Traced};

impl Op {
    /// Plans the launches of the value.
    pub(crate) fn plan(&self, planner: &mut Planner, traced: &mut Traced<'_>, own: Slot) {
        match self {
            Op::Leaf | Op::Rows { .. } => {}
            Op::Dense(dense) => dense.plan(planner, traced, own),
            Op::BlockDense(layer) => layer.plan(planner, traced, own),
            &Op::BlockGates { sums, h, blocks } => block_gates::plan(planner, traced, sums, h, blocks, own),
            Op::Gru(gru) => gru.plan(planner, traced, own),
            Op::Convolution(layer) => layer.plan(planner, traced, own),
            Op::TransposedConvolution(layer) => layer.plan_transposed(planner, traced, own),
            Op::HalvingConvolution(layer) => layer.plan(planner, traced, own),
            Op::DoublingConvolution(layer) => layer.plan(planner, traced, own),
            &Op::Columns { x, start } => shape::plan_columns(planner, traced, x, start, own),
            &Op::SwapAxes { x, sizes } => shape::plan_swap_axes(planner, traced, x, sizes, own),
            &Op::ScaledRows { x, factor } => scaled_rows::plan(planner, traced, x, factor, own),
            &Op::Concat { left, right } => shape::plan_concat(planner, traced, left, right, own),
            &Op::Stack { list } => shape::plan_stack(planner, traced, list, own),
            &Op::Gaussian { raw, min_std } => gaussian::plan_gaussian(planner, traced, raw, min_std, own),
            &Op::Sample { gaussian, noise } => gaussian::plan_sample(planner, traced, gaussian, noise, own),
            &Op::Divergence { posterior, prior } => gaussian::plan_divergence(planner, traced, posterior, prior, own),
            &Op::NormalDensity { mean, target, precision, constant } => {
                density::plan_normal(planner, traced, mean, target, precision, constant, own)
            }
            &Op::BernoulliDensity { logit, target } => density::plan_bernoulli(planner, traced, logit, target, own),
            &Op::Sigmoid { x, shift } => density::plan_sigmoid(planner, traced, x, shift, own),
            &Op::Squash { raw, noise, squash } => action::plan_squash(planner, traced, raw, noise, squash, own),
            &Op::SquashedEntropy { raw, noise, squash } => {
                action::plan_squashed_entropy(planner, traced, raw, noise, squash, own)
            }
            &Op::AtLeast { x, least } => at_least::plan_at_least(planner, traced, x, least, own),
            &Op::Activated { x, activation } => norm::plan_activated(planner, traced, x, activation, own),
            &Op::BoundedSample { raw, noise } => bounded::plan_sample(planner, traced, raw, noise, own),
            &Op::SquashedLogDensity { raw, noise, squash } => {
                action::plan_squashed_log_density(planner, traced, raw, noise, squash, own)
            }
            &Op::BoundedLogDensity { raw, noise } => bounded::plan_log_density(planner, traced, raw, noise, own),
            &Op::OneHotLogDensity { logits, gumbel, classes } => {
                categorical::plan_log_density(planner, traced, logits, gumbel, classes, own)
            }
            &Op::Difference { left, right } => scaled_rows::plan_difference(planner, traced, left, right, own),
            &Op::BoundedEntropy { raw } => bounded::plan_entropy(planner, traced, raw, own),
            &Op::TwoHotMean { logits, bins } => two_hot::plan_mean(planner, traced, logits, bins, own),
            &Op::TwoHotDensity { logits, bins, target } => {
                two_hot::plan_density(planner, traced, logits, bins, target, own)
            }
            &Op::OneHotSample { logits, gumbel, classes } => {
                categorical::plan_sample(planner, traced, logits, gumbel, classes, own)
            }
            &Op::CategoricalEntropy { logits, classes } => {
                categorical::plan_entropy(planner, traced, logits, classes, own)
            }
            &Op::CategoricalDivergence { posterior, prior, classes } => {
                categorical::plan_divergence(planner, traced, posterior, prior, classes, own)
            }
            &Op::RmsNorm { x, scale, .. } => norm::plan_rms(planner, traced, x, scale, own),
            &Op::Silu { x } => norm::plan_silu(planner, traced, x, own),
            &Op::Standardise { x, mean, deviation, first } => {
                standardise::plan_standardise(planner, traced, x, mean, deviation, first, own)
            }
            &Op::DivideByRange { x, range } => range::plan_divide(planner, traced, x, range, own),
            &Op::StandardisedColumns { x } => columns::plan_standardised(planner, traced, x, own),
            &Op::ColumnProducts { left, right } => columns::plan_products(planner, traced, left, right, own),
            &Op::IdentityDistance { x, distance } => identity::plan(planner, traced, x, distance, own),
            &Op::Harmonised { x, s, harmony, .. } => harmony::plan(planner, traced, x, s, harmony, own),
            Op::AbsoluteSum(sum) => sum.plan(planner, traced, own),
            Op::Returns(returns) => returns.plan(planner, traced, own),
            Op::ReplayReturns(replayed) => replayed.plan(planner, traced, own),
            &Op::Weights { discount, rollouts, including_own } => {
                returns::plan_weights(planner, traced, discount, rollouts, including_own, own)
            }
            &Op::WeightedSum { x, weight } => returns::plan_weighted_sum(planner, traced, x, weight, own),
            &Op::InputScalar { x, layers, activation, .. } => {
                scalar::plan::plan_input_scalar(planner, traced, Perceptron { x, layers, activation }, own);
            }
            Op::Scalar(scalar) => scalar.plan(planner, traced, own),
            &Op::Trained { value, .. } => scalar::plan::plan_trained(planner, traced, value, own),
        }
    }

    /// Plans the launches that add the gradients of the inputs and parameters, given that of the result.
    pub(crate) fn plan_backward(
        &self,
        planner: &mut Planner,
        traced: &mut Traced<'_>,
        own: Own,
        gradients: &mut ParameterGradients,
    ) {
        match self {
            Op::Leaf | Op::Weights { .. } | Op::ReplayReturns(_) => {}
            Op::Dense(dense) => dense.plan_backward(planner, traced, own, gradients),
            Op::BlockDense(layer) => layer.plan_backward(planner, traced, own, gradients),
            &Op::BlockGates { sums, h, blocks } => block_gates::plan_backward(planner, traced, sums, h, blocks, own),
            Op::Gru(gru) => gru.plan_backward(planner, traced, own, gradients),
            Op::Convolution(layer) => layer.plan_backward(planner, traced, own, gradients),
            Op::TransposedConvolution(layer) => layer.plan_backward_transposed(planner, traced, own, gradients),
            &Op::Concat { left, right } => shape::plan_concat_backward(planner, traced, left, right, own),
            Op::HalvingConvolution(layer) => layer.plan_backward(planner, traced, own, gradients),
            Op::DoublingConvolution(layer) => layer.plan_backward(planner, traced, own, gradients),
            &Op::Columns { x, start } => shape::plan_columns_backward(planner, traced, x, start, own),
            &Op::SwapAxes { x, sizes } => shape::plan_swap_axes_backward(planner, traced, x, sizes, own),
            &Op::ScaledRows { x, factor } => scaled_rows::plan_backward(planner, traced, x, factor, own),
            &Op::Rows { x, start } => shape::plan_rows_backward(planner, traced, x, start, own),
            &Op::Stack { list } => shape::plan_stack_backward(planner, traced, list, own),
            &Op::Gaussian { raw, .. } => gaussian::plan_gaussian_backward(planner, traced, raw, own),
            &Op::Sample { gaussian, noise } => gaussian::plan_sample_backward(planner, traced, gaussian, noise, own),
            &Op::Divergence { posterior, prior } => {
                gaussian::plan_divergence_backward(planner, traced, posterior, prior, own)
            }
            &Op::NormalDensity { mean, target, precision, .. } => {
                density::plan_normal_backward(planner, traced, mean, target, precision, own)
            }
            &Op::BernoulliDensity { logit, target } => {
                density::plan_bernoulli_backward(planner, traced, logit, target, own)
            }
            &Op::Sigmoid { x, shift } => density::plan_sigmoid_backward(planner, traced, x, shift, own),
            &Op::Squash { raw, noise, squash } => {
                action::plan_squash_backward(planner, traced, raw, noise, squash, own)
            }
            &Op::SquashedEntropy { raw, noise, squash } => {
                action::plan_squashed_entropy_backward(planner, traced, raw, noise, squash, own)
            }
            &Op::AtLeast { x, least } => at_least::plan_at_least_backward(planner, traced, x, least, own),
            &Op::Activated { x, activation } => norm::plan_activated_backward(planner, traced, x, activation, own),
            &Op::BoundedSample { raw, noise } => bounded::plan_sample_backward(planner, traced, raw, noise, own),
            &Op::SquashedLogDensity { raw, noise, squash } => {
                action::plan_squashed_log_density_backward(planner, traced, raw, noise, squash, own)
            }
            &Op::BoundedLogDensity { raw, noise } => {
                bounded::plan_log_density_backward(planner, traced, raw, noise, own)
            }
            &Op::OneHotLogDensity { logits, gumbel, classes } => {
                categorical::plan_log_density_backward(planner, traced, logits, gumbel, classes, own)
            }
            &Op::Difference { left, right } => scaled_rows::plan_difference_backward(planner, traced, left, right, own),
            &Op::BoundedEntropy { raw } => bounded::plan_entropy_backward(planner, traced, raw, own),
            &Op::TwoHotMean { logits, bins } => two_hot::plan_mean_backward(planner, traced, logits, bins, own),
            &Op::TwoHotDensity { logits, bins, target } => {
                two_hot::plan_density_backward(planner, traced, logits, bins, target, own)
            }
            &Op::OneHotSample { logits, classes, .. } => {
                categorical::plan_sample_backward(planner, traced, logits, classes, own)
            }
            &Op::CategoricalEntropy { logits, classes } => {
                categorical::plan_entropy_backward(planner, traced, logits, classes, own)
            }
            &Op::CategoricalDivergence { posterior, prior, classes } => {
                categorical::plan_divergence_backward(planner, traced, posterior, prior, classes, own)
            }
            &Op::RmsNorm { x, scale, trainable } => {
                norm::plan_rms_backward(planner, traced, x, scale, trainable, own, gradients)
            }
            &Op::Silu { x } => norm::plan_silu_backward(planner, traced, x, own),
            &Op::Standardise { x, deviation, first, .. } => {
                standardise::plan_standardise_backward(planner, traced, x, deviation, first, own)
            }
            &Op::DivideByRange { x, range } => range::plan_divide_backward(planner, traced, x, range, own),
            &Op::StandardisedColumns { x } => columns::plan_standardised_backward(planner, traced, x, own),
            &Op::ColumnProducts { left, right } => columns::plan_products_backward(planner, traced, left, right, own),
            &Op::IdentityDistance { x, distance } => identity::plan_backward(planner, traced, x, distance, own),
            &Op::Harmonised { x, s, harmony, trainable } => {
                harmony::plan_backward(planner, traced, x, (s, trainable), harmony, own, gradients)
            }
            Op::AbsoluteSum(sum) => sum.plan_backward(planner, traced, own, gradients),
            Op::Returns(returns) => returns.plan_backward(planner, traced, own),
            &Op::WeightedSum { x, weight } => returns::plan_weighted_sum_backward(planner, traced, x, weight, own),
            &Op::InputScalar { x, layers, activation, .. } => {
                let network = Perceptron { x, layers, activation };
                scalar::plan::plan_input_scalar_backward(planner, traced, network, own, gradients);
            }
            Op::Scalar(scalar) => scalar.plan_backward(planner, traced, own, gradients),
            &Op::Trained { factors, value } => {
                scalar::plan::plan_trained_backward(planner, traced, factors, value, own);
            }
        }
    }
}
