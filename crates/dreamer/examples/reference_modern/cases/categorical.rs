//! Categorical distributions: latent states, and discrete actions.

use super::case::{Case, Results, gradient, record};
use tape::{Classes, Parameters, Tape, Var, class_probabilities, sampled_class};

/// The probabilities of all classes of all distributions.
fn probabilities(logits: &[f64], classes: Classes) -> Vec<f64> {
    let mut probabilities = vec![0.0; logits.len()];
    for (found, logits) in probabilities.chunks_exact_mut(classes.count).zip(logits.chunks_exact(classes.count)) {
        class_probabilities(logits, classes.unimix, found);
    }
    probabilities
}

/// The class that a uniform draw stands for: the first whose cumulative probability exceeds it.
fn class_by_uniform(probabilities: &[f64], uniform: f64) -> usize {
    let mut sum = 0.0;
    let below = probabilities.iter().take_while(|probability| {
        sum += **probability;
        sum <= uniform
    });
    below.count().min(probabilities.len() - 1)
}

/// Adds the classes that are sampled and the most probable ones, and for all of them: samples, entropies and the
/// log-density of the samples of each row, with their gradients.
fn distributions(case: &Case, results: &mut Results, classes: Classes) -> Result<(), String> {
    let (logits, gumbel) = (case.numbers("logits")?, case.numbers("gumbel")?);
    let shape = case.shape("logits")?;
    let of_distributions = &shape[..shape.len() - 1];
    results.put("probs", shape, probabilities(logits, classes));
    for (name, draws) in [("index", true), ("mode", false)] {
        let pairs = logits.chunks_exact(classes.count).zip(gumbel.chunks_exact(classes.count));
        let chosen = pairs.map(|(x, g)| sampled_class(x, classes.unimix, draws.then_some(g)) as f64);
        results.put(name, of_distributions, chosen.collect::<Vec<_>>());
    }
    let rows = shape[0];
    let mut differentiated = |name: &str, record_value: &dyn Fn(&mut Tape<f64>, Var, Var) -> Var| {
        record(&Parameters::new(), |tape, gradients| {
            let x = tape.leaf(rows, logits.len() / rows, |y| y.copy_from_slice(logits));
            let draws = tape.constant(rows, logits.len() / rows, |y| y.copy_from_slice(gumbel));
            let y = record_value(tape, x, draws);
            let (_, cols) = tape.shape(y);
            // A row's log-density is the sum over its distributions.
            let value = match name {
                "log_prob" => tape.value(y).chunks_exact(cols).map(|row| row.iter().sum()).collect(),
                _ => tape.value(y).to_vec(),
            };
            let shape = match name {
                "sample" => shape,
                "log_prob" => &shape[..1],
                _ => of_distributions,
            };
            results.put(name, shape, value);
            let cotangent = format!("cot/{name}");
            if case.has(&cotangent) {
                let cotangent = case.numbers(&cotangent)?;
                let repeated = tape.shape(y).0 * cols / cotangent.len();
                let cotangent: Vec<f64> = cotangent.iter().flat_map(|x| std::iter::repeat_n(*x, repeated)).collect();
                tape.seed_with(y, &cotangent);
                tape.backward(gradients);
                results.put(format!("grad_{name}/logits"), case.shape("logits")?, gradient(tape, x));
            }
            Ok(())
        })
    };
    differentiated("sample", &|tape, x, draws| tape.one_hot_sample(x, draws, classes))?;
    differentiated("entropy", &|tape, x, _| tape.categorical_entropy(x, classes))?;
    differentiated("log_prob", &|tape, x, draws| tape.one_hot_log_density(x, draws, classes))
}

/// Latent states of several distributions each.
pub fn latent(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let classes = Classes { count: case.size("cat.classes")?, unimix: case.number("unimix")? };
    distributions(case, &mut results, classes)?;
    let (logits, shape) = (case.numbers("logits")?, case.shape("logits")?);
    let of_distributions = &shape[..shape.len() - 1];
    let probabilities = probabilities(logits, classes);
    results.put("log_probs", shape, probabilities.iter().map(|p| p.ln()).collect::<Vec<_>>());
    let pairs = probabilities.chunks_exact(classes.count).zip(case.numbers("uniform")?);
    let chosen = pairs.map(|(probabilities, uniform)| class_by_uniform(probabilities, *uniform) as f64);
    results.put("index_by_uniform", of_distributions, chosen.collect::<Vec<_>>());
    // The divergences of the case are those of each distribution, so that each is a row here.
    record(&Parameters::new(), |tape, gradients| {
        let (x, other) = (case.leaf(tape, "logits")?, case.leaf(tape, "other_logits")?);
        let divergence = tape.categorical_divergence(x, other, classes);
        results.put("kl", of_distributions, tape.value(divergence));
        tape.seed_with(divergence, case.numbers("cot/kl")?);
        tape.backward(gradients);
        for (name, leaf) in [("logits", x), ("other_logits", other)] {
            results.put(format!("grad_kl/{name}"), shape, gradient(tape, leaf));
        }
        Ok(())
    })?;
    Ok(results)
}

/// Discrete actions, with a share of equal chances.
pub fn one_hot_actions(case: &Case) -> Result<Results, String> {
    actions(case, case.number("unimix")?)
}

/// Discrete actions without a share of equal chances.
pub fn unmixed_actions(case: &Case) -> Result<Results, String> {
    actions(case, 0.0)
}

fn actions(case: &Case, unimix: f64) -> Result<Results, String> {
    let mut results = Results::default();
    distributions(case, &mut results, Classes { count: case.size("actor.classes")?, unimix })?;
    Ok(results)
}
