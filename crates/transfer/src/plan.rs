//! A plan as it is meant: sources, rules and a meta-model, checked.
//!
//! Here: [`Plan`], read from a file or a preset or built in code, and the changes that the command line can make to it.
//! In `rule`: the rules; in `choose`: a source that is left open. Not here: agents. The parameters that a rule matches
//! are determined for a target ([`crate::resolve`]).

mod choose;
mod rule;

use crate::choice::Choice;
use crate::document::{
    self, Document, FORMAT, MetaModelPredictions, MetaModelStart, MetaModelText, PinnedText, SourceText, Take,
};
use crate::error::PlanError;
use crate::fraction::Fraction;
use dreamer::MOST_LAYERS;
use files::ReadError;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use rule::{Rule, RuleSources};
use rule::{check_fraction, meaning, text};

/// Largest plan file that is read.
const LARGEST_FILE: u64 = 1 << 20;
/// Most sources of a plan: each is an agent in memory.
pub const MOST_SOURCES: usize = 64;
/// The most bytes of the name of a source.
pub const LONGEST_SOURCE_NAME: usize = 64;
/// Largest weight of the L1 norm of a reward meta-model's weights, as of any loss.
const LARGEST_L1: f64 = 1e6;

/// A description of a transfer. `docs/transfer-reference.md` describes its language.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    name: String,
    description: String,
    sources: BTreeMap<String, SourceRef>,
    meta_model: Option<MetaModel>,
    choice: Option<Choice>,
    untrained_sources: bool,
    rules: Vec<Rule>,
}

/// The place of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRef {
    /// A run's folder, a checkpoint's folder, or an agent's file.
    pub path: PathBuf,
    /// The SHA-256 that the agent's file must have, if it is known.
    pub sha256: Option<String>,
}

/// The reward meta-model of a plan (Eq. 4).
#[derive(Clone, Debug, PartialEq)]
pub struct MetaModel {
    /// The sources whose reward models it reads, in the order of its inputs; empty as long as the plan leaves them to the command
    /// line.
    pub sources: Vec<String>,
    /// Its hidden layers.
    pub layers: usize,
    /// Whether sources may have other encoders than the target.
    pub any_encoder: bool,
    /// How its weights for the sources' predictions start.
    pub start: MetaModelStart,
    /// How it reads these predictions.
    pub predictions: MetaModelPredictions,
    /// Weight of the L1 norm of its weights for them, in the world model's loss.
    pub l1: f64,
}

impl MetaModel {
    /// As published: one that reads these sources through `layers` hidden layers.
    pub fn published(sources: Vec<String>, layers: usize) -> Self {
        Self {
            sources,
            layers,
            any_encoder: false,
            start: MetaModelStart::default(),
            predictions: MetaModelPredictions::default(),
            l1: 0.0,
        }
    }
}

impl MetaModel {
    /// Its hidden layers, unless a plan sets them.
    pub const DEFAULT_LAYERS: usize = 1;
}

