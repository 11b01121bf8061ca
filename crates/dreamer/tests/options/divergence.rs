//! The balanced divergence, of normal and of categorical states.

use crate::{Case, golden};
use tape::{Classes, Gradients, Parameters, Tape, Workspace};

/// Means, then standard deviations, in each row.
fn rows_of(means: &[f64], stds: &[f64], size: usize) -> Vec<f64> {
    let rows = means.chunks_exact(size).zip(stds.chunks_exact(size));
    rows.flat_map(|(means, stds)| means.iter().chain(stds)).copied().collect()
}

#[test]
fn balanced_divergence() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "balanced_kl/gaussian" };
    let number = |key: &str| config[key].as_f64().unwrap();
    let (rows, size) = (case.rows("in/post_mean"), case.numbers("in/post_mean").len() / case.rows("in/post_mean"));
    let [posterior, prior] = ["post", "prior"].map(|name| {
        let of = |part: &str| case.numbers(&format!("in/{name}_{part}"));
        rows_of(of("mean"), of("std"), size)
    });
    let parameters = Parameters::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    // The weights of both parts, and the results that these give.
    for (dynamics, representation, name) in
        [(1.0, 0.0, "grad_dyn"), (0.0, 1.0, "grad_rep"), (number("dyn_scale"), number("rep_scale"), "grad")]
    {
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let [posterior, prior] =
            [&posterior, &prior].map(|numbers| tape.leaf(rows, 2 * size, |y| y.copy_from_slice(numbers)));
        let divergence = tape.divergence(posterior.detached(), prior);
        case.compare("kl", tape.value(divergence));
        let dyn_part = tape.at_least(divergence, number("free_nats"));
        case.compare("dyn", tape.value(dyn_part));
        let divergence = tape.divergence(posterior, prior.detached());
        let rep_part = tape.at_least(divergence, number("free_nats"));
        case.compare("rep", tape.value(rep_part));
        tape.seed(dyn_part, dynamics / rows as f64);
        tape.seed(rep_part, representation / rows as f64);
        tape.backward(&mut Gradients::new(&none));
        for (var, who) in [(posterior, "post"), (prior, "prior")] {
            let gradient = tape.gradient(var).unwrap().to_vec();
            for (part, first) in [("mean", 0), ("std", size)] {
                let numbers: Vec<f64> =
                    gradient.chunks_exact(2 * size).flat_map(|row| &row[first..first + size]).copied().collect();
                case.compare(&format!("{name}/{who}_{part}"), &numbers);
            }
        }
    }
}

#[test]
fn balanced_divergence_of_categorical_states() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "balanced_kl/categorical" };
    let number = |key: &str| config[key].as_f64().unwrap();
    let count = config["kl"]["classes"].as_u64().unwrap() as usize;
    let cols = count * config["kl"]["stoch"].as_u64().unwrap() as usize;
    let classes = Classes { count, unimix: number("unimix") };
    let [posterior, prior] = ["post", "prior"].map(|name| case.numbers(&format!("in/{name}_logits")));
    let rows = posterior.len() / cols;
    let parameters = Parameters::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    for (dynamics, representation, name) in
        [(1.0, 0.0, "grad_dyn"), (0.0, 1.0, "grad_rep"), (number("dyn_scale"), number("rep_scale"), "grad")]
    {
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let [posterior, prior] =
            [posterior, prior].map(|numbers| tape.leaf(rows, cols, |y| y.copy_from_slice(numbers)));
        let divergence = tape.categorical_divergence(posterior.detached(), prior, classes);
        case.compare("kl", tape.value(divergence));
        let dyn_part = tape.at_least(divergence, number("free_nats"));
        case.compare("dyn", tape.value(dyn_part));
        let divergence = tape.categorical_divergence(posterior, prior.detached(), classes);
        let rep_part = tape.at_least(divergence, number("free_nats"));
        case.compare("rep", tape.value(rep_part));
        tape.seed(dyn_part, dynamics / rows as f64);
        tape.seed(rep_part, representation / rows as f64);
        tape.backward(&mut Gradients::new(&none));
        for (var, who) in [(posterior, "post"), (prior, "prior")] {
            case.compare(&format!("{name}/{who}_logits"), tape.gradient(var).unwrap());
        }
    }
}
