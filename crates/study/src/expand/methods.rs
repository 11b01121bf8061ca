//! The runs of each method on a target, and the sources that they need.
//!
//! Here: what each kind of method asks for. Not here: the sources' own runs, and the order of all runs (`expand`).

use super::checks::{check_fraction, check_name};
use super::{Aim, Asked, Expansion, universal_origin};
use crate::manifest::Role;
use crate::study_file::{Method, next_to};
use crate::{StudyError, results};
use environment::file_name;
use std::path::Path;
use train::Origin;

impl<'a> Expansion<'a> {
    /// The runs of a method on a task with one variant of its settings.
    pub(super) fn add_targets(&mut self, number: usize, method: &'a Method, aim: &Aim<'_>) -> Result<(), StudyError> {
        let key = format!("method[{number}]");
        let named = |name: &Option<String>, default: &str| name.clone().unwrap_or_else(|| default.to_owned());
        match method {
            Method::Baseline { name, .. } => {
                self.add_target(&key, &named(name, results::BASELINE), None, aim, &[], Origin::Random)
            }
            Method::Fractional { from, fractions, .. } => {
                if fractions.is_empty() {
                    return Err(self.error(
                        &format!("{key}.fractions"),
                        "the list is empty; give at least one fraction, such as 0.2",
                    ));
                }
                for fraction in fractions {
                    check_fraction(*fraction).map_err(|why| self.error(&format!("{key}.fractions"), why))?;
                    let name = format!("fractional-{fraction:?}");
                    self.add_target_from(&key, &name, from, aim, "paper", Some(*fraction))?;
                }
                Ok(())
            }
            Method::Full { name, from, .. } => {
                self.add_target_from(&key, &named(name, "full"), from, aim, "full", None)
            }
            Method::EncoderOnly { name, from, .. } => {
                self.add_target_from(&key, &named(name, "encoder-only"), from, aim, "encoder-only", None)
            }
            Method::FineTune { name, from, .. } => {
                self.add_target_from(&key, &named(name, "fine-tune"), from, aim, "fine-tune", None)
            }
            Method::MetaModel { name, universal, reward_from, .. } => {
                self.add_meta_model(&key, &named(name, "meta-model"), universal, reward_from, aim)
            }
            Method::SingleSource { name, from, plan, fraction, .. } => {
                if transfer::Preset::named(plan).is_none() {
                    let names = transfer::Preset::ALL.map(transfer::Preset::name).join(", ");
                    return Err(self.error(
                        &key,
                        format!("plan: {plan:?} is not a built-in plan; the built-in plans are {names}"),
                    ));
                }
                if let Some(fraction) = fraction {
                    let key = format!("{key}.fraction");
                    check_fraction(*fraction).map_err(|why| self.error(&key, why))?;
                    let found = transfer::Plan::find(plan).and_then(|mut plan| plan.set_fraction(*fraction));
                    found.map_err(|error| self.error(&key, error))?;
                }
                if from.is_empty() {
                    return Err(self.error(&format!("{key}.from"), "the list is empty; name at least one source"));
                }
                for source in from {
                    let source = self.source(&format!("{key}.from"), source)?;
                    for agent in self.add_agents(source, aim.task, &aim.base, &mut Vec::new())? {
                        let own = file_name(&self.entries[agent].tasks.join("+"));
                        let from = self.entries[agent].folder.clone();
                        let origin = Origin::Agent { from, plan: Some(plan.into()), fraction: *fraction };
                        self.add_target(&key, &named(name, "single-source"), Some(own), aim, &[agent], origin)?;
                    }
                }
                Ok(())
            }
            Method::Plan { name, file, from, .. } => {
                let path = next_to(&self.read.path, file);
                let path = path
                    .canonicalize()
                    .map_err(|error| self.error(&format!("{key}.file"), format!("{}: {error}", path.display())))?;
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let not_text = || {
                    let why = "its path is not UTF-8, so the manifest cannot contain it; rename the file or its folder";
                    self.error(&format!("{key}.file"), format!("{}: {why}", path.display()))
                };
                let plan = path.to_str().ok_or_else(not_text)?.to_owned();
                // A mistake in it must not come to light only after its sources have been trained.
                let found = transfer::Plan::find(&plan)
                    .map_err(|error| self.error(&format!("{key}.file"), error.to_string()))?;
                let why = match (from, found.sources().is_empty()) {
                    (None, true) => Some("does not name a source; add `from` to this method, or sources to the plan"),
                    (Some(_), false) if found.check_sources().is_ok() => {
                        Some("names its own sources; remove `from` from this method")
                    }
                    _ => None,
                };
                if let Some(why) = why {
                    return Err(self.error(&format!("{key}.file"), format!("{} {why}", path.display())));
                }
                let name = named(name, &stem);
                match from {
                    Some(from) => self.add_target_from(&key, &name, from, aim, &plan, None),
                    None => {
                        self.add_target(&key, &name, None, aim, &[], Origin::Plan { plan: plan.into(), fraction: None })
                    }
                }
            }
        }
    }

