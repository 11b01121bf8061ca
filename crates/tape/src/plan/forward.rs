//! The launches that compute a recording's values.

use super::gradients::Slot;
use super::kernels;
use super::launch::Place;
use super::layout::Planner;
use super::products::{Factor, Finish, Matrix};
use super::scalar;
use super::tile::Cell;
use super::traced::Traced;
use crate::ops::Op;
use crate::ops::convolution::Convolution;
use crate::ops::dense::Dense;
use crate::ops::gru::Gru;
use crate::ops::halving_convolution::HalvingConvolution;
use crate::ops::{
    action, at_least, block_gates, bounded, categorical, columns, density, gaussian, harmony, identity, norm, range,
    returns, scaled_rows, shape, standardise, two_hot,
};
use crate::tape::Var;

impl Planner {
    /// Plans the values of all that was recorded.
    pub fn forward(&mut self, traced: &mut Traced<'_>) {
        let workspace = traced.workspace;
        self.place_stacks(traced);
        self.place_repeated(traced);
        for (index, node) in workspace.nodes.iter().enumerate() {
            if traced.places[index].is_some() {
                continue;
            }
            let numbers = workspace.values.get(index).map_or(&[][..], Vec::as_slice);
            let place = match (&node.op, traced.requested[index]) {
                (_, Some(place)) => place,
                // Rows lie where they are.
                (&Op::Rows { x, start }, _) => traced.place(x).after(start * node.cols),
                (Op::Leaf, _) if !numbers.is_empty() => self.constant(numbers),
                // Buffers of a later operation, which places them if it needs them.
                (Op::Leaf, _) => continue,
                _ => self.reserve(node.rows * node.cols),
            };
            traced.places[index] = Some(place);
            self.value(traced, &node.op, place, node.rows, node.cols);
        }
    }

    /// Gives values that are stacked later their places in the stack, so that nothing is copied.
    fn place_stacks(&mut self, traced: &mut Traced<'_>) {
        let workspace = traced.workspace;
        for (index, node) in workspace.nodes.iter().enumerate() {
            let Op::Stack { list } = node.op else { continue };
            let vars = &workspace.lists[list.range()];
            let free = |var: &Var| {
                let op = &workspace.nodes[var.index()].op;
                let elsewhere = traced.places[var.index()].or(traced.requested[var.index()]).is_some();
                !elsewhere && !matches!(op, Op::Leaf | Op::Rows { .. })
            };
            let twice =
                vars.iter().enumerate().any(|(number, var)| vars[..number].iter().any(|one| one.node == var.node));
            if twice || traced.requested[index].is_some() || !vars.iter().all(free) {
                continue;
            }
            let place = self.reserve(node.rows * node.cols);
            let mut row = 0;
            for var in vars {
                traced.requested[var.index()] = Some(place.after(row * node.cols));
                row += traced.shape(*var).0;
            }
            traced.requested[index] = Some(place);
        }
    }

