//! A device, ready for memory and kernels.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tape::plan::THREADS;

use crate::driver::{Context, DeviceBuffer, Module, NotLoaded, Nvrtc, driver_version};
use crate::error::CudaError;
use crate::program::Program;
use crate::signatures::Signatures;
use crate::slab::Slab;
use crate::target::Capability;
use crate::version::Version;
use crate::{CHAINS, CHECK, KERNELS, KERNELS_FILE, NVRTC_VARIABLE};

/// The first driver, and the first generation, with which a kernel of a graph can start before the one before it has
/// ended. Kernels have the instruction that waits for it if they are compiled for this generation or a newer one.
const OVERLAP_DRIVER: Version = Version { major: 12, minor: 3 };
const OVERLAP_CAPABILITY: Capability = Capability { major: 9, minor: 0 };

/// A device. A clone is the same device.
#[derive(Clone)]
pub struct Device {
    context: Arc<Context>,
    nvrtc: Arc<Nvrtc>,
    name: String,
    driver: Version,
    capability: Capability,
    checked: bool,
    /// Whether small launches are joined to chains. Without a choice they are, unless launches are checked.
    chains: Option<bool>,
    /// The kernels of plans, once they are compiled: that takes seconds, and every plan needs the same.
    kernels: Arc<OnceLock<Program>>,
}

/// A device's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// The available compute capability.
    pub free: usize,
    /// All of it.
    pub total: usize,
}

impl Device {
    /// Opens the device with this number, and the compiler that [`NVRTC_VARIABLE`] names or that is found. The variables
    /// [`CHECK`] and [`CHAINS`] set whether launches are checked, and whether they are joined to chains.
    pub fn open(number: usize) -> Result<Self, CudaError> {
        let checked = switch(CHECK, std::env::var_os(CHECK), "check every launch")?.unwrap_or(false);
        let chains = switch(CHAINS, std::env::var_os(CHAINS), "join small launches to chains")?;
        let context = Context::open(number)?;
        let driver = driver_version()?;
        let place = std::env::var_os(NVRTC_VARIABLE).filter(|place| !place.is_empty()).map(PathBuf::from);
        let nvrtc = Arc::new(Nvrtc::open(place.as_deref(), Some(driver))?);
        let (name, capability) = (context.name()?, context.capability()?);
        Ok(Self { context, nvrtc, name, driver, capability, checked, chains, kernels: Arc::default() })
    }

    /// The same device, with programs compiled from now on checking every launch, or not.
    pub fn checked(self, checked: bool) -> Self {
        Self { checked, ..self }
    }

    /// The same device, with plans that are started from now on joining small launches to chains, or not.
    pub fn with_chains(self, chains: bool) -> Self {
        Self { chains: Some(chains), ..self }
    }

    /// Whether it is to join small launches to chains, if it can run them.
    fn joins(&self) -> bool {
        self.chains.unwrap_or(!self.checked)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its generation.
    pub fn capability(&self) -> Capability {
        self.capability
    }

    /// How many multiprocessors it has: blocks beyond some for each of them wait.
    pub fn multiprocessors(&self) -> Result<u32, CudaError> {
        self.context.multiprocessors()
    }

    /// The version of CUDA that the driver is for.
    pub fn driver(&self) -> Version {
        self.driver
    }

    /// The compiler.
    pub fn nvrtc(&self) -> &Nvrtc {
        &self.nvrtc
    }

    /// Its memory.
    pub fn memory(&self) -> Result<Bytes, CudaError> {
        let (free, total) = self.context.memory()?;
        Ok(Bytes { free, total })
    }

    /// A piece of memory of so many numbers of 4 bytes, all zero.
    pub fn slab(&self, numbers: usize) -> Result<Slab, CudaError> {
        let Some(bytes) = numbers.checked_mul(4) else {
            let Bytes { free, total } = self.memory()?;
            return Err(CudaError::Memory { asked: usize::MAX, free, total });
        };
        Ok(Slab::new(DeviceBuffer::zeroed(&self.context, bytes)?))
    }

    /// Compiles a source, whose name appears in messages, and loads its kernels. All of them run in blocks of
    /// [`THREADS`] threads.
    pub fn compile(&self, file: &str, source: &str) -> Result<Program, CudaError> {
        let signatures = Signatures::read(file, source)?;
        let compiled = self.nvrtc.compile(file, source, self.capability, &[])?;
        let overlaps = self.driver >= OVERLAP_DRIVER && compiled.target.capability() >= OVERLAP_CAPABILITY;
        let loaded = Module::load(&self.context, &compiled, signatures, THREADS, overlaps);
        let module = loaded.map_err(|why| match why {
            NotLoaded::Failed(error) => error,
            NotLoaded::Refused(answer) => CudaError::Load {
                driver: self.driver,
                nvrtc: self.nvrtc.version(),
                file: file.into(),
                target: compiled.target,
                answer,
            },
        })?;
        let (checked, chains) = (self.checked, self.joins());
        Ok(Program { module: Arc::new(module), target: compiled.target, warnings: compiled.log, checked, chains })
    }

    /// The kernels of plans, [`KERNELS`](crate::KERNELS), compiled when they are first asked for.
    pub fn kernels(&self) -> Result<Program, CudaError> {
        let program = match self.kernels.get() {
            Some(program) => program,
            None => {
                let compiled = self.compile(KERNELS_FILE, KERNELS)?;
                // If another thread was faster, its program is used by all.
                self.kernels.get_or_init(|| compiled)
            }
        };
        Ok(Program { checked: self.checked, chains: self.joins(), ..program.clone() })
    }

    /// Waits until everything is done that was begun.
    pub fn synchronise(&self) -> Result<(), CudaError> {
        self.context.synchronise()
    }
}

/// Whether a variable is on or off, or neither: then it is not set. `on` is what it does if it is on.
fn switch(
    variable: &'static str,
    value: Option<std::ffi::OsString>,
    on: &'static str,
) -> Result<Option<bool>, CudaError> {
    match value.as_ref().map(|value| value.to_str()) {
        None | Some(Some("")) => Ok(None),
        Some(Some("0")) => Ok(Some(false)),
        Some(Some("1")) => Ok(Some(true)),
        Some(_) => {
            let value = value.unwrap_or_default().to_string_lossy().into_owned();
            Err(CudaError::Variable { variable, value, on })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off() {
        let switch = |value: Option<&str>| switch(CHAINS, value.map(Into::into), "join small launches to chains");
        assert_eq!([None, Some("")].map(|value| switch(value).unwrap()), [None; 2]);
        assert_eq!([Some("0"), Some("1")].map(|value| switch(value).unwrap()), [Some(false), Some(true)]);
        assert_eq!(
            switch(Some("yes")).unwrap_err().to_string(),
            "DREAMGRAFT_CUDA_CHAINS = \"yes\" is not valid: set it to 1 to join small launches to chains, or to 0"
        );
    }
}
