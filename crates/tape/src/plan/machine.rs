//! What runs a plan: a device has memory, and kernels that work on it.

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
        /// Of what it has too little, and what to do.
        why: String,
    },
    /// It failed.
    #[error("{what}: {why}")]
    Failed {
        /// The device, and what it was to do.
        what: String,
        /// Why it did not, and what to do.
        why: String,
    },
}

/// What can be made a [`Machine`] of.
pub trait Device: Debug + Sync {
    /// What it is, in words.
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

/// A device that a [`Plan`] was loaded on. Work is done in the order it is asked for.
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
