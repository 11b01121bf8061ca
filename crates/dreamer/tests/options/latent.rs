//! Categorical states.

use crate::{Case, golden};
use tape::{Classes, Gradients, Parameters, Tape, Workspace, class_probabilities, sampled_class};

#[test]
fn categorical_states() {
    let (tensors, config) = golden();
    let case = Case { tensors: &tensors, name: "categorical/latent" };
    let [count, groups] = ["classes", "stoch"].map(|key| config["cat"][key].as_u64().unwrap() as usize);
    let classes = Classes { count, unimix: config["unimix"].as_f64().unwrap() };
    let (logits, gumbel) = (case.numbers("in/logits"), case.numbers("in/gumbel"));
    let mut probabilities = vec![0.0; logits.len()];
    for (found, logits) in probabilities.chunks_exact_mut(count).zip(logits.chunks_exact(count)) {
        class_probabilities(logits, classes.unimix, found);
    }
    case.compare("probs", &probabilities);
    case.compare("log_probs", &probabilities.iter().map(|p| p.ln()).collect::<Vec<_>>());
    let of = |draws: bool| -> Vec<f64> {
        let pairs = logits.chunks_exact(count).zip(gumbel.chunks_exact(count));
        pairs.map(|(x, g)| sampled_class(x, classes.unimix, draws.then_some(g)) as f64).collect()
    };
    case.compare("index", &of(true));
    case.compare("mode", &of(false));

    // Several distributions in a row, as a state has them.
    let (cols, rows) = (groups * count, logits.len() / (groups * count));
    let parameters = Parameters::new();
    let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
    for name in ["sample", "entropy"] {
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let x = tape.leaf(rows, cols, |y| y.copy_from_slice(logits));
        let draws = tape.constant(rows, cols, |y| y.copy_from_slice(gumbel));
        let y = match name {
            "sample" => tape.one_hot_sample(x, draws, classes),
            _ => tape.categorical_entropy(x, classes),
        };
        case.compare(name, tape.value(y));
        tape.seed_with(y, case.numbers(&format!("in/cot/{name}")));
        tape.backward(&mut Gradients::new(&none));
        case.compare(&format!("grad_{name}/logits"), tape.gradient(x).unwrap());
    }

    // The divergences of the case are those of each distribution, so that each is a row here.
    let mut tape = Tape::new(&parameters, &none, &mut workspace);
    let [x, other] = ["logits", "other_logits"]
        .map(|name| tape.leaf(rows * groups, count, |y| y.copy_from_slice(case.numbers(&format!("in/{name}")))));
    let divergence = tape.categorical_divergence(x, other, classes);
    case.compare("kl", tape.value(divergence));
    tape.seed_with(divergence, case.numbers("in/cot/kl"));
    tape.backward(&mut Gradients::new(&none));
    case.compare("grad_kl/logits", tape.gradient(x).unwrap());
    case.compare("grad_kl/other_logits", tape.gradient(other).unwrap());
}
