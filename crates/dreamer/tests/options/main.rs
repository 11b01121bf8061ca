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
use std::collections::BTreeSet;
use tensors::{Tensors, read};

/// All cases, and the configuration of the program that computed them.
fn golden() -> (Tensors, Value) {
    read(include_bytes!("../golden/options.safetensors")).unwrap()
}

/// The largest absolute value.
fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// Compares the results of a case with the golden ones: each must be there, and within 1e-12 of its largest number. The
/// step of a weight is compared with the golden step, not the weight, which would hide it.
fn compare(tensors: &Tensors, case: &str, Results(found): &Results) {
    let prefix = format!("{case}/out/");
    let results: Vec<_> =
        tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?, tensor))).collect();
    assert!(!results.is_empty(), "{case} has no results");
    for (name, (shape, expected)) in results {
        let (found_shape, found) = found.get(name).unwrap_or_else(|| panic!("{case}/out/{name} is not computed"));
        assert_eq!(found_shape, shape, "{case}/out/{name}");
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
        assert!(error < most, "{case}/out/{name} is off by {error:e}");
    }
}

/// Computes the cases whose names begin like this, and compares every result.
fn check(start: &str) {
    let (tensors, config) = golden();
    let cases: Vec<_> = CASES.iter().filter(|(name, _)| name.starts_with(start)).collect();
    assert!(!cases.is_empty(), "no case is called {start}");
    for (name, compute) in cases {
        let results = compute(&Case { tensors: &tensors, config: &config, name })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        compare(&tensors, name, &results);
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
            let (tensors, _) = golden();
            let known: BTreeSet<&str> = CASES.iter().map(|(name, _)| *name).collect();
            for case in cases::names(&tensors) {
                assert!(known.contains(case.as_str()), "{case} is not computed");
                assert!([$($start),*].iter().any(|start| case.starts_with(start)), "{case} is not compared");
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
    let (name, compute) = CASES.iter().find(|(name, _)| *name == "discrete_actor/onehot").unwrap();
    compare(&tensors, name, &compute(&Case { tensors: &tensors, config: &config, name }).unwrap());
}
