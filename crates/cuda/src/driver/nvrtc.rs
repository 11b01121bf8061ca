//! NVRTC, the compiler's library: opening it, its supported targets, and compiling.
//!
//! Its functions are looked up here rather than by the library that calls the driver, which knows fewer of the file
//! names that NVRTC goes by, and panics if it finds none.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null;

use libloading::Library;

use super::library;
use crate::error::CudaError;
use crate::target::{Capability, Target};
use crate::version::Version;

/// A program that is being compiled.
type Handle = *mut c_void;
/// Zero, or an error code.
type Status = c_int;

/// The functions of the library, as `nvrtc.h` declares them; all are in versions from 11.2 on.
struct Functions {
    version: unsafe extern "C" fn(*mut c_int, *mut c_int) -> Status,
    error_string: unsafe extern "C" fn(Status) -> *const c_char,
    known_count: unsafe extern "C" fn(*mut c_int) -> Status,
    known: unsafe extern "C" fn(*mut c_int) -> Status,
    create: unsafe extern "C" fn(
        *mut Handle,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> Status,
    destroy: unsafe extern "C" fn(*mut Handle) -> Status,
    compile: unsafe extern "C" fn(Handle, c_int, *const *const c_char) -> Status,
    log: Output,
    machine: Output,
    intermediate: Output,
}

/// A part of a compiled program: the call that gives its size, and the one that gives its bytes.
struct Output {
    size: unsafe extern "C" fn(Handle, *mut usize) -> Status,
    bytes: unsafe extern "C" fn(Handle, *mut c_char) -> Status,
}

/// The compiler's library, open.
pub struct Nvrtc {
    functions: Functions,
    version: Version,
    known: Vec<Capability>,
    path: PathBuf,
    /// The library of the functions, which stays open as long as they can be called.
    _library: Library,
}

/// The result of compiling.
pub struct Compiled {
    /// The target of the compilation.
    pub target: Target,
    /// Machine code, or intermediate code that ends in a zero.
    pub image: Vec<u8>,
    /// The output of the compiler: empty, or warnings.
    pub log: String,
}

impl Nvrtc {
    /// Opens the library: the file, or the one in the folder, that `place` names, and else the first of the usual
    /// places. One of the major version that `driver` has is preferred.
    pub fn open(place: Option<&Path>, driver: Option<Version>) -> Result<Self, CudaError> {
        let (library, path) = library::open_nvrtc(place, driver)?;
        let unusable = |why| CudaError::NvrtcUnusable { path: path.clone(), why, wheel: library::wheel(driver) };
        let functions = Functions::find(&library).map_err(|error| {
            unusable(format!("{}; 11.2 is the oldest that has all functions", library::reason(&error)))
        })?;
        let (version, known) = functions.facts().map_err(unusable)?;
        Ok(Self { functions, version, known, path, _library: library })
    }

    /// Its version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The file, or the name it was found by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The capabilities of the devices that it compiles for.
    pub fn known(&self) -> &[Capability] {
        &self.known
    }

    /// Compiles a source, whose name appears in messages, for a device. Options come after those that are always there.
    ///
    /// Arithmetic is exact where IEEE 754 asks for it, but that a product and a sum may become one operation.
    pub fn compile(
        &self,
        file: &str,
        source: &str,
        device: Capability,
        options: &[&str],
    ) -> Result<Compiled, CudaError> {
        let Some(target) = Target::choose(device, &self.known) else {
            let oldest = self.known.iter().copied().min().unwrap_or(device);
            return Err(CudaError::DeviceOld { nvrtc: self.version, oldest, device });
        };
        let failed = |why, log| CudaError::Compile { nvrtc: self.version, file: file.into(), target, why, log };
        let mut program = self.program(file, source).map_err(|why| failed(why, String::new()))?;
        let architecture = format!("--gpu-architecture={target}");
        let mut all = vec![architecture.as_str(), "--std=c++17", "-default-device", "--generate-line-info"];
        all.extend(options);
        let compiled = program.compile(&all);
        let log = program.output(&self.functions.log).map(|log| text(&log)).unwrap_or_else(|why| why);
        compiled.map_err(|why| failed(why, log.clone()))?;
        let output = match target {
            Target::Machine(_) => &self.functions.machine,
            Target::Intermediate(_) => &self.functions.intermediate,
        };
        let image = program.output(output).map_err(|why| failed(why, log.clone()))?;
        Ok(Compiled { target, image, log })
    }

