//! Computes the results of a file of reference cases for the agent's options, with the agent's own code, in double
//! precision:
//!
//!     cargo run --release --example reference_modern -- IN.safetensors OUT.safetensors
//!
//! IN has the inputs `CASE/in/...` of each case, and the sizes and constants of all of them as a JSON object in its
//! metadata, under `config`. OUT gets the results `CASE/out/...`.
//!
//! The exit code is 0 if all cases were computed. It is 1 if a case could not be computed: one line on the standard error
//! names it and the reason, such as an input that is missing or has another shape, and the results of the other cases are
//! written nevertheless. It is also 1, without any results, if IN cannot be read or OUT cannot be written, and 2 if the
//! arguments are not two files.

mod cases;
mod tensors;

use cases::{Case, Results};
use serde_json::Value;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::Path;
use std::process::ExitCode;
use tensors::Tensors;

/// The results of all cases that a file has inputs of, and each case that could not be computed, with the reason.
fn compute(tensors: &Tensors, config: &Value) -> (Tensors, Vec<String>) {
    let (mut results, mut missing) = (Tensors::new(), Vec::new());
    for name in cases::names(tensors) {
        let case = Case { tensors, config, name: &name };
        // Sizes that do not fit together must not cost the results of the other cases.
        match catch_unwind(AssertUnwindSafe(|| cases::results(&case))) {
            Ok(Ok(Results(found))) => {
                results.extend(found.into_iter().map(|(result, tensor)| (format!("{name}/out/{result}"), tensor)));
            }
            Ok(Err(reason)) => missing.push(format!("{name}: {reason}")),
            Err(reason) => missing.push(format!("{name}: the sizes do not fit together ({})", text_of(&*reason))),
        }
    }
    (results, missing)
}

/// The message of a panic, in one line.
fn text_of(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<String>().map(String::as_str).or(reason.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

/// Computes all cases of the file `input`, writes their results to `output`, and returns the cases that cannot be
/// computed, each with the reason.
fn run(input: &Path, output: &Path) -> Result<Vec<String>, String> {
    let of_input = |error: String| format!("{}: {error}", input.display());
    let file = std::fs::read(input).map_err(|error| of_input(error.to_string()))?;
    let (inputs, config) = tensors::read(&file).map_err(of_input)?;
    let (results, missing) = compute(&inputs, &config);
    if results.is_empty() && missing.is_empty() {
        return Err(of_input("it has no inputs of any case, CASE/in/...".to_owned()));
    }
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
    // A panic is reported as a case that could not be computed.
    set_hook(Box::new(|_| ()));
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
