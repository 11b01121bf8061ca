//! The plan of a gradient step at the published sizes: its memory, its launches by kind with the time that a model
//! gives them, and its matrix products by size.
//!
//! ```text
//! cargo run --release -p dreamgraft-tools --bin plan [-- --device] [--small]
//! ```
//!
//! The milliseconds are modelled (`model.rs`): they were computed from the sizes of launches, and not measured. With
//! `--device`, they are measured on the first CUDA device, next to the model's (`measure.rs`); with `--small`, for an
//! agent that is small enough for tests.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

mod measure;
mod model;

use dreamer::{AgentConfig, Precision};
use model::{CARDS, Cost};
use std::collections::BTreeMap;
use std::process::ExitCode;
use tape::plan::{Device, Joined, Launch, Machine, MachineError, Plan};

const USAGE: &str = "\
usage: plan [--device] [--small]

Prints what a gradient step at the paper's sizes consists of on a GPU, in f32, tf32 and bf16: its memory, its launches by
kind with their modelled times, and its matrix products by size.

  --device   measure the times on the first CUDA device instead, and print the modelled ones next to them
  --small    take a tiny agent, which tests of this program use: its times say nothing
  --help     print this help";

fn main() -> ExitCode {
    let (mut on_device, mut small) = (false, false);
    for word in std::env::args_os().skip(1) {
        match word.to_str() {
            Some("--device") => on_device = true,
            Some("--small") => small = true,
            Some("--help" | "-h") => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            _ => {
                let word = word.to_string_lossy();
                eprintln!("error: unknown argument {word:?}: the options are --device, --small and --help");
                return ExitCode::from(2);
            }
        }
    }
    match print_plans(on_device, small) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the plan, or its times on a device, in each precision.
fn print_plans(on_device: bool, small: bool) -> Result<(), Box<dyn std::error::Error>> {
    let device = if on_device { Some(cuda::Device::open(0)?.checked(false)) } else { None };
    for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
        let published = AgentConfig { precision, ..AgentConfig::default() };
        let config = match small {
            true => small_agent(published),
            false => published,
        };
        dreamer::check_device(&config, 6, &Teller { precision, device: device.as_ref() })?;
    }
    Ok(())
}

/// The same agent at sizes for tests.
fn small_agent(config: AgentConfig) -> AgentConfig {
    let (deter, hidden, units) = (20, 20, 20);
    AgentConfig { batch: 3, length: 4, horizon: 4, depth: 2, shard: 2, deter, hidden, units, ..config }
}

/// A device that describes the plan it is asked to check, or measures it on another device.
#[derive(Debug)]
struct Teller<'a> {
    precision: Precision,
    device: Option<&'a cuda::Device>,
}

impl Device for Teller<'_> {
    fn name(&self) -> String {
        self.device.map_or_else(|| "none".to_owned(), cuda::Device::description)
    }

    fn check(&self, plan: &Plan) -> Result<(), MachineError> {
        println!("== {:?}", self.precision);
        if let Some(device) = self.device {
            return measure::measure(plan, device)
                .map_err(|error| MachineError::Failed { what: self.name(), why: error.to_string() });
        }
        describe(plan);
        if self.precision == Precision::F32 {
            describe_products(&plan.sections[0]);
        }
        Ok(())
    }

    fn start(&self, _plan: Plan) -> Result<Box<dyn Machine>, MachineError> {
        unreachable!("nothing is started")
    }
}

/// The launches of one kind on one card.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    launches: usize,
    flop: f64,
    seconds: [f64; CARDS.len()],
}

impl Sum {
    fn add(&mut self, costs: [Cost; CARDS.len()]) {
        self.launches += 1;
        self.flop += costs[0].flop;
        self.seconds.iter_mut().zip(costs).for_each(|(sum, cost)| *sum += cost.seconds);
    }

    fn print(&self, name: &str) {
        let milliseconds = self.seconds.map(|seconds| format!("{:>10.2}", 1e3 * seconds)).concat();
        println!("{:>8} {:>8.1}{milliseconds}  {name}", self.launches, 1e-9 * self.flop);
    }
}

fn describe(plan: &Plan) {
    let launches = plan.joined(0);
    println!("{:.2} GB, {} launches", plan.numbers as f64 * 4e-9, launches.len());
    describe_chains(&launches, plan.sections[0].len());
    let (mut kinds, mut total): (BTreeMap<&str, Sum>, Sum) = Default::default();
    for launch in &launches {
        let costs = CARDS.map(|card| model::joined_cost(launch, &card));
        kinds.entry(costs[0].kind).or_default().add(costs);
        total.add(costs);
    }
    let cards = CARDS.map(|card| format!("{:>7} ms", card.name)).concat();
    println!("modelled, not measured:\nlaunches    GFLOP{cards}  kind");
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by(|(_, one), (_, other)| other.seconds[0].total_cmp(&one.seconds[0]));
    kinds.iter().for_each(|(kind, sum)| sum.print(kind));
    total.print("whole step");
}

/// The chains by how many launches they have, and how many of these are steps of a recurrent unit: a unit of at most 256
/// numbers is part of one (`tape::plan::chain`).
fn describe_chains(launches: &[Joined], without: usize) {
    let mut chains: BTreeMap<[usize; 2], Sum> = BTreeMap::new();
    for launch in launches {
        if let Joined::Chain(steps) = launch {
            let units = steps.iter().filter(|step| step.kernel.starts_with("recurrent_cell")).count();
            let costs = CARDS.map(|card| model::joined_cost(launch, &card));
            chains.entry([steps.len(), units]).or_default().add(costs);
        }
    }
    for ([steps, units], Sum { launches, seconds, .. }) in chains {
        let (card, milliseconds) = (CARDS[0].name, 1e3 * seconds[0]);
        let units = match units {
            0 => String::new(),
            _ => format!(", of which {units} are steps of the recurrent unit"),
        };
        println!(
            "among them {launches} × a chain of {steps} launches{units}: {milliseconds:.2} ms modelled on an {card}"
        );
    }
    println!("{without} launches on devices before compute capability 9.0, or with DREAMGRAFT_CUDA_CHAINS=0");
}

fn describe_products(launches: &[Launch]) {
    let mut products: BTreeMap<[usize; 4], usize> = BTreeMap::new();
    for launch in launches.iter().filter(|launch| launch.kernel.starts_with("product")) {
        let [m, n, k] = model::sizes(launch);
        *products.entry([m, n, k, launch.grid[2] as usize]).or_default() += 1;
    }
    println!("products: GFLOP in all, times, m n k, blocks in the third direction of the grid");
    for ([m, n, k, parts], count) in products {
        let operations = 2e-9 * (m * n * k * count) as f64;
        println!("{operations:>9.2} {count:>5} [{m}, {n}, {k}] {parts}");
    }
}
