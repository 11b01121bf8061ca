//! The launches that compute a recording's values.

use super::kernels;
use super::launch::Place;
use super::layout::Planner;
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
                self.each(count, kernels::BlockGates { y, sums: at(sums), past: at(h), count, width: cols / blocks });
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
                self.each(
                    count,
                    kernels::ScaledRows { y, x: at(x), factor: at(factor), count, cols, accumulate: false },
                );
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
                self.each(count, kernels::Gaussian { y, raw: at(raw), rows, columns: cols, least: min_std });
            }
            &Op::Sample { gaussian, noise } => {
                match self.take_last(|last: &kernels::Gaussian| last.y == at(gaussian)) {
                    Some(kernels::Gaussian { y: normal, raw, rows, columns, least }) => {
                        let kernel = kernels::GaussianSample { normal, raw, rows, columns, least, y, noise: at(noise) };
                        self.each(count, kernel);
                    }
                    None => self
                        .each(count, kernels::Sample { y, normal: at(gaussian), noise: at(noise), rows, size: cols }),
                }
            }
            &Op::Divergence { posterior, prior } => {
                let size = traced.shape(posterior).1 / 2;
                self.each(rows, kernels::Divergence { y, q: at(posterior), p: at(prior), rows, size });
            }
            &Op::NormalDensity { mean, target, precision, constant } => {
                let cols = traced.shape(mean).1;
                self.launch(
                    [rows, 1, 1],
                    kernels::NormalDensity {
                        y,
                        mean: at(mean),
                        target: at(target),
                        columns: cols,
                        precision,
                        constant,
                    },
                );
            }
            &Op::BernoulliDensity { logit, target } => {
                self.each(count, kernels::BernoulliDensity { y, logit: at(logit), target: at(target), n: count });
            }
            &Op::Sigmoid { x, shift } => self.each(count, kernels::Logistic { y, x: at(x), n: count, shift }),
            &Op::Squash { raw, noise, squash } => {
                let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                self.each(
                    count,
                    kernels::SquashedSample { y, raw: at(raw), noise: at(noise), rows, size: cols, bound, initial },
                );
            }
            &Op::SquashedEntropy { raw, noise, squash } => {
                let (size, [bound, initial]) = (traced.shape(noise).1, [squash.mean_scale, squash.raw_initial_std]);
                self.each(
                    rows,
                    kernels::SquashedEntropy { y, raw: at(raw), noise: at(noise), rows, size, bound, initial },
                );
            }
            &Op::AtLeast { x, least } => self.each(count, kernels::AtLeast { y, x: at(x), n: count, least }),
            &Op::Activated { x, activation } => {
                self.each(count, kernels::Activated { y, x: at(x), n: count, activation: activation.into() });
            }
            &Op::BoundedSample { raw, noise } => {
                self.each(count, kernels::BoundedSample { y, raw: at(raw), noise: at(noise), rows, size: cols });
            }
            &Op::SquashedLogDensity { raw, noise, squash } => {
                let (size, [bound, initial]) = (traced.shape(noise).1, [squash.mean_scale, squash.raw_initial_std]);
                self.each(
                    rows,
                    kernels::SquashedLogDensity { y, raw: at(raw), noise: at(noise), rows, size, bound, initial },
                );
            }
            &Op::BoundedLogDensity { raw, noise } => {
                let size = traced.shape(noise).1;
                self.each(rows, kernels::BoundedLogDensity { y, raw: at(raw), noise: at(noise), rows, size });
            }
            &Op::OneHotLogDensity { logits, gumbel, classes } => {
                self.each(
                    count,
                    kernels::OneHotLogDensity {
                        y,
                        logits: at(logits),
                        gumbel: at(gumbel),
                        rows: count,
                        size: classes.count,
                        unimix: classes.unimix,
                    },
                );
            }
            &Op::Difference { left, right } => {
                self.each(count, kernels::Difference { y, left: at(left), right: at(right), count })
            }
            &Op::BoundedEntropy { raw } => {
                let size = traced.shape(raw).1 / 2;
                self.each(rows, kernels::BoundedEntropy { y, raw: at(raw), rows, size });
            }
            &Op::TwoHotMean { logits, bins } => {
                let count = traced.shape(logits).1;
                self.launch([rows, 1, 1], kernels::TwoHotMean { y, logits: at(logits), bins: at(bins), count });
            }
            &Op::TwoHotDensity { logits, bins, target } => {
                let count = traced.shape(logits).1;
                self.launch(
                    [rows, 1, 1],
                    kernels::TwoHotDensity { y, logits: at(logits), bins: at(bins), targets: at(target), count },
                );
            }
            &Op::OneHotSample { logits, gumbel, classes } => {
                let all = count / classes.count;
                self.each(
                    all,
                    kernels::OneHotSample {
                        y,
                        logits: at(logits),
                        gumbel: at(gumbel),
                        rows: all,
                        size: classes.count,
                        unimix: classes.unimix,
                    },
                );
            }
            &Op::CategoricalEntropy { logits, classes } => {
                self.each(
                    count,
                    kernels::CategoricalEntropy {
                        y,
                        logits: at(logits),
                        rows: count,
                        size: classes.count,
                        unimix: classes.unimix,
                    },
                );
            }
            &Op::CategoricalDivergence { posterior, prior, classes } => {
                let groups = traced.shape(posterior).1 / classes.count;
                let [q, p] = [posterior, prior].map(at);
                self.each(
                    rows,
                    kernels::CategoricalDivergence {
                        y,
                        first: q,
                        second: p,
                        rows,
                        groups,
                        size: classes.count,
                        unimix: classes.unimix,
                    },
                );
            }
            &Op::RmsNorm { x, scale, .. } => {
                let (group, scale) = (traced.parameters.shape(scale)[0], traced.parameter(scale));
                self.each(
                    count / group,
                    kernels::RmsNorm { y, x: at(x), scale, rows: count / group, columns: group, epsilon: EPSILON },
                );
            }
            &Op::Silu { x } => self.each(count, kernels::Silu { y, x: at(x), n: count }),
            &Op::Standardise { x, mean, deviation, first } => {
                let [mean, deviation] = [mean, deviation].map(|one| traced.parameter(one).after(first));
                self.each(count, kernels::Standardise { y, x: at(x), mean, deviation, rows, columns: cols });
            }
            &Op::DivideByRange { x, range } => {
                self.each(count, kernels::DivideByRange { y, x: at(x), range: traced.parameter(range), n: count });
            }
            &Op::StandardisedColumns { x } => {
                self.launch(
                    [cols, 1, 1],
                    kernels::StandardisedColumns { y, x: at(x), rows, columns: cols, epsilon: columns::EPSILON },
                );
            }
            &Op::ColumnProducts { left, right } => {
                let [left, right] = [left, right].map(|var| traced.matrix(var));
                self.product(y, left.transposed(), right, false);
            }
            &Op::IdentityDistance { x, distance } => {
                let IdentityDistance { factor, diagonal, others } = distance;
                self.launch([rows, 1, 1], kernels::IdentityDistance { y, x: at(x), n: rows, factor, diagonal, others });
            }
            &Op::Harmonised { x, s, harmony: Harmony { weight, share }, .. } => {
                self.each(count, kernels::Harmonised { y, x: at(x), s: traced.parameter(s), n: count, weight, share });
            }
            Op::AbsoluteSum(AbsoluteSum { parameter, numbers, .. }) => {
                let from = traced.parameter(*parameter).after(numbers.start);
                self.with_scratch(1, |planner, sum| {
                    planner.total(sum, from, [numbers.len(), 1], Total::Absolutes);
                    planner.each(rows, kernels::SameRows { out: y, row: sum, rows, columns: 1 });
                });
            }
            &Op::Returns(Returns { reward, value, discount, lambda, rollouts }) => {
                let (places, steps) = ([reward, value, discount].map(at), rows / rollouts + 1);
                self.each(
                    rollouts,
                    kernels::LambdaReturns {
                        y,
                        reward: places[0],
                        value: places[1],
                        discount: places[2],
                        steps,
                        rollouts,
                        lambda,
                    },
                );
            }
            &Op::ReplayReturns(Replayed { reward, discount, bootstrap, kept, lambda, sequences }) => {
                let [reward, discount, bootstrap] = [reward, discount, bootstrap].map(at);
                // Without beginnings of episodes, any place will do: it is not read.
                let (resets, kept) = (kept.is_some(), kept.map_or(reward, at));
                let steps = rows / sequences + 1;
                self.each(
                    sequences,
                    kernels::ReplayReturns { y, reward, discount, bootstrap, kept, resets, steps, sequences, lambda },
                );
            }
            &Op::Weights { discount, rollouts, including_own } => {
                self.each(
                    rollouts,
                    kernels::DiscountWeights {
                        y,
                        discount: at(discount),
                        steps: rows / rollouts + 1,
                        rollouts,
                        including_own,
                    },
                );
            }
            &Op::WeightedSum { x, weight } => {
                self.launch(
                    [1; 3],
                    kernels::WeightedSum { out: y, x: at(x), weight: at(weight), n: traced.shape(x).0 },
                );
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
