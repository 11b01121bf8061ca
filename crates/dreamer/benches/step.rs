//! The speed of the operations and stages of a gradient step on one core, and its share of the core's peak.
//!
//! ```text
//! cargo bench -p dreamgraft-dreamer [-- FILTER]
//! ```
//!
//! The sizes are the published ones, one shard (5 sequences of 50) at a time, as for a worker. The peak is measured in
//! turn with every operation, because the speed of a machine changes; the table at the end has every operation's
//! GFLOP/s and its share. `bf16` lines round to bfloat16 and are compared with the same peak of f32.

use criterion::Criterion;
use dreamer::behaviour::{evaluate, imagine};
use dreamer::networks::{IMAGE_NUMBERS, Seen};
use dreamer::{AgentConfig, Learner, Noise};
use random::Stream;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use tape::kernels::doubling_convolution::DoublingConvolution;
use tape::kernels::im2col::Patches;
use tape::kernels::matmul::{Matrix, Panels, matmul, patches_matmul, patches_transposed_matmul};
use tape::kernels::peak;
use tape::kernels::same_convolution::{
    ImageBuffers, SameConvolution, same_convolution, same_convolution_of_images, same_convolution_of_kernel,
};
use tape::kernels::transposed_convolution::{Buffers, transposed_convolution};
use tape::{Doubling, Gradients, Precision, Tape, Workspace};

/// Rows of a shard: 5 sequences of 50.
const SHARD: usize = 250;
/// Images that the encoder's first layers take at a time.
const ENCODED: usize = 5;
/// Images that the decoder's last layers take at a time.
const DECODED: usize = 10;
/// Elements of an action.
const ACTION: usize = 6;
/// Rounds of the loop that finds the peak: a fifth of a millisecond.
const PEAK_ROUNDS: usize = 100_000;

fn main() {
    let mut bench = Bench::new();
    for (precision, suffix) in [(Precision::Full, ""), (Precision::Bf16, ", bf16")] {
        bench.products(precision, suffix);
        bench.convolutions(precision, suffix);
        bench.resizing(precision, suffix);
        bench.stages(precision, suffix);
    }
    bench.report();
}

struct Line {
    name: String,
    seconds: f64,
    operations: f64,
    /// Operations a second that the core did at most, meanwhile.
    peak: f64,
}

struct Bench {
    criterion: Criterion,
    lines: Vec<Line>,
    random: Stream,
}

