//! Every test of a program once more with each narrower choice of vectors. A process chooses once, so each has one of its own.
//!
//! A test program whose numbers depend on vectors includes this file, and names `Vectors`.

use super::Vectors;
use std::process::Command;

#[test]
fn all_tests_pass_with_every_choice() {
    let asked = std::env::var(Vectors::VARIABLE).unwrap_or_default();
    if !asked.is_empty() {
        // Whoever asks for one choice gets that one, and no others.
        assert_eq!(Vectors::current().name(), asked);
        return;
    }
    for vectors in Vectors::available().filter(|&vectors| vectors != Vectors::current()) {
        let output =
            Command::new(std::env::current_exe().unwrap()).env(Vectors::VARIABLE, vectors.name()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "with {vectors}:\n{text}");
        assert!(text.contains("all_tests_pass_with_every_choice ... ok"), "with {vectors}:\n{text}");
    }
}
