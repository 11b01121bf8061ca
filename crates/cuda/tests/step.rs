//! Matrix products and gradient steps on a device compared with those on the CPU, for every kind of agent, and at the
//! published sizes; a step twice from the same memory; and with chains of launches and without.

use cuda::Device;
use dreamer::{AgentConfig, Precision};
use emulator::ahead::check_prepared_batches;
use emulator::compare::{BF16, F32, TF32, compare, compare_one, kinds, small};
use emulator::products::check_products;
use emulator::repeat::{plan, repeat, step};
use emulator::sums::check_sums;
use emulator::units::check_units;
use tape::plan::Plan;

fn open() -> Device {
    Device::open(0).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn the_kernels_are_compiled_once() {
    let device = open();
    let other = device.clone().checked(true);
    assert!(device.kernels().unwrap().is(&other.kernels().unwrap()));
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn products_are_those_of_plain_loops() {
    check_products(&open());
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn sums_and_scales_are_those_of_plain_loops() {
    check_sums(&open());
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn recurrent_units_are_those_of_plain_loops_with_chains_and_without() {
    let device = open();
    for chains in [true, false] {
        check_units(&device.clone().with_chains(chains));
    }
}

/// All that a step leaves in memory with chains of launches, and without.
#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn a_step_gives_the_same_bits_with_chains_and_without() {
    let device = open();
    for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
        let config = AgentConfig { precision, length: 4, horizon: 2, depth: 4, ..AgentConfig::default() };
        let [joined, single] = [true, false].map(|chains| step(&config, &device.clone().with_chains(chains)));
        let apart = joined.iter().zip(&single).filter(|(one, other)| one.to_bits() != other.to_bits()).count();
        assert_eq!(apart, 0, "{precision:?}: numbers that differ");
    }
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn a_step_from_the_same_memory_gives_the_same_bits() {
    let device = open();
    for (what, config, ..) in kinds() {
        repeat(what, &config, &device);
    }
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn a_step_of_the_paper_sizes_from_the_same_memory_gives_the_same_bits() {
    let device = open();
    for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
        repeat("paper", &AgentConfig { precision, ..AgentConfig::default() }, &device);
    }
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn every_kind_of_agent_learns_the_same() {
    let device = open();
    for (what, config, known_embeddings, tolerances) in kinds() {
        compare(what, &config, known_embeddings, &device, tolerances);
    }
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn the_paper_sizes_learn_the_same() {
    let device = open();
    for (precision, tolerances) in [(Precision::F32, F32), (Precision::Tf32, TF32), (Precision::Bf16, BF16)] {
        compare_one("paper", &AgentConfig { precision, ..AgentConfig::default() }, &device, tolerances);
    }
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn batches_that_are_prepared_ahead_are_the_ones_that_steps_read() {
    check_prepared_batches(&open());
}

/// Copies as late as the program's waits allow, and as early; and all work as late, so that a batch which is written
/// before the copy of the last one has been waited for takes its place.
#[test]
#[cfg(target_os = "linux")]
fn batches_are_the_right_ones_with_late_and_with_early_copies() {
    for order in ["", "STAND_IN_EARLY_COPIES", "STAND_IN_LATE"] {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "batches_that_are_prepared_ahead_are_the_ones_that_steps_read"]);
        command.env_remove(cuda::CHECK);
        if !order.is_empty() {
            command.env(order, "1");
        }
        let output = emulator::with_stand_ins(&mut command).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let passed = output.status.success() && text.contains("1 passed");
        assert!(passed, "{order}: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn a_small_step_from_the_same_memory_gives_the_same_bits() {
    repeat("small", &small(), &open());
}

/// Takes a small step twice on a stand-in for NVIDIA's driver, with these variables, in a process of its own. Returns
/// whether it succeeded, and what was printed.
#[cfg(target_os = "linux")]
fn small_step_on_a_stand_in(variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "a_small_step_from_the_same_memory_gives_the_same_bits", "--nocapture"]);
    command.env_remove(cuda::CHECK).env_remove(cuda::CHAINS).env("STAND_IN_REPORT", "1");
    let output = emulator::with_stand_ins(command.envs(variables.iter().copied())).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.success(), text)
}

/// Devices whose blocks can work in teams run small launches as chains, unless these are turned off or launches are
/// checked, and others run them one by one.
#[test]
#[cfg(target_os = "linux")]
fn the_newest_devices_run_chains() {
    let plan = plan(&small());
    let count = |plan: Plan| plan.sections.iter().map(Vec::len).sum::<usize>();
    let [alone, in_chains] = [count(plan.clone()), count(plan.chained())];
    assert!(in_chains < alone);
    let (on, off) = ((cuda::CHAINS, "1"), (cuda::CHAINS, "0"));
    // Without a graph, the two steps are launched twice, and the other sections never.
    let [alone_twice, in_chains_twice] = [alone, in_chains].map(|all| 2 * all);
    let cases: [(&[_], usize); 7] = [
        (&[("STAND_IN_CAPABILITY", "80")], alone),
        (&[("STAND_IN_CAPABILITY", "80"), on], alone),
        (&[], in_chains),
        (&[on], in_chains),
        (&[off], alone),
        (&[(cuda::CHECK, "1")], alone_twice),
        (&[(cuda::CHECK, "1"), on], in_chains_twice),
    ];
    for (variables, launches) in cases {
        let (success, text) = small_step_on_a_stand_in(variables);
        assert!(success, "{variables:?}: {text}");
        assert!(text.contains(&format!("stand-in: {launches} launches")), "{variables:?}, {launches}: {text}");
    }
}

/// A launch that would be a step of a chain is named if it fails while launches are checked; a chain that fails says how
/// to find the launch.
#[test]
#[cfg(target_os = "linux")]
fn a_launch_that_fails_in_a_chain_can_be_found() {
    let (check, chains) = ((cuda::CHECK, "1"), (cuda::CHAINS, "1"));
    let cases: [(&[_], &[&str]); 3] = [
        (&[check, ("STAND_IN_FAILS", "recurrent_cell")], &["kernel recurrent_cell failed on the device, as launch"]),
        (
            &[check, chains, ("STAND_IN_FAILS", "chain")],
            &["kernel chain failed on the device, as launch", "run again with DREAMGRAFT_CUDA_CHAINS=0"],
        ),
        (&[("STAND_IN_FAILS", "chain")], &["run again with DREAMGRAFT_CUDA_CHECK=1, which finds the kernel"]),
    ];
    for (variables, parts) in cases {
        let (success, text) = small_step_on_a_stand_in(variables);
        assert!(!success, "{variables:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{variables:?}: {part}: {text}");
        }
    }
}

/// The quicker tests on a stand-in for NVIDIA's driver, in a process of their own.
#[test]
#[cfg(target_os = "linux")]
fn the_tests_pass_on_a_stand_in() {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--test-threads", "1"]).env_remove(cuda::CHECK).env_remove(cuda::CHAINS);
    command.args(["the_kernels_are_compiled_once", "products_are_those_of_plain_loops"]);
    command.args(["sums_and_scales_are_those_of_plain_loops", "a_step_from_the_same_memory_gives_the_same_bits"]);
    command.arg("recurrent_units_are_those_of_plain_loops_with_chains_and_without");
    command.arg("a_step_gives_the_same_bits_with_chains_and_without");
    let output = emulator::with_stand_ins(&mut command).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("6 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
