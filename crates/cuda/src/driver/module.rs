//! Compiled kernels on a device.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::Arc;

use cudarc::driver::result::{function, module};
use cudarc::driver::sys;
use cudarc::driver::sys::CUfunction_attribute_enum as Attribute;

use super::context::{Context, answer, failed_to};
use super::nvrtc::Compiled;
use crate::error::{Answer, CudaError};
use crate::signatures::Signatures;

/// Kernels that the driver has loaded, and their parameters.
pub(crate) struct Module {
    context: Arc<Context>,
    module: sys::CUmodule,
    kernels: BTreeMap<String, sys::CUfunction>,
    signatures: Signatures,
    /// Whether kernels that wait for the one before them may start while it is running.
    overlaps: bool,
}

// SAFETY: the driver's handles may be used from any thread where their context is current, and `enter` makes it so.
unsafe impl Send for Module {}
// SAFETY: as above; handles of kernels are only ever read.
unsafe impl Sync for Module {}

/// Why a module was not loaded.
pub(crate) enum NotLoaded {
    /// The driver does not take it.
    Refused(Answer),
    /// Any other error.
    Failed(CudaError),
}

impl Module {
    /// Loads the compiled code of a source with these signatures; all kernels must run in blocks of this many threads.
    ///
    /// The image is machine code, or intermediate code that ends in a zero.
    pub(crate) fn load(
        context: &Arc<Context>,
        compiled: &Compiled,
        signatures: Signatures,
        threads: usize,
        overlaps: bool,
    ) -> Result<Self, NotLoaded> {
        let entered = context.enter().map_err(NotLoaded::Failed)?;
        // SAFETY: the image is a whole one that NVRTC made, and is not needed after the call.
        let loaded = unsafe { module::load_data(compiled.image.as_ptr().cast()) };
        let module = loaded.map_err(|error| NotLoaded::Refused(answer(error)))?;
        // From here on an early return unloads it, which enters the context, too.
        let (context, kernels) = (Arc::clone(context), BTreeMap::new());
        let mut loaded = Self { context, module, kernels, signatures, overlaps };
        drop(entered);
        loaded.find(threads).map_err(NotLoaded::Failed)?;
        Ok(loaded)
    }

    /// Finds the kernels, and has the driver load each now rather than when it is first run: a kernel must not be
    /// loaded while a graph is recorded.
    fn find(&mut self, needed: usize) -> Result<(), CudaError> {
        let _entered = self.context.enter()?;
        for kernel in self.signatures.kernels() {
            let name = CString::new(kernel).expect("a kernel's name has no zero in it");
            // SAFETY: the module is loaded.
            let function = unsafe { module::get_function(self.module, name) }.map_err(failed_to("find a kernel"))?;
            // SAFETY: the function was just found. To answer, the driver loads the kernel.
            let most = unsafe {
                function::get_function_attribute(function, Attribute::CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK)
            };
            let most = usize::try_from(most.map_err(failed_to("load a kernel"))?).unwrap_or(0);
            if most < needed {
                return Err(CudaError::Threads { kernel: kernel.into(), most, needed });
            }
            self.kernels.insert(kernel.into(), function);
        }
        Ok(())
    }

    /// Its context.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The parameters of its kernels.
    pub(super) fn signatures(&self) -> &Signatures {
        &self.signatures
    }

    /// Whether a kernel may start while the one before it is running.
    pub(super) fn overlaps(&self, kernel: &str) -> bool {
        self.overlaps && self.signatures.waits(kernel)
    }

    /// The handle of a kernel that `signatures` has.
    pub(super) fn kernel(&self, name: &str) -> sys::CUfunction {
        self.kernels[name]
    }
}

impl Drop for Module {
    /// An error has nowhere to go: after a kernel failed, modules go with their context.
    fn drop(&mut self) {
        if let Ok(entered) = self.context.enter() {
            let _ = entered.synchronise();
            // SAFETY: loaded in `load`, unloaded only here, and none of its kernels is under way.
            let _ = unsafe { module::unload(self.module) };
        }
    }
}
