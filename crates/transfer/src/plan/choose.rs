//! A plan that leaves the source of its rules open: its candidates, and the plan with one of them.
//!
//! Not here: how one is chosen (`train`), and the record of it (`choice`).

use super::{Plan, RuleSources};
use crate::choice::{Choice, ChooseBy};
use crate::document::Take;
use crate::error::PlanError;
use std::collections::BTreeSet;

impl Plan {
    /// The choice of one source among several, if the plan leaves it open or left it open.
    pub fn choice(&self) -> Option<&Choice> {
        self.choice.as_ref()
    }

    /// How the source is still to be chosen; `None` if nothing is open.
    pub fn open_choice(&self) -> Option<ChooseBy> {
        self.choice.as_ref().filter(|choice| choice.source.is_none()).map(|choice| choice.by)
    }

    /// Leaves the source of the rules that name none open, to be chosen by `by`.
    pub fn leave_open(&mut self, by: ChooseBy) {
        self.choice = Some(Choice { by, source: None });
    }

    /// The plan with the source `name` chosen.
    ///
    /// # Errors
    /// If it is not one of the candidates.
    pub fn with_choice(&self, name: &str) -> Result<Self, PlanError> {
        let mut plan = self.clone();
        if let Some(choice) = &mut plan.choice {
            choice.source = Some(name.to_owned());
        }
        plan.check_sources()?;
        Ok(plan)
    }

    /// The sources among which one is chosen, in the order of their names: those that neither a rule nor the meta-model
    /// names.
    pub fn candidates(&self) -> Vec<&str> {
        if self.choice.is_none() {
            return Vec::new();
        }
        let named = self.named_sources();
        self.sources.keys().map(String::as_str).filter(|name| !named.contains(name)).collect()
    }

    /// The sources whose parameters are used: all of them, but for candidates that were not chosen.
    ///
    /// # Errors
    /// [`PlanError`] if rules and sources do not go together, or the choice is still open.
    pub fn used_sources(&self) -> Result<BTreeSet<String>, PlanError> {
        self.check_sources()?;
        let mut used: BTreeSet<String> = self.named_sources().into_iter().map(str::to_owned).collect();
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.take != Take::Random {
                used.extend(self.sources_of(index)?.into_iter().map(|(name, _)| name));
            }
        }
        Ok(used)
    }

    /// The sources that rules or the meta-model name.
    fn named_sources(&self) -> BTreeSet<&str> {
        let rules = self.rules.iter().filter_map(|rule| match &rule.sources {
            RuleSources::Mean(weights) => Some(weights.keys()),
            RuleSources::Only => None,
        });
        let meta_model = self.meta_model.iter().flat_map(|meta_model| &meta_model.sources);
        rules.flatten().chain(meta_model).map(String::as_str).collect()
    }

    /// Checks that there is something to choose, and that the choice is a candidate. Returns the candidates.
    pub(super) fn check_choice(&self) -> Result<BTreeSet<String>, PlanError> {
        let Some(choice) = &self.choice else { return Ok(BTreeSet::new()) };
        let refuse = |why: String| Err(PlanError::Contradiction { place: format!("[choose] of {}", self.name), why });
        let candidates = self.candidates();
        if !self.rules.iter().any(|rule| rule.take != Take::Random && rule.sources == RuleSources::Only) {
            return refuse("every rule names its source, so there is nothing to choose; remove the section".to_owned());
        }
        if let Some(chosen) = choice.source.as_deref().filter(|chosen| !candidates.contains(chosen)) {
            return refuse(format!(
                "the source {chosen:?} is not one of the sources that no rule names: {}",
                candidates.join(", ")
            ));
        }
        match candidates.as_slice() {
            [] => refuse("there is no source to choose from; give at least two under [sources]".to_owned()),
            [one] => refuse(format!(
                "there is only one source to choose from, {one:?}; give at least two under [sources], or remove the section"
            )),
            _ => Ok(candidates.into_iter().map(str::to_owned).collect()),
        }
    }
}
