//! A gradient step as a plan, run by the kernels on a processor, against the learner's own step: every kind of agent.

use emulator::Processor;
use emulator::compare::{compare, kinds};

#[test]
fn every_kind_of_agent_learns_the_same() {
    for (what, config, known_embeddings, tolerances) in kinds() {
        compare(what, &config, known_embeddings, &Processor, tolerances);
    }
}
