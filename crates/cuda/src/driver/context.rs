//! A device's context and the one stream that all its work goes through, except copies that run ahead (`staging`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cudarc::driver::result::{self, DriverError, ctx, device, primary_ctx, stream};
use cudarc::driver::sys;
use cudarc::driver::sys::CUdevice_attribute as Attribute;

use super::library;
use crate::error::{Answer, CudaError};
use crate::target::Capability;
use crate::version::Version;

/// The oldest driver: the first of the version of CUDA whose calls are used.
const OLDEST: Version = Version { major: 12, minor: 0 };

/// A device's primary context, and a stream of it.
pub(crate) struct Context {
    device: sys::CUdevice,
    context: sys::CUcontext,
    /// Locked by the user of the stream.
    stream: Mutex<Stream>,
}

/// The stream's handle.
struct Stream(sys::CUstream);

// SAFETY: the driver's handles may be used from any thread where their context is current, and `enter` makes it so.
unsafe impl Send for Context {}
// SAFETY: as above; the driver locks a context itself, and the stream is behind a lock of ours.
unsafe impl Sync for Context {}

impl Context {
    /// The context of the device of this number.
    pub(crate) fn open(number: usize) -> Result<Arc<Self>, CudaError> {
        library::load_driver(library::DRIVER)?;
        // The library is there, so the calls below find it; a driver from before them is refused before any but two.
        let version = driver_version()?;
        if version < OLDEST {
            return Err(CudaError::DriverOld { found: version, needed: OLDEST });
        }
        result::init().map_err(|error| CudaError::NoDevice { answer: answer(error) })?;
        let count = device::get_count().map_err(failed_to("count the devices"))?;
        let count = usize::try_from(count).unwrap_or(0);
        if number >= count {
            return Err(CudaError::DeviceNumber { number, count });
        }
        let device = i32::try_from(number).expect("less than a count of 31 bits");
        let device = device::get(device).map_err(failed_to("find the device"))?;
        // SAFETY: the device comes from the driver; the context that is retained here is released in `drop`.
        let context = unsafe { primary_ctx::retain(device) }.map_err(failed_to("open the device"))?;
        // From here on an early return releases it, too.
        let mut opened = Self { device, context, stream: Mutex::new(Stream(std::ptr::null_mut())) };
        opened.bind().map_err(failed_to("select the device"))?;
        let made = stream::create(stream::StreamKind::NonBlocking).map_err(failed_to("create a stream"))?;
        opened.stream.get_mut().unwrap_or_else(PoisonError::into_inner).0 = made;
        Ok(Arc::new(opened))
    }

    /// The device's name.
    pub(crate) fn name(&self) -> Result<String, CudaError> {
        device::get_name(self.device).map_err(failed_to("report the device's name"))
    }

    /// The device's compute capability.
    pub(crate) fn capability(&self) -> Result<Capability, CudaError> {
        let major = self.attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = self.attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        Ok(Capability { major, minor })
    }

    /// How many multiprocessors the device has.
    pub(crate) fn multiprocessors(&self) -> Result<u32, CudaError> {
        self.attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
    }

    /// Bytes of memory that are free, and bytes in all.
    pub(crate) fn memory(&self) -> Result<(usize, usize), CudaError> {
        let _entered = self.enter()?;
        result::mem_get_info().map_err(failed_to("report how much memory is free"))
    }

    /// Waits until everything is done that was begun.
    pub(crate) fn synchronise(&self) -> Result<(), CudaError> {
        self.enter()?.synchronise().map_err(failed_to("finish its work"))
    }

    /// Makes this context the calling thread's, and takes the stream for as long as the result lives.
    pub(super) fn enter(&self) -> Result<Entered<'_>, CudaError> {
        // A thread that panicked while it held the lock left nothing half done that the driver does not know of.
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        self.bind().map_err(failed_to("select the device"))?;
        Ok(Entered { stream })
    }

    fn bind(&self) -> Result<(), DriverError> {
        // SAFETY: the context was retained, and is released only when this is dropped.
        unsafe { ctx::set_current(self.context) }
    }

    fn attribute(&self, attribute: Attribute) -> Result<u32, CudaError> {
        // SAFETY: the device comes from the driver.
        let value = unsafe { device::get_attribute(self.device, attribute) };
        let value = value.map_err(failed_to("report the properties of the device"))?;
        Ok(u32::try_from(value).unwrap_or(0))
    }
}

impl Drop for Context {
    /// Errors have nowhere to go: after a kernel failed, each of these calls answers with that failure.
    fn drop(&mut self) {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner).0;
        if self.bind().is_ok() && !stream.is_null() {
            // SAFETY: made in `open`, destroyed only here; memory, modules and graphs hold the context, so none is
            // left.
            let _ = unsafe { stream::synchronize(stream) };
            // SAFETY: as above.
            let _ = unsafe { stream::destroy(stream) };
        }
        // SAFETY: retained once, in `open`.
        let _ = unsafe { primary_ctx::release(self.device) };
    }
}

/// The right to use a context's stream.
pub(super) struct Entered<'a> {
    stream: MutexGuard<'a, Stream>,
}

impl Entered<'_> {
    pub(super) fn stream(&self) -> sys::CUstream {
        self.stream.0
    }

    pub(super) fn synchronise(&self) -> Result<(), DriverError> {
        // SAFETY: the stream lives as long as its context, which is borrowed.
        unsafe { stream::synchronize(self.stream.0) }
    }
}

/// The version of CUDA that the driver is for.
pub(crate) fn driver_version() -> Result<Version, CudaError> {
    let mut number = 0;
    // SAFETY: writes one integer; needs no context, nor that the driver was started.
    let result = unsafe { sys::cuDriverGetVersion(&mut number) }.result();
    result.map_err(failed_to("report its version"))?;
    Ok(Version::from_driver(number))
}

/// A function that makes an error of the driver's answer.
pub(super) fn failed_to(task: &'static str) -> impl Fn(DriverError) -> CudaError {
    move |error| CudaError::Call { task, answer: answer(error) }
}

/// The driver's description of its answer.
pub(super) fn answer(error: DriverError) -> Answer {
    let name = error.error_name().map(|name| name.to_string_lossy().into_owned());
    let text = error.error_string().map(|text| text.to_string_lossy().into_owned());
    Answer {
        name: name.unwrap_or_else(|_| "an unknown error".into()),
        text: text.unwrap_or_else(|_| "the driver has no description of it".into()),
    }
}
