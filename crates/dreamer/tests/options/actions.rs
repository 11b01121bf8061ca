//! Distributions of actions.

use crate::{Case, golden};
use tape::{
    Classes, Gradients, Parameters, Tape, Var, Workspace, bounded_mean_and_std, class_probabilities, sampled_class,
    within_bounds,
};

#[test]
fn one_hot_actions() {
    let (tensors, config) = golden();
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
            tape.one_hot_sample(logits, gumbel, Classes { count: size, unimix })
        };
        case.compare("sample", &case.value("in/logits", sample));
        let entropy = |tape: &mut Tape<f64>, logits| tape.categorical_entropy(logits, Classes { count: size, unimix });
        case.compare("entropy", &case.value("in/logits", entropy));
        case.compare("grad_entropy/logits", &case.gradient("in/logits", "in/cot/entropy", entropy));
        if tensors.contains_key(&format!("{name}/in/cot/sample")) {
            case.compare("grad_sample/logits", &case.gradient("in/logits", "in/cot/sample", sample));
        }
    }
}

#[test]
fn bounded_normal_actions() {
    let (tensors, _) = golden();
    let case = Case { tensors: &tensors, name: "bounded_normal" };
    let (means, stds, noise) = (case.numbers("in/mean_raw"), case.numbers("in/std_raw"), case.numbers("in/noise"));
    let (rows, size) = (case.rows("in/noise"), noise.len() / case.rows("in/noise"));
    let pairs: Vec<(f64, f64)> = means.iter().zip(stds).map(|(m, s)| bounded_mean_and_std(*m, *s)).collect();
    case.compare("mean", &pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    case.compare("std", &pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let samples: Vec<f64> = pairs.iter().zip(noise).map(|((mean, std), noise)| mean + std * noise).collect();
    case.compare("sample", &samples);
    case.compare("bounded_sample", &samples.iter().map(|x| within_bounds(*x)).collect::<Vec<_>>());

    // The raw outputs of an actor: means, then standard deviations, in each row.
    let raw: Vec<f64> = (0..rows)
        .flat_map(|row| means[row * size..][..size].iter().chain(&stds[row * size..][..size]))
        .copied()
        .collect();
    let parameters = Parameters::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut check = |name: &str, record: &dyn Fn(&mut Tape<f64>, Var, Var) -> Var| {
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let x = tape.leaf(rows, 2 * size, |y| y.copy_from_slice(&raw));
        let draws = tape.constant(rows, size, |y| y.copy_from_slice(noise));
        let y = record(&mut tape, x, draws);
        case.compare(name, tape.value(y));
        tape.seed_with(y, case.numbers(&format!("in/cot/{name}")));
        tape.backward(&mut Gradients::new(&none));
        let gradient = tape.gradient(x).unwrap();
        for (part, first) in [("mean_raw", 0), ("std_raw", size)] {
            let part_of: Vec<f64> =
                gradient.chunks_exact(2 * size).flat_map(|row| &row[first..first + size]).copied().collect();
            case.compare(&format!("grad_{name}/{part}"), &part_of);
        }
    };
    check("bounded_sample", &|tape, raw, noise| tape.bounded_sample(raw, noise));
    check("entropy", &|tape, raw, _| tape.bounded_entropy(raw));
}
