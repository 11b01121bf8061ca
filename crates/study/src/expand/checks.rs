//! Checks of the names in a study file, before any run is created from it.

use super::sweep::{Sweep, Variant};
use super::{Aim, Expansion};
use crate::StudyError;
use crate::manifest::Role;
use crate::method::Repeated;
use crate::study_file::{Source, Tasks};
use environment::TaskError;
use std::collections::BTreeSet;
use train::Origin;
use transfer::Fraction;

/// The most names of methods in a message.
const MOST_NAMES: usize = 20;

/// The most bytes of the name of a study, a source or a method.
const LONGEST_NAME: usize = 64;

impl Expansion<'_> {
    /// Checks that a fraction which a method asks to be fitted can be: that must not come to light only after the
    /// sources have been trained.
    pub(super) fn check_fit(&self, key: &str, aim: &Aim<'_>, origin: &Origin) -> Result<(), StudyError> {
        let (Origin::Agent { fraction: Some(Fraction::Fit), .. }
        | Origin::Agents { fraction: Some(Fraction::Fit), .. }) = origin
        else {
            return Ok(());
        };
        let config = self.config(key, &[aim.task.to_owned()], self.study.steps, aim.seed, &aim.own)?;
        if config.agent.head_bins() == 0 {
            return Ok(());
        }
        let why = "a fraction can be fitted only if the heads' predictions are linear in their output layers: give a number in place of \
            \"fit\", or set agent.heads = \"normal\"";
        Err(self.error(key, why))
    }

    /// Everything that can be wrong before any run is made.
    pub(super) fn check_names(&self) -> Result<(), StudyError> {
        let study = self.study;
        check_name(&study.name).map_err(|why| self.error("name", why))?;
        for (key, empty) in
            [("tasks", study.tasks.is_empty()), ("seeds", study.seeds.is_empty()), ("method", study.method.is_empty())]
        {
            if empty {
                return Err(self.error(key, "the list is empty, so there is nothing to run; add at least one entry"));
            }
        }
        self.check_tasks("tasks", &study.tasks)?;
        if let Some(seed) = twice(&study.seeds) {
            return Err(self
                .error("seeds", format!("seed {seed} is listed twice, and equal seeds give equal runs; remove one")));
        }
        self.check_settings()?;
        for (name, targets) in &study.combination {
            for (target, tasks) in targets {
                self.check_tasks(&format!("combination.{name}"), std::slice::from_ref(target))?;
                self.check_tasks(&format!("combination.{name}.{target}"), tasks)?;
            }
        }
        let names: Vec<&String> = study.source.iter().map(|source| &source.name).collect();
        if let Some(name) = twice(&names) {
            return Err(
                self.error("source", format!("two sources have the name {name:?}; give one of them another name"))
            );
        }
        for (index, source) in study.source.iter().enumerate() {
            check_name(&source.name).map_err(|why| self.error(&format!("source[{index}].name"), why))?;
            for (key, tasks) in [("tasks", &source.tasks), ("each", &source.each)] {
                if let Some(Tasks::List(tasks)) = tasks {
                    self.check_tasks(&format!("source[{index}].{key}"), tasks)?;
                }
            }
            self.check_source(&format!("source[{index}]"), source)?;
        }
        for (index, method) in study.method.iter().enumerate() {
            if let Some(Repeated { key, entry, text }) = method.repeated() {
                let key = format!("method[{index}].{key}[{entry}]");
                return Err(self.error(&key, format!("{text} is listed twice; remove one")));
            }
        }
        Ok(())
    }

    /// The keys of a source: those of runs, or the paths of agents.
    fn check_source(&self, key: &str, source: &Source) -> Result<(), StudyError> {
        let Source { tasks, each, agents, steps, seed, untrained, universal, plan, .. } = source;
        let kinds = [tasks.is_some(), each.is_some(), agents.is_some()];
        if kinds.into_iter().filter(|given| *given).count() != 1 {
            let why = "give one of `tasks` (one agent learns all of them), `each` (one agent per task) and `agents` (the paths of \
                       agents that were trained before)";
            return Err(self.error(key, why));
        }
        let Some(agents) = agents else {
            let missing = "give the environment frames that its agents learn for, such as steps = 1e5";
            return steps.map(|_| ()).ok_or_else(|| self.error(&format!("{key}.steps"), missing));
        };
        let of_training = [
            ("steps", steps.is_some()),
            ("seed", seed.is_some()),
            ("untrained", *untrained),
            ("universal", universal.is_some()),
            ("plan", plan.is_some()),
        ];
        if let Some((own, _)) = of_training.into_iter().find(|(_, given)| *given) {
            let why = "it is about training, and the `agents` of this source are trained already; remove it";
            return Err(self.error(&format!("{key}.{own}"), why));
        }
        match agents.0.is_empty() {
            true => Err(self.error(&format!("{key}.agents"), "the list is empty; give the path of at least one agent")),
            false => Ok(()),
        }
    }

    /// The settings of a table that a study file must not have: `key` is that of the table.
    pub(super) fn check_set(&self, key: &str, set: &Sweep) -> Result<(), StudyError> {
        match set.keys().find(|path| matches!(*path, "seed" | "steps" | "tasks" | "threads")) {
            None => Ok(()),
            Some("threads") => {
                let why = "`dreamgraft study run` divides the cores among the runs (--jobs); remove it";
                Err(self.error(&format!("{key}.threads"), why))
            }
            Some(path) => {
                Err(self.error(&format!("{key}.{path}"), "a study file has a separate key for it; remove it"))
            }
        }
    }

    /// The values of all settings, before any run is made.
    fn check_settings(&self) -> Result<(), StudyError> {
        let study = self.study;
        let check = |key: &str, variant: &Variant| {
            let config = self.config(key, &study.tasks[..1], study.steps, study.seeds[0], variant)?;
            let built_in = study.tasks.iter().find(|task| self.catalogue.names().contains(&task.as_str()));
            if let (Some(argument), Some(task)) = (config.task.arguments.keys().next(), built_in) {
                let why = format!("it has no effect on {task}, which is a built-in task; remove it");
                return Err(self.error(&format!("{key}.task.arguments.{argument}"), why));
            }
            for (name, set) in [
                ("frozen_encoder", config.agent.frozen_encoder),
                ("reward_sources", !config.agent.reward_sources.is_empty()),
            ] {
                if set {
                    let why = "a transfer sets it; in all runs it would freeze random parameters; remove it";
                    return Err(self.error(&format!("{key}.agent.{name}"), why));
                }
            }
            Ok(())
        };
        self.variants.iter().try_for_each(|base| check("set", base))?;
        for (number, variants) in self.of_methods.iter().enumerate() {
            if study.method[number].set().is_empty() {
                continue;
            }
            let key = format!("method[{number}].set");
            for base in &self.variants {
                variants.iter().try_for_each(|own| check(&key, &base.with(own)))?;
            }
        }
        Ok(())
    }

    /// The method that the others are compared with, once all runs are known.
    pub(super) fn check_baseline(&self) -> Result<(), StudyError> {
        let Some(name) = &self.study.baseline else { return Ok(()) };
        let targets = || self.entries.iter().filter(|entry| entry.role == Role::Target);
        let sources: BTreeSet<_> =
            targets().filter(|entry| entry.method == *name).map(|entry| (&entry.tasks, &entry.source)).collect();
        let tasks: BTreeSet<_> = sources.iter().map(|(tasks, _)| tasks).collect();
        if sources.is_empty() {
            let like = wording::nearest(name, targets().map(|entry| &*entry.method)).unwrap_or_default();
            let mut methods: Vec<String> = Vec::new();
            for method in targets().map(|entry| format!("{:?}", entry.method)) {
                if !methods.contains(&method) && methods.len() < MOST_NAMES {
                    methods.push(method);
                }
            }
            let methods = methods.join(", ");
            let why = format!(
                "no method has the name {name:?}{} Names of methods are those of tables: {methods}",
                wording::did_you_mean(like)
            );
            return Err(self.error("baseline", why));
        }
        if sources.len() > tasks.len() {
            let why = format!(
                "the method {name:?} learns from several sources on a task, which the report compares separately; name a \
                 method with one source"
            );
            return Err(self.error("baseline", why));
        }
        Ok(())
    }

    pub(super) fn check_tasks(&self, key: &str, tasks: &[String]) -> Result<(), StudyError> {
        if tasks.is_empty() {
            return Err(self.error(key, "the list is empty; name at least one task"));
        }
        if let Some(task) = twice(tasks) {
            return Err(self.error(key, format!("task {task:?} is listed twice; remove one")));
        }
        for task in tasks {
            match self.catalogue.check(task) {
                Ok(()) => {}
                Err(TaskError::UnknownTask { nearest, .. }) => {
                    let like = wording::did_you_mean(&nearest);
                    let why = format!("task {task:?} does not exist{like} `dreamgraft tasks` lists all tasks");
                    return Err(self.error(key, why));
                }
                Err(other) => return Err(self.error(key, other.to_string())),
            }
        }
        Ok(())
    }
}

