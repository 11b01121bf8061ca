//! Where NVIDIA's libraries are looked for. Neither is linked: the program starts without them, and reports a missing
//! library when it needs one.

use std::error::Error;
use std::path::{Path, PathBuf};

use libloading::Library;

use crate::error::CudaError;
use crate::version::Version;

/// The driver's library.
pub(crate) const DRIVER: &str = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };

/// The compiler's library in each major version of CUDA, newest first; 11.2 is the name of all from 11.2 to 11.8.
const NVRTC: [(u32, &str); 3] = if cfg!(windows) {
    [(13, "nvrtc64_130_0.dll"), (12, "nvrtc64_120_0.dll"), (11, "nvrtc64_112_0.dll")]
} else {
    [(13, "libnvrtc.so.13"), (12, "libnvrtc.so.12"), (11, "libnvrtc.so.11.2")]
};

/// The name without a version, which a toolkit for developers also has.
const UNVERSIONED: &str = if cfg!(windows) { "nvrtc.dll" } else { "libnvrtc.so" };

/// Every function of the driver that is called. All are looked up before any is called, so that a library without one
/// is reported, and no call panics.
const CALLED: [&str; 38] = [
    "cuInit",
    "cuDriverGetVersion",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetName",
    "cuDeviceGetAttribute",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2",
    "cuCtxSetCurrent",
    "cuMemGetInfo_v2",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemsetD8Async",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamSynchronize",
    "cuStreamWaitEvent",
    "cuEventCreate",
    "cuEventDestroy_v2",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuMemHostAlloc",
    "cuMemFreeHost",
    "cuMemcpyDtoDAsync_v2",
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuGraphExecDestroy",
    "cuGraphDestroy",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuModuleGetFunction",
    "cuFuncGetAttribute",
    "cuLaunchKernelEx",
    "cuGetErrorName",
];

/// Loads the driver's library, so that calls of it find it, and checks that they will find the same one: crate `cudarc`
/// tries other file names first, and one of them may be a toolkit's stub.
pub(crate) fn load_driver(name: &'static str) -> Result<(), CudaError> {
    let missing = |error: libloading::Error| CudaError::DriverMissing { library: name, why: reason(&error) };
    // SAFETY: the code that runs when NVIDIA's library is loaded is safe in any program.
    let library = unsafe { Library::new(name) }.map_err(missing)?;
    for function in CALLED.into_iter().chain(["cuGetErrorString"]) {
        // SAFETY: the symbol is looked for, and never used by this type.
        unsafe { library.get::<*const ()>(function.as_bytes()) }.map_err(missing)?;
    }
    // The first that can be loaded is the one that is called.
    let called = ["cuda", "nvcuda"].into_iter().flat_map(cudarc::get_lib_name_candidates).find_map(|other| {
        // SAFETY: as above.
        unsafe { Library::new(&other) }.ok().map(|library| (other, library))
    });
    if let Some((other, called)) = called
        && first_call(&called) != first_call(&library)
    {
        return Err(CudaError::TwoDrivers { library: name, other });
    }
    // It is called until the program ends.
    std::mem::forget(library);
    Ok(())
}

/// The address of the first function that is called, which tells libraries apart.
fn first_call(library: &Library) -> Option<usize> {
    // SAFETY: the symbol is looked for, and never used by this type.
    unsafe { library.get::<*const ()>(CALLED[0].as_bytes()) }.ok().map(|call| (*call).addr())
}

/// Opens the compiler's library, and returns the name or file by which it was found.
pub(crate) fn open_nvrtc(place: Option<&Path>, driver: Option<Version>) -> Result<(Library, PathBuf), CudaError> {
    let names = names(driver);
    let candidates: Vec<PathBuf> = match place {
        Some(place) if place.is_dir() => names.iter().map(|name| place.join(name)).collect(),
        Some(place) => vec![place.to_owned()],
        None => {
            let folders = folders();
            let found = names.iter().map(PathBuf::from);
            found.chain(folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)))).collect()
        }
    };
    let mut unusable = None;
    for candidate in &candidates {
        // SAFETY: the code that runs when NVIDIA's library is loaded is safe in any program.
        match unsafe { Library::new(candidate) } {
            Ok(library) => {
                load_builtins(candidate);
                return Ok((library, candidate.clone()));
            }
            // It exists, so the next candidate is not meant.
            Err(error) if candidate.is_file() => {
                return Err(CudaError::NvrtcUnusable {
                    path: candidate.clone(),
                    why: reason(&error),
                    wheel: wheel(driver),
                });
            }
            // The system searches for this name itself: the file may exist and not be a library.
            Err(error) => {
                let why = reason(&error);
                if !why.contains("No such file") && unusable.is_none() {
                    unusable = Some(CudaError::NvrtcUnusable { path: candidate.clone(), why, wheel: wheel(driver) });
                }
            }
        }
    }
    if let Some(unusable) = unusable {
        return Err(unusable);
    }
    let tried: Vec<String> = candidates.iter().map(|candidate| candidate.display().to_string()).collect();
    Err(CudaError::NvrtcMissing { tried: tried.join(", "), wheel: wheel(driver) })
}

