//! Heads that predict one number.

use crate::golden;
use tape::{Parameters, Tape, Workspace, two_hot_bins};

/// Small bins are exact too, in relation to their own size.
#[test]
fn every_bin_is_exact() {
    let (tensors, _) = golden();
    for name in ["bins", "bins_even"] {
        let (_, expected) = &tensors[&format!("twohot/n255/out/{name}")];
        let mut bins = vec![0.0f64; expected.len()];
        two_hot_bins(&mut bins);
        for (found, expected) in bins.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{found} {expected}");
        }
    }
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
