//! Runs every test of a program once more with each narrower SIMD instruction set. A process chooses once, so each
//! choice needs a separate process.
//!
//! Tests that learn for hundreds of gradient steps are left out: others compare each kernel, and single steps.
//!
//! A test program whose numbers depend on the instruction set includes this file, and imports `SimdInstructionSet`.

use super::SimdInstructionSet;
use std::process::Command;

#[test]
fn all_tests_pass_with_every_choice() {
    let variables = [SimdInstructionSet::VARIABLE, SimdInstructionSet::OLD_VARIABLE];
    let values = variables.into_iter().filter_map(|variable| std::env::var(variable).ok());
    if let Some(named) = values.into_iter().find(|value| !value.is_empty()) {
        // If the user names an instruction set, only that one is tested.
        assert_eq!(SimdInstructionSet::current().name(), named);
        return;
    }
    for set in SimdInstructionSet::available().filter(|&set| set != SimdInstructionSet::current()) {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--skip", "on_one_batch"]).env(SimdInstructionSet::VARIABLE, set.name());
        let output = program.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "with {set}:\n{text}");
        assert!(text.contains("all_tests_pass_with_every_choice ... ok"), "with {set}:\n{text}");
    }
}
