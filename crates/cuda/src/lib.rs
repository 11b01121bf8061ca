//! NVIDIA devices: their memory, kernels compiled when the program runs, and launches recorded as one graph.
//!
//! Start at [`Device::open`]. A [`Device`] gives a [`Slab`], one piece of memory that all kernels work on, and compiles
//! a source to a [`Program`]; a program runs launches once, or records them to a [`Recording`] that runs them again and
//! again. Launches name kernels and their arguments ([`tape::plan::Launch`]), which are compared with the declarations
//! of the kernels before any launch runs. For a plan, all of this is [`start`](tape::plan::Device::start), which gives
//! a [`Machine`](tape::plan::Machine).
//!
//! Here: the calls into NVIDIA's libraries, and the source of the kernels. Not here: the launches of a gradient step
//! (crate `tape`), and the agent. NVIDIA's libraries are opened when a device is, so the program is built and started
//! without them: the driver's, `libcuda.so.1`, and the compiler's, NVRTC. A missing library is an error that names it.
//! All calls into them are in the module `driver`, which alone has unsafe code.

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
pub use driver::{Compiled, Nvrtc};
pub use error::{Answer, CudaError, Misfit};
pub use kind::Kind;
pub use program::{Program, Recording};
pub use slab::Slab;
pub use target::{Capability, Target};
pub use version::Version;

/// The kernels' source: CUDA C, in files by the purpose of the kernels, compiled together. `prelude.cuh` describes how
/// kernels are written so that crate `emulator` can run them too.
pub const KERNELS: &str = concat!(
    include_str!("kernels/prelude.cuh"),
    include_str!("kernels/factors.cuh"),
    include_str!("kernels/tiles.cuh"),
    include_str!("kernels/products.cuh"),
    include_str!("kernels/small_products.cuh"),
    include_str!("kernels/recurrent.cuh"),
    include_str!("kernels/recurrent_team.cuh"),
    include_str!("kernels/sums.cuh"),
    include_str!("kernels/layers.cuh"),
    include_str!("kernels/resizing.cuh"),
    include_str!("kernels/distributions.cuh"),
    include_str!("kernels/teams.cuh"),
    include_str!("kernels/categorical.cuh"),
    include_str!("kernels/bounded.cuh"),
    include_str!("kernels/blocks.cuh"),
    include_str!("kernels/two_hot.cuh"),
    include_str!("kernels/returns.cuh"),
    include_str!("kernels/range.cuh"),
    include_str!("kernels/columns.cuh"),
    include_str!("kernels/learning.cuh"),
);

/// The source's name, as it appears in messages.
pub const KERNELS_FILE: &str = "kernels.cu";

/// Set to 1, this variable has every launch waited for, so that the error of a kernel that fails names it. It is slow.
/// Unless [`CHAINS`] is 1, no launches are joined to chains then.
pub const CHECK: &str = "DREAMGRAFT_CUDA_CHECK";

/// Set to 0, this variable has small launches run one by one, and not as chains; set to 1, they are chains even if launches
/// are checked.
pub const CHAINS: &str = "DREAMGRAFT_CUDA_CHAINS";

/// Names the compiler's library: its file, or the folder that it is in.
pub const NVRTC_VARIABLE: &str = "DREAMGRAFT_NVRTC";
