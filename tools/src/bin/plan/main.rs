//! The plan of a gradient step at the published sizes: launches by kernel, products by size, memory.
//!
//! ```text
//! cargo run --release -p dreamgraft-tools --bin plan
//! ```

#![allow(clippy::print_stdout)]

use dreamer::AgentConfig;
use std::collections::BTreeMap;
use tape::plan::{Argument, Device, Machine, MachineError, Plan};

fn main() {
    dreamer::check_device(&AgentConfig::default(), 6, &Teller).expect("the published sizes");
}

/// A device that prints the requested memory.
#[derive(Debug)]
struct Teller;

impl Device for Teller {
    fn name(&self) -> String {
        "none".to_owned()
    }

    fn check(&self, plan: &Plan) -> Result<(), MachineError> {
        describe(plan);
        Ok(())
    }

    fn start(&self, _plan: Plan) -> Result<Box<dyn Machine>, MachineError> {
        unreachable!("nothing is started")
    }
}

fn describe(plan: &Plan) {
    let launches = &plan.sections[0];
    println!("{:.2} GB, {} launches", plan.numbers as f64 * 4e-9, launches.len());
    let mut kernels: BTreeMap<&str, usize> = BTreeMap::new();
    let mut products: BTreeMap<Vec<i32>, usize> = BTreeMap::new();
    for launch in launches {
        *kernels.entry(launch.kernel).or_default() += 1;
        if launch.kernel.starts_with("product") {
            let whole = |argument: &Argument| match argument {
                Argument::Whole(whole) => Some(*whole),
                _ => None,
            };
            let sizes: Vec<i32> = launch.arguments.iter().filter_map(whole).take(3).collect();
            let mut key = sizes;
            key.push(launch.grid[2] as i32);
            *products.entry(key).or_default() += 1;
        }
    }
    println!("launches by kernel:");
    kernels.iter().for_each(|(kernel, count)| println!("{count:>6} {kernel}"));
    println!("products: GFLOP in all, times, m n k, parts of k");
    let mut total = 0.0;
    for (key, count) in products {
        let operations = 2e-9 * f64::from(key[0]) * f64::from(key[1]) * f64::from(key[2]) * count as f64;
        total += operations;
        println!("{operations:>9.2} {count:>5} {:?} {}", &key[..3], key[3]);
    }
    println!("{total:.1} GFLOP in products");
}