    fn program(&self, file: &str, source: &str) -> Result<Program<'_>, String> {
        let written = |what, text| CString::new(text).map_err(|_| format!("the {what} has a zero in it"));
        let (source, file) = (written("source", source)?, written("file's name", file)?);
        let mut handle = std::ptr::null_mut();
        // SAFETY: both end in a zero and outlive the call, which copies them; there are no headers.
        let status = unsafe { (self.functions.create)(&mut handle, source.as_ptr(), file.as_ptr(), 0, null(), null()) };
        self.functions.check(status)?;
        Ok(Program { functions: &self.functions, handle })
    }
}

/// A program, from its source until it is dropped.
struct Program<'a> {
    functions: &'a Functions,
    handle: Handle,
}

impl Program<'_> {
    fn compile(&mut self, options: &[&str]) -> Result<(), String> {
        let options: Vec<CString> =
            options.iter().map(|option| CString::new(*option).expect("an option has no zero in it")).collect();
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let count = c_int::try_from(pointers.len()).expect("a few options");
        // SAFETY: the program was created; the options end in zeros and outlive the call.
        let status = unsafe { (self.functions.compile)(self.handle, count, pointers.as_ptr()) };
        self.functions.check(status)
    }

    fn output(&self, output: &Output) -> Result<Vec<u8>, String> {
        let mut size = 0;
        // SAFETY: the program was created; one size is written.
        self.functions.check(unsafe { (output.size)(self.handle, &mut size) })?;
        let mut bytes = vec![0_u8; size];
        // SAFETY: the library writes as many bytes as it announced.
        self.functions.check(unsafe { (output.bytes)(self.handle, bytes.as_mut_ptr().cast()) })?;
        Ok(bytes)
    }
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        // SAFETY: created once, destroyed only here. An error would mean that it is not a program.
        let _ = unsafe { (self.functions.destroy)(&mut self.handle) };
    }
}

impl Functions {
    fn find(library: &Library) -> Result<Self, libloading::Error> {
        // SAFETY: the types are those of `nvrtc.h`, which have not changed since each function was added.
        unsafe {
            Ok(Self {
                version: *library.get(b"nvrtcVersion\0")?,
                error_string: *library.get(b"nvrtcGetErrorString\0")?,
                known_count: *library.get(b"nvrtcGetNumSupportedArchs\0")?,
                known: *library.get(b"nvrtcGetSupportedArchs\0")?,
                create: *library.get(b"nvrtcCreateProgram\0")?,
                destroy: *library.get(b"nvrtcDestroyProgram\0")?,
                compile: *library.get(b"nvrtcCompileProgram\0")?,
                log: Output {
                    size: *library.get(b"nvrtcGetProgramLogSize\0")?,
                    bytes: *library.get(b"nvrtcGetProgramLog\0")?,
                },
                machine: Output {
                    size: *library.get(b"nvrtcGetCUBINSize\0")?,
                    bytes: *library.get(b"nvrtcGetCUBIN\0")?,
                },
                intermediate: Output {
                    size: *library.get(b"nvrtcGetPTXSize\0")?,
                    bytes: *library.get(b"nvrtcGetPTX\0")?,
                },
            })
        }
    }

    /// The version, and the targets for which it compiles.
    fn facts(&self) -> Result<(Version, Vec<Capability>), String> {
        let (mut major, mut minor, mut count) = (0, 0, 0);
        // SAFETY: two integers are written.
        self.check(unsafe { (self.version)(&mut major, &mut minor) })?;
        // SAFETY: one integer is written.
        self.check(unsafe { (self.known_count)(&mut count) })?;
        let mut known = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: as many integers are written as were announced.
        self.check(unsafe { (self.known)(known.as_mut_ptr()) })?;
        let part = |number: c_int| u32::try_from(number).unwrap_or(0);
        let version = Version { major: part(major), minor: part(minor) };
        Ok((version, known.into_iter().map(Capability::from_number).collect()))
    }

    fn check(&self, status: Status) -> Result<(), String> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the library answers any number with a static string.
        let text = unsafe { CStr::from_ptr((self.error_string)(status)) };
        Err(text.to_string_lossy().into_owned())
    }
}

/// The text before the zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}
