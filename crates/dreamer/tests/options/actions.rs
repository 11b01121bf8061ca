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

/// The loss of an actor that learns by the density of its actions: minus the weighted advantages times the log-densities, and minus
/// the weighted entropies.
fn reinforce(case: &Case, tape: &mut Tape<f64>, density: Var, entropy: Var, bonus: f64) {
    // Rows have a rollout each.
    let number = |name: &str| case.numbers(name);
    let rows = number("in/returns").len();
    let scale = number("in/scale")[0];
    let advantages: Vec<f64> =
        number("in/returns").iter().zip(number("in/value")).map(|(returns, value)| (returns - value) / scale).collect();
    if case.tensors.contains_key(&format!("{}/out/advantage", case.name)) {
        case.compare("advantage", &advantages);
    }
    case.compare("log_prob", tape.value(density));
    case.compare("entropy", tape.value(entropy));
    let constant = |tape: &mut Tape<f64>, numbers: &[f64]| tape.constant(rows, 1, |y| y.copy_from_slice(numbers));
    let (advantage, weight) = (constant(tape, &advantages), constant(tape, number("in/weight")));
    let objective = tape.scaled_rows(density, advantage);
    let (objective, entropy) = (tape.weighted_sum(objective, weight), tape.weighted_sum(entropy, weight));
    let loss = -(tape.scalar(objective) + bonus * tape.scalar(entropy)) / rows as f64;
    case.compare("loss", &[loss]);
    tape.seed(objective, -1.0 / rows as f64);
    tape.seed(entropy, -bonus / rows as f64);
}

#[test]
fn actions_by_their_density() {
    let (tensors, config) = golden();
    let bonus = config["actent"].as_f64().unwrap();
    let parameters = Parameters::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());

    let case = Case { tensors: &tensors, name: "reinforce/continuous" };
    let (means, stds, actions) = (case.numbers("in/mean_raw"), case.numbers("in/std_raw"), case.numbers("in/action"));
    let (rows, size) = (case.rows("in/action"), actions.len() / case.rows("in/action"));
    let raw: Vec<f64> = (0..rows)
        .flat_map(|row| means[row * size..][..size].iter().chain(&stds[row * size..][..size]))
        .copied()
        .collect();
    let noise: Vec<f64> = (0..rows * size)
        .map(|at| {
            let (mean, std) = bounded_mean_and_std(means[at], stds[at]);
            (actions[at] - mean) / std
        })
        .collect();
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let x = tape.leaf(rows, 2 * size, |y| y.copy_from_slice(&raw));
    let draws = tape.constant(rows, size, |y| y.copy_from_slice(&noise));
    let (density, entropy) = (tape.bounded_log_density(x, draws), tape.bounded_entropy(x));
    reinforce(&case, &mut tape, density, entropy, bonus);
    tape.backward(&mut Gradients::new(&none));
    let gradient = tape.gradient(x).unwrap();
    for (part, first) in [("mean_raw", 0), ("std_raw", size)] {
        let part_of: Vec<f64> =
            gradient.chunks_exact(2 * size).flat_map(|row| &row[first..first + size]).copied().collect();
        case.compare(&format!("grad/{part}"), &part_of);
    }

    let case = Case { tensors: &tensors, name: "reinforce/discrete" };
    let (logits, index) = (case.numbers("in/logits"), case.numbers("in/index"));
    let (rows, size) = (case.rows("in/logits"), logits.len() / case.rows("in/logits"));
    let classes = Classes { count: size, unimix: config["unimix"].as_f64().unwrap() };
    // Draws that make the given choices.
    let gumbel: Vec<f64> =
        (0..rows * size).map(|at| if (at % size) as f64 == index[at / size] { 100.0 } else { 0.0 }).collect();
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let x = tape.leaf(rows, size, |y| y.copy_from_slice(logits));
    let draws = tape.constant(rows, size, |y| y.copy_from_slice(&gumbel));
    let (density, entropy) = (tape.one_hot_log_density(x, draws, classes), tape.categorical_entropy(x, classes));
    reinforce(&case, &mut tape, density, entropy, bonus);
    tape.backward(&mut Gradients::new(&none));
    case.compare("grad/logits", tape.gradient(x).unwrap());
}