    fn value(&mut self, traced: &mut Traced<'_>, op: &Op, y: Place, rows: usize, cols: usize) {
        let own = Slot { y, rows, cols };
        match op {
            &Op::InputScalar { x, layers, activation, .. } => {
                return self.perceptron(traced, &scalar::Network { x, layers, activation }, y);
            }
            Op::Scalar(scalar) => return self.perceptron(traced, &scalar::Network::of(scalar), y),
            Op::Gru(Gru { gates, .. }) => {
                let (rows, cols) = traced.shape(*gates);
                traced.places[gates.index()] = Some(self.reserve(rows * cols));
            }
            Op::HalvingConvolution(HalvingConvolution { which: Some(which), .. }) => {
                traced.places[which.index()] = Some(self.reserve(rows * cols));
            }
            _ => {}
        }
        match op {
            Op::Leaf | Op::Rows { .. } | Op::InputScalar { .. } | Op::Scalar(_) => {}
            Op::Dense(dense) => self.dense(traced, dense, y, cols),
            Op::BlockDense(layer) => self.block_dense(traced, layer, y, [rows, cols]),
            &Op::BlockGates { sums, h, blocks } => block_gates::plan(self, traced, sums, h, blocks, own),
            Op::Gru(gru) => self.recurrent(traced, gru, y, rows, cols),
            Op::Convolution(layer) => self.convolution(traced, layer, y, rows),
            Op::TransposedConvolution(layer) => self.transposed_convolution(traced, layer, y, rows),
            Op::HalvingConvolution(layer) => self.halving_convolution(traced, layer, y, rows),
            Op::DoublingConvolution(layer) => self.doubling_convolution(traced, layer, y, rows),
            &Op::Columns { x, start } => shape::plan_columns(self, traced, x, start, own),
            &Op::SwapAxes { x, sizes } => shape::plan_swap_axes(self, traced, x, sizes, own),
            &Op::ScaledRows { x, factor } => scaled_rows::plan(self, traced, x, factor, own),
            &Op::Concat { left, right } => shape::plan_concat(self, traced, left, right, own),
            &Op::Stack { list } => shape::plan_stack(self, traced, list, own),
            &Op::Gaussian { raw, min_std } => gaussian::plan_gaussian(self, traced, raw, min_std, own),
            &Op::Sample { gaussian, noise } => gaussian::plan_sample(self, traced, gaussian, noise, own),
            &Op::Divergence { posterior, prior } => gaussian::plan_divergence(self, traced, posterior, prior, own),
            &Op::NormalDensity { mean, target, precision, constant } => {
                density::plan_normal(self, traced, mean, target, precision, constant, own)
            }
            &Op::BernoulliDensity { logit, target } => density::plan_bernoulli(self, traced, logit, target, own),
            &Op::Sigmoid { x, shift } => density::plan_sigmoid(self, traced, x, shift, own),
            &Op::Squash { raw, noise, squash } => action::plan_squash(self, traced, raw, noise, squash, own),
            &Op::SquashedEntropy { raw, noise, squash } => {
                action::plan_squashed_entropy(self, traced, raw, noise, squash, own)
            }
            &Op::AtLeast { x, least } => at_least::plan_at_least(self, traced, x, least, own),
            &Op::Activated { x, activation } => norm::plan_activated(self, traced, x, activation, own),
            &Op::BoundedSample { raw, noise } => bounded::plan_sample(self, traced, raw, noise, own),
            &Op::SquashedLogDensity { raw, noise, squash } => {
                action::plan_squashed_log_density(self, traced, raw, noise, squash, own)
            }
            &Op::BoundedLogDensity { raw, noise } => bounded::plan_log_density(self, traced, raw, noise, own),
            &Op::OneHotLogDensity { logits, gumbel, classes } => {
                categorical::plan_log_density(self, traced, logits, gumbel, classes, own)
            }
            &Op::Difference { left, right } => scaled_rows::plan_difference(self, traced, left, right, own),
            &Op::BoundedEntropy { raw } => bounded::plan_entropy(self, traced, raw, own),
            &Op::TwoHotMean { logits, bins } => two_hot::plan_mean(self, traced, logits, bins, own),
            &Op::TwoHotDensity { logits, bins, target } => {
                two_hot::plan_density(self, traced, logits, bins, target, own)
            }
            &Op::OneHotSample { logits, gumbel, classes } => {
                categorical::plan_sample(self, traced, logits, gumbel, classes, own)
            }
            &Op::CategoricalEntropy { logits, classes } => {
                categorical::plan_entropy(self, traced, logits, classes, own)
            }
            &Op::CategoricalDivergence { posterior, prior, classes } => {
                categorical::plan_divergence(self, traced, posterior, prior, classes, own)
            }
            &Op::RmsNorm { x, scale, .. } => norm::plan_rms(self, traced, x, scale, own),
            &Op::Silu { x } => norm::plan_silu(self, traced, x, own),
            &Op::Standardise { x, mean, deviation, first } => {
                standardise::plan_standardise(self, traced, x, mean, deviation, first, own)
            }
            &Op::DivideByRange { x, range } => range::plan_divide(self, traced, x, range, own),
            &Op::StandardisedColumns { x } => columns::plan_standardised(self, traced, x, own),
            &Op::ColumnProducts { left, right } => columns::plan_products(self, traced, left, right, own),
            &Op::IdentityDistance { x, distance } => identity::plan(self, traced, x, distance, own),
            &Op::Harmonised { x, s, harmony, .. } => harmony::plan(self, traced, x, s, harmony, own),
            Op::AbsoluteSum(sum) => sum.plan(self, traced, own),
            Op::Returns(returns) => returns.plan(self, traced, own),
            Op::ReplayReturns(replayed) => replayed.plan(self, traced, own),
            &Op::Weights { discount, rollouts, including_own } => {
                returns::plan_weights(self, traced, discount, rollouts, including_own, own)
            }
            &Op::WeightedSum { x, weight } => returns::plan_weighted_sum(self, traced, x, weight, own),
            &Op::Trained { value, .. } => self.piece([y, traced.place(value)], [1; 2], rows, 1, false),
        }
    }

