//! Plans that come with the program. Each is an ordinary plan without sources, to be read, copied and changed.
//!
//! Here: the presets, and the ways to create a [`Plan`] from them. Not here: plans themselves (`plan`).

use crate::document::MetaModelStart;
use crate::error::PlanError;
use crate::plan::{MetaModel, Plan};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A plan that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Modular and fractional transfer, Figure 2.
    Paper,
    /// Every component that matches, in full, Figure 6.
    Full,
    /// The encoder alone.
    EncoderOnly,
    /// Everything, whole; all sizes must be the same.
    FineTune,
    /// The universal feature space: encoder frozen, decoder as a start.
    Universal,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Paper, Self::Full, Self::EncoderOnly, Self::FineTune, Self::Universal];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Full => "full",
            Self::EncoderOnly => "encoder-only",
            Self::FineTune => "fine-tune",
            Self::Universal => "universal",
        }
    }

    /// The TOML text.
    pub fn text(self) -> &'static str {
        match self {
            Self::Paper => include_str!("presets/paper.toml"),
            Self::Full => include_str!("presets/full.toml"),
            Self::EncoderOnly => include_str!("presets/encoder-only.toml"),
            Self::FineTune => include_str!("presets/fine-tune.toml"),
            Self::Universal => include_str!("presets/universal.toml"),
        }
    }

    /// The preset of this name.
    pub fn named(name: impl AsRef<OsStr>) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| name.as_ref() == preset.name())
    }

    /// The plan, without sources.
    pub fn plan(self) -> Plan {
        let name = format!("the built-in plan {}", self.name());
        Plan::parse(self.text(), &name).expect("a preset is a plan: the tests read all of them")
    }

    /// The name of the preset that is most like a mistyped one; empty if none is.
    pub fn nearest(typed: &str) -> &'static str {
        wording::nearest(typed, Self::ALL.into_iter().map(Self::name)).unwrap_or_default()
    }
}

impl Plan {
    /// A preset by its name, or else the file at this path.
    ///
    /// # Errors
    /// Like [`Plan::read`]; if there is neither a preset nor a file, the error suggests the nearest preset.
    pub fn find(typed: impl AsRef<Path>) -> Result<Self, PlanError> {
        let path = typed.as_ref();
        if let Some(preset) = Preset::named(path) {
            return Ok(preset.plan());
        }
        match path.try_exists() {
            Ok(true) => Self::read(path),
            Ok(false) => {
                let nearest = path.to_str().map_or("", Preset::nearest);
                Err(PlanError::Unknown { typed: path.to_owned(), nearest })
            }
            // Whether it exists is not known.
            Err(source) => Err(PlanError::Read { path: path.to_owned(), source }),
        }
    }

    /// The universal feature space and the reward meta-model of the paper (sections 4.3.1 and 4.3.2): the encoder of the
    /// agent at `universal`, frozen, its decoder as a start, and a reward model that reads those of `rewards` through
    /// `layers` hidden layers. Without `rewards`, the reward model is an ordinary one.
    ///
    /// # Errors
    /// If names are given twice or cannot be names, or `layers` is out of range.
    pub fn universal(universal: &Path, rewards: &[(String, PathBuf)], layers: usize) -> Result<Self, PlanError> {
        const NAME: &str = "universal";
        let mut plan = Preset::Universal.plan();
        plan.take_only_from(NAME);
        plan.add_source(NAME, universal)?;
        for (name, path) in rewards {
            plan.add_source(name, path)?;
        }
        if !rewards.is_empty() {
            let sources = rewards.iter().map(|(name, _)| name.clone()).collect();
            plan.set_meta_model(MetaModel { sources, layers, any_encoder: false, start: MetaModelStart::Random })?;
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_plan_that_can_be_written_and_read() {
        for preset in Preset::ALL {
            let plan = preset.plan();
            assert_eq!(Preset::named(preset.name()), Some(preset));
            assert!(!plan.description().is_empty() && plan.sources().is_empty());
            let again = Plan::parse(&plan.to_toml(), "again").unwrap();
            assert_eq!(again.to_toml(), plan.to_toml());
        }
        assert_eq!((Preset::nearest("finetune"), Preset::nearest("my")), ("fine-tune", ""));
    }
}
