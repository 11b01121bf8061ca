//! The methods of a study file: how its targets learn.
//!
//! Here: their keys. Not here: the rest of the file (`study_file`), and the runs of each method (`expand`).

use crate::study_file::Count;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use transfer::Fraction;

/// How a target learns. The `set` of each kind has settings of its targets, laid over those of the study; a list of values is a
/// sweep, in which each value is a method of its own. With `guide`, the policy of a source plays the first episodes of its targets; with `rehearse`,
/// they also learn from the episodes of a source.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Method {
    /// From scratch.
    Baseline {
        /// Its name in tables.
        name: Option<String>,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// The plan `paper`, with each of these fractions.
    Fractional {
        /// The source.
        from: String,
        /// Fractions, a method each: numbers, or the one that is fitted to the random episodes.
        fractions: Vec<Fraction>,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// A reward meta-model over sources with the same encoder.
    MetaModel {
        /// Its name in tables.
        name: Option<String>,
        /// The source whose encoder it has, frozen.
        universal: String,
        /// Sources whose reward models it reads.
        reward_from: Vec<String>,
        /// The plan for both: a preset, or the path of a file without sources, relative to the study file; `universal` by default.
        plan: Option<String>,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// The plan `full`.
    Full {
        /// Its name in tables.
        name: Option<String>,
        /// The source.
        from: String,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// The plan `encoder-only`.
    EncoderOnly {
        /// Its name in tables.
        name: Option<String>,
        /// The source.
        from: String,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// The plan `fine-tune`.
    FineTune {
        /// Its name in tables.
        name: Option<String>,
        /// The source.
        from: String,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// A plan from each agent of these sources in turn.
    SingleSource {
        /// Its name in tables.
        name: Option<String>,
        /// The sources.
        from: Vec<String>,
        /// The plan's preset.
        #[serde(default = "paper")]
        plan: String,
        /// The fraction of its rules that have one.
        fraction: Option<Fraction>,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// The plan `paper`, or another, from the agent of these sources that ranks first on the run's random episodes.
    Ranked(Chosen),
    /// The same from an agent that the seed decides: a control for `ranked`.
    RandomSource(Chosen),
    /// Several candidates, each a source with a plan and a fraction, of which the better half goes on after each slice of frames.
    Pilot {
        /// Its name in tables.
        name: Option<String>,
        /// The sources.
        from: Vec<String>,
        /// The plans' presets.
        #[serde(default = "only_paper")]
        plans: Vec<String>,
        /// The fractions of plans that have one; if there are none, the plans' own.
        #[serde(default)]
        fractions: Vec<Fraction>,
        /// The frames after which candidates are dropped.
        slices: Vec<Count>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
    /// A plan file.
    Plan {
        /// Its name in tables.
        name: Option<String>,
        /// The path of the plan, relative to the study file.
        file: PathBuf,
        /// The source, if the plan does not name one.
        from: Option<String>,
        /// The source whose policy plays the first episodes of its targets.
        guide: Option<String>,
        /// The source whose episodes its targets rehearse.
        rehearse: Option<String>,
        /// The probability with which a sequence is drawn from them.
        share: Option<f64>,
        /// Settings of its targets.
        #[serde(default)]
        set: toml::Table,
    },
}

/// A method that chooses one of several agents.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Its name in tables.
    pub name: Option<String>,
    /// The sources.
    pub from: Vec<String>,
    /// The plan's preset.
    #[serde(default = "paper")]
    pub plan: String,
    /// The fraction of its rules that have one.
    pub fraction: Option<Fraction>,
    /// Settings of its targets.
    #[serde(default)]
    pub set: toml::Table,
}

impl Method {
    /// Settings of its targets.
    pub fn set(&self) -> &toml::Table {
        match self {
            Self::Baseline { set, .. }
            | Self::Fractional { set, .. }
            | Self::MetaModel { set, .. }
            | Self::Full { set, .. }
            | Self::EncoderOnly { set, .. }
            | Self::FineTune { set, .. }
            | Self::SingleSource { set, .. }
            | Self::Pilot { set, .. }
            | Self::Plan { set, .. } => set,
            Self::Ranked(chosen) | Self::RandomSource(chosen) => &chosen.set,
        }
    }

    /// The source whose policy plays the first episodes of its targets.
    pub fn guide(&self) -> Option<&str> {
        match self {
            Self::Baseline { guide, .. }
            | Self::Fractional { guide, .. }
            | Self::MetaModel { guide, .. }
            | Self::Full { guide, .. }
            | Self::EncoderOnly { guide, .. }
            | Self::FineTune { guide, .. }
            | Self::SingleSource { guide, .. }
            | Self::Plan { guide, .. } => guide.as_deref(),
            // A ranking is on random episodes, and candidates of pilot runs share theirs.
            Self::Ranked(_) | Self::RandomSource(_) | Self::Pilot { .. } => None,
        }
    }

    /// The source whose episodes its targets rehearse, and the share of their sequences.
    pub fn rehearse(&self) -> (Option<&str>, Option<f64>) {
        match self {
            Self::Baseline { rehearse, share, .. }
            | Self::Fractional { rehearse, share, .. }
            | Self::MetaModel { rehearse, share, .. }
            | Self::Full { rehearse, share, .. }
            | Self::EncoderOnly { rehearse, share, .. }
            | Self::FineTune { rehearse, share, .. }
            | Self::SingleSource { rehearse, share, .. }
            | Self::Plan { rehearse, share, .. } => (rehearse.as_deref(), *share),
            Self::Ranked(_) | Self::RandomSource(_) | Self::Pilot { .. } => (None, None),
        }
    }

    /// The plan file that it names.
    pub(crate) fn plan_file(&self) -> Option<&Path> {
        match self {
            Self::Plan { file, .. } => Some(file),
            Self::MetaModel { plan: Some(plan), .. } if transfer::Preset::named(plan).is_none() => {
                Some(Path::new(plan))
            }
            _ => None,
        }
    }

    /// The names of the sources that it takes from.
    pub fn sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = match self {
            Self::Baseline { .. } => Vec::new(),
            Self::Fractional { from, .. }
            | Self::Full { from, .. }
            | Self::EncoderOnly { from, .. }
            | Self::FineTune { from, .. } => vec![from],
            Self::MetaModel { universal, reward_from, .. } => {
                reward_from.iter().chain([universal]).map(String::as_str).collect()
            }
            Self::SingleSource { from, .. } | Self::Pilot { from, .. } => from.iter().map(String::as_str).collect(),
            Self::Ranked(chosen) | Self::RandomSource(chosen) => chosen.from.iter().map(String::as_str).collect(),
            Self::Plan { from, .. } => from.iter().map(String::as_str).collect(),
        };
        sources.extend(self.guide().into_iter().chain(self.rehearse().0));
        sources
    }
}

fn only_paper() -> Vec<String> {
    vec![paper()]
}

fn paper() -> String {
    "paper".to_owned()
}
