//! Plans that come with the program. Each is an ordinary plan without sources, to be read, copied and changed.
//!
//! Here: the presets, and the ways to create a [`Plan`] from them. Not here: plans themselves (`plan`).

use crate::error::PlanError;
use crate::plan::{MOST_SOURCES, MetaModel, Plan};
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
    /// The same, with the dynamics as a start too.
    UniversalDynamics,
    /// The mean of several agents that descend from one.
    Soup,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Paper,
        Self::Full,
        Self::EncoderOnly,
        Self::FineTune,
        Self::Universal,
        Self::UniversalDynamics,
        Self::Soup,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Full => "full",
            Self::EncoderOnly => "encoder-only",
            Self::FineTune => "fine-tune",
            Self::Universal => "universal",
            Self::UniversalDynamics => "universal-dynamics",
            Self::Soup => "soup",
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
            Self::UniversalDynamics => include_str!("presets/universal-dynamics.toml"),
            Self::Soup => include_str!("presets/soup.toml"),
        }
    }

    /// Whether it freezes the encoder.
    pub fn freezes_encoder(self) -> bool {
        matches!(self, Self::Universal | Self::UniversalDynamics)
    }

    /// The preset of this name.
    pub fn named(name: impl AsRef<OsStr>) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| name.as_ref() == preset.name())
    }

    /// The name of its plan in messages.
    fn plan_name(self) -> String {
        format!("the built-in plan {}", self.name())
    }

    /// The preset that a plan comes from; `None` for a plan in a file.
    pub(crate) fn of(plan: &Plan) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| plan.name() == preset.plan_name())
    }

    /// The plan, without sources.
    pub fn plan(self) -> Plan {
        Plan::parse(self.text(), &self.plan_name()).expect("a preset is a plan: the tests read all of them")
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

    /// The universal feature space and the reward meta-model of the paper (sections 4.3.1 and 4.3.2), with the built-in plan
    /// `universal`: see [`Plan::over_universal`].
    ///
    /// # Errors
    /// As [`Plan::over_universal`].
    pub fn universal(universal: &Path, rewards: &[(String, PathBuf)], layers: usize) -> Result<Self, PlanError> {
        Preset::Universal.plan().over_universal(universal, rewards, layers)
    }

    /// The plan for one universal agent and the reward models of others. Its rules transfer from the agent at
    /// `universal`; its reward model reads those of `rewards`, as described by its `[meta_model]`, or else as
    /// published, through `layers` hidden layers. Without `rewards`, the reward model is an ordinary one.
    ///
    /// # Errors
    /// If the plan has sources of its own, names are given twice or cannot be names, or `layers` is out of range.
    pub fn over_universal(
        mut self,
        universal: &Path,
        rewards: &[(String, PathBuf)],
        layers: usize,
    ) -> Result<Self, PlanError> {
        const NAME: &str = "universal";
        if let Some(own) = self.sources().keys().next() {
            let why =
                format!("it names sources itself, such as {own:?}; use it without --universal, or remove them from it");
            return Err(PlanError::Contradiction { place: self.name().to_owned(), why });
        }
        if !self.rules().iter().any(|rule| rule.frozen) {
            let why = "it does not freeze the encoder, which agents with --universal share; use it with --from, or add `frozen = true` to \
                       its rule for the encoder";
            return Err(PlanError::Contradiction { place: self.name().to_owned(), why: why.to_owned() });
        }
        if rewards.len() >= MOST_SOURCES {
            let (key, place) = ("sources".to_owned(), self.name().to_owned());
            let value = format!("{} ({} of rewards, and that with the encoder)", rewards.len() + 1, rewards.len());
            return Err(PlanError::Range { key, value, place, range: format!("at most {MOST_SOURCES}") });
        }
        self.transfer_only_from(NAME);
        self.add_source(NAME, universal)?;
        for (name, path) in rewards {
            self.add_source(name, path)?;
        }
        if !rewards.is_empty() {
            let sources = rewards.iter().map(|(name, _)| name.clone()).collect();
            let meta_model = match self.meta_model() {
                Some(how) => MetaModel { sources, ..how.clone() },
                None => MetaModel::published(sources, layers),
            };
            self.set_meta_model(meta_model)?;
        }
        Ok(self)
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
            assert_eq!(preset.freezes_encoder(), plan.rules().iter().any(|rule| rule.frozen));
            let again = Plan::parse(&plan.to_toml(), "again").unwrap();
            assert_eq!(again.to_toml(), plan.to_toml());
        }
        assert_eq!((Preset::nearest("finetune"), Preset::nearest("my")), ("fine-tune", ""));
    }
}
