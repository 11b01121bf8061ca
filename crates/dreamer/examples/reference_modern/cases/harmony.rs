//! Losses of the world model with learned weights.

use super::case::{Case, Results, gradient, mean, record};
use super::norms::put_weights;
use tape::{Harmony, Parameters, Tape, Var};

/// A loss with a learned weight: its input, the name of its s, the weight where s is 0, and the share of ln(1 + e^s).
struct Weighed {
    loss: &'static str,
    s: &'static str,
    weight: f64,
    share: f64,
}

impl Weighed {
    /// The only loss with its s.
    fn alone(loss: &'static str, s: &'static str) -> Self {
        Self { loss, s, weight: 1.0, share: 1.0 }
    }
}

/// With one divergence.
pub fn one_kl(case: &Case) -> Result<Results, String> {
    let losses = [("image", "s_image"), ("reward", "s_reward"), ("kl", "s_kl")];
    let losses = losses.map(|(loss, s)| Weighed::alone(loss, s));
    let mut results = Results::default();
    let terms = total(case, &losses, &mut results)?;
    for (Weighed { loss, .. }, term) in losses.iter().zip(terms) {
        results.scalar(format!("term_{loss}"), term);
    }
    Ok(results)
}

/// With a balanced divergence, whose two parts share a weight.
pub fn split_kl(case: &Case) -> Result<Results, String> {
    let (dynamics, representation) = (case.scalar("dyn_scale")?, case.scalar("rep_scale")?);
    let share = dynamics / (dynamics + representation);
    let losses = [
        Weighed::alone("image", "s_image"),
        Weighed::alone("reward", "s_reward"),
        Weighed { loss: "dyn", s: "s_kl", weight: share, share },
        Weighed { loss: "rep", s: "s_kl", weight: 1.0 - share, share: 0.0 },
    ];
    let mut results = Results::default();
    total(case, &losses, &mut results)?;
    Ok(results)
}

/// Adds the sum of the means of all losses and its gradients, and returns each weighed mean.
fn total(case: &Case, losses: &[Weighed], results: &mut Results) -> Result<Vec<f64>, String> {
    let weights: Parameters<f64> = case.weights_named(&["s_image", "s_kl", "s_reward"], "")?;
    let column = |tape: &mut Tape<f64>, name: &str| -> Result<Var, String> {
        let numbers = case.numbers(&format!("loss_{name}"))?;
        Ok(tape.leaf(numbers.len(), 1, |y| y.copy_from_slice(numbers)))
    };
    record(&weights, |tape, gradients| {
        let mut leaves = Vec::new();
        let mut terms = Vec::new();
        for Weighed { loss, s, weight, share } in losses {
            let leaf = column(tape, loss)?;
            let s = weights.find(s).ok_or("there is no such weight")?;
            terms.push(tape.harmonised(leaf, s, Harmony { weight: *weight, share: *share }));
            leaves.push((*loss, leaf));
        }
        // The loss of continuing keeps its weight.
        let rest = column(tape, "continue")?;
        leaves.push(("continue", rest));
        let all: Vec<Var> = terms.iter().copied().chain([rest]).collect();
        let means: Vec<f64> = all.iter().map(|var| mean(tape.value(*var))).collect();
        results.scalar("loss", means.iter().sum());
        for var in all {
            let count = tape.shape(var).0;
            tape.seed(var, 1.0 / count as f64);
        }
        tape.backward(gradients);
        for (name, leaf) in leaves {
            let name = format!("loss_{name}");
            results.put(format!("grad/{name}"), case.shape(&name)?, gradient(tape, leaf));
        }
        put_weights(results, &weights, gradients);
        Ok(means[..terms.len()].to_vec())
    })
}
