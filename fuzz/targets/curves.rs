//! `metrics.jsonl` as reports read it: any bytes give curves and problems.
#![no_main]

use libfuzzer_sys::fuzz_target;
use study::results::decode_metrics;

fuzz_target!(|bytes: &[u8]| {
    let tasks = ["ant".to_owned(), "hopper".to_owned()];
    let metrics = decode_metrics(bytes, &tasks[..1 + bytes.len() % 2]);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    for series in &metrics.series {
        for curve in [&series.training, &series.evaluation] {
            assert!(curve.points().len() <= lines);
            assert!(curve.points().iter().all(|point| point.value.is_finite()));
        }
    }
});
