//! The agent's options that are not the paper's, each alone, against numbers of an independent program in double precision.

#[path = "reference/tensors.rs"]
mod tensors;

use dreamer::{AgentConfig, Learner, RewardSource, SourceStandard};
use tape::{Gradients, Parameter, Parameters, Tape, Workspace, class_probabilities, sampled_class};
use tensors::{Tensors, read};

/// A golden case: inputs `CASE/in/...` and results `CASE/out/...`.
struct Case<'a> {
    tensors: &'a Tensors,
    name: &'a str,
}

impl Case<'_> {
    fn numbers(&self, name: &str) -> &[f64] {
        &self.tensors[&format!("{}/{name}", self.name)].1
    }

    fn rows(&self, name: &str) -> usize {
        self.tensors[&format!("{}/{name}", self.name)].0[0]
    }

    /// Compares a result with the case's.
    fn compare(&self, name: &str, found: &[f64]) {
        let expected = self.numbers(&format!("out/{name}"));
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(1e-300_f64, |most, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs() / largest;
            assert!(error < 1e-12, "{}/out/{name} is off by {error:e}", self.name);
        }
    }

    /// The gradient of `input` where the result of `record` has the gradient `cotangent`.
    fn gradient(
        &self,
        input: &str,
        cotangent: &str,
        record: impl Fn(&mut Tape<f64>, tape::Var) -> tape::Var,
    ) -> Vec<f64> {
        let parameters = Parameters::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let (numbers, rows) = (self.numbers(input), self.rows(input));
        let x = tape.leaf(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers));
        let y = record(&mut tape, x);
        tape.seed_with(y, self.numbers(cotangent));
        tape.backward(&mut Gradients::new(&none));
        tape.gradient(x).unwrap().to_vec()
    }

    /// The result of `record`.
    fn value(&self, input: &str, record: impl Fn(&mut Tape<f64>, tape::Var) -> tape::Var) -> Vec<f64> {
        let parameters = Parameters::new();
        let (none, mut workspace) = (parameters.set(|_| false), Workspace::default());
        let mut tape = Tape::new(&parameters, &none, &mut workspace);
        let (numbers, rows) = (self.numbers(input), self.rows(input));
        let x = tape.constant(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers));
        let y = record(&mut tape, x);
        tape.value(y).to_vec()
    }
}

#[test]
fn one_hot_actions() {
    let (tensors, config) = read(include_bytes!("golden/discrete_actor.safetensors")).unwrap();
    for (name, unimix) in
        [("discrete_actor/onehot", config["unimix"].as_f64().unwrap()), ("discrete_actor/categorical", 0.0)]
    {
        let case = Case { tensors: &tensors, name };
        let (logits, gumbel) = (case.numbers("in/logits"), case.numbers("in/gumbel"));
        let size = logits.len() / case.rows("in/logits");
        let mut probabilities = vec![0.0; logits.len()];
        for (found, logits) in probabilities.chunks_exact_mut(size).zip(logits.chunks_exact(size)) {
            class_probabilities(logits, unimix, found);
        }
        case.compare("probs", &probabilities);
        let rows = || logits.chunks_exact(size).zip(gumbel.chunks_exact(size));
        let classes = |draws: bool| -> Vec<f64> {
            rows().map(|(logits, gumbel)| sampled_class(logits, unimix, draws.then_some(gumbel)) as f64).collect()
        };
        case.compare("index", &classes(true));
        case.compare("mode", &classes(false));
        let sample = |tape: &mut Tape<f64>, logits| {
            let gumbel = tape.constant(case.rows("in/gumbel"), size, |y| y.copy_from_slice(gumbel));
            tape.one_hot_sample(logits, gumbel, unimix)
        };
        case.compare("sample", &case.value("in/logits", sample));
        let entropy = |tape: &mut Tape<f64>, logits| tape.categorical_entropy(logits, unimix);
        case.compare("entropy", &case.value("in/logits", entropy));
        case.compare("grad_entropy/logits", &case.gradient("in/logits", "in/cot/entropy", entropy));
        if tensors.contains_key(&format!("{name}/in/cot/sample")) {
            case.compare("grad_sample/logits", &case.gradient("in/logits", "in/cot/sample", sample));
        }
    }
}

#[test]
fn norms_and_silu() {
    let (tensors, _) = read(include_bytes!("golden/v3_vector.safetensors")).unwrap();
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
    let (tensors, _) = read(include_bytes!("golden/v3_vector.safetensors")).unwrap();
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
    // The symmetric logarithm is no operation of the tape: its derivative is 1 / (1 + |x|).
    let slopes = tape.gradient(observed).unwrap().iter().zip(vector);
    case.compare("grad/vector", &slopes.map(|(gradient, x)| gradient / (1.0 + x.abs())).collect::<Vec<_>>());
}

