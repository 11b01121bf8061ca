//! The losses of the value head: on returns and on the predictions of its slow copy, of imagined and of replayed states.

use super::case::{Case, Results, gradient, matrix, negated, record, swapped};
use super::returns::Sequences;
use tape::{Parameters, follow};

/// The loss of states [N, H], the last of which has no return.
struct Loss<'a> {
    returns: &'a [f64],
    /// [N, H - 1].
    weights: &'a [f64],
    /// The factor of the loss whose gradient is computed.
    scale: f64,
    /// The regularisation by the slow copy.
    slow: f64,
}

impl Loss<'_> {
    fn put(&self, case: &Case, results: &mut Results) -> Result<f64, String> {
        let &[rows, steps, count] = case.shape("logits")? else { return Err("logits are not [N, H, K]".to_owned()) };
        let all = rows * steps;
        let shape = [rows, steps - 1];
        record(&Parameters::new(), |tape, gradients| {
            // Step by step, so that the states with a return come first.
            let numbers = swapped(case.numbers("logits")?, rows, steps);
            let logits = tape.leaf(all, count, |y| y.copy_from_slice(&numbers));
            let slow = matrix(tape, &swapped(case.numbers("slow_logits")?, rows, steps), count);
            let bins = tape.two_hot_bins(count);
            let (value, slow) = (tape.two_hot_mean(logits, bins), tape.two_hot_mean(slow, bins));
            results.put("value", &[rows, steps], swapped(tape.value(value), steps, rows));
            results.put("slow_prediction", &[rows, steps], swapped(tape.value(slow), steps, rows));
            let states = all - rows;
            let first = tape.rows_of(logits, 0, states);
            let returns = matrix(tape, &swapped(self.returns, rows, steps - 1), 1);
            let weights = matrix(tape, &swapped(self.weights, rows, steps - 1), 1);
            let slow = tape.rows_of(slow, 0, states);
            let mut loss = 0.0;
            for (name, target, factor) in [("ce_returns", returns, 1.0), ("ce_slow", slow, self.slow)] {
                let density = tape.two_hot_log_density(first, bins, target);
                results.put(name, &shape, swapped(&negated(tape.value(density)), steps - 1, rows));
                let sum = tape.weighted_sum(density, weights);
                loss -= factor * tape.scalar(sum) / states as f64;
                tape.seed(sum, -self.scale * factor / states as f64);
            }
            tape.backward(gradients);
            results.put("grad/logits", &[rows, steps, count], swapped(&gradient(tape, logits), steps, rows));
            Ok(loss)
        })
    }
}

/// All but the last of each row of `numbers` [N, H].
fn all_but_last(numbers: &[f64], steps: usize) -> Vec<f64> {
    numbers.chunks_exact(steps).flat_map(|row| &row[..steps - 1]).copied().collect()
}

/// Of imagined states.
pub fn imagined(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let weights = all_but_last(case.numbers("weight")?, case.shape("weight")?[1]);
    let loss =
        Loss { returns: case.numbers("returns")?, weights: &weights, scale: 1.0, slow: case.number("slow_reg")? };
    let loss = loss.put(case, &mut results)?;
    results.scalar("loss", loss);
    Ok(results)
}

/// Of replayed states.
pub fn replayed(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let sequences = Sequences::of(case, case.numbers("bootstrap")?)?;
    let returns = sequences.returns(&sequences.reward, &sequences.bootstrap);
    let shape = [sequences.rows, sequences.steps - 1];
    let weights: Vec<f64> = case.numbers("is_last")?.iter().map(|last| 1.0 - last).collect();
    let weights = all_but_last(&weights, sequences.steps);
    let scale = case.number("repval_scale")?;
    let loss = Loss { returns: &returns, weights: &weights, scale, slow: case.number("slow_reg")? };
    let loss = loss.put(case, &mut results)?;
    results.put("returns", &shape, returns.clone());
    results.scalar("loss", loss);
    results.scalar("scaled_loss", scale * loss);
    Ok(results)
}

/// The slow copy after the value head's step.
pub fn slow_update(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let mut slow = case.numbers("w/slow")?.to_vec();
    follow(&mut slow, case.numbers("w/value")?, case.number("slow_rate")?);
    results.put("step/slow", case.shape("w/slow")?, slow);
    Ok(results)
}
