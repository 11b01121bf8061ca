//! NVIDIA devices: their memory, kernels compiled when the program runs, and launches recorded as one graph.
//!
//! Start at [`Device::open`]. A [`Device`] gives a [`Slab`], one piece of memory that all kernels work on, and compiles a
//! source to a [`Program`]; a program runs launches once, or records them to a [`Recording`] that runs them again and again.
//! Launches name kernels and say what they are called with ([`tape::plan::Launch`]); whether they fit is found before any
//! runs, from the kernels' declarations. All of it for a plan is
//! [`start`](tape::plan::Device::start), which gives a [`Machine`](tape::plan::Machine).
//!
//! Here: what talks to NVIDIA's libraries, and the kernels' source. Not here: which launches make up a step of learning
//! (the crate `tape`), and what learns. NVIDIA's libraries are opened when a device is, so the program is built and started
//! without them: the driver's, `libcuda.so.1`, and the compiler's, NVRTC. What is missing is an error that names it. All
//! calls into them are in the module `driver`, which alone has unsafe code.

mod device;
mod driver;
mod error;
mod kind;
mod machine;
mod program;
mod signatures;
mod slab;
mod target;
mod version;

pub use device::{Bytes, Device};
pub use driver::{Compiled, NVRTC_VARIABLE, Nvrtc};
pub use error::{Answer, CudaError, Misfit};
pub use kind::Kind;
pub use program::{Program, Recording};
pub use slab::Slab;
pub use target::{Capability, Target};
pub use version::Version;

/// The kernels' source: CUDA C, in files by what the kernels are for, compiled as one. `prelude.cuh` says how a kernel is written, so
/// that the crate `emulator` can run it, too.
pub const KERNELS: &str = concat!(
    include_str!("kernels/prelude.cuh"),
    include_str!("kernels/products.cuh"),
    include_str!("kernels/layers.cuh"),
    include_str!("kernels/distributions.cuh"),
    include_str!("kernels/returns.cuh"),
    include_str!("kernels/learning.cuh"),
);

/// The source's name, as it appears in messages.
pub const KERNELS_FILE: &str = "kernels.cu";

/// Set to 1, this variable has every launch waited for, so that the error of a kernel that fails names it. It is slow.
pub const CHECK: &str = "DREAMGRAFT_CUDA_CHECK";