/// The names of a reward meta-model's parameters in a golden case, and ours.
fn names_of_meta_model(sources: usize) -> Vec<(String, String)> {
    let heads = (0..sources).map(|index| (format!("world_model.reward_sources.{index}"), format!("source{index}")));
    let heads = heads.chain([("world_model.reward".to_owned(), "meta".to_owned())]);
    let layers = |(own, theirs): (String, String)| {
        ["h0.kernel", "h0.bias", "hout.kernel", "hout.bias"]
            .map(|layer| (format!("{own}.{layer}"), format!("{theirs}/{}", layer.replace('.', "/"))))
    };
    heads.flat_map(layers).collect()
}

#[test]
fn standardised_reward_sources_and_their_l1() {
    let (tensors, _) = read(include_bytes!("golden/zero_columns.safetensors")).unwrap();
    for name in ["zero_columns/start", "zero_columns/later"] {
        let case = Case { tensors: &tensors, name };
        let (rows, feature) = (case.rows("in/feat"), case.numbers("in/feat"));
        let (width, sources) = (feature.len() / rows, case.numbers("in/source_mean").len());
        let source =
            RewardSource { layers: 1, units: case.numbers("in/w/source0/h0/bias").len(), ..RewardSource::default() };
        let config = AgentConfig {
            images: false,
            vector: 1,
            stoch: 4,
            deter: width - 4,
            units: case.numbers("in/w/meta/h0/bias").len(),
            reward_layers: 1,
            reward_sources: vec![source; sources],
            reward_sources_standardised: true,
            ..AgentConfig::default()
        };
        let mut learner = Learner::<f64>::new(&config, 1).unwrap();
        let names: Vec<(Parameter, String)> = names_of_meta_model(sources)
            .into_iter()
            .map(|(own, theirs)| (learner.parameters().find(&own).expect("a parameter of the agent"), theirs))
            .collect();
        for (parameter, theirs) in &names {
            let numbers = case.numbers(&format!("in/w/{theirs}"));
            learner.parameters_mut().values_mut(*parameter).copy_from_slice(numbers);
        }
        let standards = case.numbers("in/source_mean").iter().zip(case.numbers("in/source_deviation"));
        let standards: Vec<SourceStandard> =
            standards.map(|(&mean, &deviation)| SourceStandard { mean, deviation, varies: true }).collect();
        learner.set_source_standards(&standards);
        let trained = learner.parameters().set(|path| path.starts_with("world_model.reward."));
        let (mut workspace, reward) = (Workspace::default(), &learner.networks().reward);
        let kernel = learner.parameters().find("world_model.reward.h0.kernel").unwrap();

        let mut tape = Tape::new(learner.parameters(), &trained, &mut workspace);
        let leaf = tape.leaf(rows, width, |y| y.copy_from_slice(feature));
        let predictions = reward.source_predictions(&mut tape, leaf);
        // [rows, sources] of columns.
        let by_row: Vec<f64> = (0..rows)
            .flat_map(|row| predictions.iter().map(move |&one| (one, row)))
            .map(|(one, row)| tape.value(one)[row])
            .collect();
        case.compare("source_predictions", &by_row);
        let predicted = reward.forward(&mut tape, leaf);
        case.compare("reward", tape.value(predicted));
        let constant = reward.forward_constant(&mut tape, leaf);
        case.compare("reward", tape.value(constant));
        tape.seed_with(predicted, case.numbers("in/cot/reward"));
        let mut gradients = Gradients::new(&trained);
        tape.backward(&mut gradients);
        gradients.finish();
        for (parameter, theirs) in names.iter().filter(|(_, theirs)| theirs.starts_with("meta/")) {
            case.compare(&format!("grad/{theirs}"), gradients.of(*parameter).unwrap());
        }
        case.compare("grad/feat", tape.gradient(leaf).unwrap());

        // As in imagination: with constant parameters, the same gradient reaches the feature.
        let mut tape = Tape::new(learner.parameters(), &trained, &mut workspace);
        let leaf = tape.leaf(rows, width, |y| y.copy_from_slice(feature));
        let predicted = reward.forward_constant(&mut tape, leaf);
        tape.seed_with(predicted, case.numbers("in/cot/reward"));
        tape.backward(&mut Gradients::new(&trained));
        case.compare("grad/feat", tape.gradient(leaf).unwrap());

        let mut tape = Tape::new(learner.parameters(), &trained, &mut workspace);
        let sum = reward.absolute_source_weights(&mut tape, 3);
        case.compare("l1", &tape.value(sum)[..1]);
        // As a mean over three copies.
        tape.seed(sum, 1.0 / 3.0);
        let mut gradients = Gradients::new(&trained);
        tape.backward(&mut gradients);
        gradients.finish();
        case.compare("grad_l1/meta/h0/kernel", gradients.of(kernel).unwrap());
    }
}
