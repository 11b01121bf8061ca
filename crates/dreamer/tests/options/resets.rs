//! Sequences that cross from one episode into the next.

use crate::{Case, golden};
use dreamer::networks::Seen;
use dreamer::{AgentConfig, Cell, Latent, LayerActivation, Learner, Norm};
use tape::{Gradients, Parameter, Tape, Var, Workspace};

/// The names of the parameters of a cell and its distributions in an agent, with those in a golden case; with norms
/// after all hidden layers but the GRU's, or without any.
fn dreamer_v1(norm: Norm) -> Vec<(String, String)> {
    let layers = ["img1", "img2", "img3", "obs1", "obs2"].into_iter();
    let mut names: Vec<_> = layers
        .flat_map(|layer| ["kernel", "bias"].map(|part| (format!("{layer}.{part}"), format!("{layer}/{part}"))))
        .collect();
    names.extend(["kernel", "recurrent_kernel", "bias"].map(|part| (format!("gru.{part}"), format!("gru/{part}"))));
    if norm == Norm::Rms {
        names.extend(["img1", "img2", "obs1"].map(|layer| (format!("{layer}.scale"), format!("{layer}/scale"))));
    }
    names
}

/// As [`dreamer_v1`], with a norm after every hidden layer.
fn dreamer_v3() -> Vec<(String, String)> {
    let layers = [
        ("deter_in", "dynin0", true),
        ("stoch_in", "dynin1", true),
        ("action_in", "dynin2", true),
        ("block_hidden", "dynhid0", true),
        ("block_gates", "dyngru", false),
        ("img2", "prior0", true),
        ("img2_2", "prior1", true),
        ("img3", "priorlogit", false),
        ("obs1", "obs0", true),
        ("obs2", "obslogit", false),
    ];
    let of_layer = |(own, theirs, normed): (&str, &str, bool)| {
        let mut names: Vec<_> =
            ["kernel", "bias"].map(|part| (format!("{own}.{part}"), format!("{theirs}/{part}"))).into();
        if normed {
            names.push((format!("{own}.scale"), format!("{theirs}norm/scale")));
        }
        names
    };
    layers.into_iter().flat_map(of_layer).collect()
}

/// Numbers [B, L, ...] step by step [L, B, ...], where `size` is that of the rest.
fn by_step(numbers: &[f64], batch: usize, length: usize, size: usize) -> Vec<f64> {
    (0..length)
        .flat_map(|t| (0..batch).flat_map(move |b| &numbers[(b * length + t) * size..][..size]))
        .copied()
        .collect()
}

/// The opposite of [`by_step`].
fn by_sequence(numbers: &[f64], batch: usize, length: usize, size: usize) -> Vec<f64> {
    by_step(numbers, length, batch, size)
}

