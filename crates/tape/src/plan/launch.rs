//! Launches of kernels, which a device with many cores runs one after the other.
//!
//! A launch names a kernel and its arguments. The kernels' source belongs to another crate, `cuda`.

/// Threads in a block, for which all kernels are written.
pub const THREADS: usize = 256;

/// The largest size. Kernels count with integers of 32 bits, and a little beyond the end.
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
    /// If it does not fit 31 bits: callers refuse sizes beyond [`MOST`] before they plan.
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

impl TryFrom<Argument> for Place {
    type Error = ();

    fn try_from(argument: Argument) -> Result<Self, ()> {
        if let Argument::Place(place) = argument { Ok(Self(place)) } else { Err(()) }
    }
}

impl TryFrom<Argument> for usize {
    type Error = ();

    fn try_from(argument: Argument) -> Result<Self, ()> {
        if let Argument::Whole(whole) = argument { whole.try_into().map_err(|_| ()) } else { Err(()) }
    }
}

impl TryFrom<Argument> for bool {
    type Error = ();

    fn try_from(argument: Argument) -> Result<Self, ()> {
        if let Argument::Whole(whole) = argument { Ok(whole != 0) } else { Err(()) }
    }
}

impl TryFrom<Argument> for f64 {
    type Error = ();

    fn try_from(argument: Argument) -> Result<Self, ()> {
        if let Argument::Real(real) = argument { Ok(Self::from(real)) } else { Err(()) }
    }
}

/// Where a piece of the device's memory begins, in numbers of 4 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub usize);

impl Place {
    /// The place `count` numbers further on.
    pub fn after(self, count: usize) -> Self {
        Self(self.0 + count)
    }
}

/// One kernel, run by a grid of blocks of [`THREADS`] threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The kernel's name.
    pub kernel: &'static str,
    /// Blocks in each direction.
    pub grid: [u32; 3],
    /// Its arguments, in order.
    pub arguments: Vec<Argument>,
}
