//! Continuous actions of a bounded normal distribution.

use super::case::{Case, Results, beside, columns, gradient, record};
use tape::{Parameters, Tape, Var, bounded_mean_and_std, within_bounds};

/// Checks the bounds of standard deviations.
pub fn check(case: &Case) -> Result<(), String> {
    case.fixed(&[("min_std", 0.1), ("max_std", 1.0), ("std_shift", 2.0)])
}

/// The raw outputs of an actor: means, then standard deviations, in each row.
pub struct Raw<'a> {
    means: &'a [f64],
    stds: &'a [f64],
    /// Elements of an action.
    pub size: usize,
}

impl<'a> Raw<'a> {
    /// The inputs `mean_raw` and `std_raw` of a case.
    pub fn of(case: &Case<'a>) -> Result<Self, String> {
        check(case)?;
        let (means, stds) = (case.numbers("mean_raw")?, case.numbers("std_raw")?);
        Ok(Self { means, stds, size: means.len() / case.rows("mean_raw")? })
    }

    /// How many actions there are.
    pub fn rows(&self) -> usize {
        self.means.len() / self.size
    }

    /// Means, then standard deviations, in each row.
    pub fn outputs(&self) -> Vec<f64> {
        beside(self.means, self.stds, self.rows())
    }

    /// The mean and the standard deviation of each element.
    pub fn distributions(&self) -> impl Iterator<Item = (f64, f64)> {
        self.means.iter().zip(self.stds).map(|(mean, std)| bounded_mean_and_std(*mean, *std))
    }

    /// Adds the gradients of the raw outputs [N, 2A] below `name`, such as `grad`.
    pub fn put(&self, case: &Case, results: &mut Results, name: &str, gradient: &[f64]) -> Result<(), String> {
        for (part, first) in [("mean_raw", 0), ("std_raw", self.size)] {
            let numbers = columns(gradient, 2 * self.size, first..first + self.size);
            results.put(format!("{name}/{part}"), case.shape(part)?, numbers);
        }
        Ok(())
    }
}

/// Samples, entropies and log-densities.
pub fn bounded_normal(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let raw = Raw::of(case)?;
    let (rows, size, shape) = (raw.rows(), raw.size, case.shape("noise")?);
    let (noise, actions) = (case.numbers("noise")?, case.numbers("action")?);
    for name in ["mean", "mode"] {
        results.put(name, shape, raw.distributions().map(|(mean, _)| mean).collect::<Vec<_>>());
    }
    results.put("std", shape, raw.distributions().map(|(_, std)| std).collect::<Vec<_>>());
    let samples: Vec<f64> = raw.distributions().zip(noise).map(|((mean, std), noise)| mean + std * noise).collect();
    // The draws that give the case's actions.
    let draws: Vec<f64> = raw.distributions().zip(actions).map(|((mean, std), action)| (action - mean) / std).collect();
    results.put("sample", shape, samples.clone());
    results.put("bounded_sample", shape, samples.iter().map(|x| within_bounds(*x)).collect::<Vec<_>>());

    let mut differentiated =
        |name: &str, noise: &[f64], cotangent: &[f64], record_value: &dyn Fn(&mut Tape<f64>, Var, Var) -> Var| {
            record(&Parameters::new(), |tape, gradients| {
                let x = tape.leaf(rows, 2 * size, |y| y.copy_from_slice(&raw.outputs()));
                let draws = tape.constant(rows, size, |y| y.copy_from_slice(noise));
                let y = record_value(tape, x, draws);
                if name != "sample" && name != "bounded_sample" {
                    results.put(name, &shape[..shape.len() - 1], tape.value(y));
                }
                tape.seed_with(y, cotangent);
                tape.backward(gradients);
                raw.put(case, &mut results, &format!("grad_{name}"), &gradient(tape, x))
            })
        };
    let cotangent = |name: &str| case.numbers(&format!("cot/{name}"));
    differentiated("bounded_sample", noise, cotangent("bounded_sample")?, &|tape, raw, noise| {
        tape.bounded_sample(raw, noise)
    })?;
    // A sample that is not cut off has the gradient of one that is, but for the divisor.
    let pairs = cotangent("sample")?.iter().zip(&samples);
    let undivided: Vec<f64> = pairs.map(|(cotangent, sample)| cotangent * sample.abs().max(1.0)).collect();
    differentiated("sample", noise, &undivided, &|tape, raw, noise| tape.bounded_sample(raw, noise))?;
    differentiated("entropy", noise, cotangent("entropy")?, &|tape, raw, _| tape.bounded_entropy(raw))?;
    differentiated("log_prob", &draws, cotangent("log_prob")?, &|tape, raw, noise| {
        tape.bounded_log_density(raw, noise)
    })?;
    Ok(results)
}
