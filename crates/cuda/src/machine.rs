//! A plan on a device: its memory, and each of its sections as a recording.

use crate::device::{Bytes, Device};
use crate::driver::Staging;
use crate::error::CudaError;
use crate::program::Recording;
use crate::slab::Slab;
use crate::target::Capability;

use std::fmt;
use tape::plan::{Data, Launch, Machine, MachineError, Piece, Place, Plan};

/// The first generation that multiplies numbers of bfloat16 and tf32.
const TENSOR_CORES: Capability = Capability { major: 8, minor: 0 };

/// Bytes that a device needs in addition to the memory of a plan.
const RESERVED: usize = 256 << 20;

/// A plan that was loaded.
struct Loaded {
    slab: Slab,
    sections: Vec<Recording>,
    device: String,
    /// Made when something is first prepared.
    staging: Option<Staging>,
}

impl Device {
    /// A description of the device: its name, memory and driver.
    pub fn description(&self) -> String {
        let memory = self.memory().map(|bytes| format!(", {:.0} GB", bytes.total as f64 / 1e9)).unwrap_or_default();
        format!("{}{memory}, compute capability {}, driver for CUDA {}", self.name(), self.capability(), self.driver())
    }
}

impl tape::plan::Device for Device {
    fn name(&self) -> String {
        self.description()
    }

    fn check(&self, plan: &Plan) -> Result<(), MachineError> {
        let check = || {
            let mut launches = plan.sections.iter().flatten();
            let device = self.capability();
            let rounds =
                |launch: &Launch| ["_bf16", "_tf32"].iter().any(|precision| launch.kernel.ends_with(precision));
            if device < TENSOR_CORES && launches.any(rounds) {
                return Err(CudaError::NoTensorCores { device, needed: TENSOR_CORES });
            }
            let (asked, Bytes { free, total }) = (plan.numbers.saturating_mul(4), self.memory()?);
            // Kernels, graphs and their own memory need some, too.
            if asked.saturating_add(RESERVED) <= free { Ok(()) } else { Err(CudaError::Memory { asked, free, total }) }
        };
        check().map_err(|error| failed(self.name(), error))
    }

    fn start(&self, plan: Plan) -> Result<Box<dyn Machine>, MachineError> {
        self.check(&plan)?;
        let load = || {
            let program = self.kernels()?;
            let plan = if program.runs_chains() { plan.chained() } else { plan };
            let mut slab = self.slab(plan.numbers)?;
            for (place, numbers) in &plan.constants {
                slab.write(*place, numbers)?;
            }
            let sections = plan.sections.iter().map(|launches| program.record(&slab, launches));
            let sections = sections.collect::<Result<_, CudaError>>()?;
            Ok(Loaded { slab, sections, device: Self::name(self).to_owned(), staging: None })
        };
        let loaded = load().map_err(|error| failed(self.name(), error))?;
        Ok(Box::new(loaded))
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("name", &self.name()).finish_non_exhaustive()
    }
}

fn failed(device: &str, error: CudaError) -> MachineError {
    let why = error.to_string();
    match error {
        CudaError::Memory { .. } | CudaError::NoTensorCores { .. } => {
            MachineError::TooMuch { device: device.to_owned(), why }
        }
        _ => MachineError::Failed { what: device.to_owned(), why },
    }
}

impl Loaded {
    fn machine_error<T>(&self, result: Result<T, CudaError>) -> Result<T, MachineError> {
        result.map_err(|error| failed(&self.device, error))
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("device", &self.device)
            .field("numbers", &self.slab.length())
            .finish_non_exhaustive()
    }
}

impl Loaded {
    /// Begins to copy pieces to the device's staging memory.
    fn send(&mut self, pieces: &[Piece<'_>]) -> Result<(), CudaError> {
        let bytes = |piece: &Piece<'_>| match piece.data {
            Data::Numbers(numbers) => size_of_val(numbers),
            Data::Bytes(bytes) => bytes.len(),
        };
        // Each piece begins at a multiple of 16 bytes.
        let needed = pieces.iter().map(|piece| bytes(piece).next_multiple_of(16)).sum();
        if self.staging.as_ref().is_none_or(|staging| staging.bytes() < needed) {
            self.staging = None;
            self.staging = Some(Staging::new(self.slab.buffer(), needed)?);
        }
        let staging = self.staging.as_mut().expect("just made");
        staging.begin()?;
        for piece in pieces {
            match piece.data {
                Data::Numbers(numbers) => staging.add(self.slab.begin(piece.place, numbers)?, numbers),
                Data::Bytes(bytes) => staging.add(self.slab.begin(piece.place, bytes)?, bytes),
            }
        }
        staging.send()
    }
}

impl Machine for Loaded {
    fn write(&mut self, place: Place, numbers: &[f32]) -> Result<(), MachineError> {
        let written = self.slab.write(place, numbers);
        self.machine_error(written)
    }

    fn write_bytes(&mut self, place: Place, bytes: &[u8]) -> Result<(), MachineError> {
        let written = self.slab.write_bytes(place, bytes);
        self.machine_error(written)
    }

    fn prepare(&mut self, pieces: &[Piece<'_>]) -> Result<(), MachineError> {
        let prepared = self.send(pieces);
        self.machine_error(prepared)
    }

    fn receive(&mut self) -> Result<(), MachineError> {
        let received = self.staging.as_mut().map_or(Ok(()), Staging::receive);
        self.machine_error(received)
    }

    fn read(&mut self, place: Place, numbers: &mut [f32]) -> Result<(), MachineError> {
        let read = self.slab.read(place, numbers);
        self.machine_error(read)
    }

    fn run(&mut self, section: usize) -> Result<(), MachineError> {
        let ran = self.sections[section].run();
        self.machine_error(ran)
    }
}
