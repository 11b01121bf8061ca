//! Gradient steps on a device compared with those on the CPU, for every kind of agent, and at the published sizes.

use cuda::Device;
use dreamer::{AgentConfig, Precision};
use emulator::compare::{BF16, F32, compare, compare_one, kinds};

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn every_kind_of_agent_learns_the_same() {
    let device = Device::open(0).unwrap_or_else(|error| panic!("{error}"));
    for (what, config, known_embeddings, tolerances) in kinds() {
        compare(what, &config, known_embeddings, &device, tolerances);
    }
}

#[test]
#[ignore = "needs a device: scripts/check-cuda"]
fn the_paper_sizes_learn_the_same() {
    let device = Device::open(0).unwrap_or_else(|error| panic!("{error}"));
    for precision in [Precision::F32, Precision::Bf16] {
        let tolerances = if precision == Precision::F32 { F32 } else { BF16 };
        compare_one("paper", &AgentConfig { precision, ..AgentConfig::default() }, &device, tolerances);
    }
}
