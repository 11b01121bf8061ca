//! Memory, launches and recordings on a real device. `scripts/check-cuda` runs this where there is one.

// Prints the name of the device.
#![allow(clippy::print_stdout)]

use cuda::{CudaError, Device, Misfit, Program, Slab};
use tape::plan::{Argument, Launch, Place};

/// Kernels of this test's own.
const SOURCE: &str = r#"
extern "C" __global__ void __launch_bounds__(256) add(float* a, const float* b, int n, float c)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) { a[i] += c * b[i]; }
}
extern "C" __global__ void place(float* out, int width)
{
    int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    if (threadIdx.x == 0) { out[block] = (float)(blockIdx.z * 100 + blockIdx.y * 10 + blockIdx.x + width); }
}
"#;

const N: usize = 1000;

fn open() -> Device {
    Device::open(0).unwrap_or_else(|error| panic!("{error}")).checked(false)
}

fn compile(device: &Device) -> Program {
    let program = device.compile("test.cu", SOURCE).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(program.warnings(), "");
    program
}

/// a += c b, with a from place 0 on and b from place N on.
fn add(c: f32) -> Launch {
    let arguments = vec![Place(0).into(), Place(N).into(), N.into(), Argument::Real(c)];
    Launch { kernel: "add", grid: [N.div_ceil(256) as u32, 1, 1], arguments }
}

fn slab(device: &Device) -> Slab {
    let mut slab = device.slab(2 * N).unwrap_or_else(|error| panic!("{error}"));
    let b: Vec<f32> = (0..N).map(|i| i as f32).collect();
    slab.write(Place(N), &b).unwrap();
    slab
}

fn read(slab: &Slab, place: usize, count: usize) -> Vec<f32> {
    let mut numbers = vec![f32::NAN; count];
    slab.read(Place(place), &mut numbers).unwrap_or_else(|error| panic!("{error}"));
    numbers
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn a_device_describes_itself() {
    let device = open();
    let memory = device.memory().unwrap();
    assert!(!device.name().is_empty() && device.capability().major >= 5);
    assert!(memory.free > 0 && memory.free <= memory.total && device.multiprocessors().unwrap() > 0);
    println!(
        "{}: compute capability {}, {} of {} bytes free, driver for CUDA {}, NVRTC {} ({})",
        device.name(),
        device.capability(),
        memory.free,
        memory.total,
        device.driver(),
        device.nvrtc().version(),
        device.nvrtc().path().display(),
    );
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn memory_is_zero_and_keeps_written_data() {
    let device = open();
    let mut slab = device.slab(N).unwrap();
    assert_eq!(read(&slab, 0, N), vec![0.0; N]);
    slab.write(Place(3), &[1.5, -2.0]).unwrap();
    slab.write_bytes(Place(6), &[1, 2, 3, 4, 5]).unwrap();
    assert_eq!(read(&slab, 2, 4), [0.0, 1.5, -2.0, 0.0]);
    let mut bytes = [9; 8];
    slab.read_bytes(Place(6), &mut bytes).unwrap();
    assert_eq!(bytes, [1, 2, 3, 4, 5, 0, 0, 0]);
    assert!(matches!(slab.write(Place(N - 1), &[0.0; 2]), Err(CudaError::Outside { .. })));
    device.slab(0).unwrap().write(Place(0), &[]).unwrap();
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn more_memory_than_there_is_is_refused_and_harms_nothing() {
    let device = open();
    let total = device.memory().unwrap().total;
    match device.slab(total / 4 + N).map(|slab| slab.length()) {
        Err(CudaError::Memory { asked, free, .. }) => assert!(asked > total && free <= total),
        Err(other) => panic!("{other}"),
        Ok(length) => panic!("{length} numbers"),
    }
    assert!(matches!(device.slab(usize::MAX), Err(CudaError::Memory { .. })));
    assert_eq!(read(&device.slab(N).unwrap(), 0, N), vec![0.0; N]);
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn a_recording_runs_launches_in_order() {
    for device in [open(), open().checked(true)] {
        let program = compile(&device);
        let mut slab = slab(&device);
        program.run_once(&mut slab, &[add(1.0), add(2.0)]).unwrap();
        let three: Vec<f32> = (0..N).map(|i| 3.0 * i as f32).collect();
        assert_eq!(read(&slab, 0, N), three);

        let mut recording = program.record(&slab, &[add(1.0), add(0.5)]).unwrap();
        assert_eq!(read(&slab, 0, N), three, "recording runs nothing");
        for _ in 0..100 {
            recording.run().unwrap();
        }
        let expected: Vec<f32> = (0..N).map(|i| 153.0 * i as f32).collect();
        assert_eq!(read(&slab, 0, N), expected);

        // The next run reads data that is written between runs.
        slab.write(Place(N), &vec![0.0; N]).unwrap();
        recording.run().unwrap();
        assert_eq!(read(&slab, 0, N), expected);
    }
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn a_recording_outlives_its_parts_and_runs_on_any_thread() {
    let device = open();
    let (slab, program) = (slab(&device), compile(&device));
    let mut recording = program.record(&slab, &[add(1.0)]).unwrap();
    drop(program);
    std::thread::scope(|scope| {
        scope.spawn(|| recording.run().unwrap()).join().unwrap();
    });
    assert_eq!(read(&slab, 0, 3), [0.0, 1.0, 2.0]);
    drop(slab);
    recording.run().unwrap();
    device.synchronise().unwrap();
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn grids_have_three_directions() {
    let device = open();
    let program = compile(&device);
    let mut slab = device.slab(24).unwrap();
    let launch = Launch { kernel: "place", grid: [4, 3, 2], arguments: vec![Place(0).into(), 5_usize.into()] };
    program.run_once(&mut slab, &[launch]).unwrap();
    let expected: Vec<f32> =
        (0..24).map(|block| (block / 12 * 100 + block / 4 % 3 * 10 + block % 4 + 5) as f32).collect();
    assert_eq!(read(&slab, 0, 24), expected);
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn nothing_to_launch_is_recorded_and_run() {
    let device = open();
    let (mut slab, program) = (slab(&device), compile(&device));
    program.run_once(&mut slab, &[]).unwrap();
    program.record(&slab, &[]).unwrap().run().unwrap();
    device.synchronise().unwrap();
}

#[test]
#[ignore = "needs an NVIDIA device: scripts/check-cuda"]
fn launches_that_do_not_fit_run_nothing() {
    let device = open();
    let program = compile(&device);
    let mut slab = slab(&device);
    let wrong = Launch { kernel: "subtract", ..add(1.0) };
    let error = program.run_once(&mut slab, &[add(1.0), wrong]).unwrap_err();
    assert!(matches!(error, CudaError::Launch { number: 1, why: Misfit::Unknown, .. }), "{error}");
    assert_eq!(read(&slab, 0, N), vec![0.0; N]);
}
