//! Matrix products and gradient steps on a device compared with those on the CPU, for every kind of agent, and at the
//! published sizes; and a step twice from the same memory.

use cuda::Device;
use dreamer::{AgentConfig, Precision};
use emulator::ahead::check_prepared_batches;
use emulator::compare::{BF16, F32, TF32, compare, compare_one, kinds, small};
use emulator::products::check_products;
use emulator::repeat::{plan, repeat};
use emulator::sums::check_sums;
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

/// Devices whose blocks can work in teams run small launches as chains, and others run them one by one.
#[test]
#[cfg(target_os = "linux")]
fn the_newest_devices_run_chains() {
    let plan = plan(&small());
    let count = |plan: Plan| plan.sections.iter().map(Vec::len).sum::<usize>();
    let [alone, in_chains] = [count(plan.clone()), count(plan.chained())];
    assert!(in_chains < alone);
    for (capability, launches) in [("80", alone), ("90", in_chains)] {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "a_small_step_from_the_same_memory_gives_the_same_bits"]);
        command.env_remove(cuda::CHECK).env("STAND_IN_REPORT", "1").env("STAND_IN_CAPABILITY", capability);
        let output = emulator::with_stand_ins(&mut command).args(["--nocapture"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stdout));
        assert!(text.contains(&format!("stand-in: {launches} launches")), "{capability}: {text}");
    }
}

/// The quicker tests on a stand-in for NVIDIA's driver, in a process of their own.
#[test]
#[cfg(target_os = "linux")]
fn the_tests_pass_on_a_stand_in() {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--test-threads", "1"]).env_remove(cuda::CHECK);
    command.args(["the_kernels_are_compiled_once", "products_are_those_of_plain_loops"]);
    command.args(["sums_and_scales_are_those_of_plain_loops", "a_step_from_the_same_memory_gives_the_same_bits"]);
    let output = emulator::with_stand_ins(&mut command).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("4 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
