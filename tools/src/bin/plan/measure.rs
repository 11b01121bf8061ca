//! The milliseconds of a gradient step on a device, whole and by kind of launch, next to those of the model.
//!
//! On a device that runs chains, the whole step is measured with chains and without, and its kinds with chains.
//!
//! Each kind is a recording of its own over memory that a whole step has filled, so its launches wait for each other as
//! in a step. Optimisers are left out: they would change the weights.

use crate::model::{self, CARDS, Cost};
use cuda::{CudaError, Device, Program, Slab};
use random::Stream;
use std::collections::BTreeMap;
use std::time::Instant;
use tape::plan::{Argument, Launch, Place, Plan};

/// Runs of a recording that are timed together, and how often.
const RUNS: u32 = 5;
const ROUNDS: usize = 5;
/// Random numbers that memory begins with, where weights and inputs are: zeros would flatter.
const RANDOM: usize = 64 << 20;

/// A launch, and what the model says of it.
type Modelled = (Launch, [Cost; CARDS.len()]);

/// Prints the times of a plan's first section.
///
/// # Errors
/// If the device fails.
pub fn measure(plan: &Plan, device: &Device) -> Result<(), CudaError> {
    let program = device.kernels()?;
    let chained = plan.clone().chained();
    let mut slab = device.slab(chained.numbers)?;
    let mut random = Stream::new(7, "memory");
    let numbers: Vec<f32> = (0..RANDOM.min(plan.numbers)).map(|_| random.uniform_in(-0.05, 0.05) as f32).collect();
    slab.write(Place(0), &numbers)?;
    for (place, numbers) in &chained.constants {
        slab.write(*place, numbers)?;
    }
    let changes_weights = |launch: &Launch| ["adam", "begin_adam", "count_update"].contains(&launch.kernel);
    let mut alone: Vec<Modelled> =
        plan.sections[0].iter().map(|launch| (launch.clone(), CARDS.map(|card| model::cost(launch, &card)))).collect();
    let costs = plan.joined(0).into_iter().map(|joined| CARDS.map(|card| model::joined_cost(&joined, &card)));
    let mut in_chains: Vec<Modelled> = chained.sections[0].iter().cloned().zip(costs).collect();
    for launches in [&mut alone, &mut in_chains] {
        launches.retain(|(launch, _)| !changes_weights(launch));
    }
    let names = CARDS.map(|card| format!("{:>10}", card.name)).concat();
    println!("launches  measured{names}  ms, the last of them modelled, on {}", device.name());
    let line = |name: &str, launches: &[Modelled]| -> Result<(), CudaError> {
        let sum = |card: usize| launches.iter().map(|(_, costs)| costs[card].seconds).sum::<f64>();
        let modelled = [0, 1].map(|card| format!("{:>10.3}", 1e3 * sum(card))).concat();
        let launches: Vec<Launch> = launches.iter().map(|(launch, _)| launch.clone()).collect();
        println!("{:>8}{:>10.3}{modelled}  {name}", launches.len(), 1e3 * seconds(device, &program, &slab, &launches)?);
        Ok(())
    };
    let launches = if program.runs_chains() {
        line("whole step, with chains", &in_chains)?;
        line("whole step, without chains", &alone)?;
        in_chains
    } else {
        line("whole step", &alone)?;
        alone
    };
    // What a launch costs by itself: as many that write one number each.
    let arguments = vec![Place(plan.numbers - 1).into(), 1_usize.into(), 1_usize.into(), Argument::Real(0.0)];
    let empty = Launch { kernel: "fill", grid: [1; 3], arguments };
    let cost = CARDS.map(|card| model::cost(&empty, &card));
    line("as many launches that do nothing", &vec![(empty, cost); launches.len()])?;
    let mut kernels: BTreeMap<(&str, &str), Vec<Modelled>> = BTreeMap::new();
    for (launch, costs) in launches {
        kernels.entry((launch.kernel, costs[0].kind)).or_default().push((launch, costs));
    }
    kernels.iter().try_for_each(|((kernel, kind), launches)| line(&format!("{kernel} ({kind})"), launches))
}

/// The median seconds of a run of these launches.
fn seconds(device: &Device, program: &Program, slab: &Slab, launches: &[Launch]) -> Result<f64, CudaError> {
    let mut recording = program.record(slab, launches)?;
    recording.run()?;
    device.synchronise()?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        (0..RUNS).try_for_each(|_| recording.run())?;
        device.synchronise()?;
        rounds.push(began.elapsed().as_secs_f64() / f64::from(RUNS));
    }
    rounds.sort_by(f64::total_cmp);
    Ok(rounds[ROUNDS / 2])
}
