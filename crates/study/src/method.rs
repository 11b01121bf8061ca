//! The methods of a study file: how its targets learn.
//!
//! Here: their keys. Not here: the rest of the file (`study_file`), and the runs of each method (`expand`).

use crate::study_file::Count;
use serde::Deserialize;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use transfer::Fraction;

/// Declares [`Method`]: its kinds with their own keys, and the keys that every kind has. (serde can share keys between
/// kinds only if it accepts unknown ones, and a mistyped key must be an error.)
macro_rules! methods {
    ($($(#[$about:meta])* $kind:ident { $($(#[$key:meta])* $name:ident: $type:ty,)* })*) => {
        /// How a target learns. The `set` of each kind has settings of its targets, laid over those of the study; a
        /// list of values is a sweep, in which each value is a method of its own.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
        pub enum Method {
            $(
                $(#[$about])*
                $kind {
                    $($(#[$key])* $name: $type,)*
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
            )*
        }

        impl Method {
            /// Its name in tables, if the study file gives it one.
            pub fn name(&self) -> Option<&str> {
                match self { $(Self::$kind { name, .. })|* => name.as_deref() }
            }

            /// The source whose policy plays the first episodes of its targets.
            pub fn guide(&self) -> Option<&str> {
                match self { $(Self::$kind { guide, .. })|* => guide.as_deref() }
            }

            /// The source whose episodes its targets rehearse, and the share of their sequences.
            pub fn rehearse(&self) -> (Option<&str>, Option<f64>) {
                match self { $(Self::$kind { rehearse, share, .. })|* => (rehearse.as_deref(), *share) }
            }

            /// Settings of its targets.
            pub fn set(&self) -> &toml::Table {
                match self { $(Self::$kind { set, .. })|* => set }
            }
        }
    };
}

methods! {
    /// From scratch.
    Baseline {}

    /// The plan `paper`, with each of these fractions.
    Fractional {
        /// The source.
        from: String,
        /// Fractions, a method each: numbers, or the one that is fitted to the random episodes.
        fractions: Vec<Fraction>,
    }

    /// A reward meta-model over sources with the same encoder.
    MetaModel {
        /// The source whose encoder it has, frozen.
        universal: String,
        /// Sources whose reward models it reads.
        reward_from: Vec<String>,
        /// The plan for both: a preset, or the path of a file without sources, relative to the study file; by default,
        /// `universal`.
        plan: Option<String>,
    }

    /// The plan `full`.
    Full {
        /// The source.
        from: String,
    }

    /// The plan `encoder-only`.
    EncoderOnly {
        /// The source.
        from: String,
    }

    /// The plan `fine-tune`.
    FineTune {
        /// The source.
        from: String,
    }

    /// A plan from each agent of these sources in turn.
    SingleSource {
        /// The sources.
        from: Vec<String>,
        /// The plan's preset.
        #[serde(default = "paper")]
        plan: String,
        /// The fraction of its rules that have one.
        fraction: Option<Fraction>,
    }

    /// A plan from the agent of these sources that ranks first on the run's random episodes.
    Ranked {
        /// The sources.
        from: Vec<String>,
        /// The plan's preset.
        #[serde(default = "paper")]
        plan: String,
        /// The fraction of its rules that have one.
        fraction: Option<Fraction>,
    }

    /// The same from an agent that the seed decides: a control for `ranked`.
    RandomSource {
        /// The sources.
        from: Vec<String>,
        /// The plan's preset.
        #[serde(default = "paper")]
        plan: String,
        /// The fraction of its rules that have one.
        fraction: Option<Fraction>,
    }

    /// Several candidates, each a source with a plan and a fraction, of which the better half continues after each
    /// slice of frames.
    Pilot {
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
    }

    /// A plan file.
    Plan {
        /// The path of the plan, relative to the study file.
        file: PathBuf,
        /// The source, if the plan does not name one.
        from: Option<String>,
    }
}

/// An entry that equals an earlier one of its list.
pub(crate) struct Repeated {
    /// The key of the list.
    pub key: &'static str,
    /// Its place, from 0.
    pub entry: usize,
    /// Its text.
    pub text: String,
}

impl Method {
    /// The first entry of its lists of sources, plans and fractions that is there twice.
    pub(crate) fn repeated(&self) -> Option<Repeated> {
        match self {
            Self::MetaModel { reward_from, .. } => repeated("reward_from", reward_from),
            Self::Fractional { fractions, .. } => repeated("fractions", fractions),
            Self::SingleSource { from, .. } | Self::Ranked { from, .. } | Self::RandomSource { from, .. } => {
                repeated("from", from)
            }
            Self::Pilot { from, plans, fractions, .. } => {
                repeated("from", from).or_else(|| repeated("plans", plans)).or_else(|| repeated("fractions", fractions))
            }
            Self::Baseline { .. }
            | Self::Full { .. }
            | Self::EncoderOnly { .. }
            | Self::FineTune { .. }
            | Self::Plan { .. } => None,
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

    /// The names of the sources that it uses.
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
            Self::SingleSource { from, .. }
            | Self::Ranked { from, .. }
            | Self::RandomSource { from, .. }
            | Self::Pilot { from, .. } => from.iter().map(String::as_str).collect(),
            Self::Plan { from, .. } => from.iter().map(String::as_str).collect(),
        };
        sources.extend(self.guide().into_iter().chain(self.rehearse().0));
        sources
    }
}

/// The first entry of the list under `key` that is there twice.
fn repeated<T: PartialEq + Display>(key: &'static str, list: &[T]) -> Option<Repeated> {
    let entry = (0..list.len()).find(|entry| list[..*entry].contains(&list[*entry]))?;
    Some(Repeated { key, entry, text: list[entry].to_string() })
}

fn only_paper() -> Vec<String> {
    vec![paper()]
}

fn paper() -> String {
    "paper".to_owned()
}
