//! [`Staging`]: memory through which data reaches a device while it computes.
//!
//! Data are copied to pinned memory of the CPU, from there by a stream of their own to memory of the device that no
//! kernel uses, and then, in the order of all other work, to their places. Two events order the streams: the context's
//! stream waits until a copy has arrived, and the copy of the next data until the last have left.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use cudarc::driver::result::{self, DriverError, stream};
use cudarc::driver::sys;

use super::buffer::{DeviceBuffer, DeviceCopy};
use super::context::{Context, Entered, failed_to};
use crate::error::CudaError;

/// A copy of `count` bytes from byte `from` of the staging memory to byte `to` of a buffer.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: usize,
    to: usize,
    count: usize,
}

/// Memory of the CPU and of a device for one set of data, and the stream that copies from the one to the other.
pub(crate) struct Staging {
    /// Where the data go in the end. It holds the context.
    buffer: Arc<DeviceBuffer>,
    /// Room for this many bytes: pinned memory, and memory of the device.
    bytes: usize,
    pinned: *mut u8,
    device: sys::CUdeviceptr,
    stream: sys::CUstream,
    /// Recorded when data have arrived in the device's staging memory, and when they have left it.
    arrived: sys::CUevent,
    left: sys::CUevent,
    /// What is under way.
    parts: Vec<Part>,
    /// Bytes of the staging memory that are taken.
    taken: usize,
}

// SAFETY: the driver's handles may be used from any thread where their context is current, and `enter` makes it so; the
// pinned memory belongs to this type alone.
unsafe impl Send for Staging {}

impl Staging {
    /// Memory for `bytes` bytes of data on their way to a buffer.
    pub(crate) fn new(buffer: &Arc<DeviceBuffer>, bytes: usize) -> Result<Self, CudaError> {
        let buffer = Arc::clone(buffer);
        // From here on an early return gives back what there is, which enters the context, too.
        let mut made = Self {
            buffer,
            bytes,
            pinned: null_mut(),
            device: 0,
            stream: null_mut(),
            arrived: null_mut(),
            left: null_mut(),
            parts: Vec::new(),
            taken: 0,
        };
        made.allocate()?;
        Ok(made)
    }

    fn context(&self) -> &Arc<Context> {
        self.buffer.context()
    }

    fn allocate(&mut self) -> Result<(), CudaError> {
        let context = Arc::clone(self.context());
        let _entered = context.enter()?;
        self.make().map_err(failed_to("allocate pinned memory and a second stream"))
    }

    fn make(&mut self) -> Result<(), DriverError> {
        let bytes = self.bytes.max(1);
        let mut pinned: *mut c_void = null_mut();
        // SAFETY: the call writes an address, of memory that `drop` frees.
        unsafe { sys::cuMemHostAlloc(&raw mut pinned, bytes, 0) }.result()?;
        self.pinned = pinned.cast();
        // SAFETY: nothing reads the memory before a copy has written it.
        self.device = unsafe { result::malloc_sync(bytes) }?;
        self.stream = stream::create(stream::StreamKind::NonBlocking)?;
        let untimed = sys::CUevent_flags_enum::CU_EVENT_DISABLE_TIMING as u32;
        for event in [&mut self.arrived, &mut self.left] {
            // SAFETY: the call writes a handle, which `drop` destroys.
            unsafe { sys::cuEventCreate(event, untimed) }.result()?;
        }
        Ok(())
    }

    /// Begins a new set of data, once the last has left the pinned memory.
    pub(crate) fn begin(&mut self) -> Result<(), CudaError> {
        self.parts.clear();
        self.taken = 0;
        let _entered = self.context().enter()?;
        // SAFETY: the event lives as long as this. One that was never recorded is not waited for.
        unsafe { sys::cuEventSynchronize(self.arrived) }.result().map_err(failed_to("copy to the device"))
    }

    /// Adds data that belong at byte `to` of the buffer.
    ///
    /// # Panics
    /// If they do not fit in the buffer, or in the staging memory.
    pub(crate) fn add<T: DeviceCopy>(&mut self, to: usize, data: &[T]) {
        let count = size_of_val(data);
        assert!(to + count <= self.buffer.bytes() && self.taken + count <= self.bytes, "data that fit");
        // SAFETY: within the pinned memory, which no copy reads since `begin` waited for the last, and which is apart
        // from the data.
        unsafe { self.pinned.add(self.taken).copy_from_nonoverlapping(data.as_ptr().cast(), count) };
        self.parts.push(Part { from: self.taken, to, count });
        // Kernels of copies are fastest if both sides begin at multiples of 16 bytes.
        self.taken = (self.taken + count).next_multiple_of(16).min(self.bytes);
    }

    /// Begins to copy what was added to the device, on the stream of its own.
    pub(crate) fn send(&mut self) -> Result<(), CudaError> {
        let _entered = self.context().enter()?;
        // SAFETY: the pinned memory is initialised up to the end of the last part, and what lies between parts are any
        // bytes; it is not changed before `begin` has waited for this copy.
        let sent = unsafe {
            sys::cuStreamWaitEvent(self.stream, self.left, 0)
                .result()
                .and_then(|()| {
                    sys::cuMemcpyHtoDAsync_v2(self.device, self.pinned.cast(), self.taken, self.stream).result()
                })
                .and_then(|()| sys::cuEventRecord(self.arrived, self.stream).result())
        };
        sent.map_err(failed_to("copy to the device"))
    }

    /// Puts the data in their places, after all work that was begun before.
    pub(crate) fn receive(&mut self) -> Result<(), CudaError> {
        let entered = self.context().enter()?;
        self.put(&entered).map_err(failed_to("copy within the device"))
    }

    fn put(&self, entered: &Entered<'_>) -> Result<(), DriverError> {
        // SAFETY: the parts lie within both allocations, as `add` checked; the streams and events live as long as this.
        unsafe {
            sys::cuStreamWaitEvent(entered.stream(), self.arrived, 0).result()?;
            for &Part { from, to, count } in self.parts.iter().filter(|part| part.count > 0) {
                let (to, from) = (self.buffer.address() + to as u64, self.device + from as u64);
                sys::cuMemcpyDtoDAsync_v2(to, from, count, entered.stream()).result()?;
            }
            sys::cuEventRecord(self.left, entered.stream()).result()
        }
    }

    /// How many bytes of data fit.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Staging {
    /// Errors have nowhere to go: after a kernel failed, everything goes with its context.
    fn drop(&mut self) {
        let Ok(entered) = self.buffer.context().enter() else { return };
        let _ = entered.synchronise();
        // SAFETY: made in `make`, given back only here; both streams are waited for, so that nothing is under way
        // that could use the memory.
        unsafe {
            if !self.stream.is_null() {
                let _ = stream::synchronize(self.stream);
                let _ = stream::destroy(self.stream);
            }
            for event in [self.arrived, self.left].into_iter().filter(|event| !event.is_null()) {
                let _ = sys::cuEventDestroy_v2(event).result();
            }
            if self.device != 0 {
                let _ = result::free_sync(self.device);
            }
            if !self.pinned.is_null() {
                let _ = sys::cuMemFreeHost(self.pinned.cast()).result();
            }
        }
    }
}
