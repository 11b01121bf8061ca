//! The agent's options that are not the paper's, each alone, against numbers of an independent program in double
//! precision.
//!
//! Here: the golden cases. A module has the options of one part of the agent.

mod actions;
mod cell;
mod divergence;
mod heads;
mod images;
mod large;
mod latent;
mod meta_model;
mod modern;
mod networks;
mod optimiser;
mod resets;
mod returns;
#[path = "../reference/tensors.rs"]
mod tensors;
mod v3;
mod whole;

use tape::{Gradients, Parameters, Tape, Var, Workspace};
use tensors::{Tensors, read};

/// All cases, and the configuration of the program that computed them.
fn golden() -> (Tensors, serde_json::Value) {
    read(include_bytes!("../golden/options.safetensors")).unwrap()
}

/// A golden case: inputs `CASE/in/...` and results `CASE/out/...`.
struct Case<'a> {
    tensors: &'a Tensors,
    name: &'a str,
}

impl Case<'_> {
    fn numbers(&self, name: &str) -> &[f64] {
        &self.tensors[&format!("{}/{name}", self.name)].1
    }

    /// Whether there is a tensor of this name.
    fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(&format!("{}/{name}", self.name))
    }

    /// The numbers in all tensors whose names begin like this.
    fn count(&self, prefix: &str) -> usize {
        let prefix = format!("{}/{prefix}", self.name);
        self.tensors.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(_, tensor)| tensor.1.len()).sum()
    }

    /// The product of all dimensions but the last: rows of a matrix.
    fn rows(&self, name: &str) -> usize {
        let shape = &self.tensors[&format!("{}/{name}", self.name)].0;
        shape[..shape.len() - 1].iter().product()
    }

    /// Compares a result with the case's.
    fn compare(&self, name: &str, found: &[f64]) {
        let expected = self.numbers(&format!("out/{name}"));
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs() / largest;
            assert!(error < 1e-12, "{}/out/{name} is off by {error:e}", self.name);
        }
    }

    /// The gradient of `input` where the result of `record` has the gradient `cotangent`.
    fn gradient(&self, input: &str, cotangent: &str, record: impl Fn(&mut Tape<f64>, Var) -> Var) -> Vec<f64> {
        let parameters = Parameters::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let (numbers, rows) = (self.numbers(input), self.rows(input));
        let x = tape.leaf(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers));
        let y = record(&mut tape, x);
        tape.seed_with(y, self.numbers(cotangent));
        tape.backward(&mut Gradients::new(&none));
        tape.gradient(x).unwrap().to_vec()
    }

    /// The result of `record`.
    fn value(&self, input: &str, record: impl Fn(&mut Tape<f64>, Var) -> Var) -> Vec<f64> {
        let parameters = Parameters::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let (numbers, rows) = (self.numbers(input), self.rows(input));
        let x = tape.constant(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers));
        let y = record(&mut tape, x);
        tape.value(y).to_vec()
    }
}
