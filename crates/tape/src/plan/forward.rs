//! The launches that compute a recording's values.

use super::launch::Place;
use super::layout::{Planner, arguments};
use super::products::{Factor, Finish, Matrix, Total};
use super::scalar;
use super::tile::Cell;
use super::traced::Traced;
use crate::ops::absolute::AbsoluteSum;
use crate::ops::columns;
use crate::ops::convolution::Convolution;
use crate::ops::dense::Dense;
use crate::ops::gru::Gru;
use crate::ops::halving_convolution::HalvingConvolution;
use crate::ops::norm::EPSILON;
use crate::ops::returns::{Replayed, Returns};
use crate::ops::{Harmony, IdentityDistance, Op};
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
        let count = rows * cols;
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
                traced.places[which.index()] = Some(self.reserve(count));
            }
            _ => {}
        }
        let at = |var: Var| traced.place(var);
        match op {
            Op::Leaf | Op::Rows { .. } | Op::InputScalar { .. } | Op::Scalar(_) => {}
            Op::Dense(dense) => self.dense(traced, dense, y, cols),
            Op::BlockDense(layer) => self.block_dense(traced, layer, y, [rows, cols]),
            &Op::BlockGates { sums, h, blocks } => {
                self.each("block_gates", count, arguments![y, at(sums), at(h), count, cols / blocks]);
            }
            Op::Gru(gru) => self.recurrent(traced, gru, y, rows, cols),
            Op::Convolution(layer) => self.convolution(traced, layer, y, rows),
            Op::TransposedConvolution(layer) => self.transposed_convolution(traced, layer, y, rows),
            Op::HalvingConvolution(layer) => self.halving_convolution(traced, layer, y, rows),
            Op::DoublingConvolution(layer) => self.doubling_convolution(traced, layer, y, rows),
            &Op::Columns { x, start } => {
                let from = traced.matrix(x).columns(start, cols);
                self.piece([y, from.place], [cols, from.steps[0]], rows, cols, false);
            }
            &Op::SwapAxes { x, sizes } => self.swap_axes(y, at(x), count, sizes, false),
            &Op::ScaledRows { x, factor } => {
                self.each("scaled_rows", count, arguments![y, at(x), at(factor), count, cols, false]);
            }
            &Op::Concat { left, right } => {
                let widths = [left, right].map(|part| traced.shape(part).1);
                self.piece([y, at(left)], [cols, widths[0]], rows, widths[0], false);
                self.piece([y.after(widths[0]), at(right)], [cols, widths[1]], rows, widths[1], false);
            }
            Op::Stack { list } => {
                let mut row = 0;
                for &var in &traced.workspace.lists[list.range()] {
                    let (rows, place) = (traced.shape(var).0, y.after(row * cols));
                    if at(var) != place {
                        self.piece([place, at(var)], [cols; 2], rows, cols, false);
                    }
                    row += rows;
                }
            }
            &Op::Gaussian { raw, min_std } => {
                self.each("gaussian", count, arguments![y, at(raw), rows, cols, min_std]);
            }
            &Op::Sample { gaussian, noise } => match self.take_last("gaussian", at(gaussian)) {
                Some(arguments) => {
                    let arguments = arguments.into_iter().chain(arguments![y, at(noise)]);
                    self.each("gaussian_sample", count, arguments);
                }
                None => self.each("sample", count, arguments![y, at(gaussian), at(noise), rows, cols]),
            },
            &Op::Divergence { posterior, prior } => {
                let size = traced.shape(posterior).1 / 2;
                self.each("divergence", rows, arguments![y, at(posterior), at(prior), rows, size]);
            }
            &Op::NormalDensity { mean, target, precision, constant } => {
                let cols = traced.shape(mean).1;
                let arguments = arguments![y, at(mean), at(target), cols, precision, constant];
                self.launch("normal_density", [rows, 1, 1], arguments);
            }
            &Op::BernoulliDensity { logit, target } => {
                self.each("bernoulli_density", count, arguments![y, at(logit), at(target), count]);
            }
            &Op::Sigmoid { x, shift } => self.each("logistic", count, arguments![y, at(x), count, shift]),
            &Op::Squash { raw, noise, squash } => {
                let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                self.each("squashed_sample", count, arguments![y, at(raw), at(noise), rows, cols, bound, initial]);
            }
            &Op::SquashedEntropy { raw, noise, squash } => {
                let (size, [bound, initial]) = (traced.shape(noise).1, [squash.mean_scale, squash.raw_initial_std]);
                self.each("squashed_entropy", rows, arguments![y, at(raw), at(noise), rows, size, bound, initial]);
            }
            &Op::AtLeast { x, least } => self.each("at_least", count, arguments![y, at(x), count, least]),
            &Op::Activated { x, activation } => {
                self.each("activated", count, arguments![y, at(x), count, activation]);
            }
            &Op::BoundedSample { raw, noise } => {
                self.each("bounded_sample", count, arguments![y, at(raw), at(noise), rows, cols]);
            }
            &Op::SquashedLogDensity { raw, noise, squash } => {
                let (size, [bound, initial]) = (traced.shape(noise).1, [squash.mean_scale, squash.raw_initial_std]);
                let arguments = arguments![y, at(raw), at(noise), rows, size, bound, initial];
                self.each("squashed_log_density", rows, arguments);
            }
            &Op::BoundedLogDensity { raw, noise } => {
                let size = traced.shape(noise).1;
                self.each("bounded_log_density", rows, arguments![y, at(raw), at(noise), rows, size]);
            }
            &Op::OneHotLogDensity { logits, gumbel, classes } => {
                let arguments = arguments![y, at(logits), at(gumbel), count, classes.count, classes.unimix];
                self.each("one_hot_log_density", count, arguments);
            }
            &Op::Difference { left, right } => {
                self.each("difference", count, arguments![y, at(left), at(right), count])
            }
            &Op::BoundedEntropy { raw } => {
                let size = traced.shape(raw).1 / 2;
                self.each("bounded_entropy", rows, arguments![y, at(raw), rows, size]);
            }
            &Op::TwoHotMean { logits, bins } => {
                let count = traced.shape(logits).1;
                self.launch("two_hot_mean", [rows, 1, 1], arguments![y, at(logits), at(bins), count]);
            }
            &Op::TwoHotDensity { logits, bins, target } => {
                let count = traced.shape(logits).1;
                let arguments = arguments![y, at(logits), at(bins), at(target), count];
                self.launch("two_hot_density", [rows, 1, 1], arguments);
            }
            &Op::OneHotSample { logits, gumbel, classes } => {
                let all = count / classes.count;
                let arguments = arguments![y, at(logits), at(gumbel), all, classes.count, classes.unimix];
                self.each("one_hot_sample", all, arguments);
            }
            &Op::CategoricalEntropy { logits, classes } => {
                let arguments = arguments![y, at(logits), count, classes.count, classes.unimix];
                self.each("categorical_entropy", count, arguments);
            }
            &Op::CategoricalDivergence { posterior, prior, classes } => {
                let groups = traced.shape(posterior).1 / classes.count;
                let [q, p] = [posterior, prior].map(at);
                let arguments = arguments![y, q, p, rows, groups, classes.count, classes.unimix];
                self.each("categorical_divergence", rows, arguments);
            }
            &Op::RmsNorm { x, scale, .. } => {
                let (group, scale) = (traced.parameters.shape(scale)[0], traced.parameter(scale));
                self.each("rms_norm", count / group, arguments![y, at(x), scale, count / group, group, EPSILON]);
            }
            &Op::Silu { x } => self.each("silu", count, arguments![y, at(x), count]),
            &Op::Standardise { x, mean, deviation, first } => {
                let [mean, deviation] = [mean, deviation].map(|one| traced.parameter(one).after(first));
                self.each("standardise", count, arguments![y, at(x), mean, deviation, rows, cols]);
            }
            &Op::DivideByRange { x, range } => {
                self.each("divide_by_range", count, arguments![y, at(x), traced.parameter(range), count]);
            }
            &Op::StandardisedColumns { x } => {
                let arguments = arguments![y, at(x), rows, cols, columns::EPSILON];
                self.launch("standardised_columns", [cols, 1, 1], arguments);
            }
            &Op::ColumnProducts { left, right } => {
                let [left, right] = [left, right].map(|var| traced.matrix(var));
                self.product(y, left.transposed(), right, false);
            }
            &Op::IdentityDistance { x, distance } => {
                let IdentityDistance { factor, diagonal, others } = distance;
                let arguments = arguments![y, at(x), rows, factor, diagonal, others];
                self.launch("identity_distance", [rows, 1, 1], arguments);
            }
            &Op::Harmonised { x, s, harmony: Harmony { weight, share }, .. } => {
                self.each("harmonised", count, arguments![y, at(x), traced.parameter(s), count, weight, share]);
            }
            Op::AbsoluteSum(AbsoluteSum { parameter, numbers, .. }) => {
                let from = traced.parameter(*parameter).after(numbers.start);
                self.with_scratch(1, |planner, sum| {
                    planner.total(sum, from, [numbers.len(), 1], Total::Absolutes);
                    planner.each("same_rows", rows, arguments![y, sum, rows, 1usize]);
                });
            }
            &Op::Returns(Returns { reward, value, discount, lambda, rollouts }) => {
                let (places, steps) = ([reward, value, discount].map(at), rows / rollouts + 1);
                let arguments = arguments![y, places[0], places[1], places[2], steps, rollouts, lambda];
                self.each("lambda_returns", rollouts, arguments);
            }
            &Op::ReplayReturns(Replayed { reward, discount, bootstrap, kept, lambda, sequences }) => {
                let [reward, discount, bootstrap] = [reward, discount, bootstrap].map(at);
                // Without beginnings of episodes, any place will do: it is not read.
                let (resets, kept) = (kept.is_some(), kept.map_or(reward, at));
                let steps = rows / sequences + 1;
                let arguments = arguments![y, reward, discount, bootstrap, kept, resets, steps, sequences, lambda];
                self.each("replay_returns", sequences, arguments);
            }
            &Op::Weights { discount, rollouts, including_own } => {
                let arguments = arguments![y, at(discount), rows / rollouts + 1, rollouts, including_own];
                self.each("discount_weights", rollouts, arguments);
            }
            &Op::WeightedSum { x, weight } => {
                let arguments = arguments![y, at(x), at(weight), traced.shape(x).0];
                self.launch("weighted_sum", [1; 3], arguments);
            }
            &Op::Trained { value, .. } => self.piece([y, at(value)], [1; 2], rows, 1, false),
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
            let arguments = arguments![y, from_x, from_h, x, h, kernel, recurrent, bias, rows, inputs, size];
            return self.launch(cell.kernel, cell.grid(rows, size), arguments);
        }
        let kernel = Matrix::new(traced.parameter(weights.kernel), inputs, wide);
        self.product(from_x, traced.matrix(x), kernel, false);
        let recurrent = Matrix::new(traced.parameter(weights.recurrent), size, wide);
        self.product(from_h, traced.matrix(h), recurrent, false);
        self.each("recurrent", rows * size, arguments![y, from_x, from_h, bias, traced.place(h), rows, size]);
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
