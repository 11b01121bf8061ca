//! A gradient step as a plan, run by the kernels on the CPU, compared with the learner's own step, for every kind of
//! agent.

use dreamer::{Agent, AgentConfig, Precision};
use emulator::ahead::check_prepared_batches;
use emulator::compare::{ACTIONS, BF16, F32, TF32, batch, compare, compare_one, kinds};
use emulator::repeat::{plan, repeat, step};
use emulator::{OneByOne, Order, Processor};
use tape::plan::Device;

#[test]
fn every_kind_of_agent_learns_the_same() {
    for (what, config, known_embeddings, tolerances) in kinds() {
        compare(what, &config, known_embeddings, &Processor::default(), tolerances);
    }
}

#[test]
fn the_order_of_threads_and_blocks_changes_no_bit() {
    for (what, config, ..) in kinds() {
        let [forwards, backwards] = [Order::Forwards, Order::Backwards].map(|order| {
            let mut agent = Agent::new(&config, ACTIONS, 1).unwrap();
            agent.move_to(&Processor(order)).unwrap();
            let metrics = [0, 1].map(|_| agent.learn(&batch(&config)).unwrap());
            agent.sync_from_device().unwrap();
            let bits: Vec<u32> = agent.learner().parameters().data().iter().map(|x| x.to_bits()).collect();
            (metrics, bits)
        });
        assert!(forwards == backwards, "{what}");
    }
}

#[test]
fn a_step_from_the_same_memory_gives_the_same_bits() {
    let kinds = kinds();
    for (what, config, ..) in kinds.iter().filter(|(what, ..)| ["plain", "tf32", "bf16"].contains(what)) {
        repeat(what, config, &Processor::default());
    }
}

#[test]
fn launches_that_are_joined_to_chains_give_the_same_bits() {
    let mut with_chains = 0;
    // The scan's matrices of the published sizes, without images and the large heads.
    let scans = [Precision::F32, Precision::Tf32, Precision::Bf16].map(|precision| {
        let published = AgentConfig::default();
        let few = AgentConfig { length: 4, horizon: 2, units: 8, images: false, vector: 5, ..published };
        ("the published sizes", AgentConfig { precision, vector_layers: 1, vector_units: 7, ..few })
    });
    let kinds = kinds().into_iter().map(|(what, config, ..)| (what, config));
    for (what, config) in scans.into_iter().chain(kinds) {
        let plan = plan(&config);
        if plan.clone().chained() == plan {
            continue;
        }
        with_chains += 1;
        let bits = |device: &dyn Device| step(&config, device).into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let expected = bits(&OneByOne::default());
        for order in [Order::Forwards, Order::Backwards] {
            assert!(bits(&Processor(order)) == expected, "{what}, {:?}, {order:?}", config.precision);
        }
    }
    assert!(with_chains > 30, "only {with_chains} kinds have chains");
}

#[test]
fn batches_that_are_prepared_ahead_are_the_ones_that_steps_read() {
    check_prepared_batches(&Processor::default());
}

fn the_paper_sizes_learn_the_same_in(precision: Precision, tolerances: [f64; 3]) {
    let config = AgentConfig { precision, ..AgentConfig::default() };
    compare_one(&format!("paper, {precision:?}"), &config, &Processor::default(), tolerances);
}

#[test]
#[ignore = "takes ten minutes and 6 GB of memory"]
fn the_paper_sizes_learn_the_same_in_f32() {
    the_paper_sizes_learn_the_same_in(Precision::F32, F32);
}

#[test]
#[ignore = "takes ten minutes and 6 GB of memory"]
fn the_paper_sizes_learn_the_same_in_tf32() {
    the_paper_sizes_learn_the_same_in(Precision::Tf32, TF32);
}

#[test]
#[ignore = "takes ten minutes and 6 GB of memory"]
fn the_paper_sizes_learn_the_same_in_bf16() {
    the_paper_sizes_learn_the_same_in(Precision::Bf16, BF16);
}
