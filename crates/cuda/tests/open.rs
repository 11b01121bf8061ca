//! Opening a device on a machine with or without a GPU. For a broken installation, the test only requires an error of
//! one line.

use cuda::{CudaError, Device};

#[test]
fn a_missing_library_is_one_line_with_the_next_step() {
    match Device::open(0) {
        Ok(device) => {
            let memory = device.memory().unwrap_or_else(|error| panic!("{error}"));
            assert!(!device.name().is_empty() && memory.free <= memory.total && memory.total > 0);
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains('\n'), "{message}");
            if let CudaError::DriverMissing { library, .. } = error {
                assert!(message.starts_with(library), "{message}");
                assert!(message.contains("NVIDIA's driver") && message.contains("--device cpu"), "{message}");
            }
        }
    }
}

#[test]
fn a_number_that_no_device_has_is_refused() {
    match Device::open(10_000) {
        Err(CudaError::DeviceNumber { number: 10_000, count }) => assert!(count < 10_000),
        Err(CudaError::DriverMissing { .. } | CudaError::DriverOld { .. } | CudaError::NoDevice { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(device) => panic!("{}", device.name()),
    }
}
