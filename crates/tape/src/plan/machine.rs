//! The interface of devices, which run plans: memory, and kernels that work on it.

use super::launch::Place;
use super::layout::Plan;
use std::fmt::Debug;

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The device is too small, or too old, for the plan.
    #[error("{device}: {why}")]
    TooMuch {
        /// The device.
        device: String,
        /// The limit that is too small, and the next step.
        why: String,
    },
    /// It failed.
    #[error("{what}: {why}")]
    Failed {
        /// The device and its task.
        what: String,
        /// The reason and the next step.
        why: String,
    },
}

/// A device on which a plan can be started as a [`Machine`].
pub trait Device: Debug + Sync {
    /// A description of the device.
    fn name(&self) -> String;

    /// Checks that its memory is large enough for a plan.
    ///
    /// # Errors
    /// If it is not, or the device fails.
    fn check(&self, plan: &Plan) -> Result<(), MachineError>;

    /// Loads a plan.
    ///
    /// # Errors
    /// If its memory is too small, or it fails.
    fn start(&self, plan: Plan) -> Result<Box<dyn Machine>, MachineError>;
}

/// Numbers, or bytes, four to a number, for the device's memory from a place on.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Where they begin.
    pub place: Place,
    /// What they are.
    pub data: Data<'a>,
}

/// The numbers or bytes of a [`Piece`].
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// Numbers.
    Numbers(&'a [f32]),
    /// Bytes, whose count is a multiple of four.
    Bytes(&'a [u8]),
}

/// A device with a loaded [`Plan`]. Work is done in the order of the requests.
pub trait Machine: Debug + Send {
    /// Writes numbers from `place` on.
    ///
    /// # Errors
    /// If the device fails; so for all others.
    fn write(&mut self, place: Place, numbers: &[f32]) -> Result<(), MachineError>;

    /// Writes bytes from `place` on, four to a number.
    ///
    /// # Errors
    /// If the device fails.
    fn write_bytes(&mut self, place: Place, bytes: &[u8]) -> Result<(), MachineError>;

    /// Begins to copy what later runs read, while runs that were begun before may still be under way; they do not see
    /// it. The pieces reach their places with [`Machine::receive`], and all of them have been read when this returns.
    ///
    /// # Errors
    /// If the device fails.
    fn prepare(&mut self, pieces: &[Piece<'_>]) -> Result<(), MachineError>;

    /// Puts the pieces that were prepared last in their places, after all earlier work.
    ///
    /// # Errors
    /// If the device fails.
    fn receive(&mut self) -> Result<(), MachineError>;

    /// Reads numbers from `place` on, once all before is done.
    ///
    /// # Errors
    /// If the device fails.
    fn read(&mut self, place: Place, numbers: &mut [f32]) -> Result<(), MachineError>;

    /// Runs a section of the plan.
    ///
    /// # Errors
    /// If the device fails.
    fn run(&mut self, section: usize) -> Result<(), MachineError>;
}
