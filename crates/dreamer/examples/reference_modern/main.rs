//! Computes the results of a file of reference cases for the agent's options, with the agent's own code, in double
//! precision:
//!
//!     cargo run --release --example reference_modern -- IN.safetensors OUT.safetensors
//!
//! IN has the inputs `CASE/in/...` of each case, and the sizes and constants of all of them as a JSON object in its
//! metadata, under `config`. OUT gets the results `CASE/out/...`. A case that cannot be computed is named on the
//! standard error, and the exit code is then 1; the results of the other cases are written nevertheless.

mod cases;
mod tensors;

use cases::{CASES, Case, Compute, Results};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use tensors::Tensors;

/// The results of all cases that a file has inputs of, and each case that could not be computed, with the reason.
fn compute(tensors: &Tensors, config: &Value) -> (Tensors, Vec<String>) {
    let (mut results, mut missing) = (Tensors::new(), Vec::new());
    for name in cases::names(tensors) {
        let Some(compute) = computation(&name) else {
            missing.push(format!("{name}: this agent does not have it"));
            continue;
        };
        let case = Case { tensors, config, name: &name };
        // A size that this agent cannot have must not cost the results of the other cases.
        match catch_unwind(AssertUnwindSafe(|| compute(&case))) {
            Ok(Ok(Results(found))) => {
                results.extend(found.into_iter().map(|(result, tensor)| (format!("{name}/out/{result}"), tensor)));
            }
            Ok(Err(reason)) => missing.push(format!("{name}: {reason}")),
            Err(_) => missing.push(format!("{name}: it panicked")),
        }
    }
    (results, missing)
}

/// What computes the case of this name. Cases of two-hot heads are named after their bins.
fn computation(name: &str) -> Option<Compute> {
    let known = CASES.iter().find(|(case, _)| *case == name).map(|(_, compute)| *compute);
    known.or_else(|| name.starts_with("twohot/n").then_some(cases::two_hot::predictions as Compute))
}

/// Computes all cases of the file `input`, writes their results to `output`, and returns the cases that cannot be
/// computed, each with the reason.
fn run(input: &Path, output: &Path) -> Result<Vec<String>, String> {
    let file = std::fs::read(input).map_err(|error| format!("{}: {error}", input.display()))?;
    let (inputs, config) = tensors::read(&file)?;
    let (results, missing) = compute(&inputs, &config);
    tensors::write(&results, output)?;
    Ok(missing)
}

#[expect(clippy::print_stderr, reason = "a program for people")]
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: reference_modern IN.safetensors OUT.safetensors");
        return ExitCode::from(2);
    };
    match run(Path::new(input), Path::new(output)) {
        Ok(missing) if missing.is_empty() => ExitCode::SUCCESS,
        Ok(missing) => {
            missing.iter().for_each(|case| eprintln!("not computed: {case}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
