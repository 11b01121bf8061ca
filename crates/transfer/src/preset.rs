//! Plans that come with the program. Each is an ordinary plan without sources, to be read, copied and changed.

use crate::plan::Plan;

/// A plan that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Modular and fractional transfer, Figure 2.
    Paper,
    /// Every component that fits, whole, Figure 6.
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

    /// The document.
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
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// The plan, without sources.
    pub fn plan(self) -> Plan {
        let origin = format!("the preset {}", self.name());
        Plan::parse(self.text(), &origin).expect("a preset is a plan: the tests read all of them")
    }

    /// The preset whose name is most like a mistyped one.
    pub(crate) fn nearest(typed: &str) -> Self {
        let name = wording::nearest(typed, Self::ALL.into_iter().map(Self::name)).expect("there are presets");
        Self::named(name).expect("the name of a preset")
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
        assert_eq!(Preset::nearest("finetune"), Preset::FineTune);
    }
}
