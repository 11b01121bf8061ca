//! Lambda-returns of imagined rollouts and of replayed sequences.

use super::case::{Case, Results, gradient, matrix, record, swapped};
use tape::{Parameters, Replayed, Tape};

/// Returns of imagined rollouts whose discounts have the horizon already.
pub fn imagined(case: &Case) -> Result<Results, String> {
    rollouts(case, 1.0)
}

/// Returns of imagined rollouts with a fixed discount besides.
pub fn with_fixed_discount(case: &Case) -> Result<Results, String> {
    rollouts(case, 1.0 - 1.0 / case.number("horizon")?)
}

fn rollouts(case: &Case, factor: f64) -> Result<Results, String> {
    let mut results = Results::default();
    let &[rows, steps] = case.shape("value")? else { return Err("value is not [N, H]".to_owned()) };
    let lambda = case.number("lam")?;
    record(&Parameters::new(), |tape, gradients| {
        let leaf = |tape: &mut Tape<f64>, name: &str| -> Result<_, String> {
            let numbers = swapped(case.numbers(name)?, rows, steps);
            Ok(tape.leaf(rows * steps, 1, |y| y.copy_from_slice(&numbers)))
        };
        let (reward, value, con) = (leaf(tape, "reward")?, leaf(tape, "value")?, leaf(tape, "con")?);
        let factors = matrix(tape, &vec![factor; rows * steps], 1);
        let discount = tape.scaled_rows(con, factors);
        let later = |tape: &mut Tape<f64>, var| tape.rows_of(var, rows, rows * (steps - 1));
        let (rewards, discounts) = (later(tape, reward), later(tape, discount));
        let returns = tape.lambda_returns(rewards, value, discounts, lambda, rows);
        results.put("returns", &[rows, steps - 1], swapped(tape.value(returns), steps - 1, rows));
        results.put("weight", &[rows, steps], weights(tape.value(discount), rows, factor));
        tape.seed_with(returns, &swapped(case.numbers("cot/returns")?, rows, steps - 1));
        tape.backward(gradients);
        for (name, var) in [("reward", reward), ("value", value), ("con", con)] {
            results.put(format!("grad/{name}"), &[rows, steps], swapped(&gradient(tape, var), steps, rows));
        }
        Ok(())
    })?;
    Ok(results)
}

/// The weights of all states [N, H], given the discounts step by step: the products of those up to each state, without
/// the first factor.
pub fn weights(discounts: &[f64], rows: usize, factor: f64) -> Vec<f64> {
    let steps = discounts.len() / rows;
    let found = record(&Parameters::new(), |tape, _| {
        // Weights are those of all states but the last: one more state makes them complete.
        let discounts = matrix(tape, &[discounts, &vec![0.0; rows]].concat(), 1);
        let weights = tape.discount_weights(discounts, rows, true);
        Ok(tape.value(weights).iter().map(|weight| weight / factor).collect::<Vec<_>>())
    });
    swapped(&found.expect("nothing fails"), steps, rows)
}

/// The flags and the numbers of replayed sequences, step by step.
pub struct Sequences {
    pub reward: Vec<f64>,
    pub bootstrap: Vec<f64>,
    discount: Vec<f64>,
    kept: Vec<f64>,
    lambda: f64,
    /// How many there are, and how long they are.
    pub rows: usize,
    pub steps: usize,
}

impl Sequences {
    /// The inputs of a case; `bootstrap` [N, L] are the returns that its states are worth.
    pub fn of(case: &Case, bootstrap: &[f64]) -> Result<Self, String> {
        let &[rows, steps] = case.shape("reward")? else { return Err("reward is not [N, L]".to_owned()) };
        let by_step = |name: &str| -> Result<_, String> { Ok(swapped(case.numbers(name)?, rows, steps)) };
        let factor = 1.0 - 1.0 / case.number("horizon")?;
        let discount = by_step("is_terminal")?.iter().map(|terminal| factor * (1.0 - terminal)).collect();
        // Where an episode ended with the step before, another begins.
        let last = by_step("is_last")?;
        let kept = vec![1.0; rows].into_iter().chain(last.iter().map(|last| 1.0 - last)).take(rows * steps).collect();
        let bootstrap = swapped(bootstrap, rows, steps);
        Ok(Self { reward: by_step("reward")?, bootstrap, discount, kept, lambda: case.number("lam")?, rows, steps })
    }

    /// The returns of all states but the last of each sequence [N, L - 1], with these rewards and bootstraps, step by step.
    pub fn returns(&self, reward: &[f64], bootstrap: &[f64]) -> Vec<f64> {
        let Self { discount, kept, lambda, rows, steps, .. } = self;
        let returns = record(&Parameters::new(), |tape, _| {
            let [reward, bootstrap, discount, kept] =
                [reward, bootstrap, discount, kept].map(|numbers| matrix(tape, numbers, 1));
            let (lambda, sequences) = (*lambda, *rows);
            let returns =
                tape.replay_returns(Replayed { reward, discount, bootstrap, kept: Some(kept), lambda, sequences });
            Ok(tape.value(returns).to_vec())
        });
        swapped(&returns.expect("nothing fails"), steps - 1, *rows)
    }
}

/// Returns of replayed sequences. Agents never need their gradients, so that the tape has none: as the returns are
/// linear in rewards and bootstraps, the derivatives are the returns of unit vectors.
pub fn replayed(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let sequences = Sequences::of(case, case.numbers("bootstrap")?)?;
    let Sequences { rows, steps, .. } = sequences;
    let returns = sequences.returns(&sequences.reward, &sequences.bootstrap);
    results.put("returns", &[rows, steps - 1], returns);
    let (count, cotangent) = (rows * steps, case.numbers("cot/returns")?);
    let zeros = vec![0.0; count];
    for name in ["reward", "bootstrap"] {
        let derivative = |at: usize| {
            let mut unit = zeros.clone();
            unit[at] = 1.0;
            let returns = match name {
                "reward" => sequences.returns(&unit, &zeros),
                _ => sequences.returns(&zeros, &unit),
            };
            returns.iter().zip(cotangent).map(|(slope, cotangent)| slope * cotangent).sum::<f64>()
        };
        let gradient: Vec<f64> = (0..count).map(derivative).collect();
        results.put(format!("grad/{name}"), &[rows, steps], swapped(&gradient, steps, rows));
    }
    Ok(results)
}
