//! Opening a device where there are two driver libraries. Libraries are found through a variable that counts when a
//! process starts, so each attempt is a process of its own.

#![cfg(target_os = "linux")]
// The test that is run as a process prints what it finds.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;

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
