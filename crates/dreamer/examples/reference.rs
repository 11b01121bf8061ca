//! Computes the whole agent in double precision from weights, inputs and noise in a safetensors file, for comparison with
//! other programs: `cargo run --release --example reference -- IN.safetensors OUT.safetensors`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

#[path = "../tests/reference/mod.rs"]
mod reference;

use safetensors::tensor::{Dtype, TensorView};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: reference IN.safetensors OUT.safetensors");
        return ExitCode::from(2);
    };
    match run(input, output) {
        Ok(count) => {
            println!("{count} tensors written to {output}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(input: &str, output: &str) -> Result<usize, String> {
    let file = std::fs::read(input).map_err(|error| format!("{input}: {error}"))?;
    let (tensors, config) = reference::read(&file).map_err(|error| format!("{input}: {error}"))?;
    let mut reference = reference::Reference::new(tensors, &config).map_err(|error| format!("{input}: {error}"))?;
    let result = reference.compute().map_err(|error| format!("{input}: {error}"))?;
    let bytes: Vec<Vec<u8>> =
        result.values().map(|(_, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = result.iter().zip(&bytes).map(|((name, (shape, _)), bytes)| {
        (name.as_str(), TensorView::new(Dtype::F64, shape.clone(), bytes).expect("eight bytes a number"))
    });
    let file = safetensors::serialize(views, None).map_err(|error| error.to_string())?;
    std::fs::write(output, file).map_err(|error| format!("{output}: {error}"))?;
    Ok(result.len())
}
