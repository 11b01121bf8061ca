//! Heads that predict one number by a distribution over bins, and the logarithm that the bins are spaced by.

use super::case::{Case, Results, gradient, matrix, negated, record};
use dreamer::networks::symlog;
use tape::{Parameters, Tape, Var, class_probabilities, two_hot_bins};

/// The mean over the bins.
fn mean(tape: &mut Tape<f64>, logits: Var) -> Var {
    let count = tape.shape(logits).1;
    let bins = tape.two_hot_bins(count);
    tape.two_hot_mean(logits, bins)
}

/// Means, targets and cross-entropies.
pub fn predictions(case: &Case) -> Result<Results, String> {
    case.fixed(&[("bins_limit", 20.0)])?;
    let mut results = Results::default();
    let shape = case.shape("logits")?;
    let (rows, count) = (case.rows("logits")?, shape[shape.len() - 1]);
    for (name, count) in [("bins", count), ("bins_even", count + 1)] {
        let mut bins = vec![0.0; count];
        two_hot_bins(&mut bins);
        results.put(name, &[count], bins);
    }
    record(&Parameters::new(), |tape, _| {
        let equal = [count, count + 1].map(|count| {
            let logits = matrix(tape, &vec![0.3; count], count);
            let mean = mean(tape, logits);
            tape.scalar(mean)
        });
        results.put("mean_of_equal_logits", &[2], equal);
        let wide = case.constant(tape, "wide_logits")?;
        let wide = mean(tape, wide);
        results.put("wide_mean", &[case.rows("wide_logits")?], tape.value(wide));
        Ok(())
    })?;
    record(&Parameters::new(), |tape, gradients| {
        let logits = case.leaf(tape, "logits")?;
        let mean = mean(tape, logits);
        results.put("mean", &[rows], tape.value(mean));
        tape.seed_with(mean, case.numbers("cot/mean")?);
        tape.backward(gradients);
        results.put("grad_mean/logits", shape, gradient(tape, logits));
        Ok(())
    })?;
    let density = |tape: &mut Tape<f64>, logits: Var| -> Result<Var, String> {
        let bins = tape.two_hot_bins(count);
        let target = matrix(tape, case.numbers("target")?, 1);
        Ok(tape.two_hot_log_density(logits, bins, target))
    };
    record(&Parameters::new(), |tape, gradients| {
        let logits = case.leaf(tape, "logits")?;
        let density = density(tape, logits)?;
        // The cross-entropy is minus the density.
        results.put("cross_entropy", &[rows], negated(tape.value(density)));
        tape.seed_with(density, &negated(case.numbers("cot/cross_entropy")?));
        tape.backward(gradients);
        results.put("grad_cross_entropy/logits", shape, gradient(tape, logits));
        Ok(())
    })?;
    // The gradient of the density is the target's distribution minus the predicted one.
    record(&Parameters::new(), |tape, gradients| {
        let logits = tape.leaf(rows, count, |y| y.fill(0.0));
        let density = density(tape, logits)?;
        tape.seed(density, 1.0);
        tape.backward(gradients);
        let mut equal = vec![0.0; count];
        class_probabilities(&vec![0.0; count], 0.0, &mut equal);
        let target: Vec<f64> = gradient(tape, logits).iter().map(|difference| difference + equal[0]).collect();
        results.put("target_probs", shape, target);
        Ok(())
    })?;
    Ok(results)
}

/// The symmetric logarithm and its inverse. Neither is an operation of the tape: the first is applied to observations,
/// the second to no more than the bins.
pub fn logarithm(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let (x, y) = (case.numbers("x")?, case.numbers("y")?);
    let mut logarithms = vec![0.0; x.len()];
    symlog(x.iter().copied(), &mut logarithms);
    results.put("symlog", case.shape("x")?, logarithms);
    let exponentials: Vec<f64> = y.iter().map(|y| y.abs().exp_m1().copysign(*y)).collect();
    results.put("symexp", case.shape("y")?, exponentials);
    // The derivative at 0 is that of the absolute value there, which is 0 in automatic differentiation.
    let slope = |at: f64, slope: f64| if at == 0.0 { 0.0 } else { slope };
    let pairs = x.iter().zip(case.numbers("cot/symlog")?);
    let to_x: Vec<f64> = pairs.map(|(x, g)| g * slope(*x, 1.0 / (1.0 + x.abs()))).collect();
    results.put("grad/x", case.shape("x")?, to_x);
    let pairs = y.iter().zip(case.numbers("cot/symexp")?);
    let to_y: Vec<f64> = pairs.map(|(y, g)| g * slope(*y, y.abs().exp())).collect();
    results.put("grad/y", case.shape("y")?, to_y);
    Ok(results)
}
