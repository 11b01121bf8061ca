//! Gradient steps on a device against those on the processor: for every kind of agent, and at the paper's sizes.

use cuda::Device;
use dreamer::AgentConfig;
use emulator::compare::{compare, kinds};

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
    // Sums are longer here: of images, of a batch of 2500 steps.
    compare("paper", &AgentConfig::default(), false, &device, [1e-4, 1e-2, 1e-3]);
}