    fn dense(&mut self, traced: &Traced<'_>, dense: &Dense, y: Place, cols: usize) {
        let &Dense { x, kernel, first_row, bias, plus, activation, .. } = dense;
        let inputs = traced.shape(x).1;
        let weights = Matrix::new(traced.parameter(kernel).after(first_row * cols), inputs, cols);
        let plus = plus.map(|plus| traced.place(plus));
        let bias = bias.map(|bias| traced.parameter(bias));
        let finish = Finish { plus, bias, activation, ..Finish::NONE };
        self.layer(y, traced.matrix(x), weights, false, finish);
    }

    fn recurrent(&mut self, traced: &Traced<'_>, gru: &Gru, y: Place, rows: usize, size: usize) {
        let &Gru { x, h, gates, weights, .. } = gru;
        let (inputs, wide) = (traced.shape(x).1, 3 * size);
        let from_x = traced.place(gates);
        let from_h = from_x.after(rows * wide);
        let bias = traced.parameter(weights.bias);
        if let Some(cell) = Cell::small(self.precision(), rows, inputs, size) {
            let [x, h] = [x, h].map(|var| traced.place(var));
            let [kernel, recurrent] = [weights.kernel, weights.recurrent].map(|one| traced.parameter(one));
            let which = cell.kernel;
            let gates = from_x;
            let kernel =
                kernels::RecurrentCell { which, y, gates, from_h, x, h, kernel, recurrent, bias, rows, inputs, size };
            return self.launch(cell.grid(rows, size), kernel);
        }
        let kernel = Matrix::new(traced.parameter(weights.kernel), inputs, wide);
        self.product(from_x, traced.matrix(x), kernel, false);
        let recurrent = Matrix::new(traced.parameter(weights.recurrent), size, wide);
        self.product(from_h, traced.matrix(h), recurrent, false);
        self.each(rows * size, kernels::Recurrent { y, from_x, from_h, bias, h: traced.place(h), rows, size });
    }

    fn convolution(&mut self, traced: &Traced<'_>, layer: &Convolution, y: Place, images: usize) {
        let &Convolution { x, kernel, bias, patches, channels, activation, .. } = layer;
        let weights = Matrix::new(traced.parameter(kernel), patches.size(), channels);
        let factor = Factor::patches(traced.place(x), images, patches);
        self.layer(y, factor, weights, false, Finish::layer(traced.parameter(bias), activation));
    }

    fn transposed_convolution(&mut self, traced: &Traced<'_>, layer: &Convolution, y: Place, images: usize) {
        let &Convolution { x, kernel, bias, patches, channels, activation, .. } = layer;
        let weights = Matrix::new(traced.parameter(kernel), patches.size(), channels).transposed();
        let small = Matrix::new(traced.place(x), images * patches.count(), channels);
        let finish = Finish::layer(traced.parameter(bias), activation);
        self.transposed_convolution_of(y, images, patches, [small, weights], false, finish);
    }
}
