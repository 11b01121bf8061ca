//! The configuration of a run: settings, presets, and how they are laid over each other.
//!
//! Defaults < preset < file < typed settings. Here: [`Config`], [`Layer`], [`resolve`], [`preset`], [`sizes`], [`difference`].
//! Not here: the command line, or where a resolved configuration is kept.

mod bytes;
mod difference;
mod error;
mod kind;
mod layer;
mod layers;
mod names;
mod ranges;
mod settings;
mod size;
mod tables;

pub use bytes::ByteSize;
pub use difference::{Difference, difference};
pub use error::ConfigError;
pub use kind::{SettingKind, meant};
pub use layer::Layer;
pub(crate) use layer::PROVENANCE;
pub use layers::{resolve, task_options, value_of};
pub use names::settings_meant;
pub use settings::{CheckpointSettings, Config, KeptFiles, LogSettings, ReplaySettings, Schedule, StopSettings};
pub use size::{KEY as SIZE, is_of_size, names as sizes};

/// DreamerV3's settings, whose last table is continued by its size.
macro_rules! v3 {
    ($size:literal) => {
        concat!(include_str!("../../presets/v3.toml"), "size = \"", $size, "\"\n")
    };
}

/// The presets: name, purpose and text.
const PRESETS: [(&str, &str, &str); 10] = [
    ("paper", "the published sizes and 1e6 frames", include_str!("../../presets/paper.toml")),
    ("small", "a small agent for a computer without a GPU, 1e5 frames", include_str!("../../presets/small.toml")),
    ("smoke", "a tiny agent and 3000 frames, to check that everything works", include_str!("../../presets/smoke.toml")),
    ("v3", "DreamerV3 as published, at the size 12m", v3!("12m")),
    ("v3-1m", "DreamerV3 at the smallest published size", v3!("1m")),
    ("v3-12m", "the same as v3", v3!("12m")),
    ("v3-25m", "DreamerV3 at the size 25m", v3!("25m")),
    ("v3-50m", "DreamerV3 at the size 50m", v3!("50m")),
    ("v3-100m", "DreamerV3 at the size 100m", v3!("100m")),
    ("v3-200m", "DreamerV3 at the size 200m, the published default", v3!("200m")),
];

/// The names and purposes of the presets.
pub fn presets() -> impl Iterator<Item = (&'static str, &'static str)> {
    PRESETS.into_iter().map(|(name, about, _)| (name, about))
}

/// The layer of the preset called `name`.
///
/// # Errors
/// [`ConfigError::UnknownPreset`] offers the nearest name.
pub fn preset(name: &str) -> Result<Layer, ConfigError> {
    let Some((_, _, text)) = PRESETS.into_iter().find(|(known, _, _)| *known == name) else {
        let nearest = wording::nearest(name, PRESETS.iter().map(|(known, _, _)| *known)).unwrap_or_default();
        return Err(ConfigError::UnknownPreset { name: name.to_owned(), nearest: nearest.to_owned() });
    };
    Layer::parse(&format!("preset {name}"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_resolves() {
        for (name, _) in presets() {
            let task = Layer::parse("test", "tasks = [\"hopper\"]").unwrap();
            let config = resolve(&[preset(name).unwrap(), task]).unwrap();
            assert!(config.agent.length <= 501, "{name}: an episode has at most 501 transitions");
        }
    }

    #[test]
    fn the_paper_preset_has_the_papers_numbers() {
        let task = Layer::parse("test", "tasks = [\"hopper\"]").unwrap();
        let config = resolve(&[preset("paper").unwrap(), task]).unwrap();
        assert_eq!(config, Config { tasks: vec!["hopper".into()], ..Config::default() });
    }

    #[test]
    fn an_unknown_preset_is_named_with_the_nearest() {
        let message = preset("smole").unwrap_err().to_string();
        assert!(message.contains("\"smole\"") && message.contains("smoke"), "{message}");
    }
}