/// The parts of a distribution's value, by their names in a golden case: columns of each row.
type Parts<'a> = &'a [(&'a str, usize, usize)];

/// Compares a filter from a given state, with episodes that begin on the way, and its gradients.
fn check(name: &str, config: &AgentConfig, names: Vec<(String, String)>, embed: &str, parts: Parts) {
    let (tensors, sizes) = golden();
    let case = Case { tensors: &tensors, name };
    let of = |key: &str| sizes["resets"][key].as_u64().unwrap() as usize;
    let (batch, length, actions) = (of("batch"), of("time"), of("action"));
    let mut learner = Learner::<f64>::new(config, actions).unwrap();
    let names: Vec<(Parameter, String)> = names
        .into_iter()
        .map(|(own, theirs)| {
            (learner.parameters().find(&format!("world_model.rssm.{own}")).expect("of the agent"), theirs)
        })
        .collect();
    for (parameter, theirs) in &names {
        learner.parameters_mut().values_mut(*parameter).copy_from_slice(case.numbers(&format!("in/w/{theirs}")));
    }
    let all = learner.parameters().set(|_| true);
    let mut workspace = Workspace::default();
    let mut tape = Tape::new(learner.parameters(), &all, &mut workspace);
    let (state, rssm) = (config.state_size(), &learner.networks().rssm);
    let leaf = |tape: &mut Tape<f64>, numbers: &[f64], size: usize| {
        tape.leaf(numbers.len() / size, size, |y| y.copy_from_slice(numbers))
    };
    let stoch = leaf(&mut tape, case.numbers("in/carry/stoch"), state);
    let deter = leaf(&mut tape, case.numbers("in/carry/deter"), config.deter);
    // The cell in blocks divides actions beyond [-1, 1] by their absolute values.
    let divides = config.cell == Cell::BlockGru;
    let given = by_step(case.numbers("in/action"), batch, length, actions);
    let divisors: Vec<f64> = given.iter().map(|x| if divides { x.abs().max(1.0) } else { 1.0 }).collect();
    let within: Vec<f64> = given.iter().zip(&divisors).map(|(action, divisor)| action / divisor).collect();
    let action = leaf(&mut tape, &within, actions);
    let width = config.embed();
    let seen_embed = leaf(&mut tape, &by_step(case.numbers(&format!("in/{embed}")), batch, length, width), width);
    let draws = case.numbers(if config.latent == Latent::Gaussian { "in/noise/post" } else { "in/noise/gumbel" });
    let noise = tape.constant(length * batch, state, |y| y.copy_from_slice(draws));
    let first = by_step(case.numbers("in/is_first"), batch, length, 1);
    assert!(first.contains(&1.0) && first.contains(&0.0));
    let kept =
        tape.constant(length * batch, 1, |y| y.iter_mut().zip(&first).for_each(|(kept, first)| *kept = 1.0 - first));
    let seen = Seen { embed: seen_embed, action, noise, kept: Some(kept) };
    let observed = rssm.observe(&mut tape, (stoch, deter), seen);
    let prior = rssm.prior(&mut tape, observed.deter);
    // Compares a value's columns, and seeds its gradient with the case's cotangents.
    let compare = |tape: &mut Tape<f64>, var: Var, of: &str, parts: Parts| {
        let (rows, cols) = tape.shape(var);
        let mut cotangent = vec![0.0; rows * cols];
        for &(part, from, to) in parts {
            let size = to - from;
            let own: Vec<f64> = tape.value(var).chunks_exact(cols).flat_map(|row| &row[from..to]).copied().collect();
            case.compare(&format!("{of}/{part}"), &by_sequence(&own, batch, length, size));
            if let Some((_, numbers)) = tensors.get(&format!("{name}/in/cot/{of}_{part}")) {
                let numbers = by_step(numbers, batch, length, size);
                for (row, numbers) in cotangent.chunks_exact_mut(cols).zip(numbers.chunks_exact(size)) {
                    row[from..to].copy_from_slice(numbers);
                }
            }
        }
        tape.seed_with(var, &cotangent);
    };
    compare(&mut tape, observed.posterior, "post", parts);
    compare(&mut tape, observed.stoch, "post", &[("stoch", 0, state)]);
    compare(&mut tape, observed.deter, "post", &[("deter", 0, config.deter)]);
    compare(&mut tape, prior, "prior", parts);
    let mut gradients = Gradients::new(&all);
    tape.backward(&mut gradients);
    gradients.finish();
    for (parameter, theirs) in &names {
        case.compare(&format!("grad/{theirs}"), gradients.of(*parameter).unwrap());
    }
    case.compare("grad/carry/stoch", tape.gradient(stoch).unwrap());
    case.compare("grad/carry/deter", tape.gradient(deter).unwrap());
    let to_actions: Vec<f64> =
        tape.gradient(action).unwrap().iter().zip(&divisors).map(|(g, divisor)| g / divisor).collect();
    case.compare("grad/action", &by_sequence(&to_actions, batch, length, actions));
    case.compare(&format!("grad/{embed}"), &by_sequence(tape.gradient(seen_embed).unwrap(), batch, length, width));
}

#[test]
fn resets_of_normal_states() {
    normal_states("resets/gaussian", Norm::None, LayerActivation::Elu);
}

#[test]
fn resets_of_normal_states_with_norms() {
    normal_states("resets/gaussian_norm", Norm::Rms, LayerActivation::Silu);
}

fn normal_states(name: &str, norm: Norm, activation: LayerActivation) {
    let (_, sizes) = golden();
    let of = |key: &str| sizes["resets"][key].as_u64().unwrap() as usize;
    let stoch = of("stoch");
    let config = AgentConfig {
        images: false,
        vector: 1,
        vector_units: of("embed"),
        stoch,
        deter: of("deter"),
        hidden: of("hidden"),
        units: 2,
        norm,
        activation,
        min_std: sizes["gaussian_min_std"].as_f64().unwrap(),
        ..AgentConfig::default()
    };
    check(name, &config, dreamer_v1(norm), "embed", &[("mean", 0, stoch), ("std", stoch, 2 * stoch)]);
}

#[test]
fn resets_of_categorical_states() {
    let (_, sizes) = golden();
    let of = |key: &str| sizes["resets"][key].as_u64().unwrap() as usize;
    let config = AgentConfig {
        images: false,
        vector: 1,
        vector_units: of("tokens"),
        norm: Norm::Rms,
        activation: LayerActivation::Silu,
        latent: Latent::Categorical,
        stoch: of("c_stoch"),
        classes: of("c_classes"),
        latent_unimix: sizes["unimix"].as_f64().unwrap(),
        cell: Cell::BlockGru,
        deter: of("c_deter"),
        blocks: of("c_blocks"),
        hidden: of("c_hidden"),
        prior_layers: 2,
        units: 2,
        ..AgentConfig::default()
    };
    check("resets/categorical", &config, dreamer_v3(), "tokens", &[("logit", 0, config.state_size())]);
}
