//! The reward meta-model in imagination, and the L1 norm of its weights as a mean.

use crate::cases::{Case, meta_model};
use crate::golden;
use tape::{Gradients, Tape, Workspace};

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let largest = crate::largest(expected);
    found.iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() <= 1e-12 * largest, "{a} {b}"));
}

/// With constant parameters, the same gradient reaches the feature; and the mean of copies of the norm is the norm.
#[test]
fn constant_meta_models_and_copies_of_the_norm() {
    let (tensors, config) = golden();
    for name in ["zero_columns/start", "zero_columns/later"] {
        let case = Case { tensors: &tensors, config: &config, name };
        let expected = |result: &str| tensors[&format!("{name}/out/{result}")].1.as_slice();
        let agent = meta_model::agent(&case).unwrap();
        let (parameters, reward) = (agent.learner.parameters(), &agent.learner.networks().reward);
        let trained = parameters.set(|path| path.starts_with("world_model.reward."));
        let mut workspace = Workspace::default();
        let mut tape = Tape::new(parameters, &trained, &mut workspace);
        let feature = case.leaf(&mut tape, "feat").unwrap();
        let predicted = reward.forward_constant(&mut tape, feature);
        close(tape.value(predicted), expected("reward"));
        tape.seed_with(predicted, case.numbers("cot/reward").unwrap());
        tape.backward(&mut Gradients::new(&trained));
        close(tape.gradient(feature).unwrap(), expected("grad/feat"));

        let mut tape = Tape::new(parameters, &trained, &mut workspace);
        let sum = reward.absolute_source_weights(&mut tape, 3);
        tape.seed(sum, 1.0 / 3.0);
        let mut gradients = Gradients::new(&trained);
        tape.backward(&mut gradients);
        gradients.finish();
        let kernel = parameters.find("world_model.reward.h0.kernel").unwrap();
        close(gradients.of(kernel).unwrap(), expected("grad_l1/meta/h0/kernel"));
    }
}
