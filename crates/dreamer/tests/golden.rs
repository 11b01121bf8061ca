//! The agent against numbers from independent double-precision programs, which agree with each other and with
//! TensorFlow: sequences, losses, gradients, optimiser and policy, to 1e-9.

mod reference;
#[path = "../../tape/tests/simd/mod.rs"]
mod simd;

use reference::{Reference, Tensors, read};
use tape::{Optimiser, Parameters, Rule, SimdInstructionSet, Tape, Workspace};

fn golden() -> (Tensors, serde_json::Value) {
    read(include_bytes!("golden/dreamer.safetensors")).unwrap()
}

/// Largest difference, relative to the tensor's largest number.
fn difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max)
}

fn compare(ours: &Tensors, theirs: &Tensors, prefix: &str) -> usize {
    let inputs = ["policy/noise", "policy/prev"];
    let names = theirs.keys().filter(|name| name.starts_with(prefix) && !inputs.iter().any(|i| name.starts_with(i)));
    let mut compared = 0;
    for name in names {
        let (shape, expected) = &theirs[name];
        let (our_shape, found) = ours.get(name).unwrap_or_else(|| panic!("{name} is not computed"));
        assert_eq!(our_shape, shape, "{name}");
        let error = difference(found, expected);
        assert!(error < 1e-9, "{name} is off by {error:e}");
        compared += 1;
    }
    compared
}

#[test]
fn everything_equals_the_reference() {
    let (theirs, config) = golden();
    let mut reference = Reference::new(theirs.clone(), &config).unwrap();
    let ours = reference.compute().unwrap();
    assert_eq!(compare(&ours, &theirs, "out/"), 38);
    assert_eq!(compare(&ours, &theirs, "grad/"), 55);
    assert_eq!(compare(&ours, &theirs, "policy/"), 11);
    assert!(compare(&ours, &theirs, "adam1_m/") > 20);
    assert!(compare(&ours, &theirs, "adam1_v/") > 20);
    // The step itself, not the weights that hide it.
    let step = |tensors: &Tensors, name: &str| -> Vec<f64> {
        let before = &theirs[&name.replacen("adam1/", "w/", 1)].1;
        tensors[name].1.iter().zip(before).map(|(after, before)| before - after).collect()
    };
    let stepped: Vec<&String> = theirs.keys().filter(|name| name.starts_with("adam1/")).collect();
    assert_eq!(stepped.len(), 55);
    for name in stepped {
        // A step is a difference of numbers near one: 1e-16 of them is 1e-12 of it.
        let error = difference(&step(&ours, name), &step(&theirs, name));
        assert!(error < 1e-8, "the step of {name} is off by {error:e}");
    }
}

#[test]
fn shards_change_nothing_but_the_order_of_sums() {
    let (tensors, config) = golden();
    let mut whole = Reference::new(tensors.clone(), &config).unwrap();
    let one = whole.gradients().unwrap();
    let mut split = Reference::new(tensors, &config).unwrap();
    split.learner = {
        let mut config = whole.learner.config().clone();
        config.shard = 1;
        let mut learner = dreamer::Learner::new(&config, whole.learner.action_size()).unwrap();
        for parameter in whole.learner.parameters().iter() {
            learner
                .parameters_mut()
                .values_mut(parameter)
                .copy_from_slice(whole.learner.parameters().values(parameter));
        }
        learner
    };
    let two = split.gradients().unwrap();
    for ((name, a), (_, b)) in one.named().iter().zip(two.named()) {
        assert!((a - b).abs() <= 1e-12 * a.abs(), "{name}: {a} {b}");
    }
    let (a, b) = (whole.learner.last_gradients(), split.learner.last_gradients());
    assert!(difference(a.0.data(), b.0.data()) < 1e-12);
    assert!(difference(a.1.data(), b.1.data()) < 1e-12);
}

#[test]
fn free_nats_above_the_divergence_take_its_gradient_away() {
    let (theirs, mut config) = golden();
    config["free_nats"] = 50.0.into();
    let mut reference = Reference::new(theirs.clone(), &config).unwrap();
    let ours = reference.compute().unwrap();
    let renamed: Tensors = theirs
        .iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix("free50/")?, tensor.clone())))
        .map(|(name, tensor)| (if name.contains("grad/") { name.to_owned() } else { format!("out/{name}") }, tensor))
        .collect();
    assert_eq!(compare(&ours, &renamed, ""), renamed.len());
    assert!(renamed.len() > 10);
}

#[test]
fn lambda_returns_at_three_lambdas() {
    let (theirs, _) = golden();
    let (steps, rollouts) = (theirs["lam/reward"].0[0], theirs["lam/reward"].0[1]);
    // The bootstrap in the file is a separate value after the last step.
    let with_bootstrap = |name: &str| [theirs[name].1.as_slice(), &theirs["lam/bootstrap"].1].concat();
    let (reward, value, discount) =
        (with_bootstrap("lam/reward"), with_bootstrap("lam/value"), with_bootstrap("lam/pcont"));
    for (name, lambda) in [("lam/returns_0", 0.0), ("lam/returns_095", 0.95), ("lam/returns_1", 1.0)] {
        let parameters = Parameters::<f64>::new();
        let (set, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &set, &mut workspace);
        let [r, v, d] =
            [&reward, &value, &discount].map(|x| tape.constant((steps + 1) * rollouts, 1, |y| y.copy_from_slice(x)));
        let returns = tape.lambda_returns(r, v, d, lambda, rollouts);
        assert!(difference(tape.value(returns), &theirs[name].1) < 1e-12, "{name}");
    }
}

#[test]
fn three_steps_of_adam() {
    let (theirs, _) = golden();
    let mut parameters = Parameters::<f64>::new();
    let (a, b) = (parameters.declare("a", &[7]), parameters.declare("b", &[3, 2]));
    parameters.allocate();
    parameters.values_mut(a).copy_from_slice(&theirs["adam3/p0/a"].1);
    parameters.values_mut(b).copy_from_slice(&theirs["adam3/p0/b"].1);
    let set = parameters.set(|_| true);
    let mut adam = Optimiser::new(&set, theirs["adam3/lr"].1[0], Rule::Adam { clip: 100.0 });
    for step in 1..=3 {
        let gradient =
            [theirs[&format!("adam3/g{step}/a")].1.clone(), theirs[&format!("adam3/g{step}/b")].1.clone()].concat();
        let norm = adam.norm(&gradient);
        assert!(difference(&[norm], &theirs[&format!("adam3/norm{step}")].1) < 1e-12);
        adam.step(&mut parameters, &gradient, norm);
        for (name, parameter) in [("a", a), ("b", b)] {
            assert!(difference(parameters.values(parameter), &theirs[&format!("adam3/p{step}/{name}")].1) < 1e-12);
        }
    }
}
