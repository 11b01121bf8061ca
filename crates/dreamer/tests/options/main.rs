//! The agent's options that are not the paper's, against numbers of an independent program in double precision.
//!
//! What computes each golden case is shared with the example `reference_modern`. Here: the comparison of every result
//! with the golden one. A module has what else must hold of one part of the agent.

#[path = "../../examples/reference_modern/cases/mod.rs"]
mod cases;
mod heads;
mod large;
mod meta_model;
mod returns;
#[path = "../../examples/reference_modern/tensors.rs"]
mod tensors;
mod whole;
mod world_model;

use cases::{CASES, Case, Results};
use serde_json::Value;
use tensors::{Tensors, read};

/// All cases, and the configuration of the program that computed them.
fn golden() -> (Tensors, Value) {
    read(include_bytes!("../golden/options.safetensors")).unwrap()
}

/// The same cases with other numbers, sizes and constants, from another program (`scripts/reference`). Large results of
/// networks of images are left out.
fn other_golden() -> (Tensors, Value) {
    read(include_bytes!("../golden/options-2.safetensors")).unwrap()
}

/// The largest absolute value.
fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// Compares the results of a case with those of a file: each must be there, and within 1e-12 of its largest number. The
/// step of a weight is compared with the golden step, not the weight, which would hide it.
fn compare(file: &str, tensors: &Tensors, case: &str, Results(found): &Results) {
    let prefix = format!("{case}/out/");
    let results: Vec<_> =
        tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?, tensor))).collect();
    assert!(!results.is_empty(), "{file}: {case} has no results");
    for (name, (shape, expected)) in results {
        let (found_shape, found) =
            found.get(name).unwrap_or_else(|| panic!("{file}: {case}/out/{name} is not computed"));
        assert_eq!(found_shape, shape, "{file}: {case}/out/{name}");
        let (kind, rest) = name.split_once('/').unwrap_or((name, ""));
        let difference: Vec<f64> = found.iter().zip(expected).map(|(found, expected)| found - expected).collect();
        let (scale, most) = if kind.starts_with("step") {
            let before = &tensors[&format!("{case}/in/w/{rest}")].1;
            let step: Vec<f64> = expected.iter().zip(before).map(|(after, before)| after - before).collect();
            // A step is a difference of numbers near one: 1e-16 of them is more of a small step.
            (largest(&step) + 1e-6 * largest(before), 1e-9)
        } else {
            (largest(expected), 1e-12)
        };
        let error = largest(&difference) / scale.max(1e-300);
        assert!(error < most, "{file}: {case}/out/{name} is off by {error:e}");
    }
}

/// Computes the cases of both files whose names begin like this, and compares every result.
fn check(start: &str) {
    for (file, (tensors, config)) in [("options", golden()), ("options-2", other_golden())] {
        let names: Vec<_> = cases::names(&tensors).into_iter().filter(|name| name.starts_with(start)).collect();
        assert!(!names.is_empty(), "{file}: no case is called {start}");
        for name in names {
            let found = cases::results(&Case { tensors: &tensors, config: &config, name: &name })
                .unwrap_or_else(|error| panic!("{file}: {name}: {error}"));
            compare(file, &tensors, &name, &found);
        }
    }
}

/// The cases that are checked, by the beginnings of their names.
macro_rules! checks {
    ($($test:ident: $start:literal,)*) => {
        $(
            #[test]
            fn $test() {
                check($start);
            }
        )*

        #[test]
        fn every_case_is_checked() {
            for (tensors, _) in [golden(), other_golden()] {
                let names = cases::names(&tensors);
                assert_eq!(names.len(), CASES.len());
                for case in names {
                    assert!([$($start),*].iter().any(|start| case.starts_with(start)), "{case} is not compared");
                }
            }
        }
    };
}

checks! {
    balanced_divergence: "balanced_kl/",
    losses_without_decoders: "barlow",
    cell_in_blocks: "block_gru",
    bounded_normal_actions: "bounded_normal",
    categorical_states: "categorical/",
    discount_head: "continue",
    discrete_actions: "discrete_actor/",
    actors_that_learn_through_the_dynamics: "dynamics/",
    learned_weights_of_losses: "harmony/",
    lambda_returns: "lambda/",
    laprop_with_adaptive_clipping: "laprop_agc",
    agent_with_the_networks_of_v1: "modern",
    actors_that_learn_by_densities: "reinforce/",
    values_of_replayed_states: "replay_value",
    resets_within_sequences: "resets/",
    range_of_returns: "return_scale/",
    norms_and_silu: "rms_norm/",
    slow_values: "slow_value/",
    two_hot_predictions: "twohot/",
    published_agent_and_its_networks: "v3",
    reward_meta_models: "zero_columns/",
}