/// Names become names of folders and columns.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_');
    match !name.is_empty() && name.len() <= LONGEST_NAME && !name.starts_with('.') && name.chars().all(letter) {
        true => Ok(()),
        false => Err(format!(
            "{name:?} is not a valid name: use 1 to {LONGEST_NAME} letters, digits and -+._, and do not start with a dot"
        )),
    }
}

/// A fraction of a transfer.
pub(super) fn check_fraction(fraction: Fraction) -> Result<(), String> {
    match fraction.is_in_range() {
        true => Ok(()),
        false => Err(format!("the fraction {fraction} is out of range: it must be from 0 to 1")),
    }
}

/// The name of a built-in plan.
pub(super) fn check_preset(plan: &str) -> Result<(), String> {
    if transfer::Preset::named(plan).is_some() {
        return Ok(());
    }
    let names = transfer::Preset::ALL.map(transfer::Preset::name).join(", ");
    Err(format!("{plan:?} is not a built-in plan; the built-in plans are {names}"))
}

/// The first value that occurs twice.
pub(super) fn twice<T: Ord>(all: &[T]) -> Option<&T> {
    let mut seen = BTreeSet::new();
    all.iter().find(|one| !seen.insert(*one))
}

#[cfg(test)]
mod tests {
    use crate::manifest_of;
    use crate::study_file::LoadedStudy;

    #[test]
    fn a_fraction_that_cannot_be_fitted_is_refused_before_anything_is_trained() {
        let study = |heads: &str, fraction: &str| {
            let text = format!(
                "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n\
                 set = {{ agent.heads = \"{heads}\" }}\n[[source]]\nname = \"ant\"\ntasks = [\"ant\"]\nsteps = 1000\n\
                 [[method]]\nkind = \"fractional\"\nfrom = \"ant\"\nfractions = [{fraction}]\n"
            );
            manifest_of(&LoadedStudy::of_text(&text).unwrap(), tasks::catalogue())
        };
        let error = study("twohot", "\"fit\"").unwrap_err().to_string();
        assert!(error.contains("agent.heads = \"normal\"") && error.contains("method"), "{error}");
        assert_eq!(study("twohot", "0.2").unwrap().entries.len(), 2);
        assert_eq!(study("normal", "\"fit\"").unwrap().entries.len(), 2);
    }
}
