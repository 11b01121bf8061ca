//! The milliseconds of a gradient step on a device, whole and by kind of launch, next to those of the model.
//!
//! Each kind is a recording of its own over memory that a whole step has filled, so its launches wait for each other as
//! in a step. Optimisers are left out: they would change the weights.

use crate::model::{self, CARDS};
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

/// Prints the times of a plan's first section.
///
/// # Errors
/// If the device fails.
pub fn measure(plan: &Plan, device: &Device) -> Result<(), CudaError> {
    let program = device.kernels()?;
    let mut slab = device.slab(plan.numbers)?;
    let mut random = Stream::new(7, "memory");
    let numbers: Vec<f32> = (0..RANDOM.min(plan.numbers)).map(|_| random.uniform_in(-0.05, 0.05) as f32).collect();
    slab.write(Place(0), &numbers)?;
    for (place, numbers) in &plan.constants {
        slab.write(*place, numbers)?;
    }
    let changes_weights = |launch: &&Launch| ["adam", "begin_adam", "count_update"].contains(&launch.kernel);
    let launches: Vec<Launch> = plan.sections[0].iter().filter(|launch| !changes_weights(launch)).cloned().collect();
    let names = CARDS.map(|card| format!("{:>10}", card.name)).concat();
    println!("launches  measured{names}  ms, the last of them modelled, on {}", device.name());
    let line = |name: &str, launches: &[Launch]| -> Result<(), CudaError> {
        let modelled = CARDS.map(|card| launches.iter().map(|launch| model::cost(launch, &card).seconds).sum::<f64>());
        let modelled = modelled.map(|seconds| format!("{:>10.3}", 1e3 * seconds)).concat();
        println!("{:>8}{:>10.3}{modelled}  {name}", launches.len(), 1e3 * seconds(device, &program, &slab, launches)?);
        Ok(())
    };
    line("whole step", &launches)?;
    // What a launch costs by itself: as many that write one number each.
    let arguments = vec![Place(plan.numbers - 1).into(), 1_usize.into(), 1_usize.into(), Argument::Real(0.0)];
    let empty = Launch { kernel: "fill", grid: [1; 3], arguments };
    line("as many launches that do nothing", &vec![empty; launches.len()])?;
    let mut kernels: BTreeMap<(&str, &str), Vec<Launch>> = BTreeMap::new();
    for launch in launches {
        let kind = model::cost(&launch, &CARDS[0]).kind;
        kernels.entry((launch.kernel, kind)).or_default().push(launch);
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
