//! The agent's options that are not the paper's, each alone, against numbers of an independent program in double precision.

#[path = "reference/tensors.rs"]
mod tensors;

use tape::{Parameters, Tape, Workspace, class_probabilities, sampled_class};
use tensors::{Tensors, read};

/// A golden case: inputs `CASE/in/...` and results `CASE/out/...`.
struct Case<'a> {
    tensors: &'a Tensors,
    name: &'a str,
}

impl Case<'_> {
    fn numbers(&self, name: &str) -> &[f64] {
        &self.tensors[&format!("{}/{name}", self.name)].1
    }

    fn rows(&self, name: &str) -> usize {
        self.tensors[&format!("{}/{name}", self.name)].0[0]
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
    fn gradient(
        &self,
        input: &str,
        cotangent: &str,
        record: impl Fn(&mut Tape<f64>, tape::Var) -> tape::Var,
    ) -> Vec<f64> {
        let parameters = Parameters::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let (numbers, rows) = (self.numbers(input), self.rows(input));
        let x = tape.leaf(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers));
        let y = record(&mut tape, x);
        tape.seed_with(y, self.numbers(cotangent));
        tape.backward(&mut tape::Gradients::new(&none));
        tape.gradient(x).unwrap().to_vec()
    }

    /// The result of `record`.
    fn value(&self, input: &str, record: impl Fn(&mut Tape<f64>, tape::Var) -> tape::Var) -> Vec<f64> {
        let parameters = Parameters::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let (numbers, rows) = (self.numbers(input), self.rows(input));
        let x = tape.constant(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers));
        let y = record(&mut tape, x);
        tape.value(y).to_vec()
    }
}

#[test]
fn one_hot_actions() {
    let (tensors, config) = read(include_bytes!("golden/discrete_actor.safetensors")).unwrap();
    for (name, unimix) in
        [("discrete_actor/onehot", config["unimix"].as_f64().unwrap()), ("discrete_actor/categorical", 0.0)]
    {
        let case = Case { tensors: &tensors, name };
        let (logits, gumbel) = (case.numbers("in/logits"), case.numbers("in/gumbel"));
        let size = logits.len() / case.rows("in/logits");
        let mut probabilities = vec![0.0; logits.len()];
        for (found, logits) in probabilities.chunks_exact_mut(size).zip(logits.chunks_exact(size)) {
            class_probabilities(logits, unimix, found);
        }
        case.compare("probs", &probabilities);
        let rows = || logits.chunks_exact(size).zip(gumbel.chunks_exact(size));
        let classes = |draws: bool| -> Vec<f64> {
            rows().map(|(logits, gumbel)| sampled_class(logits, unimix, draws.then_some(gumbel)) as f64).collect()
        };
        case.compare("index", &classes(true));
        case.compare("mode", &classes(false));
        let sample = |tape: &mut Tape<f64>, logits| {
            let gumbel = tape.constant(case.rows("in/gumbel"), size, |y| y.copy_from_slice(gumbel));
            tape.one_hot_sample(logits, gumbel, unimix)
        };
        case.compare("sample", &case.value("in/logits", sample));
        let entropy = |tape: &mut Tape<f64>, logits| tape.categorical_entropy(logits, unimix);
        case.compare("entropy", &case.value("in/logits", entropy));
        case.compare("grad_entropy/logits", &case.gradient("in/logits", "in/cot/entropy", entropy));
        if tensors.contains_key(&format!("{name}/in/cot/sample")) {
            case.compare("grad_sample/logits", &case.gradient("in/logits", "in/cot/sample", sample));
        }
    }
}
