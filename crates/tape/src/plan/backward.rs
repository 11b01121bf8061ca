//! The launches that compute a recording's gradients, back over its operations like
//! [`Tape::backward`](crate::Tape::backward).

use super::gradients::{Own, ParameterGradients};
use super::kernels;
use super::launch::Place;
use super::layout::Planner;
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

    pub(super) fn fill(&mut self, place: Place, count: usize, value: f64) {
        self.each(count, kernels::Fill { out: place, rows: count, columns: 1, value });
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
                    self.each(
                        count,
                        kernels::BlockGatesGradient { out, gradient, sums: from, past, count, width, accumulate },
                    );
                }
                if let Some((out, accumulate)) = self.input(traced, h) {
                    self.each(count, kernels::BlockGatesPast { out, gradient, sums: from, count, width, accumulate });
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
                    self.each(
                        count,
                        kernels::ScaledRows {
                            y: out,
                            x: gradient,
                            factor: traced.place(factor),
                            count,
                            cols,
                            accumulate,
                        },
                    );
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
                    let of_it = |sampled: &kernels::SampleGradient| sampled.out == gradient;
                    if let Some(sampled) = self.take_last(of_it) {
                        // What a sample adds to this gradient is not needed anywhere else.
                        let kernels::SampleGradient { gradient: of_sample, noise, accumulate: adds, .. } = sampled;
                        let raw = traced.place(raw);
                        self.each(
                            count,
                            kernels::GaussianSampleGradient {
                                out,
                                gradient,
                                with_gradient: adds,
                                of_sample,
                                noise,
                                raw,
                                rows,
                                columns: cols,
                                accumulate,
                            },
                        );
                        return;
                    }
                    self.each(
                        count,
                        kernels::GaussianGradient {
                            out,
                            gradient,
                            raw: traced.place(raw),
                            rows,
                            columns: cols,
                            accumulate,
                        },
                    );
                }
            }
            &Op::Sample { gaussian, noise } => {
                if let Some((out, accumulate)) = self.input(traced, gaussian) {
                    self.each(
                        count,
                        kernels::SampleGradient {
                            out,
                            gradient,
                            noise: traced.place(noise),
                            rows,
                            size: cols,
                            accumulate,
                        },
                    );
                }
            }
            &Op::Divergence { posterior, prior } => {
                let size = traced.shape(posterior).1 / 2;
                let [q, p] = [posterior, prior].map(|var| traced.place(var));
                if let Some((out, accumulate)) = self.input(traced, posterior) {
                    self.each(rows * size, kernels::DivergenceOfFirst { out, gradient, q, p, rows, size, accumulate });
                }
                if let Some((out, accumulate)) = self.input(traced, prior) {
                    self.each(rows * size, kernels::DivergenceOfSecond { out, gradient, q, p, rows, size, accumulate });
                }
            }
            &Op::NormalDensity { mean, target, precision, .. } => {
                if let Some((out, accumulate)) = self.input(traced, mean) {
                    let cols = traced.shape(mean).1;
                    let [mean, target] = [mean, target].map(|var| traced.place(var));
                    self.each(
                        rows * cols,
                        kernels::NormalDensityGradient {
                            out,
                            gradient,
                            mean,
                            target,
                            rows,
                            columns: cols,
                            precision,
                            accumulate,
                        },
                    );
                }
            }
            &Op::BernoulliDensity { logit, target } => {
                if let Some((out, accumulate)) = self.input(traced, logit) {
                    let [logit, target] = [logit, target].map(|var| traced.place(var));
                    self.each(
                        count,
                        kernels::BernoulliDensityGradient { out, gradient, logit, target, n: count, accumulate },
                    );
                }
            }
            &Op::Sigmoid { x, shift } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each(count, kernels::LogisticGradient { out, gradient, y, n: count, shift, accumulate });
                }
            }
            &Op::Squash { raw, noise, squash } => {
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                    self.each(
                        count,
                        kernels::SquashedSampleGradient {
                            out,
                            gradient,
                            y,
                            raw,
                            noise,
                            rows,
                            size: cols,
                            bound,
                            initial,
                            accumulate,
                        },
                    );
                }
            }
            &Op::SquashedEntropy { raw, noise, squash } => {
                let size = traced.shape(noise).1;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                    self.each(
                        rows * size,
                        kernels::SquashedEntropyGradient {
                            out,
                            gradient,
                            raw,
                            noise,
                            rows,
                            size,
                            bound,
                            initial,
                            accumulate,
                        },
                    );
                }
            }
            &Op::AtLeast { x, least } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each(
                        count,
                        kernels::AtLeastGradient { out, gradient, x: traced.place(x), n: count, least, accumulate },
                    );
                }
            }
            &Op::Activated { x, activation } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each(
                        count,
                        kernels::ActivatedGradient {
                            out,
                            gradient,
                            y,
                            n: count,
                            activation: activation.into(),
                            accumulate,
                        },
                    );
                }
            }
            &Op::BoundedSample { raw, noise } => {
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    self.each(
                        count,
                        kernels::BoundedSampleGradient { out, gradient, raw, noise, rows, size: cols, accumulate },
                    );
                }
            }
            &Op::SquashedLogDensity { raw, noise, squash } => {
                let size = traced.shape(noise).1;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    let [bound, initial] = [squash.mean_scale, squash.raw_initial_std];
                    self.each(
                        rows * size,
                        kernels::SquashedLogDensityGradient {
                            out,
                            gradient,
                            raw,
                            noise,
                            rows,
                            size,
                            bound,
                            initial,
                            accumulate,
                        },
                    );
                }
            }
            &Op::BoundedLogDensity { raw, noise } => {
                let size = traced.shape(noise).1;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    let [raw, noise] = [raw, noise].map(|var| traced.place(var));
                    self.each(
                        rows * size,
                        kernels::BoundedLogDensityGradient { out, gradient, raw, noise, rows, size, accumulate },
                    );
                }
            }
            &Op::OneHotLogDensity { logits, gumbel, classes: Classes { count: size, unimix } } => {
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let [logits, gumbel] = [logits, gumbel].map(|var| traced.place(var));
                    self.each(
                        count,
                        kernels::OneHotLogDensityGradient {
                            out,
                            gradient,
                            logits,
                            gumbel,
                            rows: count,
                            size,
                            unimix,
                            accumulate,
                        },
                    );
                }
            }
            &Op::Difference { left, right } => {
                for (var, factor) in [(left, 1.0), (right, -1.0)] {
                    if let Some((out, accumulate)) = self.input(traced, var) {
                        self.each(count, kernels::Scaled { y: out, x: gradient, factor, count, accumulate });
                    }
                }
            }
            &Op::BoundedEntropy { raw } => {
                let size = traced.shape(raw).1 / 2;
                if let Some((out, accumulate)) = self.input(traced, raw) {
                    self.each(
                        rows * size,
                        kernels::BoundedEntropyGradient {
                            out,
                            gradient,
                            raw: traced.place(raw),
                            rows,
                            size,
                            accumulate,
                        },
                    );
                }
            }
            &Op::TwoHotMean { logits, bins } => {
                let bin_count = traced.shape(logits).1;
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let [logits, bins] = [logits, bins].map(|var| traced.place(var));
                    self.launch(
                        [rows, 1, 1],
                        kernels::TwoHotMeanGradient {
                            out,
                            gradient,
                            logits,
                            bins,
                            means: y,
                            count: bin_count,
                            accumulate,
                        },
                    );
                }
            }
            &Op::TwoHotDensity { logits, bins, target } => {
                let bin_count = traced.shape(logits).1;
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    let [logits, bins, target] = [logits, bins, target].map(|var| traced.place(var));
                    self.launch(
                        [rows, 1, 1],
                        kernels::TwoHotDensityGradient {
                            out,
                            gradient,
                            logits,
                            bins,
                            targets: target,
                            count: bin_count,
                            accumulate,
                        },
                    );
                }
            }
            &Op::OneHotSample { logits, classes: Classes { count: size, unimix }, .. } => {
                let all = count / size;
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    self.each(
                        all,
                        kernels::OneHotSampleGradient {
                            out,
                            gradient,
                            logits: traced.place(logits),
                            rows: all,
                            size,
                            unimix,
                            accumulate,
                        },
                    );
                }
            }
            &Op::CategoricalEntropy { logits, classes: Classes { count: size, unimix } } => {
                if let Some((out, accumulate)) = self.input(traced, logits) {
                    self.each(
                        count,
                        kernels::CategoricalEntropyGradient {
                            out,
                            gradient,
                            logits: traced.place(logits),
                            rows: count,
                            size,
                            unimix,
                            accumulate,
                        },
                    );
                }
            }
            &Op::CategoricalDivergence { posterior, prior, classes: Classes { count: size, unimix } } => {
                let groups = traced.shape(posterior).1 / size;
                let [q, p] = [posterior, prior].map(|var| traced.place(var));
                if let Some((out, accumulate)) = self.input(traced, posterior) {
                    let kernel = kernels::CategoricalDivergenceOfFirst {
                        out,
                        gradient,
                        first: q,
                        second: p,
                        rows,
                        groups,
                        size,
                        unimix,
                        accumulate,
                    };
                    self.each(rows * groups, kernel);
                }
                if let Some((out, accumulate)) = self.input(traced, prior) {
                    let kernel = kernels::CategoricalDivergenceOfSecond {
                        out,
                        gradient,
                        first: q,
                        second: p,
                        rows,
                        groups,
                        size,
                        unimix,
                        accumulate,
                    };
                    self.each(rows * groups, kernel);
                }
            }
            &Op::RmsNorm { x, scale, trainable } => {
                let group = traced.parameters.shape(scale)[0];
                let (groups, from, weights) = (count / group, traced.place(x), traced.parameter(scale));
                if let Some((out, accumulate)) = gradients.slot(scale, trainable) {
                    self.with_scratch(count, |planner, parts| {
                        planner.each(
                            groups,
                            kernels::RmsNormParts {
                                out: parts,
                                gradient,
                                x: from,
                                rows: groups,
                                columns: group,
                                epsilon: EPSILON,
                            },
                        );
                        planner.column_sums(out, parts, groups, group, accumulate);
                    });
                }
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each(
                        groups,
                        kernels::RmsNormGradient {
                            out,
                            gradient,
                            x: from,
                            scale: weights,
                            rows: groups,
                            columns: group,
                            epsilon: EPSILON,
                            accumulate,
                        },
                    );
                }
            }
            &Op::Silu { x } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each(count, kernels::SiluGradient { out, gradient, x: traced.place(x), n: count, accumulate });
                }
            }
            &Op::Standardise { x, deviation, first, .. } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let deviation = traced.parameter(deviation).after(first);
                    self.each(
                        count,
                        kernels::StandardiseGradient { out, gradient, deviation, rows, columns: cols, accumulate },
                    );
                }
            }
            &Op::DivideByRange { x, range } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each(
                        count,
                        kernels::DivideByRangeGradient {
                            out,
                            gradient,
                            range: traced.parameter(range),
                            n: count,
                            accumulate,
                        },
                    );
                }
            }
            &Op::StandardisedColumns { x } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.launch(
                        [cols, 1, 1],
                        kernels::StandardisedColumnsGradient {
                            out,
                            gradient,
                            x: traced.place(x),
                            rows,
                            columns: cols,
                            epsilon: columns::EPSILON,
                            accumulate,
                        },
                    );
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
                    self.each(
                        rows * rows,
                        kernels::IdentityDistanceGradient {
                            out,
                            gradient,
                            x: traced.place(x),
                            n: rows,
                            factor,
                            diagonal,
                            others,
                            accumulate,
                        },
                    );
                }
            }
            &Op::Harmonised { x, s, harmony, trainable } => {
                let Harmony { weight, share } = harmony;
                let (from, own) = (traced.place(x), traced.parameter(s));
                if let Some((out, accumulate)) = gradients.slot(s, trainable) {
                    self.with_scratch(count + 1, |planner, slopes| {
                        let sum = slopes.after(count);
                        planner.each(
                            count,
                            kernels::HarmonisedSlopes {
                                out: slopes,
                                gradient,
                                x: from,
                                s: own,
                                n: count,
                                weight,
                                share,
                            },
                        );
                        planner.total(sum, slopes, [count, 1], Total::Numbers);
                        planner.piece([out, sum], [1; 2], 1, 1, accumulate);
                    });
                }
                if let Some((out, accumulate)) = self.input(traced, x) {
                    self.each(
                        count,
                        kernels::HarmonisedGradient { out, gradient, s: own, n: count, weight, accumulate },
                    );
                }
            }
            Op::AbsoluteSum(sum) => self.absolute_sum_gradient(traced, sum, own, gradients),
            Op::Returns(returns) => self.returns_gradient(traced, returns, own),
            &Op::WeightedSum { x, weight } => {
                if let Some((out, accumulate)) = self.input(traced, x) {
                    let rows = traced.shape(x).0;
                    self.with_scratch(rows, |planner, same| {
                        planner.each(rows, kernels::SameRows { out: same, row: gradient, rows, columns: 1 });
                        planner.each(
                            rows,
                            kernels::ScaleRows {
                                out,
                                x: traced.place(weight),
                                factors: same,
                                rows,
                                columns: 1,
                                accumulate,
                            },
                        );
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
            planner.each(
                numbers.len(),
                kernels::AddSigns { out: out.after(numbers.start), x: from, factor, n: numbers.len() },
            );
        });
    }

    fn returns_gradient(&mut self, traced: &mut Traced<'_>, returns: &Returns, own: Own) {
        let &Returns { reward, value, discount, lambda, rollouts } = returns;
        let Own { y, gradient, rows: count, .. } = own;
        let steps = count / rollouts + 1;
        let [value_place, discount_place] = [value, discount].map(|var| traced.place(var));
        self.each(rollouts, kernels::ReturnsGradient { gradient, discount: discount_place, steps, rollouts, lambda });
        if let Some(out) = self.part(traced, reward) {
            self.piece([out, gradient], [1; 2], count, 1, true);
        }
        if let Some(out) = self.part(traced, value) {
            self.each(
                count,
                kernels::ReturnsOfValue { out, gradient, discount: discount_place, steps, rollouts, lambda },
            );
        }
        if let Some(out) = self.part(traced, discount) {
            self.each(
                count,
                kernels::ReturnsOfDiscount { out, gradient, y, value: value_place, steps, rollouts, lambda },
            );
        }
    }
}
