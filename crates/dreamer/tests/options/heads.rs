//! Heads that predict one number.

use crate::{Case, golden};
use tape::{Gradients, Parameters, Tape, Workspace, follow, two_hot_bins};

#[test]
fn two_hot_predictions() {
    let (tensors, _) = golden();
    for name in ["twohot/n255", "twohot/small"] {
        let case = Case { tensors: &tensors, name };
        let (rows, targets) = (case.rows("in/logits"), case.numbers("in/target"));
        let count = case.numbers("in/logits").len() / rows;
        for (result, count) in [("bins", count), ("bins_even", count + 1)] {
            let mut bins = vec![0.0f64; count];
            two_hot_bins(&mut bins);
            case.compare(result, &bins);
            // Small bins are exact too, in relation to their own size.
            for (found, expected) in bins.iter().zip(case.numbers(&format!("out/{result}"))) {
                assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{found} {expected}");
            }
        }
        let mean = |tape: &mut Tape<f64>, logits| {
            let bins = tape.two_hot_bins(count);
            tape.two_hot_mean(logits, bins)
        };
        case.compare("mean", &case.value("in/logits", mean));
        case.compare("wide_mean", &case.value("in/wide_logits", mean));
        case.compare("grad_mean/logits", &case.gradient("in/logits", "in/cot/mean", mean));
        let cross_entropy = |tape: &mut Tape<f64>, logits| {
            let bins = tape.two_hot_bins(count);
            let target = tape.constant(rows, 1, |y| y.copy_from_slice(targets));
            tape.two_hot_log_density(logits, bins, target)
        };
        // The cross-entropy is minus the density.
        let negated = |numbers: Vec<f64>| numbers.iter().map(|x| -x).collect::<Vec<f64>>();
        case.compare("cross_entropy", &negated(case.value("in/logits", cross_entropy)));
        let gradient = case.gradient("in/logits", "in/cot/cross_entropy", cross_entropy);
        case.compare("grad_cross_entropy/logits", &negated(gradient));
    }
}

#[test]
fn slow_values() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "slow_value/loss" };
    let shape = &tensors["slow_value/loss/in/logits"].0;
    let (rollouts, steps, count) = (shape[0], shape[1], shape[2]);
    // The last state has no return.
    let first = |numbers: &[f64], size: usize| -> Vec<f64> {
        numbers.chunks_exact(steps * size).flat_map(|row| &row[..(steps - 1) * size]).copied().collect()
    };
    let rows = rollouts * (steps - 1);
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let logits = tape.leaf(rows, count, |y| y.copy_from_slice(&first(case.numbers("in/logits"), count)));
    let slow = tape.constant(rollouts * steps, count, |y| y.copy_from_slice(case.numbers("in/slow_logits")));
    let bins = tape.two_hot_bins(count);
    let prediction = tape.two_hot_mean(slow, bins);
    case.compare("slow_prediction", tape.value(prediction));
    let means = first(tape.value(prediction), 1);
    let means = tape.constant(rows, 1, |y| y.copy_from_slice(&means));
    let returns = tape.constant(rows, 1, |y| y.copy_from_slice(case.numbers("in/returns")));
    let weights = tape.constant(rows, 1, |y| y.copy_from_slice(&first(case.numbers("in/weight"), 1)));
    let [of_returns, of_slow] = [returns, means].map(|target| tape.two_hot_log_density(logits, bins, target));
    let negated = |numbers: &[f64]| numbers.iter().map(|x| -x).collect::<Vec<f64>>();
    case.compare("ce_returns", &negated(tape.value(of_returns)));
    case.compare("ce_slow", &negated(tape.value(of_slow)));
    let losses = [of_returns, of_slow].map(|density| tape.weighted_sum(density, weights));
    let total: f64 = losses.iter().map(|loss| tape.scalar(*loss)).sum();
    case.compare("loss", &[-total / rows as f64]);
    losses.iter().for_each(|loss| tape.seed(*loss, -1.0 / rows as f64));
    tape.backward(&mut Gradients::new(&none));
    let gradient = first(case.numbers("out/grad/logits"), count);
    let largest = gradient.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for (found, expected) in tape.gradient(logits).unwrap().iter().zip(gradient) {
        assert!((found - expected).abs() < 1e-12 * largest);
    }

    let case = Case { tensors: &tensors, name: "slow_value/update" };
    let mut slow = case.numbers("in/w/slow").to_vec();
    follow(&mut slow, case.numbers("in/w/value"), config["slow_rate"].as_f64().unwrap());
    case.compare("step/slow", &slow);
}

/// The step of a head in single precision is the one in double precision, also where the outermost bins, which are
/// huge, have tiny probabilities.
#[test]
fn means_in_single_precision_survive_the_outermost_bins() {
    let count = 255;
    let logits = |i: usize| -0.05 * (i as f64 - 140.0).powi(2) / 10.0;
    let mean = |numbers: Vec<f32>| {
        let parameters = Parameters::<f32>::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let logits = tape.constant(1, count, |y| y.copy_from_slice(&numbers));
        let bins = tape.two_hot_bins(count);
        let mean = tape.two_hot_mean(logits, bins);
        f64::from(tape.scalar(mean))
    };
    let found = mean((0..count).map(|i| logits(i) as f32).collect());
    let mut bins = vec![0.0f64; count];
    two_hot_bins(&mut bins);
    let weights: Vec<f64> = (0..count).map(|i| f64::from(logits(i) as f32).exp()).collect();
    let total: f64 = weights.iter().sum();
    let expected: f64 = weights.iter().zip(&bins).map(|(weight, bin)| weight * bin).sum::<f64>() / total;
    assert!((found - expected).abs() < 1e-5 * expected.abs(), "{found} {expected}");
}