    /// A target with a transfer from the only agent of the source `from`, with a plan and its fraction.
    fn add_target_from(
        &mut self,
        key: &str,
        name: &str,
        from: &str,
        aim: &Aim<'_>,
        plan: &str,
        fraction: Option<f64>,
    ) -> Result<(), StudyError> {
        let key_from = format!("{key}.from");
        let source = self.source(&key_from, from)?;
        let agent = self.add_one_agent(&key_from, source, aim.task, &aim.base, &mut Vec::new())?;
        let folder = self.entries[agent].folder.clone();
        let origin = Origin::Agent { from: folder, plan: Some(plan.into()), fraction };
        self.add_target(key, name, Some(from.to_owned()), aim, &[agent], origin)
    }

    fn add_meta_model(
        &mut self,
        key: &str,
        name: &str,
        universal: &str,
        reward_from: &[String],
        aim: &Aim<'_>,
    ) -> Result<(), StudyError> {
        let source = self.source(&format!("{key}.universal"), universal)?;
        let sight = self.add_one_agent(&format!("{key}.universal"), source, aim.task, &aim.base, &mut Vec::new())?;
        let mut after = vec![sight];
        let mut rewards = Vec::new();
        for reward in reward_from {
            let source = self.source(&format!("{key}.reward_from"), reward)?;
            for agent in self.add_agents(source, aim.task, &aim.base, &mut Vec::new())? {
                if agent != sight && self.entries[agent].after != [sight] {
                    let why = format!(
                        "source {reward:?} does not have the encoder of {universal:?}; give it universal = \
                         {universal:?}"
                    );
                    return Err(self.error(&format!("{key}.reward_from"), why));
                }
                rewards.push(self.entries[agent].folder.clone());
                after.push(agent);
            }
        }
        if rewards.is_empty() {
            return Err(self.error(&format!("{key}.reward_from"), "the list is empty; name at least one source"));
        }
        after.sort_unstable();
        after.dedup();
        let origin = universal_origin(&self.entries[sight].folder, rewards);
        self.add_target(key, name, Some(reward_from.join(", ")), aim, &after, origin)
    }

    fn add_target(
        &mut self,
        key: &str,
        method: &str,
        source: Option<String>,
        aim: &Aim<'_>,
        after: &[usize],
        origin: Origin,
    ) -> Result<(), StudyError> {
        check_name(method).map_err(|why| self.error(&format!("{key}.name"), why))?;
        let Aim { task, seed, own, .. } = aim;
        let from = source.as_ref().map(|source| format!("-from-{}", source.replace(", ", "+"))).unwrap_or_default();
        let name = format!("{method}{}{from}", own.of_folder());
        let folder = Path::new("runs").join(file_name(task)).join(name).join(seed.to_string());
        if self.folders.contains_key(&folder) {
            let step = match method.strip_prefix("fractional-") {
                Some(fraction) => format!("list the fraction {fraction} once"),
                None => "give one of them another name".to_owned(),
            };
            let why = format!("two methods have the name {method:?} and the same source; {step}");
            return Err(self.error(key, why));
        }
        let (tasks, settings, steps) = (vec![(*task).to_owned()], own.typed(), self.study.steps);
        let asked = Asked { tasks, settings, steps, seed: *seed, folder, origin };
        self.push(Role::Target, &own.of_method(method), source, asked, after.to_vec())?;
        Ok(())
    }
}
