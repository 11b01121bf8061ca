//! Returns of imagined rollouts with their starting states, and of replayed sequences.

use crate::{Case, golden};
use tape::{Gradients, Parameters, Replayed, Tape, Var, Workspace};

/// Numbers [N, H], of which the first `steps` of each row are taken, step by step [steps, N].
fn by_step(numbers: &[f64], rows: usize, steps: usize) -> Vec<f64> {
    let all = numbers.len() / rows;
    (0..steps).flat_map(|step| (0..rows).map(move |row| numbers[row * all + step])).collect()
}

/// The opposite: numbers [H, N] to [N, H].
fn by_row(numbers: &[f64], rows: usize) -> Vec<f64> {
    let steps = numbers.len() / rows;
    (0..rows).flat_map(|row| (0..steps).map(move |step| numbers[step * rows + row])).collect()
}

/// The product of the discounts up to each step, a weight of the first H - 1, and the returns with their gradients.
#[test]
fn returns_that_begin_at_the_starting_states() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "lambda/imagined" };
    let (rows, steps) = (case.rows("in/value"), case.numbers("in/value").len() / case.rows("in/value"));
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let [reward, value, con] = ["reward", "value", "con"].map(|name| {
        let numbers = by_step(case.numbers(&format!("in/{name}")), rows, steps);
        tape.leaf(rows * steps, 1, |y| y.copy_from_slice(&numbers))
    });
    let later = |tape: &mut Tape<f64>, var: Var| tape.rows_of(var, rows, rows * (steps - 1));
    let (rewards, discounts) = (later(&mut tape, reward), later(&mut tape, con));
    let returns = tape.lambda_returns(rewards, value, discounts, config["lam"].as_f64().unwrap(), rows);
    case.compare("returns", &by_row(tape.value(returns), rows));
    let weights = tape.discount_weights(con, rows, true);
    let expected = by_step(case.numbers("out/weight"), rows, steps - 1);
    for (found, expected) in tape.value(weights).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    }
    tape.seed_with(returns, &by_step(case.numbers("in/cot/returns"), rows, steps - 1));
    tape.backward(&mut Gradients::new(&none));
    for (name, var) in [("reward", reward), ("value", value), ("con", con)] {
        case.compare(&format!("grad/{name}"), &by_row(tape.gradient(var).unwrap(), rows));
    }
}

#[test]
fn returns_of_replayed_sequences() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "lambda/replay" };
    let (rows, steps) = (case.rows("in/reward"), case.numbers("in/reward").len() / case.rows("in/reward"));
    let factor = 1.0 - 1.0 / config["horizon"].as_f64().unwrap();
    let terminal = by_step(case.numbers("in/is_terminal"), rows, steps);
    let last = by_step(case.numbers("in/is_last"), rows, steps);
    assert!(last[..rows * (steps - 1)].contains(&1.0) && terminal.contains(&1.0));
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let mut constant = |numbers: Vec<f64>| tape.constant(rows * steps, 1, |y| y.copy_from_slice(&numbers));
    let reward = constant(by_step(case.numbers("in/reward"), rows, steps));
    let bootstrap = constant(by_step(case.numbers("in/bootstrap"), rows, steps));
    let discount = constant(terminal.iter().map(|terminal| factor * (1.0 - terminal)).collect());
    // Where an episode ended with the step before, another begins.
    let kept =
        constant(vec![1.0; rows].into_iter().chain(last.iter().map(|last| 1.0 - last)).take(rows * steps).collect());
    let lambda = config["lam"].as_f64().unwrap();
    let replayed = Replayed { reward, discount, bootstrap, kept: Some(kept), lambda, sequences: rows };
    let returns = tape.replay_returns(replayed);
    case.compare("returns", &by_row(tape.value(returns), rows));

    // Without beginnings of episodes, they are the lambda-returns of rewards, discounts and bootstraps of the states
    // that follow.
    let all = tape.replay_returns(Replayed { kept: None, ..replayed });
    let [rewards, discounts] = [reward, discount].map(|var| tape.rows_of(var, rows, rows * (steps - 1)));
    let expected = tape.lambda_returns(rewards, bootstrap, discounts, lambda, rows);
    for (found, expected) in tape.value(all).iter().zip(tape.value(expected)) {
        assert!((found - expected).abs() < 1e-14 * expected.abs().max(1.0), "{found} {expected}");
    }
    assert_ne!(tape.value(all), tape.value(returns));
}
