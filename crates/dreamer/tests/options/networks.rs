//! Norms, activations, and the networks of vectors.

use crate::{Case, golden};
use dreamer::{AgentConfig, Learner};
use tape::{Activation, Gradients, Parameter, Parameters, Tape, Workspace};

#[test]
fn norms_and_silu() {
    let (tensors, _) = golden();
    let case = Case { tensors: &tensors, name: "rms_norm/plain" };
    let mut parameters = Parameters::<f64>::new();
    let scale = parameters.declare("scale", &[case.numbers("in/scale").len()]);
    parameters.allocate();
    parameters.values_mut(scale).copy_from_slice(case.numbers("in/scale"));
    let (all, mut workspace) = (parameters.set(|_| true), Workspace::default());
    let mut tape = Tape::new(&parameters, &all, &mut workspace);
    let (rows, x) = (case.rows("in/x"), case.numbers("in/x"));
    let x = tape.leaf(rows, x.len() / rows, |y| y.copy_from_slice(x));
    let y = tape.rms_norm(x, scale);
    case.compare("y", tape.value(y));
    tape.seed_with(y, case.numbers("in/cot/y"));
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    gradients.finish();
    case.compare("grad/x", tape.gradient(x).unwrap());
    case.compare("grad/scale", gradients.of(scale).unwrap());
    let case = Case { tensors: &tensors, name: "rms_norm/silu" };
    case.compare("y", &case.value("in/x", |tape, x| tape.silu(x)));
    case.compare("grad/x", &case.gradient("in/x", "in/cot/y", |tape, x| tape.silu(x)));
}

#[test]
fn a_layer_with_norm_and_silu() {
    let (tensors, _) = golden();
    let case = Case { tensors: &tensors, name: "rms_norm/dense" };
    let mut parameters = Parameters::<f64>::new();
    let names = ["kernel", "bias", "scale"];
    let [kernel, bias, scale] = names.map(|name| {
        let (shape, _) = &tensors[&format!("rms_norm/dense/in/w/h/{name}")];
        parameters.declare(name, shape)
    });
    parameters.allocate();
    for (parameter, name) in [kernel, bias, scale].into_iter().zip(names) {
        parameters.values_mut(parameter).copy_from_slice(case.numbers(&format!("in/w/h/{name}")));
    }
    let (all, mut workspace) = (parameters.set(|_| true), Workspace::default());
    let mut tape = Tape::new(&parameters, &all, &mut workspace);
    let (rows, numbers) = (case.rows("in/x"), case.numbers("in/x"));
    let x = tape.leaf(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers));
    let pre = tape.dense(x, kernel, bias, Activation::None);
    case.compare("pre", tape.value(pre));
    let normed = tape.rms_norm(pre, scale);
    case.compare("normed", tape.value(normed));
    let y = tape.silu(normed);
    case.compare("y", tape.value(y));
    tape.seed_with(y, case.numbers("in/cot/y"));
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    gradients.finish();
    case.compare("grad/x", tape.gradient(x).unwrap());
    for (parameter, name) in [kernel, bias, scale].into_iter().zip(names) {
        case.compare(&format!("grad/h/{name}"), gradients.of(parameter).unwrap());
    }
}

/// Images are rows; each position has a norm of its own.
#[test]
fn the_norm_of_the_channels_of_images() {
    let (tensors, _) = golden();
    let case = Case { tensors: &tensors, name: "rms_norm/conv" };
    let mut parameters = Parameters::<f64>::new();
    let channels = case.numbers("in/w/h/scale").len();
    let scale = parameters.declare("scale", &[channels]);
    parameters.allocate();
    parameters.values_mut(scale).copy_from_slice(case.numbers("in/w/h/scale"));
    let (all, mut workspace) = (parameters.set(|_| true), Workspace::default());
    let mut tape = Tape::new(&parameters, &all, &mut workspace);
    let (images, pre) = (tensors["rms_norm/conv/in/x"].0[0], case.numbers("out/pre"));
    let pre = tape.leaf(images, pre.len() / images, |y| y.copy_from_slice(pre));
    let normed = tape.rms_norm(pre, scale);
    let y = tape.silu(normed);
    case.compare("y", tape.value(y));
    tape.seed_with(y, case.numbers("in/cot/y"));
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    gradients.finish();
    case.compare("grad/h/scale", gradients.of(scale).unwrap());
    // A convolution's bias has the sum of the gradients of its results at all positions.
    let mut bias = vec![0.0; channels];
    for (index, gradient) in tape.gradient(pre).unwrap().iter().enumerate() {
        bias[index % channels] += gradient;
    }
    case.compare("grad/h/bias", &bias);
}

