//! A gradient step twice from the same memory.
//!
//! No kernel adds numbers in an order that varies, so the two must agree in every bit. On a GPU, a difference is a race
//! between threads, between blocks or between launches, which is hard to see in any other way.

use crate::compare::ACTIONS;
use dreamer::AgentConfig;
use random::Stream;
use std::sync::{Mutex, PoisonError};
use tape::plan::{Device, Machine, MachineError, Place, Plan};

/// A device that keeps the plan it is asked to check.
#[derive(Debug, Default)]
struct Keeper(Mutex<Option<Plan>>);

impl Device for Keeper {
    fn name(&self) -> String {
        "none".to_owned()
    }

    fn check(&self, plan: &Plan) -> Result<(), MachineError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan.clone());
        Ok(())
    }

    fn start(&self, _plan: Plan) -> Result<Box<dyn Machine>, MachineError> {
        unreachable!("nothing is started")
    }
}

/// The plan of the gradient step of an agent.
///
/// # Panics
/// If the configuration is not valid.
pub fn plan(config: &AgentConfig) -> Plan {
    let keeper = Keeper::default();
    dreamer::check_device(config, ACTIONS, &keeper).unwrap();
    keeper.0.into_inner().unwrap_or_else(PoisonError::into_inner).expect("a checked plan")
}

/// A gradient step from random memory, again and again.
struct Repeated {
    before: Vec<f32>,
    section: usize,
    machine: Box<dyn Machine>,
}

impl Repeated {
    fn new(config: &AgentConfig, device: &dyn Device) -> Self {
        let plan = plan(config);
        let mut random = Stream::new(7, "memory");
        let mut before: Vec<f32> = (0..plan.numbers).map(|_| random.uniform_in(-0.1, 0.1) as f32).collect();
        for (place, numbers) in &plan.constants {
            before[place.0..][..numbers.len()].copy_from_slice(numbers);
        }
        let section = plan.sections.iter().position(|launches| !launches.is_empty()).expect("a step");
        Self { before, section, machine: device.start(plan).unwrap() }
    }

    /// All memory after a step.
    fn step(&mut self) -> Vec<f32> {
        self.machine.write(Place(0), &self.before).unwrap();
        self.machine.run(self.section).unwrap();
        let mut after = vec![0.0; self.before.len()];
        self.machine.read(Place(0), &mut after).unwrap();
        after
    }
}

/// All memory after a gradient step of an agent from random memory, always the same.
///
/// # Panics
/// If the device fails.
pub fn step(config: &AgentConfig, device: &dyn Device) -> Vec<f32> {
    Repeated::new(config, device).step()
}

/// Runs a gradient step twice from the same random memory, and compares all memory.
///
/// # Panics
/// If a bit differs.
pub fn repeat(what: &str, config: &AgentConfig, device: &dyn Device) {
    let mut repeated = Repeated::new(config, device);
    let [first, second] = [0, 1].map(|_| repeated.step());
    let apart = first.iter().zip(&second).filter(|(one, other)| one.to_bits() != other.to_bits()).count();
    assert_eq!(apart, 0, "{what}: numbers that differ between two runs of one step");
    let done = first.iter().zip(&repeated.before).any(|(one, other)| one.to_bits() != other.to_bits());
    assert!(done, "{what}: nothing was done");
}
