//! Errors of a device, each with its place and the next step. Every message is one line, except the output of a
//! compiler.

use std::fmt;
use std::path::PathBuf;

use crate::kind::Kind;
use crate::target::{Capability, Target};
use crate::version::Version;
use crate::{CHAINS, CHECK, NVRTC_VARIABLE};

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CudaError {
    /// The driver's library is not there, or cannot be loaded.
    #[error(
        "{library} cannot be loaded ({why}): it is part of NVIDIA's driver. Install the driver, or use --device cpu"
    )]
    DriverMissing {
        /// The library's file name.
        library: &'static str,
        /// The error of the operating system.
        why: String,
    },
    /// There are two driver libraries, and calls would go to the wrong one.
    #[error(
        "{other} is not the same library as {library}: it is probably the stub of a CUDA toolkit, which has no driver \
         behind it. Remove its folder from LD_LIBRARY_PATH, or use --device cpu"
    )]
    TwoDrivers {
        /// The file name of the driver's library.
        library: &'static str,
        /// The name of the library that would be called.
        other: String,
    },
    /// The driver is older than this crate requires.
    #[error(
        "NVIDIA's driver supports CUDA {found} only: update it to a driver for CUDA {needed} or newer, or use --device \
         cpu"
    )]
    DriverOld {
        /// The version of CUDA that the driver is for.
        found: Version,
        /// The oldest that is supported.
        needed: Version,
    },
    /// The driver does not start, or does not find a device.
    #[error(
        "NVIDIA's driver does not find a GPU ({answer}): check that `nvidia-smi` lists one and that \
         CUDA_VISIBLE_DEVICES does not hide it, or use --device cpu"
    )]
    NoDevice {
        /// The driver's answer.
        answer: Answer,
    },
    /// No device has this number.
    #[error("CUDA device {number} does not exist: this machine has {}", numbers(*.count))]
    DeviceNumber {
        /// The requested number.
        number: usize,
        /// How many devices there are.
        count: usize,
    },
    /// The compiler's library is in none of the usual places.
    #[error(
        "NVRTC, which compiles the GPU kernels, was not found (looked for {tried}). Install the CUDA toolkit or run \
         `pip install {wheel}`, then set {NVRTC_VARIABLE} to the library file or its folder, or add the folder to \
         LD_LIBRARY_PATH"
    )]
    NvrtcMissing {
        /// The names and files that were tried.
        tried: String,
        /// The wheel that brings a fitting one.
        wheel: &'static str,
    },
    /// The compiler's library is there and cannot be used.
    #[error(
        "{} cannot be used as NVRTC, which compiles the GPU kernels ({why}): set {NVRTC_VARIABLE} to another one, or \
         install one with `pip install {wheel}`",
        .path.display()
    )]
    NvrtcUnusable {
        /// The file.
        path: PathBuf,
        /// The problem.
        why: String,
        /// The wheel that brings a fitting one.
        wheel: &'static str,
    },
    /// The compiler knows no device that is as old as this one.
    #[error(
        "NVRTC {nvrtc} compiles for compute capability {oldest} and newer, but the device has {device}: install an \
         older NVRTC, for example with `pip install nvidia-cuda-nvrtc-cu12`, and set {NVRTC_VARIABLE} to it"
    )]
    DeviceOld {
        /// The compiler's version.
        nvrtc: Version,
        /// The oldest devices it compiles for.
        oldest: Capability,
        /// The device's.
        device: Capability,
    },
    /// The kernels do not compile.
    #[error("NVRTC {nvrtc} cannot compile {file} for {target} ({why}):\n{log}")]
    Compile {
        /// The compiler's version.
        nvrtc: Version,
        /// The source's name.
        file: String,
        /// The target of the compilation.
        target: Target,
        /// The compiler's answer.
        why: String,
        /// The output of the compiler.
        log: String,
    },
    /// The driver rejects the compiled code.
    #[error(
        "NVIDIA's driver for CUDA {driver} cannot load the kernels that NVRTC {nvrtc} compiled from {file} for \
         {target} ({answer}): update the driver, or set {NVRTC_VARIABLE} to an NVRTC that is not newer than the driver"
    )]
    Load {
        /// The version of CUDA that the driver is for.
        driver: Version,
        /// The compiler's version.
        nvrtc: Version,
        /// The source's name.
        file: String,
        /// The target of the compilation.
        target: Target,
        /// The driver's answer.
        answer: Answer,
    },
    /// A kernel's declaration is not one that launches can be checked against.
    #[error("{file}:{line}: {why}")]
    Signature {
        /// The source's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The problem and the allowed values.
        why: String,
    },
    /// A launch does not fit its kernel.
    #[error("launch {number} of kernel {kernel}: {why}")]
    Launch {
        /// Its place in the list, from 0.
        number: usize,
        /// The kernel it names.
        kernel: &'static str,
        /// The mismatch.
        why: Misfit,
    },
    /// A kernel needs more registers than blocks of this size leave to each thread.
    #[error(
        "kernel {kernel} can run with at most {most} threads per block on this device, but needs {needed}: add \
         __launch_bounds__({needed})"
    )]
    Threads {
        /// The kernel.
        kernel: String,
        /// The possible number of threads.
        most: usize,
        /// The requested number of threads.
        needed: usize,
    },
    /// The memory of the device is not sufficient.
    #[error(
        "cannot allocate {} of device memory (the device has {}, of which {} are free): use a smaller batch or model, \
         or stop other programs that use the device",
        size(*.asked), size(*.total), size(*.free)
    )]
    Memory {
        /// The requested bytes.
        asked: usize,
        /// Bytes that are free.
        free: usize,
        /// Bytes in all.
        total: usize,
    },
    /// A device that cannot multiply numbers of bfloat16 and tf32.
    #[error(
        "the device has compute capability {device}, but bf16 and tf32 matrix products need {needed}: set agent.precision = \
         \"f32\""
    )]
    NoTensorCores {
        /// The compute capability of the device.
        device: Capability,
        /// The needed compute capability.
        needed: Capability,
    },
    /// A read or write beyond the end.
    #[error("the range from {place} to {} is outside the device's buffer of {length} numbers", .place.saturating_add(*.count))]
    Outside {
        /// Where it begins.
        place: usize,
        /// How many numbers it covers.
        count: usize,
        /// How many there are.
        length: usize,
    },
    /// A kernel failed, and it is known which.
    #[error(
        "kernel {kernel} failed on the device, as launch {number} ({answer}): this is a bug in the program{}",
        of_chain(.kernel)
    )]
    Kernel {
        /// The kernel.
        kernel: &'static str,
        /// Its place in the list of launches, from 0.
        number: usize,
        /// The driver's answer.
        answer: Answer,
    },
    /// Any other call that failed.
    #[error(
        "NVIDIA's driver could not {task} ({answer}); if an earlier kernel may have failed, run again with {CHECK}=1, \
         which finds the kernel"
    )]
    Call {
        /// The failed action.
        task: &'static str,
        /// Its answer.
        answer: Answer,
    },
    /// A variable of the environment that is neither on nor off.
    #[error("{variable} = {value:?} is not valid: set it to 1 to {on}, or to 0")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What the program does if it is on.
        on: &'static str,
    },
}

