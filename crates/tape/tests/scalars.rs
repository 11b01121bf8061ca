//! Heads with one output, against the ordinary layers that they are made of.

mod simd;

use proptest::prelude::*;
use random::Stream;
use tape::{Activation, Gradients, Parameter, Parameters, SimdInstructionSet, Tape, Workspace};

/// The results of a head with two losses: its value, and gradients of input and parameters.
type Made = (Vec<f64>, Option<Vec<f64>>, Vec<f64>);

struct Head {
    parameters: Parameters<f64>,
    layers: Vec<(Parameter, Parameter)>,
    x: Vec<f64>,
    read: Vec<f64>,
    train: Vec<f64>,
    activation: Activation,
    /// Whether the first loss's gradient reaches the input.
    passes: bool,
}

impl Head {
    fn new(rows: usize, trained: usize, sizes: &[usize], activation: Activation, passes: bool, seed: u64) -> Self {
        let mut parameters = Parameters::new();
        let layers: Vec<_> = sizes
            .windows(2)
            .enumerate()
            .map(|(i, size)| {
                (parameters.declare(&format!("{i}.kernel"), size), parameters.declare(&format!("{i}.bias"), &size[1..]))
            })
            .collect();
        parameters.allocate();
        let mut random = Stream::new(seed, "heads");
        let mut draw = |n: usize| (0..n).map(|_| random.normal()).collect::<Vec<f64>>();
        for parameter in parameters.iter() {
            let values = parameters.values_mut(parameter);
            values.copy_from_slice(&draw(values.len()));
        }
        let (x, read, train) = (draw(rows * sizes[0]), draw(rows), draw(trained));
        Self { parameters, layers, x, read, train, activation, passes }
    }

    /// `record` gives the values that the two losses read; each loss is seeded if requested.
    fn run(&self, losses: [bool; 2], record: impl Fn(&mut Tape<f64>, tape::Var) -> [tape::Var; 2]) -> Made {
        let set = self.parameters.set(|_| true);
        let (mut gradients, mut workspace) = (Gradients::new(&set), Workspace::default());
        let rows = self.read.len();
        let mut made = None;
        // Twice in the same workspace: the remains of the first recording must not matter.
        for _ in 0..2 {
            gradients.clear();
            let mut tape = Tape::new(&self.parameters, &set, &mut workspace);
            let leaf = tape.leaf(rows, self.x.len() / rows, |x| x.copy_from_slice(&self.x));
            let x = if self.passes { leaf } else { leaf.detached() };
            let [read, trained] = record(&mut tape, x);
            assert_eq!(tape.value(trained), &tape.value(read)[..self.train.len()]);
            let value = tape.value(read).to_vec();
            for ((var, seed), loss) in [(read, &self.read), (trained, &self.train)].into_iter().zip(losses) {
                if loss {
                    tape.seed_with(var, seed);
                }
            }
            tape.backward(&mut gradients);
            made = Some((value, tape.gradient(leaf).map(<[f64]>::to_vec), gradients.finish().to_vec()));
        }
        made.expect("it ran")
    }

    /// The head from ordinary layers, once for each loss.
    fn plain(&self, losses: [bool; 2]) -> Made {
        let forward = |tape: &mut Tape<f64>, x| {
            let (last, hidden) = self.layers.split_last().unwrap();
            let x = hidden.iter().fold(x, |x, layer| tape.dense(x, layer.0, layer.1, self.activation));
            tape.dense(x, last.0, last.1, Activation::None)
        };
        self.run(losses, |tape, x| {
            let read = tape.with_constant_parameters(|tape| forward(tape, x));
            let rows = tape.rows_of(x.detached(), 0, self.train.len());
            [read, forward(tape, rows)]
        })
    }
}

fn agree(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-10 * (1.0 + b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn two_losses_share_the_values_of_the_layers(
        rows in prop_oneof![1usize..30, 240usize..520], share in 0.0f64..=1.0, inputs in 1usize..20,
        hidden in prop::collection::vec(1usize..20, 0..4), elu: bool, passes: bool, losses: [bool; 2], seed: u64,
    ) {
        let trained = ((rows as f64 * share) as usize).max(1);
        let sizes: Vec<_> = [inputs].into_iter().chain(hidden).chain([1]).collect();
        let activation = if elu { Activation::Elu } else { Activation::Relu };
        let head = Head::new(rows, trained, &sizes, activation, passes, seed);
        let plain = head.plain(losses);
        let shared = head.run(losses, |tape, x| {
            let (read, trained) = tape.input_and_parameter_scalars(x, &head.layers, activation, trained);
            [read, trained]
        });
        prop_assert!(agree(&shared.0, &plain.0));
        prop_assert!(agree(&shared.2, &plain.2));
        // If no gradient reaches the input, it may have none, or zeros.
        let zeros = vec![0.0; head.x.len()];
        prop_assert!(agree(shared.1.as_ref().unwrap_or(&zeros), plain.1.as_ref().unwrap_or(&zeros)));
        prop_assert_eq!(plain.2.iter().any(|&g| g != 0.0), losses[1]);
    }

    #[test]
    fn a_frozen_head_is_its_layers_with_constant_parameters(
        rows in prop_oneof![1usize..30, 240usize..520], inputs in 1usize..20,
        hidden in prop::collection::vec(1usize..20, 0..4), elu: bool, passes: bool, seed: u64,
    ) {
        let sizes: Vec<_> = [inputs].into_iter().chain(hidden).chain([1]).collect();
        let activation = if elu { Activation::Elu } else { Activation::Relu };
        let head = Head::new(rows, rows, &sizes, activation, passes, seed);
        let plain = head.plain([true, false]);
        let frozen = head.run([true, false], |tape, x| [tape.input_scalar(x, &head.layers, activation); 2]);
        prop_assert!(agree(&frozen.0, &plain.0));
        prop_assert_eq!(frozen.1.is_some(), passes);
        prop_assert_eq!(plain.1.is_some(), passes);
        prop_assert!(agree(&frozen.1.unwrap_or_default(), &plain.1.unwrap_or_default()));
        prop_assert!(frozen.2.iter().all(|&g| g == 0.0));
    }
}
