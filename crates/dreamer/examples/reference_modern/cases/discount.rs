//! The discount head's loss, with targets of three kinds.

use super::case::{Case, Results, gradient, matrix, record};
use tape::{Number, Parameters};

/// The head's probabilities, targets and losses.
pub fn head(case: &Case) -> Result<Results, String> {
    let mut results = Results::default();
    let (shape, logits, terminal) = (case.shape("logits")?, case.numbers("logits")?, case.numbers("is_terminal")?);
    results.put("prob", shape, logits.iter().map(|logit| logit.sigmoid()).collect::<Vec<_>>());
    let with_horizon = 1.0 - 1.0 / case.number("horizon")?;
    let kinds = [
        ("", with_horizon, 1.0),
        ("_plain_target", 1.0, 1.0),
        ("_v1", case.number("v1_discount")?, case.number("v1_discount_scale")?),
    ];
    for (name, factor, weight) in kinds {
        let target: Vec<f64> = terminal.iter().map(|terminal| factor * (1.0 - terminal)).collect();
        record(&Parameters::new(), |tape, gradients| {
            let logit = tape.leaf(logits.len(), 1, |y| y.copy_from_slice(logits));
            let targets = matrix(tape, &target, 1);
            let density = tape.bernoulli_log_density(logit, targets);
            let loss: Vec<f64> = tape.value(density).iter().map(|density| -weight * density).collect();
            results.put(format!("loss{name}"), shape, loss);
            tape.seed(density, -weight / logits.len() as f64);
            tape.backward(gradients);
            results.put(format!("grad{name}/logits"), shape, gradient(tape, logit));
            Ok(())
        })?;
        if name.is_empty() {
            results.put("target", shape, target);
        }
    }
    Ok(results)
}