impl Bench {
    fn new() -> Self {
        let criterion = Criterion::default()
            .sample_size(20)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(800))
            .configure_from_args();
        Self { criterion, lines: Vec::new(), random: Stream::new(0, "bench") }
    }

    /// Measures `work`, which does `operations` floating-point operations.
    fn measure(&mut self, name: String, operations: f64, mut work: impl FnMut()) {
        let (samples, peaks) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        self.criterion.bench_function(&name, |bencher| {
            bencher.iter_custom(|count| {
                let began = Instant::now();
                (0..count).for_each(|_| work());
                let elapsed = began.elapsed();
                samples.borrow_mut().push(elapsed.as_secs_f64() / count as f64);
                let began = Instant::now();
                let (operations, result) = peak::multiply_adds(PEAK_ROUNDS);
                std::hint::black_box(result);
                peaks.borrow_mut().push(began.elapsed().as_secs_f64() / operations);
                elapsed
            });
        });
        if let (Some(seconds), Some(peak)) = (median(samples.into_inner()), median(peaks.into_inner())) {
            self.lines.push(Line { name, seconds, operations, peak: 1.0 / peak });
        }
    }

    fn draw(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.random.uniform_in(-1.0, 1.0) as f32).collect()
    }

    /// Dense layers: value, gradient of the input, gradient of the weights.
    fn products(&mut self, precision: Precision, suffix: &str) {
        for (what, rows, inputs, outputs) in [
            ("hidden layer in imagination", SHARD, 400, 400),
            ("recurrent layer in imagination", SHARD, 200, 600),
            ("recurrent layer in the scan", 5, 200, 600),
            ("posterior's embedding", SHARD, 1024, 200),
            ("decoder's first convolution", SHARD, 1024, 3200),
        ] {
            let operations = 2.0 * (rows * inputs * outputs) as f64;
            let (x, w, y) = (self.draw(rows * inputs), self.draw(inputs * outputs), self.draw(rows * outputs));
            let (mut to_x, mut to_w, mut to_y) = (x.clone(), w.clone(), y.clone());
            let (x, w, y) =
                (Matrix::new(&x, rows, inputs), Matrix::new(&w, inputs, outputs), Matrix::new(&y, rows, outputs));
            let mut panels = Panels::default();
            panels.precision = precision;
            self.measure(format!("{what} {rows}x{inputs}x{outputs}{suffix}"), operations, || {
                matmul(&mut to_y, x, w, false, &mut panels);
            });
            self.measure(format!("{what}, its input's gradient{suffix}"), operations, || {
                matmul(&mut to_x, y, w.transposed(), false, &mut panels);
            });
            self.measure(format!("{what}, its weights' gradient{suffix}"), operations, || {
                matmul(&mut to_w, x.transposed(), y, true, &mut panels);
            });
        }
    }

    /// Convolutions and transposed ones: from large images to small, back, and the weights' gradients.
    fn convolutions(&mut self, precision: Precision, suffix: &str) {
        for (what, images, side, kernel, large, small) in [
            ("encoder 1", ENCODED, 64, 4, 3, 32),
            ("encoder 2", ENCODED, 31, 4, 32, 64),
            ("encoder 3", SHARD, 14, 4, 64, 128),
            ("encoder 4", SHARD, 6, 4, 128, 256),
            ("decoder 2", DECODED, 13, 5, 64, 128),
            ("decoder 3", DECODED, 30, 6, 32, 64),
            ("decoder 4", DECODED, 64, 6, 3, 32),
        ] {
            let patches = Patches { side, channels: large, kernel, stride: 2 };
            let (rows, size) = (images * patches.count(), patches.size());
            let operations = 2.0 * (rows * size * small) as f64;
            let (x, w) = (self.draw(images * patches.image()), self.draw(size * small));
            let (mut to_x, mut to_w, mut to_y) = (x.clone(), w.clone(), self.draw(rows * small));
            let y = to_y.clone();
            let mut panels = Panels::default();
            panels.precision = precision;
            let mut buffers = Buffers::default();
            self.measure(format!("{what}, large to small{suffix}"), operations, || {
                patches_matmul(&mut to_y, &x, patches, Matrix::new(&w, size, small), false, &mut panels);
            });
            self.measure(format!("{what}, weights' gradient{suffix}"), operations, || {
                patches_transposed_matmul(&mut to_w, &x, patches, Matrix::new(&y, rows, small), true, &mut panels);
            });
            self.measure(format!("{what}, small to large{suffix}"), operations, || {
                transposed_convolution(&mut to_x, &y, &w, patches, &mut panels, &mut buffers);
            });
        }
    }

    /// The convolutions of DreamerV3's networks of images, which halve and double images, with about as many weights as
    /// the published ones of V1 have.
    fn resizing(&mut self, precision: Precision, suffix: &str) {
        let mut panels = Panels::default();
        panels.precision = precision;
        let mut buffers = ImageBuffers::default();
        for (what, images, side, channels, outputs) in [
            ("encoder 1", ENCODED, 64, 3, 32),
            ("encoder 2", ENCODED, 32, 32, 48),
            ("encoder 3", SHARD, 16, 48, 64),
            ("encoder 4", SHARD, 8, 64, 64),
        ] {
            for stride in [1, 2] {
                let shape = SameConvolution { side, channels, outputs, kernel: 5, stride };
                let patches = shape.patches();
                let operations = 2.0 * (images * patches.count() * patches.size() * outputs) as f64;
                let (x, w) = (self.draw(images * shape.image()), self.draw(patches.size() * outputs));
                let (mut to_x, mut to_w, mut to_y) = (x.clone(), w.clone(), self.draw(images * shape.result()));
                let y = to_y.clone();
                let what = format!("V3 {what}, stride {stride}");
                self.measure(format!("{what}{suffix}"), operations, || {
                    same_convolution(&mut to_y, &x, &w, shape, false, &mut panels, &mut buffers);
                });
                self.measure(format!("{what}, weights' gradient{suffix}"), operations, || {
                    same_convolution_of_kernel(&mut to_w, &x, &y, shape, true, &mut panels, &mut buffers);
                });
                if channels > 3 {
                    self.measure(format!("{what}, images' gradient{suffix}"), operations, || {
                        same_convolution_of_images(&mut to_x, &y, &w, shape, false, &mut panels, &mut buffers);
                    });
                }
            }
        }
        for (what, images, side, channels, outputs) in [
            ("decoder 2", SHARD, 4, 64, 64),
            ("decoder 3", DECODED, 8, 64, 48),
            ("decoder 4", DECODED, 16, 48, 32),
            ("decoder 5", DECODED, 32, 32, 3),
        ] {
            let shape = DoublingConvolution { side, channels, outputs, kernel: 5, doubling: Doubling::Repeat };
            let operations = 2.0 * (images * side * side * shape.rearranged()) as f64;
            let (x, w) = (self.draw(images * shape.image()), self.draw(25 * channels * outputs));
            let (mut to_x, mut to_w, mut to_y) = (x.clone(), w.clone(), self.draw(images * shape.result()));
            let y = to_y.clone();
            self.measure(format!("V3 {what}{suffix}"), operations, || {
                shape.run(&mut to_y, &x, &w, false, &mut panels, &mut buffers);
            });
            self.measure(format!("V3 {what}, weights' gradient{suffix}"), operations, || {
                shape.of_kernel(&mut to_w, &x, &y, true, &mut panels, &mut buffers);
            });
            self.measure(format!("V3 {what}, images' gradient{suffix}"), operations, || {
                shape.of_images(&mut to_x, &y, &w, false, &mut panels, &mut buffers);
            });
        }
    }

    /// Networks forward and backward.
    fn stages(&mut self, precision: Precision, suffix: &str) {
        let config = AgentConfig::default();
        let mut learner = Learner::<f32>::new(&config, ACTION).expect("the paper's sizes");
        learner.initialise(&mut self.random);
        let parameters = learner.parameters();
        let networks = learner.networks();
        let size = |prefix: &str, but: &str| {
            let all = parameters.iter().filter(|&p| {
                let path = parameters.path(p);
                path.starts_with(prefix) && !path.ends_with("bias") && (but.is_empty() || !path.starts_with(but))
            });
            all.map(|p| parameters.shape(p).iter().product::<usize>()).sum::<usize>() as f64
        };
        let set = parameters.set(|path| path.starts_with("world_model."));
        let mut gradients = Gradients::new(&set);
        let mut workspace = Workspace::new(precision);

        let images = self.draw(SHARD * IMAGE_NUMBERS);
        let encoder: f64 = [(31, 3, 32), (14, 32, 64), (6, 64, 128), (2, 128, 256)]
            .map(|(side, inputs, outputs)| {
                let products = if inputs == 3 { 2.0 } else { 3.0 };
                products * 2.0 * (SHARD * side * side * 16 * inputs * outputs) as f64
            })
            .iter()
            .sum();
        self.measure(format!("stage: encoder, both ways, {SHARD} images at once{suffix}"), encoder, || {
            let mut tape = Tape::new(parameters, &set, &mut workspace);
            let x = tape.constant(SHARD, IMAGE_NUMBERS, |y| y.copy_from_slice(&images));
            let embed = networks.encoder.image.as_ref().unwrap().forward(&mut tape, x);
            tape.seed(embed, 1e-3);
            tape.backward(&mut gradients);
        });

        let decoder: f64 = [(1, 25, 1024, 128), (25, 25, 128, 64), (169, 36, 64, 32), (900, 36, 32, 3)]
            .map(|(inputs, taps, from, to)| 6.0 * (DECODED * inputs * taps * from * to) as f64)
            .iter()
            .sum();
        let features = self.draw(DECODED * config.feature());
        self.measure(format!("stage: decoder, both ways, {DECODED} images at once{suffix}"), decoder, || {
            let mut tape = Tape::new(parameters, &set, &mut workspace);
            let x = tape.leaf(DECODED, config.feature(), |y| y.copy_from_slice(&features));
            let mean = networks.decoder.image.as_ref().unwrap().forward(&mut tape, x);
            tape.seed(mean, 1e-3);
            tape.backward(&mut gradients);
        });

        let (embed, action) = (self.draw(SHARD * config.embed()), self.draw(SHARD * ACTION));
        let draws = self.draw(SHARD * config.stoch);
        let scan = 6.0 * SHARD as f64 * size("world_model.rssm.", "world_model.rssm.img3");
        self.measure(format!("stage: scan, both ways{suffix}"), scan, || {
            let mut tape = Tape::new(parameters, &set, &mut workspace);
            let embed = tape.leaf(SHARD, config.embed(), |y| y.copy_from_slice(&embed));
            let action = tape.constant(SHARD, ACTION, |y| y.copy_from_slice(&action));
            let noise = tape.constant(SHARD, config.stoch, |y| y.copy_from_slice(&draws));
            let start = networks.rssm.zero(&mut tape, SHARD / 50);
            let seen = Seen { embed, action, noise, kept: None };
            let observed = networks.rssm.observe(&mut tape, start, seen);
            tape.seed(observed.feature, 1e-3);
            tape.backward(&mut gradients);
        });

        let model = learner.behaviour_view();
        let mut gradients = Gradients::new(model.trainable);
        let steps = config.horizon * SHARD;
        let noise =
            Noise { prior: self.draw(steps * config.stoch), action: self.draw(steps * ACTION), ..Noise::default() };
        let (stoch, deter) = (self.draw(SHARD * config.stoch), self.draw(SHARD * config.deter));
        let (actor, value) = (size("actor.", ""), size("value.", ""));
        // Dynamics and reward: value and input's gradient. Actor and value head: their weights' gradients as well. The value
        // head is computed once for both of its losses.
        let passed = size("world_model.rssm.", "world_model.rssm.obs") + size("world_model.reward.", "");
        let imagination = steps as f64 * (4.0 * passed + 6.0 * (actor + value));
        self.measure(format!("stage: imagination, both ways{suffix}"), imagination, || {
            let mut tape = Tape::new(parameters, model.trainable, &mut workspace);
            let start = (
                tape.constant(SHARD, config.stoch, |y| y.copy_from_slice(&stoch)),
                tape.constant(SHARD, config.deter, |y| y.copy_from_slice(&deter)),
            );
            let imagined = imagine(model, &mut tape, start, &noise);
            let evaluated = evaluate(model, &mut tape, &imagined);
            tape.seed(evaluated.returns, -1e-3);
            tape.seed(evaluated.value_density, -1e-3);
            tape.backward(&mut gradients);
        });
    }

    #[expect(clippy::print_stdout, reason = "a benchmark's result")]
    fn report(&self) {
        println!("\n{:<58} {:>10} {:>9} {:>7} {:>9}", "one core", "us", "GFLOP/s", "peak", "of peak");
        for line in &self.lines {
            let speed = line.operations / line.seconds;
            let (us, share) = (1e6 * line.seconds, 100.0 * speed / line.peak);
            let (speed, peak) = (speed * 1e-9, line.peak * 1e-9);
            println!("{:<58} {us:>10.1} {speed:>9.1} {peak:>7.1} {share:>8.0}%", line.name);
        }
    }
}

fn median(mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}