/// Loads the library that the compiler opens when it compiles, and which only some versions find in their own folder.
/// If this fails, the library is either not needed, or the compiler reports that it is missing.
fn load_builtins(nvrtc: &Path) {
    let next_to_nvrtc = nvrtc.parent().filter(|folder| !folder.as_os_str().is_empty()).map(std::fs::read_dir);
    let Some(Ok(files)) = next_to_nvrtc else { return };
    for file in files.flatten() {
        let name = file.file_name();
        if name.to_string_lossy().starts_with("libnvrtc-builtins.so.") {
            // SAFETY: as for the compiler's.
            if let Ok(library) = unsafe { Library::new(file.path()) } {
                // It is needed until the program ends.
                std::mem::forget(library);
            }
        }
    }
}

/// The wheel that has the compiler's library for a driver: of the same major version, or the newest if none is known.
pub(crate) fn wheel(driver: Option<Version>) -> &'static str {
    match driver {
        Some(Version { major: ..=11, .. }) => "nvidia-cuda-nvrtc-cu11",
        Some(Version { major: 12, .. }) => "nvidia-cuda-nvrtc-cu12",
        _ => "nvidia-cuda-nvrtc",
    }
}

/// The library's names in the order that fits a driver: its own major version, then older ones, which any newer driver
/// understands, newer ones, and libraries without a version.
fn names(driver: Option<Version>) -> Vec<&'static str> {
    let driver = driver.map_or(u32::MAX, |version| version.major);
    let (mut fitting, newer): (Vec<_>, Vec<_>) = NVRTC.iter().partition(|(major, _)| *major <= driver);
    fitting.extend(newer);
    fitting.into_iter().map(|(_, name)| name).chain([UNVERSIONED]).collect()
}

/// Folders of toolkits, for machines where the system's loader does not know them.
fn folders() -> Vec<PathBuf> {
    let homes = ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let (part, usual) = if cfg!(windows) { ("bin", None) } else { ("lib64", Some(PathBuf::from("/usr/local/cuda"))) };
    homes.chain(usual).map(|home| home.join(part)).collect()
}

/// The error of the operating system on one line.
pub(super) fn reason(error: &libloading::Error) -> String {
    let words = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driver(major: u32) -> Option<Version> {
        Some(Version { major, minor: 4 })
    }

    #[test]
    fn a_missing_driver_is_named_with_the_next_step() {
        let message = load_driver("libdreamgraft-none.so.1").unwrap_err().to_string();
        assert!(message.starts_with("libdreamgraft-none.so.1 cannot be loaded ("), "{message}");
        assert_eq!(message.matches("libdreamgraft-none.so.1").count(), 2, "no reason of the system's: {message}");
        assert!(message.contains("is part of NVIDIA's driver") && message.contains("--device cpu"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn a_library_without_the_drivers_functions_is_reported() {
        let message = load_driver(if cfg!(windows) { "kernel32.dll" } else { "libc.so.6" }).unwrap_err().to_string();
        assert!(message.contains("cuInit") && message.contains("is part of NVIDIA's driver"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn a_missing_compiler_is_named_with_its_wheel_and_variable() {
        let place = Path::new("/none/libnvrtc.so.12");
        let message = open_nvrtc(Some(place), driver(12)).unwrap_err().to_string();
        assert!(message.contains("(looked for /none/libnvrtc.so.12)"), "{message}");
        assert!(message.contains("pip install nvidia-cuda-nvrtc-cu12`"), "{message}");
        assert!(message.contains(crate::NVRTC_VARIABLE) && message.contains("LD_LIBRARY_PATH"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn a_file_that_is_not_a_library_is_named() {
        let place = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let error = open_nvrtc(Some(place), None).unwrap_err();
        assert!(matches!(&error, CudaError::NvrtcUnusable { path, .. } if path == place), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }

    #[test]
    fn a_compiler_of_the_drivers_own_version_comes_first() {
        assert!(names(driver(12))[0].contains("12") && names(driver(13))[0].contains("13"));
        assert!(names(None)[0].contains("13"));
        assert_eq!(names(driver(12)).len(), NVRTC.len() + 1);
        assert_eq!(wheel(driver(12)), "nvidia-cuda-nvrtc-cu12");
        assert_eq!(wheel(driver(13)), "nvidia-cuda-nvrtc");
    }
}
