//! [`DeviceBuffer`]: an allocation in a device's memory.

use std::sync::Arc;

use cudarc::driver::{result, sys};

use super::context::{Context, failed_to};
use crate::error::CudaError;

/// A type that can be copied to and from a device: every pattern of bits is a value of it.
pub(crate) trait DeviceCopy: Copy {}

impl DeviceCopy for u8 {}
impl DeviceCopy for f32 {}

/// An allocation, filled with zeros at first and freed when dropped.
pub(crate) struct DeviceBuffer {
    context: Arc<Context>,
    address: sys::CUdeviceptr,
    bytes: usize,
}

impl DeviceBuffer {
    /// Allocates this many bytes.
    pub(crate) fn zeroed(context: &Arc<Context>, bytes: usize) -> Result<Self, CudaError> {
        let entered = context.enter()?;
        // The driver makes no empty allocations.
        // SAFETY: nothing reads the memory before it is set to zero, below.
        let address = unsafe { result::malloc_sync(bytes.max(1)) }.map_err(|error| {
            if error.0 != sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY {
                return failed_to("allocate memory")(error);
            }
            match result::mem_get_info() {
                Ok((free, total)) => CudaError::Memory { asked: bytes, free, total },
                Err(error) => failed_to("report how much memory is free")(error),
            }
        })?;
        // From here on an early return frees the allocation.
        let buffer = Self { context: Arc::clone(context), address, bytes };
        // SAFETY: within the allocation just made.
        let set = unsafe { result::memset_d8_async(address, 0, bytes.max(1), entered.stream()) };
        let set = set.and_then(|()| entered.synchronise());
        // Freeing enters the context, too.
        drop(entered);
        set.map_err(failed_to("set memory to zero"))?;
        Ok(buffer)
    }

    /// The address of its first byte on the device.
    pub(crate) fn address(&self) -> u64 {
        self.address
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The context that it was allocated in.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Writes from byte `from` on, after all earlier work has finished, and waits for the copy.
    ///
    /// # Panics
    /// If the numbers do not fit: callers check that first.
    pub(crate) fn write<T: DeviceCopy>(&self, from: usize, numbers: &[T]) -> Result<(), CudaError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let to = self.within(from, size_of_val(numbers));
        let entered = self.context.enter()?;
        // SAFETY: within the allocation; the numbers are borrowed until the stream has done it, since nothing returns
        // before.
        let copied = unsafe { result::memcpy_htod_async(to, numbers, entered.stream()) };
        let done = entered.synchronise();
        copied.and(done).map_err(failed_to("copy to the device"))
    }

    /// Reads from byte `from` on, after all earlier work has finished.
    ///
    /// # Panics
    /// If the numbers do not fit: callers check that first.
    pub(crate) fn read<T: DeviceCopy>(&self, from: usize, numbers: &mut [T]) -> Result<(), CudaError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let from = self.within(from, size_of_val(numbers));
        let entered = self.context.enter()?;
        // SAFETY: within the allocation; the numbers are borrowed until the stream has done it, and any bits are
        // numbers.
        let copied = unsafe { result::memcpy_dtoh_async(numbers, from, entered.stream()) };
        let done = entered.synchronise();
        copied.and(done).map_err(failed_to("copy from the device"))
    }

    fn within(&self, from: usize, count: usize) -> sys::CUdeviceptr {
        let end = from.checked_add(count).expect("an end that fits a machine word");
        assert!(end <= self.bytes, "bytes {from} to {end} of {}", self.bytes);
        self.address + from as u64
    }
}

impl Drop for DeviceBuffer {
    /// Errors cannot be reported here: after a kernel failed, the device's memory is freed with its context.
    fn drop(&mut self) {
        if let Ok(entered) = self.context.enter() {
            let _ = entered.synchronise();
            // SAFETY: given by `malloc_sync`, freed only here, and nothing that could use it is under way.
            let _ = unsafe { result::free_sync(self.address) };
        }
    }
}
