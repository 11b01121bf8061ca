//! The device's memory as kernels see it: one piece of numbers of 4 bytes.

use std::sync::Arc;

use tape::plan::Place;

use crate::driver::{DeviceBuffer, DeviceCopy};
use crate::error::CudaError;

/// A piece of the device's memory, in numbers of 4 bytes, from [`Device::slab`](crate::Device::slab).
///
/// Writing and reading wait for everything that was begun before, and are done when they return.
pub struct Slab {
    buffer: Arc<DeviceBuffer>,
}

impl Slab {
    pub(crate) fn new(buffer: DeviceBuffer) -> Self {
        Self { buffer: Arc::new(buffer) }
    }

    pub(crate) fn buffer(&self) -> &Arc<DeviceBuffer> {
        &self.buffer
    }

    /// How many numbers it has.
    pub fn length(&self) -> usize {
        self.buffer.bytes() / 4
    }

    /// Writes numbers from a place on.
    pub fn write(&mut self, place: Place, numbers: &[f32]) -> Result<(), CudaError> {
        self.buffer.write(self.begin(place, numbers)?, numbers)
    }

    /// Writes bytes from a place on. The rest of the last number does not change.
    pub fn write_bytes(&mut self, place: Place, bytes: &[u8]) -> Result<(), CudaError> {
        self.buffer.write(self.begin(place, bytes)?, bytes)
    }

    /// Reads numbers from a place on.
    pub fn read(&self, place: Place, numbers: &mut [f32]) -> Result<(), CudaError> {
        self.buffer.read(self.begin(place, numbers)?, numbers)
    }

    /// Reads bytes from a place on.
    pub fn read_bytes(&self, place: Place, bytes: &mut [u8]) -> Result<(), CudaError> {
        self.buffer.read(self.begin(place, bytes)?, bytes)
    }

    /// The first byte of the range at a place that is as large as `values`.
    pub(crate) fn begin<T: DeviceCopy>(&self, place: Place, values: &[T]) -> Result<usize, CudaError> {
        within(place.0, size_of_val(values).div_ceil(4), self.length())
    }
}

/// The first byte of `count` numbers from a place on, in memory of `length`.
fn within(place: usize, count: usize, length: usize) -> Result<usize, CudaError> {
    match place.checked_add(count) {
        Some(end) if end <= length => Ok(4 * place),
        _ => Err(CudaError::Outside { place, count, length }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ranges_within_the_buffer_are_written_and_read() {
        assert_eq!(within(3, 7, 10).unwrap(), 12);
        assert_eq!(within(10, 0, 10).unwrap(), 40);
        for (place, count) in [(3, 8), (11, 0), (usize::MAX, 2)] {
            assert!(matches!(within(place, count, 10), Err(CudaError::Outside { length: 10, .. })));
        }
        let message = within(3, 8, 10).unwrap_err().to_string();
        assert_eq!(message, "the range from 3 to 11 is outside the device's buffer of 10 numbers");
    }
}
