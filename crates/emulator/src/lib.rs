//! A machine that runs the kernels of crate `cuda` on the CPU, block by block, for tests without a GPU.
//!
//! The same source is compiled by a C++ compiler, with phases of threads as loops (`prelude.cuh`). This tests
//! everything that kernels and plans compute. It does not test that NVIDIA's compiler accepts them, and it does not
//! show their speed on a GPU.
//!
//! Here, too: stand-ins for NVIDIA's driver and compiler ([`STAND_INS`]), with which the whole program runs as if there
//! were a device.

#![allow(unsafe_code)]

pub mod ahead;
pub mod compare;
pub mod products;
pub mod ranges;
pub mod repeat;
pub mod sums;
pub mod units;

use std::ffi::{CString, c_char, c_int};
use std::process::Command;
use tape::plan::{Argument, Data, Device, Launch, Machine, MachineError, Piece, Place, Plan};

/// The folder of replacements for NVIDIA's libraries, `libcuda.so.1` and `libnvrtc.so.12`: a program that is started
/// with it as `LD_LIBRARY_PATH` and `DREAMGRAFT_NVRTC` finds a device, number 0, whose kernels run on the CPU.
pub const STAND_INS: &str = env!("EMULATOR_STAND_INS");

/// Has a program find the stand-ins instead of NVIDIA's libraries.
pub fn with_stand_ins(command: &mut Command) -> &mut Command {
    command.env("LD_LIBRARY_PATH", STAND_INS).env("DREAMGRAFT_NVRTC", STAND_INS)
}

#[repr(C)]
struct Raw {
    kind: c_int,
    whole: c_int,
    real: f32,
    place: u64,
}

unsafe extern "C" {
    fn dreamgraft_emulate(
        name: *const c_char,
        grid: *const c_int,
        arguments: *const Raw,
        count: c_int,
        memory: *mut f32,
    ) -> c_int;
    fn dreamgraft_order(reversed: c_int);
}

/// A plan and its memory.
#[derive(Debug)]
pub struct Emulator {
    plan: Plan,
    memory: Vec<f32>,
    order: Order,
    /// The pieces that were prepared last.
    prepared: Vec<(Place, Vec<f32>)>,
}

/// The order in which the threads of a block run within a phase, and the blocks of a grid. The results of a kernel must
/// not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the first to the last.
    #[default]
    Forwards,
    /// From the last to the first.
    Backwards,
}

impl Emulator {
    /// Loads a plan.
    pub fn new(plan: Plan, order: Order) -> Self {
        let mut memory = vec![0.0; plan.numbers];
        for (place, numbers) in &plan.constants {
            memory[place.0..][..numbers.len()].copy_from_slice(numbers);
        }
        Self { plan, memory, order, prepared: Vec::new() }
    }

    /// Runs one launch.
    ///
    /// # Errors
    /// If the kernel does not exist, or has other parameters.
    pub fn launch(memory: &mut [f32], launch: &Launch, order: Order) -> Result<(), MachineError> {
        let name = CString::new(launch.kernel).expect("names without zeros");
        let grid = launch.grid.map(|blocks| c_int::try_from(blocks).expect("a grid of 31 bits"));
        let arguments: Vec<Raw> = launch.arguments.iter().map(|argument| raw(*argument, memory.len())).collect();
        // SAFETY: the table knows each kernel's parameters and checks them. Kernels access the memory of their
        // arguments, which plans keep within the memory that they reserve; this crate's tests are there to find a plan
        // that does not.
        let code = unsafe {
            dreamgraft_order(c_int::from(order == Order::Backwards));
            dreamgraft_emulate(
                name.as_ptr(),
                grid.as_ptr(),
                arguments.as_ptr(),
                arguments.len() as c_int,
                memory.as_mut_ptr(),
            )
        };
        let why = match code {
            0 => return Ok(()),
            1 => "there is no such kernel",
            _ => "it has other parameters",
        };
        Err(MachineError::Failed { what: format!("kernel {}", launch.kernel), why: why.to_owned() })
    }
}

fn raw(argument: Argument, numbers: usize) -> Raw {
    let none = Raw { kind: 0, whole: 0, real: 0.0, place: 0 };
    match argument {
        Argument::Place(place) => {
            assert!(place < numbers, "place {place} is beyond the memory's {numbers} numbers");
            Raw { place: place as u64, ..none }
        }
        Argument::Whole(whole) => Raw { kind: 1, whole, ..none },
        Argument::Real(real) => Raw { kind: 2, real, ..none },
    }
}

/// Numbers with these bytes.
fn numbers_of(bytes: &[u8]) -> Vec<f32> {
    let (words, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty(), "bytes come by four");
    words.iter().map(|word| f32::from_ne_bytes(*word)).collect()
}

/// A device of emulators. As on the newest of devices, blocks can work in teams: small launches are joined to chains.
#[derive(Clone, Copy, Debug, Default)]
pub struct Processor(pub Order);

impl Device for Processor {
    fn name(&self) -> String {
        "a processor that emulates a device".to_owned()
    }

    fn check(&self, _plan: &Plan) -> Result<(), MachineError> {
        Ok(())
    }

    fn start(&self, plan: Plan) -> Result<Box<dyn Machine>, MachineError> {
        Ok(Box::new(Emulator::new(plan.chained(), self.0)))
    }
}

/// The same as a device whose blocks do not work in teams: it runs launches one by one.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneByOne(pub Order);

impl Device for OneByOne {
    fn name(&self) -> String {
        Processor(self.0).name()
    }

    fn check(&self, _plan: &Plan) -> Result<(), MachineError> {
        Ok(())
    }

    fn start(&self, plan: Plan) -> Result<Box<dyn Machine>, MachineError> {
        Ok(Box::new(Emulator::new(plan, self.0)))
    }
}

impl Machine for Emulator {
    fn write(&mut self, place: Place, numbers: &[f32]) -> Result<(), MachineError> {
        self.memory[place.0..][..numbers.len()].copy_from_slice(numbers);
        Ok(())
    }

    fn write_bytes(&mut self, place: Place, bytes: &[u8]) -> Result<(), MachineError> {
        self.write(place, &numbers_of(bytes))
    }

    fn prepare(&mut self, pieces: &[Piece<'_>]) -> Result<(), MachineError> {
        let copied = |piece: &Piece<'_>| match piece.data {
            Data::Numbers(numbers) => (piece.place, numbers.to_vec()),
            Data::Bytes(bytes) => (piece.place, numbers_of(bytes)),
        };
        self.prepared = pieces.iter().map(copied).collect();
        Ok(())
    }

    fn receive(&mut self) -> Result<(), MachineError> {
        let prepared = std::mem::take(&mut self.prepared);
        prepared.iter().try_for_each(|(place, numbers)| self.write(*place, numbers))
    }

    fn read(&mut self, place: Place, numbers: &mut [f32]) -> Result<(), MachineError> {
        numbers.copy_from_slice(&self.memory[place.0..][..numbers.len()]);
        Ok(())
    }

    fn run(&mut self, section: usize) -> Result<(), MachineError> {
        let launches = &self.plan.sections[section];
        launches.iter().try_for_each(|launch| Self::launch(&mut self.memory, launch, self.order))
    }
}
