//! Returns of replayed sequences.

use crate::golden;
use tape::{Parameters, Replayed, Tape, Workspace};

/// Without beginnings of episodes, they are the lambda-returns of rewards, discounts and bootstraps of the states that
/// follow.
#[test]
fn replayed_sequences_without_beginnings_have_lambda_returns() {
    let (tensors, _) = golden();
    let (shape, numbers) = &tensors["lambda/replay/in/reward"];
    let (rows, steps) = (shape[0], shape[1]);
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let mut constant = |numbers: &[f64]| tape.constant(rows * steps, 1, |y| y.copy_from_slice(numbers));
    let reward = constant(numbers);
    let bootstrap = constant(&tensors["lambda/replay/in/bootstrap"].1);
    let discount =
        constant(&tensors["lambda/replay/in/is_terminal"].1.iter().map(|end| 0.9 - 0.9 * end).collect::<Vec<_>>());
    let lambda = 0.95;
    let replayed = Replayed { reward, discount, bootstrap, kept: None, lambda, sequences: rows };
    let returns = tape.replay_returns(replayed);
    let [rewards, discounts] = [reward, discount].map(|var| tape.rows_of(var, rows, rows * (steps - 1)));
    let expected = tape.lambda_returns(rewards, bootstrap, discounts, lambda, rows);
    for (found, expected) in tape.value(returns).iter().zip(tape.value(expected)) {
        assert!((found - expected).abs() < 1e-14 * expected.abs().max(1.0), "{found} {expected}");
    }
    let kept: Vec<f64> = (0..rows * steps).map(|at| f64::from(u8::from(at != 2 * rows))).collect();
    let kept = Some(tape.constant(rows * steps, 1, |y| y.copy_from_slice(&kept)));
    let with_a_beginning = tape.replay_returns(Replayed { kept, ..replayed });
    assert_ne!(tape.value(with_a_beginning), tape.value(returns));
}
