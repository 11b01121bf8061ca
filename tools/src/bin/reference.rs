//! Computes the whole agent in double precision from weights, inputs and noise in a safetensors file, for comparison with
//! other programs: `cargo run --release -p dreamgraft-tools --bin reference -- IN.safetensors OUT.safetensors [--released]`.
//!
//! If the file has what they need, also modular and fractional transfer (`ftl/result/`) and a gradient step with a reward
//! meta-model (`mmtl/eq4/`); with `--released`, also one with the meta-model of the paper's public code (`mmtl/released/`).

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

#[path = "../../../crates/transfer/tests/transfer/common/reference.rs"]
mod reference;

use reference::MetaModel;
use reference::agent::{Reference, Tensors};
use safetensors::tensor::{Dtype, TensorView};
use std::process::ExitCode;

fn main() -> ExitCode {
    let (options, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let (Ok([input, output]), Ok(released)) = (<&[String; 2]>::try_from(files.as_slice()), released(&options)) else {
        eprintln!("usage: reference IN.safetensors OUT.safetensors [--released]");
        return ExitCode::from(2);
    };
    match run(input, output, released) {
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

fn released(options: &[String]) -> Result<bool, ()> {
    match options {
        [] => Ok(false),
        [option] if option == "--released" => Ok(true),
        _ => Err(()),
    }
}

fn run(input: &str, output: &str, released: bool) -> Result<usize, String> {
    let file = std::fs::read(input).map_err(|error| format!("{input}: {error}"))?;
    let (tensors, config) = reference::agent::read(&file).map_err(|error| format!("{input}: {error}"))?;
    let result = compute(tensors, &config, released).map_err(|error| format!("{input}: {error}"))?;
    let bytes: Vec<Vec<u8>> =
        result.values().map(|(_, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = result.iter().zip(&bytes).map(|((name, (shape, _)), bytes)| {
        (name.as_str(), TensorView::new(Dtype::F64, shape.clone(), bytes).expect("eight bytes a number"))
    });
    let file = safetensors::serialize(views, None).map_err(|error| error.to_string())?;
    std::fs::write(output, file).map_err(|error| format!("{output}: {error}"))?;
    Ok(result.len())
}

fn compute(tensors: Tensors, config: &serde_json::Value, released: bool) -> Result<Tensors, String> {
    let mut all = reference::fractional(&tensors, config)?;
    all.extend(reference::meta_model(&tensors, config, MetaModel::Eq4)?);
    if released {
        all.extend(reference::meta_model(&tensors, config, MetaModel::Released)?);
    }
    all.extend(Reference::new(tensors, config)?.compute()?);
    Ok(all)
}