#[test]
#[should_panic(expected = "discrete_actor/onehot/out/entropy is off by")]
fn a_wrong_constant_is_found() {
    let (tensors, mut config) = golden();
    config["unimix"] = 0.011.into();
    let name = "discrete_actor/onehot";
    compare("options", &tensors, name, &cases::results(&Case { tensors: &tensors, config: &config, name }).unwrap());
}

/// The value of a key such as `imag.horizon`.
fn setting<'a>(config: &'a mut Value, key: &str) -> &'a mut Value {
    key.split('.').fold(config, |value, part| &mut value[part])
}

/// A size or a constant of the first file that is built into a case is noticed in the second: it has other sizes, and other
/// constants, each of which changes a result.
#[test]
fn both_files_differ_in_sizes_and_constants() {
    let ((_, mut first), (tensors, second)) = (golden(), other_golden());
    let mut same = Vec::new();
    for (group, sizes) in first.as_object().unwrap() {
        for (size, value) in sizes.as_object().into_iter().flatten() {
            if second[group][size] == *value {
                same.push(format!("{group}.{size}"));
            }
        }
    }
    same.sort();
    let fixed = ["image.kernel", "rms.stride", "v3.dynlayers", "v3.kernel", "v3.obslayers"];
    let one_layer = ["modern.continue_layers", "v3.conlayers"];
    let mut expected = [&fixed[..], &one_layer].concat();
    expected.sort_unstable();
    assert_eq!(same, expected);
    for (key, name) in [
        ("actent", "reinforce/discrete"),
        ("agc_clip", "laprop_agc"),
        ("free_nats", "balanced_kl/gaussian"),
        ("horizon", "continue"),
        ("lam", "lambda/imagined"),
        ("repval_scale", "replay_value"),
        ("ret_rate", "return_scale/given"),
        ("slow_rate", "slow_value/update"),
        ("unimix", "categorical/latent"),
    ] {
        let mut config = second.clone();
        assert_ne!(config[key], first[key], "{key}");
        config[key] = first[key].take();
        let results = |config: &Value| cases::results(&Case { tensors: &tensors, config, name }).unwrap().0;
        assert!(results(&config) != results(&second), "{key} changes nothing in {name}");
    }
}

/// One line says which input is missing, or has which shape.
#[test]
fn unfitting_inputs_are_refused() {
    let (tensors, config) = other_golden();
    let refused = |tensors: &Tensors, config: &Value, name: &str| {
        cases::results(&Case { tensors, config, name }).map(|_| ()).unwrap_err()
    };
    let mut without = tensors.clone();
    without.remove("lambda/replay/in/is_last");
    assert_eq!(refused(&without, &config, "lambda/replay"), "the file lacks lambda/replay/in/is_last");
    let mut shorter = tensors.clone();
    let (shape, numbers) = shorter.get_mut("modern/in/noise/act").unwrap();
    numbers.truncate(numbers.len() / shape[0] * 2);
    shape[0] = 2;
    let message = refused(&shorter, &config, "modern");
    assert_eq!(message, "noise/act is [2, 6, 2], and [3, 6, 2] is expected: [horizon batch*time action]");
    for key in ["imag.state", "rms.stride", "kl.time", "v3.batch", "image.n", "resets.c_stoch"] {
        let mut other = config.clone();
        *setting(&mut other, key) = 7.into();
        let (group, _) = key.split_once('.').unwrap();
        let name = match group {
            "imag" => "dynamics/rollout",
            "rms" => "rms_norm/conv",
            "kl" => "balanced_kl/gaussian",
            "image" => "v3_image/pool",
            "resets" => "resets/categorical",
            other => other,
        };
        let message = refused(&tensors, &other, name);
        assert!(message.contains("is expected") && !message.contains('\n'), "{key}: {message}");
    }
    assert_eq!(refused(&tensors, &config, "unknown"), "this agent does not have it");
    let mut without_horizon = config.clone();
    without_horizon["contdisc"] = false.into();
    assert!(refused(&tensors, &without_horizon, "v3").starts_with("contdisc is false"));
}
