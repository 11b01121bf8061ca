//! Launches: what a device with many cores is told to run, one after the other.
//!
//! A launch names a kernel and its arguments. Kernels are functions of a source of their own; which, and what they do, is
//! known to the crate that has it.

/// The threads of a block: what all kernels are written for.
pub const THREADS: usize = 256;

/// The most that a size can be: kernels count with integers of 32 bits, and somewhat beyond the end.
pub const MOST: usize = i32::MAX as usize - 1024;

/// An argument of a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// The address of a number, counted from the beginning of the device's memory in numbers of 4 bytes.
    Place(usize),
    /// A 32-bit integer.
    Whole(i32),
    /// A 32-bit real.
    Real(f32),
}

impl From<Place> for Argument {
    fn from(place: Place) -> Self {
        Self::Place(place.0)
    }
}

impl From<usize> for Argument {
    /// # Panics
    /// If it does not fit 31 bits: who plans refuses sizes that large ([`MOST`]).
    fn from(value: usize) -> Self {
        Self::Whole(i32::try_from(value).expect("a size of 31 bits"))
    }
}

impl From<bool> for Argument {
    fn from(value: bool) -> Self {
        Self::Whole(i32::from(value))
    }
}

impl From<f64> for Argument {
    fn from(value: f64) -> Self {
        Self::Real(value as f32)
    }
}

/// Where a piece of the device's memory begins, in numbers of 4 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub usize);

/// One kernel, run by a grid of blocks of [`THREADS`] threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The kernel's name.
    pub kernel: &'static str,
    /// Blocks in each direction.
    pub grid: [u32; 3],
    /// What it is called with, in order.
    pub arguments: Vec<Argument>,
}