impl Plan {
    /// Reads a plan's file. Relative paths of its sources begin at the file's folder.
    ///
    /// # Errors
    /// [`PlanError`] names the key, the line and the allowed values.
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        let unreadable = |source| PlanError::Read { path: path.to_owned(), source };
        let text = files::read_text(path, LARGEST_FILE).map_err(|error| match error {
            ReadError::TooLarge { limit } => PlanError::TooLarge { path: path.to_owned(), limit },
            error => unreadable(error.into()),
        })?;
        let mut plan = Self::parse(&text, &path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new(""));
        plan.sources.values_mut().for_each(|source| source.path = folder.join(&source.path));
        Ok(plan)
    }

    /// Reads the text of a plan. `name` stands for it in messages.
    ///
    /// # Errors
    /// [`PlanError`] names the key, the line and the allowed values.
    pub fn parse(text: &str, name: &str) -> Result<Self, PlanError> {
        let (document, lines) = document::read(text, name)?;
        let mut plan = Self {
            name: name.to_owned(),
            description: document.description,
            sources: BTreeMap::new(),
            meta_model: None,
            choice: document.choose,
            untrained_sources: document.untrained_sources,
            rules: Vec::new(),
        };
        for (name, source) in document.sources {
            let (path, sha256) = match source {
                SourceText::Path(path) => (path, None),
                SourceText::Pinned(pinned) => (pinned.path, Some(pinned.sha256)),
            };
            plan.add(name, SourceRef { path, sha256 })?;
        }
        for (index, rule) in document.rule.into_iter().enumerate() {
            plan.rules.push(meaning(
                rule,
                lines.get(index).copied(),
                &plan.place_of(index, lines.get(index).copied()),
            )?);
        }
        if let Some(text) = document.meta_model {
            let MetaModelText { sources, layers, any_encoder, start, predictions, l1 } = text;
            let layers = layers.unwrap_or(MetaModel::DEFAULT_LAYERS);
            if sources.as_ref().is_some_and(Vec::is_empty) {
                return Err(plan.no_meta_model_sources());
            }
            let sources = sources.unwrap_or_default();
            let meta_model = MetaModel { sources, layers, any_encoder, start, predictions, l1 };
            plan.set_meta_model(meta_model)?;
        }
        Ok(plan)
    }

    /// Adds a source.
    ///
    /// # Errors
    /// If the plan has a source of this name, or it cannot be a name.
    pub fn add_source(&mut self, name: &str, path: &Path) -> Result<(), PlanError> {
        if self.sources.contains_key(name) {
            return Err(PlanError::DoubleSource { plan: self.name.clone(), name: name.to_owned() });
        }
        self.add(name.to_owned(), SourceRef { path: path.to_owned(), sha256: None })
    }

    /// Makes the source `name` the only one of every rule that transfers anything.
    pub(crate) fn transfer_only_from(&mut self, name: &str) {
        for rule in self.rules.iter_mut().filter(|rule| rule.take != Take::Random) {
            rule.sources = RuleSources::Mean(BTreeMap::from([(name.to_owned(), 1.0)]));
        }
    }

    /// Lets the meta-model, if the plan has one, read sources that do not share the target's encoder.
    pub fn allow_any_encoder(&mut self) {
        if let Some(meta_model) = &mut self.meta_model {
            meta_model.any_encoder = true;
        }
    }

    /// Whether the source `name` may be an agent without any gradient step: a control. If the plan has a reward meta-model, only
    /// the sources that it reads may be, and not one that only provides a frozen encoder.
    pub fn allows_untrained(&self, name: &str) -> bool {
        let is_read = |meta_model: &MetaModel| meta_model.sources.iter().any(|source| source == name);
        let gives = |sources: &RuleSources| match sources {
            RuleSources::Only => true,
            RuleSources::Mean(weights) => weights.contains_key(name),
        };
        let gives_frozen = || self.rules.iter().any(|rule| rule.frozen && gives(&rule.sources));
        self.untrained_sources && self.meta_model.as_ref().is_none_or(|it| is_read(it) || !gives_frozen())
    }

    /// Allows agents without any gradient step as sources.
    pub fn allow_untrained(&mut self) {
        self.untrained_sources = true;
    }

    /// Changes the fraction of every rule that has one.
    ///
    /// # Errors
    /// If it is a number that is not from 0 to 1, or no rule has one.
    pub fn set_fraction(&mut self, new: impl Into<Fraction>) -> Result<(), PlanError> {
        let new = new.into();
        check_fraction("fraction", new, &self.name)?;
        let mut changed = false;
        for rule in &mut self.rules {
            if let Take::Fraction(fraction) = &mut rule.take {
                *fraction = new;
                changed = true;
            }
        }
        if !changed {
            return Err(PlanError::NoFraction { plan: self.name.clone() });
        }
        let replaced = match new {
            Fraction::Of(omega) => format!("the fraction {omega}"),
            Fraction::Fit => "fitted fractions".to_owned(),
        };
        self.description.push_str(&format!(" ({replaced} instead of the plan's)"));
        Ok(())
    }

    /// The name of the plan in messages: its preset, or its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The description in the plan.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The sources by name.
    pub fn sources(&self) -> &BTreeMap<String, SourceRef> {
        &self.sources
    }

    /// The reward meta-model, if there is one.
    pub fn meta_model(&self) -> Option<&MetaModel> {
        self.meta_model.as_ref()
    }

    /// The rules, from the top.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The number and place of a rule, as text.
    pub fn place(&self, rule: usize) -> String {
        self.place_of(rule, self.rules[rule].line)
    }

    /// The plan with these sources instead, for example at the files and with the checksums that were really used.
    ///
    /// # Errors
    /// If a name or a checksum cannot be one.
    pub fn with_sources(&self, sources: BTreeMap<String, SourceRef>) -> Result<Self, PlanError> {
        let mut plan = Self { sources: BTreeMap::new(), ..self.clone() };
        for (name, source) in sources {
            plan.add(name, source)?;
        }
        Ok(plan)
    }

    /// The plan without the patterns of its optional rules that match none of these paths of parameters. Plans that are
    /// equal then do the same to an agent with these parameters.
    #[must_use]
    pub fn acting_on(&self, paths: &[&str]) -> Self {
        Self { rules: self.rules.iter().filter_map(|rule| rule.acting_on(paths)).collect(), ..self.clone() }
    }

    /// The plan as TOML, which [`Plan::parse`] reads.
    pub fn to_toml(&self) -> String {
        let source = |source: &SourceRef| match source.sha256.clone() {
            None => SourceText::Path(source.path.clone()),
            Some(sha256) => SourceText::Pinned(PinnedText { path: source.path.clone(), sha256 }),
        };
        let document = Document {
            format: FORMAT,
            description: self.description.clone(),
            untrained_sources: self.untrained_sources,
            sources: self.sources.iter().map(|(name, at)| (name.clone(), source(at))).collect(),
            meta_model: self.meta_model.as_ref().map(|meta_model| MetaModelText {
                sources: Some(meta_model.sources.clone()).filter(|sources| !sources.is_empty()),
                layers: Some(meta_model.layers),
                any_encoder: meta_model.any_encoder,
                start: meta_model.start,
                predictions: meta_model.predictions,
                l1: meta_model.l1,
            }),
            choose: self.choice.clone(),
            rule: self.rules.iter().map(text).collect(),
        };
        toml::to_string(&document).expect("a plan is made of what TOML can hold")
    }

    /// The names of the sources, as text.
    pub(crate) fn known_sources(&self) -> String {
        let names: Vec<String> = self.sources.keys().map(|name| format!("{name:?}")).collect();
        match names.as_slice() {
            [] => "no source".to_owned(),
            [one] => format!("the source {one}"),
            many => format!("the sources {}", many.join(", ")),
        }
    }

    /// The sources of a rule that transfers parameters, with their weights. A soup without sources of its own is of all
    /// of the plan's.
    pub(crate) fn sources_of(&self, rule: usize) -> Result<Vec<(String, f64)>, PlanError> {
        let sources = self.any_sources_of(rule)?;
        if self.rules[rule].take == Take::Soup && sources.len() < 2 {
            let why = format!(
                "a soup is the mean of several agents, and it has {}; name at least two, with --from RUN --from RUN or in [sources], or \
                 write take = \"full\" for one",
                match sources.first() {
                    Some((name, _)) => format!("only {name:?}"),
                    None => "none".to_owned(),
                }
            );
            return Err(PlanError::Contradiction { place: self.place(rule), why });
        }
        Ok(sources)
    }

    fn any_sources_of(&self, rule: usize) -> Result<Vec<(String, f64)>, PlanError> {
        match &self.rules[rule].sources {
            RuleSources::Only if self.rules[rule].take == Take::Soup => {
                Ok(self.sources.keys().map(|name| (name.clone(), 1.0)).collect())
            }
            RuleSources::Only if self.choice.is_some() => {
                match self.choice.iter().find_map(|choice| choice.source.clone()) {
                    Some(chosen) => Ok(vec![(chosen, 1.0)]),
                    None => Err(PlanError::Open { place: self.place(rule) }),
                }
            }
            RuleSources::Only => match self.sources.keys().next() {
                Some(only) if self.sources.len() == 1 => Ok(vec![(only.clone(), 1.0)]),
                _ => Err(PlanError::WhichSource { place: self.place(rule), known: self.known_sources() }),
            },
            RuleSources::Mean(weights) => {
                if let Some(name) = weights.keys().find(|name| !self.sources.contains_key(*name)) {
                    return Err(self.unknown_source(self.place(rule), name));
                }
                Ok(weights.iter().map(|(name, weight)| (name.clone(), *weight)).collect())
            }
        }
    }

    /// Checks that every rule's sources exist and every source has a rule.
    ///
    /// # Errors
    /// [`PlanError`] names the rule or the source.
    pub fn check_sources(&self) -> Result<(), PlanError> {
        if self.meta_model.as_ref().is_some_and(|meta_model| meta_model.sources.is_empty()) {
            return Err(self.no_meta_model_sources());
        }
        let mut used = self.check_choice()?;
        for (index, rule) in self.rules.iter().enumerate() {
            // All candidates are used, whichever of them is chosen.
            if rule.take != Take::Random && (self.choice.is_none() || rule.sources != RuleSources::Only) {
                used.extend(self.sources_of(index)?.into_iter().map(|(name, _)| name));
            }
        }
        for name in self.meta_model.iter().flat_map(|meta_model| &meta_model.sources) {
            if !self.sources.contains_key(name) {
                return Err(self.unknown_source(self.meta_model_place(), name));
            }
            used.insert(name.clone());
        }
        if used.is_empty() && self.sources.is_empty() {
            let why = "every rule leaves its parameters random, so nothing is transferred".to_owned();
            return Err(PlanError::Contradiction { place: self.name.clone(), why });
        }
        match self.sources.keys().find(|name| !used.contains(*name)) {
            Some(_) if used.is_empty() && self.rules.iter().all(|rule| rule.take == Take::Random) => {
                Err(PlanError::TakesNothing { plan: self.name.clone() })
            }
            Some(name) => Err(PlanError::UnusedSource { plan: self.name.clone(), name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The section of the meta-model, as text.
    pub(crate) fn meta_model_place(&self) -> String {
        format!("[meta_model] of {}", self.name)
    }

    fn unknown_source(&self, place: String, name: &str) -> PlanError {
        PlanError::UnknownSource { place, name: name.to_owned(), known: self.known_sources() }
    }

    fn place_of(&self, rule: usize, line: Option<usize>) -> String {
        let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
        format!("rule {}{line} of {}", rule + 1, self.name)
    }

    fn add(&mut self, name: String, source: SourceRef) -> Result<(), PlanError> {
        let place = || self.name.clone();
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
        if name.is_empty() || name.len() > LONGEST_SOURCE_NAME || !name.chars().all(letter) {
            let range = format!("1 to {LONGEST_SOURCE_NAME} letters, digits or any of _ - + .");
            let value = format!("{:?}", name.chars().take(80).collect::<String>());
            return Err(PlanError::Range { key: "a source's name".into(), value, place: place(), range });
        }
        if let Some(sha256) = &source.sha256
            && !(sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
        {
            let (key, range) = (format!("sources.{name}.sha256"), "64 digits from 0 to 9 and a to f".to_owned());
            let value = format!("{:?}", sha256.chars().take(80).collect::<String>());
            return Err(PlanError::Range { key, value, place: place(), range });
        }
        self.sources.insert(name, source);
        if self.sources.len() > MOST_SOURCES {
            let (value, range) = (format!("{} sources", self.sources.len()), format!("at most {MOST_SOURCES}"));
            return Err(PlanError::Range { key: "sources".into(), value, place: place(), range });
        }
        Ok(())
    }

    pub(crate) fn set_meta_model(&mut self, meta_model: MetaModel) -> Result<(), PlanError> {
        let place = self.meta_model_place();
        if !(1..=MOST_LAYERS).contains(&meta_model.layers) {
            let (value, range) = (meta_model.layers.to_string(), format!("a whole number from 1 to {MOST_LAYERS}"));
            return Err(PlanError::Range { key: "layers".into(), value, place, range });
        }
        if !(0.0..=LARGEST_L1).contains(&meta_model.l1) {
            let (value, range) = (meta_model.l1.to_string(), format!("a number from 0 to {LARGEST_L1}"));
            return Err(PlanError::Range { key: "l1".into(), value, place, range });
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = meta_model.sources.iter().find(|name| !seen.insert(*name)) {
            let why = format!("the source {twice:?} is listed twice, and both would predict the same; remove one");
            return Err(PlanError::Contradiction { place, why });
        }
        self.meta_model = Some(meta_model);
        Ok(())
    }

    fn no_meta_model_sources(&self) -> PlanError {
        let why = "it has no sources; name at least one, or give their runs with --universal RUN and --reward-from RUN, or remove \
                   the section";
        PlanError::Contradiction { place: self.meta_model_place(), why: why.to_owned() }
    }
}
