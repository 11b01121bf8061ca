//! The loss of an actor that learns by the log-density of its actions.

use super::actions::Raw;
use super::case::{Case, Results, gradient, record};
use tape::{Classes, Parameters, Tape, Var};

/// Records minus the weighted advantages times the log-densities, and minus the weighted entropies, and seeds the walk
/// back with it.
fn loss(case: &Case, tape: &mut Tape<f64>, results: &mut Results, [density, entropy]: [Var; 2]) -> Result<(), String> {
    let (shape, bonus, scale) = (case.shape("returns")?, case.number("actent")?, case.scalar("scale")?);
    let pairs = case.numbers("returns")?.iter().zip(case.numbers("value")?);
    let advantages: Vec<f64> = pairs.map(|(returns, value)| (returns - value) / scale).collect();
    let rows = advantages.len();
    results.put("advantage", shape, advantages.clone());
    results.put("log_prob", shape, tape.value(density));
    results.put("entropy", shape, tape.value(entropy));
    let mut constant = |numbers: &[f64]| tape.constant(rows, 1, |y| y.copy_from_slice(numbers));
    let (advantage, weight) = (constant(&advantages), constant(case.numbers("weight")?));
    let objective = tape.scaled_rows(density, advantage);
    let (objective, entropy) = (tape.weighted_sum(objective, weight), tape.weighted_sum(entropy, weight));
    let loss = -(tape.scalar(objective) + bonus * tape.scalar(entropy)) / rows as f64;
    results.scalar("loss", loss);
    tape.seed(objective, -1.0 / rows as f64);
    tape.seed(entropy, -bonus / rows as f64);
    Ok(())
}

/// Continuous actions.
pub fn continuous(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let raw = Raw::of(case)?;
    let pairs = raw.distributions().zip(case.numbers("action")?);
    let noise: Vec<f64> = pairs.map(|((mean, std), action)| (action - mean) / std).collect();
    record(&Parameters::new(), |tape, gradients| {
        let x = tape.leaf(raw.rows(), 2 * raw.size, |y| y.copy_from_slice(&raw.outputs()));
        let draws = tape.constant(raw.rows(), raw.size, |y| y.copy_from_slice(&noise));
        let terms = [tape.bounded_log_density(x, draws), tape.bounded_entropy(x)];
        loss(case, tape, &mut results, terms)?;
        tape.backward(gradients);
        raw.put(case, &mut results, "grad", &gradient(tape, x))
    })?;
    Ok(results)
}

/// Discrete actions.
pub fn discrete(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let (rows, shape, index) = (case.rows("logits")?, case.shape("logits")?, case.numbers("index")?);
    let count = shape[shape.len() - 1];
    let classes = Classes { count, unimix: case.number("unimix")? };
    // Draws that make the given choices.
    let draws = (0..rows * count).map(|at| if (at % count) as f64 == index[at / count] { 1e3 } else { 0.0 });
    let draws: Vec<f64> = draws.collect();
    record(&Parameters::new(), |tape, gradients| {
        let x = case.leaf(tape, "logits")?;
        let draws = tape.constant(rows, count, |y| y.copy_from_slice(&draws));
        let terms = [tape.one_hot_log_density(x, draws, classes), tape.categorical_entropy(x, classes)];
        loss(case, tape, &mut results, terms)?;
        tape.backward(gradients);
        results.put("grad/logits", shape, gradient(tape, x));
        Ok(())
    })?;
    Ok(results)
}
