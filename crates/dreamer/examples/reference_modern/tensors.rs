//! Files of golden numbers.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

/// Tensors by name: shape and numbers, row-major.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// Reads every tensor of a file and the JSON object in its metadata's `config`.
pub fn read(file: &[u8]) -> Result<(Tensors, serde_json::Value), String> {
    let (_, header) = SafeTensors::read_metadata(file).map_err(|error| format!("not a safetensors file: {error}"))?;
    let config = header.metadata().as_ref().and_then(|all| all.get("config")).ok_or("the metadata lacks `config`")?;
    let config = serde_json::from_str(config).map_err(|error| format!("the metadata's `config`: {error}"))?;
    let tensors = SafeTensors::deserialize(file).map_err(|error| error.to_string())?;
    let mut all = Tensors::new();
    for (name, view) in tensors.tensors() {
        let data = view.data();
        let values = match view.dtype() {
            Dtype::F64 => data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
            Dtype::U8 => data.iter().map(|&b| f64::from(b)).collect(),
            Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
            other => return Err(format!("{name} is {other:?}; F64, F32, U8 and I64 are read")),
        };
        all.insert(name, (view.shape().to_vec(), values));
    }
    Ok((all, config))
}

/// Writes tensors to a file of 64-bit numbers.
#[allow(dead_code, reason = "tests only read files")]
pub fn write(tensors: &Tensors, file: &std::path::Path) -> Result<(), String> {
    let bytes: BTreeMap<&str, Vec<u8>> = tensors
        .iter()
        .map(|(name, (_, numbers))| (name.as_str(), numbers.iter().flat_map(|x| x.to_le_bytes()).collect()))
        .collect();
    let view = |(name, (shape, _)): (&String, &(Vec<usize>, Vec<f64>))| {
        let view = TensorView::new(Dtype::F64, shape.clone(), &bytes[name.as_str()]);
        view.map(|view| (name.clone(), view)).map_err(|error| format!("{name}: {error}"))
    };
    let views = tensors.iter().map(view).collect::<Result<Vec<_>, String>>()?;
    safetensors::serialize_to_file(views, None, file).map_err(|error| format!("{}: {error}", file.display()))
}
