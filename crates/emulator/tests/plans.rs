//! What must hold of every plan before anything runs.

use dreamer::{AgentConfig, Precision};
use emulator::compare::kinds;
use emulator::ranges::check_ranges;
use emulator::repeat::plan;
use emulator::{Emulator, Order};
use tape::plan::kernels::{Kernel, RecurrentCell, RecurrentGradient};
use tape::plan::{Argument, Joined, Launch, Plan};

#[test]
fn no_launch_reads_what_it_writes_or_leaves_the_memory() {
    for (what, config, ..) in kinds() {
        assert!(check_ranges(what, &plan(&config)) > 100, "{what}");
    }
    for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
        let config = AgentConfig { precision, ..AgentConfig::default() };
        assert!(check_ranges("paper", &plan(&config)) > 500);
    }
}

/// Copies 1,024 numbers from place 0 to a place, in four blocks.
fn copy(to: usize) -> Launch {
    let whole = Argument::Whole;
    let arguments = vec![
        Argument::Place(to),
        whole(1024),
        Argument::Place(0),
        whole(1024),
        whole(1),
        whole(1024),
        Argument::Real(1.0),
        whole(0),
    ];
    Launch { kernel: "piece", grid: [4, 1, 1], arguments }
}

#[test]
#[should_panic(expected = "writes 256..1280 and reads 0..1024")]
fn a_launch_that_reads_what_it_writes_is_found() {
    check_ranges("copy", &Plan { numbers: 2048, sections: vec![vec![copy(256)]], constants: Vec::new() });
}

#[test]
#[should_panic(expected = "leaves the memory")]
fn a_launch_that_leaves_the_memory_is_found() {
    check_ranges("copy", &Plan { numbers: 2047, sections: vec![vec![copy(1024)]], constants: Vec::new() });
}

#[test]
fn blocks_run_in_either_order() {
    // Each block reads what the block before it writes.
    let results = [Order::Forwards, Order::Backwards].map(|order| {
        let mut memory: Vec<f32> = (0..1280).map(|number| number as f32).collect();
        Emulator::launch(&mut memory, &copy(256), order).unwrap();
        memory[1024]
    });
    assert_eq!(results, [0.0, 768.0]);
}

/// The recurrent model's sizes in the preset `small` of crate `train`.
fn preset_small() -> AgentConfig {
    let (stoch, deter, hidden, units) = (16, 128, 128, 128);
    AgentConfig { depth: 8, stoch, deter, hidden, units, batch: 8, length: 32, shard: 4, ..AgentConfig::default() }
}

#[test]
fn the_scan_is_one_chain_each_way() {
    for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
        for (what, config) in [("paper", AgentConfig::default()), ("small", preset_small())] {
            let plan = plan(&AgentConfig { precision, ..config.clone() });
            let section = plan.sections.iter().position(|launches| !launches.is_empty()).expect("a step");
            let forward = |launch: &Launch| RecurrentCell::of(launch).is_some_and(|of| of.rows == config.batch);
            let back = |launch: &Launch| RecurrentGradient::of(launch).is_some_and(|of| of.rows == config.batch);
            for of_scan in [&forward as &dyn Fn(&Launch) -> bool, &back] {
                // How many of the scan's units there are in each launch that has any.
                let units = plan.joined(section).into_iter().map(|joined| match joined {
                    Joined::Single(launch) => usize::from(of_scan(&launch)),
                    Joined::Chain(launches) => launches.iter().filter(|launch| of_scan(launch)).count(),
                });
                let units: Vec<usize> = units.filter(|&count| count > 0).collect();
                assert_eq!(units, [config.length], "{what}, {precision:?}");
            }
        }
    }
}
