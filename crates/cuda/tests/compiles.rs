//! Whether the kernels compile, with the real compiler and without a device. `scripts/check-cuda` brings the compiler.

// Prints the compiled target.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use cuda::{Capability, CudaError, KERNELS, KERNELS_FILE, NVRTC_VARIABLE, Nvrtc, Target};

/// The devices that are compiled for: V100, A100, H100 and H200.
const DEVICES: [Capability; 3] =
    [Capability { major: 7, minor: 0 }, Capability { major: 8, minor: 0 }, Capability { major: 9, minor: 0 }];

fn nvrtc() -> Nvrtc {
    let place = std::env::var_os(NVRTC_VARIABLE).map(PathBuf::from);
    Nvrtc::open(place.as_deref(), None).unwrap_or_else(|error| panic!("{error}"))
}

/// The output of the compiler, without its warning about old devices, which does not concern the source.
fn about_the_source(log: &str) -> String {
    let old = |line: &&str| line.starts_with("nvrtc: warning: Architectures prior to");
    log.lines().filter(|line| !old(line)).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs NVRTC: scripts/check-cuda"]
fn the_kernels_compile_without_a_word() {
    let nvrtc = nvrtc();
    let known: Vec<_> = DEVICES.into_iter().filter(|device| nvrtc.known().contains(device)).collect();
    assert!(known.contains(&DEVICES[2]), "NVRTC {} compiles for {:?}", nvrtc.version(), nvrtc.known());
    for device in known {
        let compiled = nvrtc.compile(KERNELS_FILE, KERNELS, device, &[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(compiled.target, Target::Machine(device));
        assert_eq!(about_the_source(&compiled.log), "", "for {}", compiled.target);
        assert!(compiled.image.starts_with(b"\x7fELF"), "{} is no machine code", compiled.target);
        println!("NVRTC {} for {}: {} bytes", nvrtc.version(), compiled.target, compiled.image.len());
        let verbose = nvrtc.compile(KERNELS_FILE, KERNELS, device, &["--ptxas-options=--verbose"]);
        println!("{}", verbose.unwrap_or_else(|error| panic!("{error}")).log);
    }
}

#[test]
#[ignore = "needs NVRTC: scripts/check-cuda"]
fn a_device_newer_than_the_compiler_gets_intermediate_code() {
    let newer = Capability { major: 99, minor: 0 };
    let compiled = nvrtc().compile(KERNELS_FILE, KERNELS, newer, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(compiled.target, Target::Intermediate(_)), "{}", compiled.target);
    assert_eq!(compiled.log, "");
    assert_eq!(compiled.image.last(), Some(&0));
    assert!(String::from_utf8_lossy(&compiled.image).contains(".visible .entry"));
}

#[test]
#[ignore = "needs NVRTC: scripts/check-cuda"]
fn an_error_has_its_file_and_line() {
    let source = "extern \"C\" __global__ void wrong(float* a)\n{\n    b[0] = 1.0f;\n}\n";
    let error = nvrtc().compile("wrong.cu", source, DEVICES[2], &[]).map(|_| ()).unwrap_err();
    assert!(matches!(error, CudaError::Compile { .. }), "{error}");
    assert!(error.to_string().contains("wrong.cu(3): error"), "{error}");
}

#[test]
#[ignore = "needs NVRTC: scripts/check-cuda"]
fn a_warning_is_kept() {
    let source = "extern \"C\" __global__ void odd(float* a)\n{\n    int unused;\n    a[0] = 1.0f;\n}\n";
    let compiled = nvrtc().compile("odd.cu", source, DEVICES[2], &[]).unwrap_or_else(|error| panic!("{error}"));
    assert!(compiled.log.contains("odd.cu(3)"), "{:?}", compiled.log);
}

#[test]
#[ignore = "needs NVRTC: scripts/check-cuda"]
fn a_device_older_than_the_compiler_is_refused() {
    let error = nvrtc().compile(KERNELS_FILE, KERNELS, Capability { major: 1, minor: 0 }, &[]).map(|_| ()).unwrap_err();
    assert!(matches!(error, CudaError::DeviceOld { .. }), "{error}");
}
