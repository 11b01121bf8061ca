//! Drivers that a test can choose: a second driver library, and versions. Libraries are found through a variable that
//! counts when a process starts, so each attempt is a process of its own.

#![cfg(target_os = "linux")]
// The test that is run as a process prints what it finds.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;
use tape::plan::{Argument, Launch};

#[test]
#[ignore = "a part of the test below"]
fn opens() {
    println!("{}", cuda::Device::open(0).map_or_else(|error| error.to_string(), |device| device.name().to_owned()));
}

#[test]
fn a_second_driver_library_is_reported() {
    let told = |folders: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "opens", "--nocapture"]);
        let output = emulator::with_stand_ins(&mut command).env("LD_LIBRARY_PATH", folders).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let stand_ins = emulator::STAND_INS;
    assert!(told(stand_ins).contains("a processor"), "{}", told(stand_ins));
    let folder = tempfile::tempdir().unwrap();
    let folders = format!("{}:{stand_ins}", folder.path().display());
    // A link, as installations of the driver have it, is the same library.
    std::os::unix::fs::symlink(Path::new(stand_ins).join("libcuda.so.1"), folder.path().join("libcuda.so")).unwrap();
    assert!(told(&folders).contains("a processor"), "{}", told(&folders));
    std::fs::remove_file(folder.path().join("libcuda.so")).unwrap();
    std::fs::copy(Path::new(stand_ins).join("libcuda.so.1"), folder.path().join("libcuda.so")).unwrap();
    let told = told(&folders);
    assert!(told.contains("libcuda.so is not the same library as libcuda.so.1"), "{told}");
}

/// `fill` waits for the kernel before it, and `scaled` does not.
const SOURCE: &str = r#"
extern "C" __global__ void fill(float *out, int rows, int columns, float value) { BEGIN; }
extern "C" __global__ void scaled(float *y, const float *x, float factor, int count, int accumulate) {}
"#;

#[test]
#[ignore = "a part of the test below"]
fn launches_two() {
    let device = cuda::Device::open(0).unwrap_or_else(|error| panic!("{error}"));
    let program = device.compile("test.cu", SOURCE).unwrap_or_else(|error| panic!("{error}"));
    let slab = device.slab(256).unwrap();
    let (place, one) = (Argument::Place(0), Argument::Whole(1));
    let fill = Launch { kernel: "fill", grid: [1; 3], arguments: vec![place, one, one, Argument::Real(2.0)] };
    let arguments = vec![place, place, Argument::Real(2.0), one, Argument::Whole(0)];
    let scaled = Launch { kernel: "scaled", grid: [1; 3], arguments };
    let mut recording = program.record(&slab, &[fill, scaled]).unwrap();
    recording.run().unwrap();
    let mut number = [0.0];
    slab.read(tape::plan::Place(0), &mut number).unwrap();
    assert_eq!(number, [4.0]);
}

#[test]
fn only_kernels_that_wait_overlap_and_only_with_a_driver_that_can() {
    let told = |version: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "launches_two", "--nocapture"]).env_remove(cuda::CHECK);
        command.env("STAND_IN_DRIVER", version).env("STAND_IN_REPORT", "1");
        let output = emulator::with_stand_ins(&mut command).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stdout));
        text
    };
    for (version, overlapped) in [("12020", 0), ("12030", 1), ("13000", 1)] {
        let text = told(version);
        assert!(text.contains(&format!("stand-in: 2 launches, {overlapped} of them overlapped")), "{version}: {text}");
    }
}