/// The names of an agent's parameters in a golden case, and there.
fn names_of_vector_networks(layers: usize) -> Vec<(String, String)> {
    let mut names = vec![
        ("world_model.decoder.vector.hout.kernel".to_owned(), "dec/vec/vector/pred/kernel".to_owned()),
        ("world_model.decoder.vector.hout.bias".to_owned(), "dec/vec/vector/pred/bias".to_owned()),
    ];
    for layer in 0..layers {
        for part in ["kernel", "bias"] {
            names.push((format!("world_model.encoder.vector.h{layer}.{part}"), format!("enc/mlp{layer}/{part}")));
            names
                .push((format!("world_model.decoder.vector.h{layer}.{part}"), format!("dec/mlp/linear{layer}/{part}")));
        }
        names.push((format!("world_model.encoder.vector.h{layer}.scale"), format!("enc/mlp{layer}norm/scale")));
        names.push((format!("world_model.decoder.vector.h{layer}.scale"), format!("dec/mlp/norm{layer}/scale")));
    }
    names
}

#[test]
fn vector_observations() {
    let (tensors, _) = golden();
    let case = Case { tensors: &tensors, name: "v3_vector" };
    let (vector, rows) = (case.numbers("in/vector"), case.rows("in/vector"));
    let config = AgentConfig {
        images: false,
        vector: vector.len() / rows,
        vector_layers: 2,
        vector_units: case.numbers("in/w/enc/mlp0/bias").len(),
        stoch: case.numbers("in/stoch").len() / rows,
        deter: case.numbers("in/deter").len() / rows,
        ..AgentConfig::default()
    };
    let mut learner = Learner::<f64>::new(&config, 1).unwrap();
    let names: Vec<(Parameter, String)> = names_of_vector_networks(2)
        .into_iter()
        .map(|(own, theirs)| (learner.parameters().find(&own).expect("a parameter of the agent"), theirs))
        .collect();
    for (parameter, theirs) in &names {
        let numbers = case.numbers(&format!("in/w/{theirs}"));
        learner.parameters_mut().values_mut(*parameter).copy_from_slice(numbers);
    }
    let all = learner.parameters().set(|_| true);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), &all, &mut workspace);
    let networks = learner.networks();
    let logarithms: Vec<f64> = vector.iter().map(|x| x.abs().ln_1p().copysign(*x)).collect();
    let observed = tape.leaf(rows, config.vector, |y| y.copy_from_slice(&logarithms));
    let tokens = networks.encoder.vector.as_ref().unwrap().forward(&mut tape, observed);
    case.compare("tokens", tape.value(tokens));
    let stoch = tape.leaf(rows, config.stoch, |y| y.copy_from_slice(case.numbers("in/stoch")));
    let deter = tape.leaf(rows, config.deter, |y| y.copy_from_slice(case.numbers("in/deter")));
    let feature = tape.concat(stoch, deter);
    let prediction = networks.decoder.vector.as_ref().unwrap().forward(&mut tape, feature);
    case.compare("prediction", tape.value(prediction));
    let target = tape.constant(rows, config.vector, |y| y.copy_from_slice(&logarithms));
    let density = tape.normal_log_density(prediction, target);
    // Twice the density is minus the sum of squared errors but for a constant.
    let constant = config.vector as f64 * std::f64::consts::TAU.ln();
    let loss: Vec<f64> = tape.value(density).iter().map(|density| -2.0 * density - constant).collect();
    case.compare("loss", &loss);
    tape.seed_with(tokens, case.numbers("in/cot/tokens"));
    let of_loss: Vec<f64> = case.numbers("in/cot/loss").iter().map(|cotangent| -2.0 * cotangent).collect();
    tape.seed_with(density, &of_loss);
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    gradients.finish();
    for (parameter, theirs) in &names {
        case.compare(&format!("grad/{theirs}"), gradients.of(*parameter).unwrap());
    }
    case.compare("grad/stoch", tape.gradient(stoch).unwrap());
    case.compare("grad/deter", tape.gradient(deter).unwrap());
    // The symmetric logarithm is not an operation of the tape: its derivative is 1 / (1 + |x|).
    let slopes = tape.gradient(observed).unwrap().iter().zip(vector);
    case.compare("grad/vector", &slopes.map(|(gradient, x)| gradient / (1.0 + x.abs())).collect::<Vec<_>>());
}
