//! The error of a kernel that fails on a real GPU. It runs alone in its process, because the device cannot be used
//! afterwards. `scripts/check-cuda` runs it if there is a GPU.

use cuda::{CudaError, Device};
use tape::plan::{Launch, Place};

const SOURCE: &str = r#"
extern "C" __global__ void good(float* a) { if (threadIdx.x == 0) { a[0] += 1.0f; } }
extern "C" __global__ void bad(float* a) { if (threadIdx.x == 0) { asm volatile("trap;"); } }
"#;

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn a_kernel_that_fails_is_named_if_launches_are_checked() {
    let device = Device::open(0).unwrap_or_else(|error| panic!("{error}")).checked(true);
    let program = device.compile("test.cu", SOURCE).unwrap_or_else(|error| panic!("{error}"));
    let slab = device.slab(1).unwrap();
    let launch = |kernel| Launch { kernel, grid: [1, 1, 1], arguments: vec![Place(0).into()] };
    let mut recording = program.record(&slab, &[launch("good"), launch("bad"), launch("good")]).unwrap();
    let error = recording.run().unwrap_err();
    assert!(matches!(&error, CudaError::Kernel { kernel: "bad", number: 1, .. }), "{error}");
    // Later calls are errors too, and nothing panics, not even dropping everything.
    assert!(slab.read(Place(0), &mut [0.0]).is_err());
}
