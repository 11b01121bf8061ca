//! A list of launches that fit, with the bytes of their arguments.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use cudarc::driver::result::DriverError;
use cudarc::driver::sys;
use tape::plan::{Argument, Launch, THREADS};

use super::buffer::DeviceBuffer;
use super::context::{Context, Entered, answer, failed_to};
use super::module::Module;
use crate::error::CudaError;

/// Calls of a module's kernels on a buffer. They keep both alive.
pub(crate) struct Calls {
    module: Arc<Module>,
    /// The arguments point into it.
    _buffer: Arc<DeviceBuffer>,
    calls: Vec<Call>,
}

/// One kernel's call.
struct Call {
    kernel: &'static str,
    function: sys::CUfunction,
    grid: [u32; 3],
    arguments: Vec<Value>,
    /// Whether it may start while the call before it is running.
    overlaps: bool,
}

// SAFETY: the driver's handles may be used from any thread where their context is current, and `enter` makes it so.
unsafe impl Send for Calls {}
// SAFETY: as above; handles of kernels are only ever read.
unsafe impl Sync for Calls {}

impl Calls {
    /// Checks that each launch fits its kernel and the memory, and prepares it.
    ///
    /// # Panics
    /// If kernels and memory are not of the same context.
    pub(crate) fn prepare(
        module: &Arc<Module>,
        buffer: &Arc<DeviceBuffer>,
        launches: &[Launch],
    ) -> Result<Self, CudaError> {
        assert!(Arc::ptr_eq(module.context(), buffer.context()), "kernels and memory of one device, opened once");
        module.signatures().check(launches, buffer.bytes() / 4)?;
        let call = |launch: &Launch| Call {
            kernel: launch.kernel,
            function: module.kernel(launch.kernel),
            grid: launch.grid,
            arguments: launch.arguments.iter().map(|&argument| Value::new(argument, buffer.address())).collect(),
            overlaps: module.overlaps(launch.kernel),
        };
        let calls = launches.iter().map(call).collect();
        Ok(Self { module: Arc::clone(module), _buffer: Arc::clone(buffer), calls })
    }

    /// Runs them one after the other, and waits. With `each`, waits for each, and reports which one failed.
    pub(crate) fn run(&self, each: bool) -> Result<(), CudaError> {
        let entered = self.context().enter()?;
        if each {
            entered.synchronise().map_err(failed_to("finish earlier work"))?;
        }
        for (number, call) in self.calls.iter().enumerate() {
            let started = call.start(&entered);
            if each {
                let done = started.and_then(|()| entered.synchronise());
                done.map_err(|error| call.failed(number, error))?;
            } else {
                started.map_err(failed_to("start a kernel"))?;
            }
        }
        entered.synchronise().map_err(failed_to("run the kernels"))
    }

    /// Starts them all on a stream that records.
    pub(super) fn start(&self, entered: &Entered<'_>) -> Result<(), CudaError> {
        self.calls.iter().enumerate().try_for_each(|(number, call)| {
            let started = call.start(entered);
            started.map_err(|error| call.failed(number, error))
        })
    }

    /// Its context.
    pub(super) fn context(&self) -> &Arc<Context> {
        self.module.context()
    }
}

impl Call {
    fn start(&self, entered: &Entered<'_>) -> Result<(), DriverError> {
        // The driver reads as many bytes of each as the kernel's argument has, before it returns; it writes none.
        let mut arguments: Vec<*mut c_void> =
            self.arguments.iter().map(|value| std::ptr::from_ref(value).cast_mut().cast()).collect();
        let [x, y, z] = self.grid;
        let mut overlap = sys::CUlaunchAttribute {
            id: sys::CUlaunchAttributeID::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
            pad: Default::default(),
            value: sys::CUlaunchAttributeValue { programmaticStreamSerializationAllowed: 1 },
        };
        let config = sys::CUlaunchConfig {
            gridDimX: x,
            gridDimY: y,
            gridDimZ: z,
            blockDimX: THREADS as u32,
            blockDimY: 1,
            blockDimZ: 1,
            sharedMemBytes: 0,
            hStream: entered.stream(),
            attrs: &raw mut overlap,
            numAttrs: u32::from(self.overlaps),
        };
        // SAFETY: the kernel's module and the memory that arguments point into are kept alive by the list that contains
        // this call, and dropping the list waits; the number and types of the arguments were checked against the
        // kernel; the attribute is read before the call returns. A kernel that overlaps with the one before it waits
        // for it before it accesses memory.
        unsafe { sys::cuLaunchKernelEx(&raw const config, self.function, arguments.as_mut_ptr(), null_mut()) }.result()
    }

    fn failed(&self, number: usize, error: DriverError) -> CudaError {
        CudaError::Kernel { kernel: self.kernel, number, answer: answer(error) }
    }
}

/// An argument's bytes, where the driver reads them.
#[repr(C, align(8))]
struct Value([u8; 8]);

impl Value {
    /// An argument, where places are counted from `base`.
    fn new(argument: Argument, base: u64) -> Self {
        match argument {
            Argument::Place(place) => Self((base + 4 * place as u64).to_ne_bytes()),
            Argument::Whole(value) => Self::number(value.to_ne_bytes()),
            Argument::Real(value) => Self::number(value.to_ne_bytes()),
        }
    }

    /// A number of 4 bytes; those after it are not read.
    fn number(bytes: [u8; 4]) -> Self {
        let mut value = [0; 8];
        value[..4].copy_from_slice(&bytes);
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_begins_with_the_bytes_that_a_kernel_reads() {
        let value = Value::new(Argument::Whole(-3), 0);
        let pointer = std::ptr::from_ref(&value);
        assert!(pointer.cast::<u64>().is_aligned());
        // SAFETY: 8 bytes, of which an integer takes the first 4.
        assert_eq!(unsafe { pointer.cast::<i32>().read() }, -3);
        let value = Value::new(Argument::Real(0.5), 0);
        // SAFETY: as above.
        assert_eq!(unsafe { std::ptr::from_ref(&value).cast::<f32>().read() }, 0.5);
    }

    #[test]
    fn a_place_counts_numbers_from_the_beginning_of_memory() {
        let value = Value::new(Argument::Place(3_000_000_000), 0x7f12_0000_0000);
        // SAFETY: 8 bytes, all of them an address.
        let address = unsafe { std::ptr::from_ref(&value).cast::<u64>().read() };
        assert_eq!(address, 0x7f12_0000_0000 + 12_000_000_000);
    }
}
