//! Operations on distributions: samples, densities, divergences and entropies.

use crate::check;
use tape::{Classes, Gradients, Parameters, Squash, Tape, Workspace, bounded_mean_and_std};

#[test]
fn gaussians() {
    check(&[], &[(4, 6), (4, 6)], |tape, _, x| {
        let (posterior, prior) = (tape.gaussian(x[0], 0.1), tape.gaussian(x[1], 0.1));
        tape.divergence(posterior, prior)
    });
    check(&[], &[(4, 6), (4, 3)], |tape, _, x| {
        let gaussian = tape.gaussian(x[0], 0.1);
        tape.sample(gaussian, x[1].detached())
    });
}

#[test]
fn densities() {
    check(&[], &[(3, 40), (3, 40)], |tape, _, x| tape.normal_log_density(x[0], x[1].detached()));
    check(&[], &[(6, 1)], |tape, _, x| {
        let target = tape.constant(6, 1, |y| y.copy_from_slice(&[0.0, 0.99, 0.99, 0.0, 0.5, 1.0]));
        tape.bernoulli_log_density(x[0], target)
    });
    check(&[], &[(6, 1)], |tape, _, x| tape.sigmoid(x[0]));
    check(&[], &[(6, 1)], |tape, _, x| tape.shifted_sigmoid(x[0], -0.5));
    check(&[], &[(3, 40), (3, 40)], |tape, _, x| tape.negative_squared_error(x[0], x[1].detached()));
}

#[test]
fn squashed_samples() {
    for squash in [Squash::new(5.0, 5.0), Squash::new(1.5, 0.7)] {
        check(&[], &[(3, 4), (3, 2)], |tape, _, x| tape.squashed_sample(x[0], x[1].detached(), squash));
        check(&[], &[(3, 4), (3, 2)], |tape, _, x| tape.squashed_entropy(x[0], x[1].detached(), squash));
    }
}

/// The action stays where it is, so that its draw changes with mean and standard deviation.
#[test]
fn log_densities_of_squashed_actions_that_are_constants() {
    let (squash, before) = (Squash::new(1.5, 0.7), [0.4, -1.1]);
    let record = |raw: &[f64; 4], draws_of: &[f64; 4]| {
        let parameters = Parameters::<f64>::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let x = tape.leaf(1, 4, |y| y.copy_from_slice(raw));
        let noise = tape.constant(1, 2, |y| {
            for i in 0..2 {
                let (mean, std) = squash.mean_and_std(draws_of[i], draws_of[2 + i]);
                y[i] = (before[i] - mean) / std;
            }
        });
        let density = tape.squashed_log_density(x, noise, squash);
        let entropy = tape.squashed_entropy(x, noise, squash);
        assert_eq!(tape.scalar(density), -tape.scalar(entropy));
        tape.seed(density, 1.0);
        tape.backward(&mut Gradients::new(&none));
        (tape.scalar(density), tape.gradient(x).unwrap().to_vec())
    };
    let raw = [0.3, -0.8, 0.2, -0.4];
    let (_, exact) = record(&raw, &raw);
    for i in 0..4 {
        let at = |step: f64| {
            let mut raw = raw;
            raw[i] += step;
            record(&raw, &raw).0
        };
        let numeric = (at(1e-6) - at(-1e-6)) / 2e-6;
        assert!((exact[i] - numeric).abs() < 1e-6 * (1.0 + numeric.abs()), "{i}: {} against {numeric}", exact[i]);
    }
}

#[test]
fn categorical_entropies() {
    for (count, unimix) in [(4, 0.0), (4, 0.01), (2, 0.5)] {
        check(&[], &[(3, 4)], |tape, _, x| tape.categorical_entropy(x[0], Classes { count, unimix }));
    }
}

#[test]
fn log_densities_of_one_hot_samples() {
    for (count, unimix) in [(6, 0.0), (3, 0.1)] {
        let classes = Classes { count, unimix };
        // The draws leave no doubt about the classes, which a finite difference would see.
        check(&[], &[(4, 6)], |tape, _, x| {
            let gumbel = tape.constant(4, 6, |y| {
                y.iter_mut().enumerate().for_each(|(i, y)| *y = if i % 3 == i / 6 % 3 { 50.0 } else { 0.0 })
            });
            tape.one_hot_log_density(x[0], gumbel, classes)
        });
    }
}

#[test]
fn categorical_divergences() {
    for (count, unimix) in [(6, 0.0), (3, 0.01), (2, 0.5)] {
        let classes = Classes { count, unimix };
        check(&[], &[(4, 6), (4, 6)], |tape, _, x| tape.categorical_divergence(x[0], x[1], classes));
    }
}

#[test]
fn bounded_samples() {
    check(&[], &[(6, 4), (6, 2)], |tape, _, x| {
        // Samples that are cut off have a divisor without a gradient, which a finite difference would see.
        let noise = tape.constant(6, 2, |y| y.fill(1e-3));
        tape.bounded_sample(x[0], noise)
    });
    check(&[], &[(3, 4)], |tape, _, x| tape.bounded_entropy(x[0]));
}

#[test]
fn a_sample_that_is_cut_off_passes_its_gradient_on() {
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let raw = tape.leaf(1, 2, |y| y.copy_from_slice(&[0.3, 0.0]));
    let noise = tape.constant(1, 1, |y| y[0] = 5.0);
    let y = tape.bounded_sample(raw, noise);
    assert_eq!(tape.scalar(y), 1.0);
    tape.seed(y, 1.0);
    tape.backward(&mut Gradients::new(&none));
    let (mean, std) = bounded_mean_and_std(0.3, 0.0);
    let expected = (1.0 - mean * mean) / (mean + 5.0 * std);
    assert!((tape.gradient(raw).unwrap()[0] - expected).abs() < 1e-15);
}

#[test]
fn two_hot_predictions() {
    check(&[], &[(4, 9)], |tape, _, x| {
        let bins = tape.constant(1, 9, |y| (0..9).for_each(|i| y[i] = (i as f64 - 4.0).powi(3) / 8.0));
        tape.two_hot_mean(x[0], bins)
    });
    for count in [8, 9] {
        check(&[], &[(5, count)], |tape, _, x| {
            let bins = tape.constant(1, count, |y| (0..count).for_each(|i| y[i] = i as f64 - 4.0));
            let target = tape.constant(5, 1, |y| y.copy_from_slice(&[0.3, -9.0, 9.0, 1.0, -1.75]));
            tape.two_hot_log_density(x[0], bins, target)
        });
    }
}

#[test]
fn a_two_hot_target_that_is_no_number_gives_no_number() {
    let parameters = Parameters::<f64>::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let logits = tape.constant(3, 5, |y| y.fill(0.5));
    let bins = tape.two_hot_bins(5);
    let target = tape.constant(3, 1, |y| y.copy_from_slice(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]));
    let density = tape.two_hot_log_density(logits, bins, target);
    assert!(tape.value(density).iter().all(|x| x.is_nan()));
}