/// How a launch does not fit the kernel that it names, or the device.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// No kernel has this name.
    #[error("the source does not contain this kernel")]
    Unknown,
    /// Too few or too many arguments.
    #[error("the launch has {found} arguments, but the kernel has {taken} parameters")]
    Count {
        /// The launch's.
        found: usize,
        /// The kernel's.
        taken: usize,
    },
    /// An argument of another kind.
    #[error("argument {number}, {name}, is {found}, but the kernel expects {taken}")]
    Kind {
        /// Its place, from 0.
        number: usize,
        /// The kernel's name for it.
        name: String,
        /// The launch's.
        found: Kind,
        /// The kernel's.
        taken: Kind,
    },
    /// A place beyond the memory.
    #[error("argument {number}, {name}, points to number {place} of a buffer of {length} numbers")]
    Place {
        /// Its place among the arguments, from 0.
        number: usize,
        /// The kernel's name for it.
        name: String,
        /// The type to which it points.
        place: usize,
        /// How many numbers there are.
        length: usize,
    },
    /// More blocks than a device takes, or none.
    #[error("its grid has {grid:?} blocks, but each dimension must have 1 to {most:?}")]
    Grid {
        /// The launch's.
        grid: [u32; 3],
        /// The largest.
        most: [u32; 3],
    },
}

/// The answer of NVIDIA's driver to a failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name of its code, such as `CUDA_ERROR_NO_DEVICE`.
    pub name: String,
    /// Its explanation.
    pub text: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}

fn numbers(count: usize) -> String {
    match count {
        0 => "none".into(),
        1 => "one, with number 0".into(),
        _ => format!("{count}, with numbers 0 to {}", count - 1),
    }
}

/// How to find out which launch of a chain fails, if the kernel is one of chains.
fn of_chain(kernel: &str) -> String {
    match kernel.starts_with("chain") {
        true => format!("; run again with {CHAINS}=0, which finds the launch in the chain, if it also fails by itself"),
        false => String::new(),
    }
}

/// Bytes for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..10_000_000 => format!("{bytes} bytes"),
        10_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_devices_is_reported() {
        let message = |count| CudaError::DeviceNumber { number: 3, count }.to_string();
        assert_eq!(message(0), "CUDA device 3 does not exist: this machine has none");
        assert_eq!(message(1), "CUDA device 3 does not exist: this machine has one, with number 0");
        assert_eq!(message(2), "CUDA device 3 does not exist: this machine has 2, with numbers 0 to 1");
    }

    #[test]
    fn total_and_free_memory_are_reported() {
        let error = CudaError::Memory { asked: 90_000_000_000, free: 120_000_000, total: 85_000_000_000 };
        assert_eq!(
            error.to_string(),
            "cannot allocate 90.0 GB of device memory (the device has 85.0 GB, of which 120 MB are free): use a smaller batch or model, or stop other programs that use the device"
        );
    }
}
