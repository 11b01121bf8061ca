//! The diagnosis of a gradient step with infinite or NaN values: the values, the gradient and the batch.
//!
//! Here: the files in the folder `not-finite` of the run. Not here: detecting such values (`run`), and how to continue
//! (`docs/reliability.md`).

use crate::{Broken, Frames, TrainError};
use replay::Batch;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A gradient step that went wrong.
#[derive(Debug)]
pub(crate) struct Diagnosis<'a> {
    /// The gradient step, counted from 1.
    pub update: u64,
    /// Frames collected by then.
    pub frames: Frames,
    /// All metrics of the step.
    pub metrics: &'a [(&'static str, f64)],
    /// The first parameter whose gradient is not finite.
    pub gradient: Option<&'a Broken>,
}

impl Diagnosis<'_> {
    /// Writes the batch as `<update>.npz` and the rest as `<update>.json` into the folder `kept`; the batch's path.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, kept: &Path, batch: &Batch) -> Result<PathBuf, TrainError> {
        files::create_folders(kept).map_err(TrainError::io(kept))?;
        let path = kept.join(format!("{:010}.npz", self.update));
        replay::write_batch(&path, batch)?;
        let text = path.with_extension("json");
        let bytes = format!("{:#}\n", self.json());
        files::write_atomically(&text, |file| file.write_all(bytes.as_bytes())).map_err(TrainError::io(text))?;
        Ok(path)
    }

    fn json(&self) -> Value {
        // JSON does not have infinity and NaN, so they are written as strings.
        let number = |value: f64| if value.is_finite() { json!(value) } else { json!(value.to_string()) };
        let metrics: serde_json::Map<String, Value> =
            self.metrics.iter().map(|(name, value)| ((*name).to_owned(), number(*value))).collect();
        let gradient = self.gradient.map(|broken| {
            let Broken { path, value, count, numbers } = broken;
            json!({ "path": path, "first": number(*value), "not_finite": count, "numbers": numbers })
        });
        json!({ "update": self.update, "frames": self.frames, "figures": metrics, "gradient": gradient })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_infinite_or_nan_number_is_reported_and_all_are_counted() {
        assert_eq!(Broken::find("a.kernel", &[1.0, -3e38]), None);
        let broken = Broken::find("a.kernel", &[1.0, f32::NEG_INFINITY, f32::NAN]).unwrap();
        assert_eq!((broken.value, broken.count, broken.numbers), (f64::NEG_INFINITY, 2, 3));
        let metrics = [("kl", 1.5), ("value_loss", f64::NAN)];
        let diagnosis = Diagnosis { update: 7, frames: Frames(40), metrics: &metrics, gradient: Some(&broken) };
        let json = diagnosis.json();
        assert_eq!((&json["figures"]["kl"], &json["figures"]["value_loss"]), (&json!(1.5), &json!("NaN")));
        assert_eq!((&json["gradient"]["path"], &json["gradient"]["first"]), (&json!("a.kernel"), &json!("-inf")));
    }
}
