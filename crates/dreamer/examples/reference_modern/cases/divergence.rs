//! The balanced divergence, of normal and of categorical states.

use super::case::{Case, Results, beside, columns, gradient, mean, record};
use tape::{Classes, Parameters, Tape, Var};

/// The divergence of two distributions of the same kind.
type Divergence<'a> = &'a dyn Fn(&mut Tape<f64>, Var, Var) -> Var;

/// Computes the divergence of `posterior` from `prior`, both [N, C] for the transitions of a batch, and the gradients of both,
/// which `put` adds to the results under a name.
fn balanced(
    case: &Case,
    [posterior, prior]: [&[f64]; 2],
    divergence: Divergence,
    put: impl Fn(&mut Results, &str, [Vec<f64>; 2]) -> Result<(), String>,
) -> Result<Results, String> {
    let mut results = Results::default();
    let shape = [case.size("kl.batch")?, case.size("kl.time")?];
    let (rows, free) = (shape[0] * shape[1], case.number("free_nats")?);
    let weights = [case.number("dyn_scale")?, case.number("rep_scale")?];
    // The weights of both parts, and the gradients that these give.
    for (weights, name) in [([1.0, 0.0], "grad_dyn"), ([0.0, 1.0], "grad_rep"), (weights, "grad")] {
        record(&Parameters::new(), |tape, gradients| {
            let [posterior, prior] =
                [posterior, prior].map(|numbers| tape.leaf(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers)));
            let both = divergence(tape, posterior.detached(), prior);
            results.put("kl", &shape, tape.value(both));
            let dynamics = tape.at_least(both, free);
            let both = divergence(tape, posterior, prior.detached());
            let representation = tape.at_least(both, free);
            let parts = [dynamics, representation];
            for (name, part) in ["dyn", "rep"].into_iter().zip(parts) {
                results.put(name, &shape, tape.value(part));
            }
            let loss = parts.iter().zip(weights).map(|(part, weight)| weight * mean(tape.value(*part))).sum();
            results.scalar("loss", loss);
            parts.iter().zip(weights).for_each(|(part, weight)| tape.seed(*part, weight / rows as f64));
            tape.backward(gradients);
            put(&mut results, name, [posterior, prior].map(|var| gradient(tape, var)))
        })?;
    }
    Ok(results)
}

/// Of normal states, whose rows hold means, then standard deviations.
pub fn gaussian(case: &Case) -> Result<Results, String> {
    let shape = case.shape("post_mean")?;
    let (rows, size) = (case.rows("post_mean")?, shape[shape.len() - 1]);
    let both = |name: &str| -> Result<Vec<f64>, String> {
        let [mean, std] = ["mean", "std"].map(|part| case.numbers(&format!("{name}_{part}")));
        Ok(beside(mean?, std?, rows))
    };
    let (posterior, prior) = (both("post")?, both("prior")?);
    let put = |results: &mut Results, name: &str, gradients: [Vec<f64>; 2]| {
        for (who, gradient) in ["post", "prior"].into_iter().zip(gradients) {
            for (part, first) in [("mean", 0), ("std", size)] {
                let numbers = columns(&gradient, 2 * size, first..first + size);
                results.put(format!("{name}/{who}_{part}"), shape, numbers);
            }
        }
        Ok(())
    };
    balanced(case, [&posterior, &prior], &|tape, posterior, prior| tape.divergence(posterior, prior), put)
}

/// Of categorical states.
pub fn categorical(case: &Case) -> Result<Results, String> {
    let classes = Classes { count: case.size("kl.classes")?, unimix: case.number("unimix")? };
    let distributions = [case.numbers("post_logits")?, case.numbers("prior_logits")?];
    let put = |results: &mut Results, name: &str, gradients: [Vec<f64>; 2]| {
        for (who, gradient) in ["post", "prior"].into_iter().zip(gradients) {
            results.put(format!("{name}/{who}_logits"), case.shape("post_logits")?, gradient);
        }
        Ok(())
    };
    balanced(case, distributions, &|tape, posterior, prior| tape.categorical_divergence(posterior, prior, classes), put)
}
