//! The runs of each method on a target, and the sources that they need.
//!
//! Here: the runs of each kind of method. Not here: the sources' own runs, and the order of all runs (`expand`).

use super::checks::{check_fraction, check_name};
use super::existing::SourceAgent;
use super::pilot::Candidates;
use super::{Aim, Asked, Expansion, folder_name, universal_origin};
use crate::manifest::Role;
use crate::study_file::{Method, next_to};
use crate::{StudyError, layout, results};
use environment::file_name;
use std::path::Path;
use train::{Origin, Rehearse};
use transfer::{ChooseBy, Fraction, MOST_SOURCES};

impl<'a> Expansion<'a> {
    /// The runs of a method on a task with one variant of its settings.
    pub(super) fn add_targets(&mut self, number: usize, method: &'a Method, aim: &Aim<'_>) -> Result<(), StudyError> {
        let key = format!("method[{number}]");
        // A guided or a rehearsing method is another one than the same without that.
        let guided = match (aim.guide, aim.rehearse.0) {
            (None, None) => "",
            (Some(_), None) => "-guided",
            (None, Some(_)) => "-rehearsing",
            (Some(_), Some(_)) => "-guided-rehearsing",
        };
        let named = |default: &str| method.name().map_or_else(|| format!("{default}{guided}"), str::to_owned);
        match method {
            Method::Baseline { .. } => self.add_target(&key, &named(results::BASELINE), None, aim, &[], Origin::Random),
            Method::Fractional { from, fractions, .. } => {
                if fractions.is_empty() {
                    return Err(self.error(
                        &format!("{key}.fractions"),
                        "the list is empty; give at least one fraction, such as 0.2",
                    ));
                }
                for fraction in fractions {
                    check_fraction(*fraction).map_err(|why| self.error(&format!("{key}.fractions"), why))?;
                    let fraction_text = match fraction {
                        // With a decimal point in whole numbers, too.
                        Fraction::Of(omega) => format!("{omega:?}"),
                        Fraction::Fit => fraction.to_string(),
                    };
                    let name = match method.name() {
                        Some(name) => format!("{name}-{fraction_text}"),
                        None => format!("fractional-{fraction_text}{guided}"),
                    };
                    self.add_target_from(&key, &name, from, aim, "paper", Some(*fraction))?;
                }
                Ok(())
            }
            Method::Full { from, .. } => self.add_target_from(&key, &named("full"), from, aim, "full", None),
            Method::EncoderOnly { from, .. } => {
                self.add_target_from(&key, &named("encoder-only"), from, aim, "encoder-only", None)
            }
            Method::FineTune { from, .. } => {
                self.add_target_from(&key, &named("fine-tune"), from, aim, "fine-tune", None)
            }
            Method::MetaModel { universal, reward_from, plan, .. } => {
                let plan = plan.as_ref().map(|plan| self.preset_or_file(&format!("{key}.plan"), plan)).transpose()?;
                self.add_meta_model(&key, &named("meta-model"), (universal, reward_from), plan, aim)
            }
            Method::SingleSource { from, plan, fraction, .. } => {
                self.check_several(&key, from, plan, *fraction)?;
                if transfer::Preset::named(plan) == Some(transfer::Preset::Soup) {
                    let why =
                        "a soup is the mean of several agents, and this method takes one at a time; use another plan";
                    return Err(self.error(&format!("{key}.plan"), why));
                }
                for source in from {
                    let source = self.source(&format!("{key}.from"), source)?;
                    let untrained = source.untrained;
                    for agent in self.add_agents(source, aim, &mut Vec::new())? {
                        let own = self.name_of_agent(agent, untrained);
                        let from = self.folder_of(agent);
                        let origin = Origin::Agent { from, plan: Some(plan.into()), fraction: *fraction, untrained };
                        self.add_target(&key, &named("single-source"), Some(own), aim, &[agent], origin)?;
                    }
                }
                Ok(())
            }
            Method::Pilot { from, plans, fractions, slices, .. } => {
                let candidates = Candidates { name: named("pilot"), from, plans, fractions, slices };
                self.add_pilot(&key, &candidates, aim)
            }
            Method::Ranked { from, plan, fraction, .. } => {
                self.add_chosen(&key, &named("ranked"), ChooseBy::Rank, (from, plan, *fraction), aim)
            }
            Method::RandomSource { from, plan, fraction, .. } => {
                self.add_chosen(&key, &named("random-source"), ChooseBy::Chance, (from, plan, *fraction), aim)
            }
            Method::Plan { file, from, .. } => {
                let (plan, found) = self.plan_file(&format!("{key}.file"), file)?;
                let path = Path::new(&plan);
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
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
                let name = named(&stem);
                match from {
                    Some(from) => self.add_target_from(&key, &name, from, aim, &plan, None),
                    None => {
                        self.add_target(&key, &name, None, aim, &[], Origin::Plan { plan: plan.into(), fraction: None })
                    }
                }
            }
        }
    }

    /// The absolute path of a plan's file next to the study file, and the plan: a mistake in it must not come to light only after its
    /// sources have been trained.
    fn plan_file(&self, key: &str, file: &Path) -> Result<(String, transfer::Plan), StudyError> {
        let path = next_to(&self.read.path, file);
        let path = path.canonicalize().map_err(|error| self.error(key, format!("{}: {error}", path.display())))?;
        let not_text = || {
            let why = "its path is not UTF-8, so the manifest cannot contain it; rename the file or its folder";
            self.error(key, format!("{}: {why}", path.display()))
        };
        let plan = path.to_str().ok_or_else(not_text)?.to_owned();
        let found = transfer::Plan::find(&plan).map_err(|error| self.error(key, error.to_string()))?;
        Ok((plan, found))
    }

    /// A preset's name as it is, and a file as [`Self::plan_file`] has it.
    fn preset_or_file(&self, key: &str, typed: &str) -> Result<String, StudyError> {
        if transfer::Preset::named(typed).is_some() {
            return Ok(typed.to_owned());
        }
        let (plan, found) = self.plan_file(key, Path::new(typed))?;
        if !found.sources().is_empty() {
            return Err(self.error(key, format!("{plan} names sources itself; remove them from it")));
        }
        Ok(plan)
    }

    /// A target with a transfer from the only agent of the source `from`, with a plan and its fraction.
    fn add_target_from(
        &mut self,
        key: &str,
        name: &str,
        from: &str,
        aim: &Aim<'_>,
        plan: &str,
        fraction: Option<Fraction>,
    ) -> Result<(), StudyError> {
        let key_from = format!("{key}.from");
        let source = self.source(&key_from, from)?;
        let agent = self.add_one_agent(&key_from, source, aim, &mut Vec::new())?;
        let folder = self.folder_of(agent);
        let origin = Origin::Agent { from: folder, plan: Some(plan.into()), fraction, untrained: source.untrained };
        self.add_target(key, name, Some(from.to_owned()), aim, &[agent], origin)
    }

    fn add_meta_model(
        &mut self,
        key: &str,
        name: &str,
        (universal, reward_from): (&str, &[String]),
        plan: Option<String>,
        aim: &Aim<'_>,
    ) -> Result<(), StudyError> {
        let source = self.source(&format!("{key}.universal"), universal)?;
        self.check_trained(&format!("{key}.universal"), source)?;
        let encoder = self.add_one_agent(&format!("{key}.universal"), source, aim, &mut Vec::new())?;
        let mut after = vec![encoder];
        let (mut rewards, mut untrained) = (Vec::new(), false);
        for reward in reward_from {
            let source = self.source(&format!("{key}.reward_from"), reward)?;
            untrained |= source.untrained;
            for agent in self.add_agents(source, aim, &mut Vec::new())? {
                // That an agent from before the study has this encoder is seen when parameters are compared.
                let is_known = agent.run().zip(encoder.run());
                if is_known.is_some_and(|(own, encoder)| own != encoder && self.entries[own].after != [encoder]) {
                    let why = format!(
                        "source {reward:?} does not have the encoder of {universal:?}; give it universal = \
                         {universal:?}"
                    );
                    return Err(self.error(&format!("{key}.reward_from"), why));
                }
                rewards.push(self.folder_of(agent));
                after.push(agent);
            }
        }
        if rewards.is_empty() {
            return Err(self.error(&format!("{key}.reward_from"), "the list is empty; name at least one source"));
        }
        let origin = universal_origin(self.folder_of(encoder), rewards, untrained, plan);
        self.add_target(key, name, Some(reward_from.join(", ")), aim, &after, origin)
    }

    pub(super) fn add_target(
        &mut self,
        key: &str,
        method: &str,
        source: Option<String>,
        aim: &Aim<'_>,
        after: &[SourceAgent],
        origin: Origin,
    ) -> Result<(), StudyError> {
        check_name(method).map_err(|why| self.error(&format!("{key}.name"), why))?;
        self.check_number_of_sources(key, &origin)?;
        self.check_fit(key, aim, &origin)?;
        let Aim { task, seed, own, .. } = aim;
        let guide = self.add_guide(&format!("{key}.guide"), aim)?;
        let rehearse = self.add_rehearsal(key, aim)?;
        let source = with_names(source, aim.guide.into_iter().chain(aim.rehearse.0));
        let from = source.as_ref().map(|source| format!("-from-{}", source.replace(", ", "+"))).unwrap_or_default();
        let name = folder_name(format!("{method}{}{from}", own.of_folder()));
        let folder = Path::new(layout::RUNS).join(file_name(task)).join(name).join(seed.to_string());
        if self.folders.contains_key(&folder) {
            let why =
                format!("two methods have the name {method:?} and the same source; give one of them another name");
            return Err(self.error(key, why));
        }
        let (tasks, settings, steps) = (vec![(*task).to_owned()], own.typed(), self.study.steps);
        let agents = after.iter().copied().chain(guide).chain(rehearse);
        let mut after: Vec<usize> = agents.filter_map(SourceAgent::run).collect();
        after.sort_unstable();
        after.dedup();
        let (guide, share) = (guide.map(|agent| self.folder_of(agent)), aim.rehearse.1);
        let rehearse = rehearse.map(|agent| Rehearse { from: self.folder_of(agent), share });
        let asked = Asked { tasks, settings, steps, seed: *seed, folder, origin, guide, rehearse };
        self.push(Role::Target, &own.of_method(method), source, asked, after)?;
        Ok(())
    }

    /// Checks that a plan can have as many sources as `origin`: that must not come to light only after they have been trained.
    fn check_number_of_sources(&self, key: &str, origin: &Origin) -> Result<(), StudyError> {
        let (own, agents, with) = match origin {
            Origin::Universal { rewards, .. } => ("reward_from", rewards.len() + 1, ", with that of `universal`"),
            Origin::Agents { from, .. } | Origin::Soup { from, .. } => ("from", from.len(), ""),
            _ => return Ok(()),
        };
        if agents > MOST_SOURCES {
            let why = format!(
                "these are {}{with}, but a transfer has at most {MOST_SOURCES} sources; name fewer",
                wording::counted(agents as u64, "agent")
            );
            return Err(self.error(&format!("{key}.{own}"), why));
        }
        Ok(())
    }
}

/// The names of the sources of a target, with these, each once.
fn with_names<'n>(source: Option<String>, more: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut names: Vec<String> = source.iter().flat_map(|source| source.split(", ")).map(str::to_owned).collect();
    for name in more {
        if names.iter().all(|known| known != name) {
            names.push(name.to_owned());
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::study_file::{LoadedStudy, read};
    use crate::{Manifest, StudyError, manifest_of};
    use std::path::Path;

    /// The manifest of a study in `folder` of a meta-model over one source, with these keys of the source and the method.
    fn meta_model(folder: &Path, of_source: &str, of_method: &str) -> Result<Manifest, StudyError> {
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [1]\ntasks = [\"hopper\"]\n\
             [[source]]\nname = \"eye\"\ntasks = [\"ant\"]\nsteps = 2000\n\
             [[source]]\nname = \"other\"\ntasks = [\"ant\"]\nsteps = 3000\nuniversal = \"eye\"\n{of_source}\n\
             [[method]]\nkind = \"meta-model\"\nuniversal = \"eye\"\nreward_from = [\"other\"]\n{of_method}\n"
        );
        let path = folder.join("study.toml");
        std::fs::write(&path, text).unwrap();
        manifest_of(&read(&path)?, tasks::catalogue())
    }

    /// The manifest of a study with so many sources, whose names have `longer` letters more, for this method.
    fn with_many(count: usize, longer: usize, method: &str) -> Result<Manifest, StudyError> {
        let name = |index: usize| format!("s{}-{index}", "x".repeat(longer));
        let each = (0..count).map(|index| {
            let (name, steps) = (name(index), 2000 + index);
            format!("[[source]]\nname = \"{name}\"\ntasks = [\"ant\"]\nsteps = {steps}\nuniversal = \"eye\"\n")
        });
        let names: Vec<String> = (0..count).map(name).collect();
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 2000\nseeds = [1]\ntasks = [\"hopper\"]\n\
             set = {{ schedule.prefill_episodes = 2 }}\n\
             [[source]]\nname = \"eye\"\ntasks = [\"ant\"]\nsteps = 2000\n{}[[method]]\n{} = {names:?}\n",
            each.collect::<String>(),
            method
        );
        manifest_of(&LoadedStudy::of_text(&text)?, tasks::catalogue())
    }

    #[test]
    fn more_sources_than_a_transfer_can_have_are_refused_before_they_are_trained() {
        let meta_model = "kind = \"meta-model\"\nuniversal = \"eye\"\nreward_from";
        let manifest = with_many(63, 0, meta_model).unwrap();
        assert!(manifest.entries.last().unwrap().request.plan().is_ok());
        let message = with_many(64, 0, meta_model).unwrap_err().to_string();
        assert!(message.contains("method 1, reward_from: these are 65 agents, with that of `universal`"), "{message}");
        let ranked = "kind = \"ranked\"\nfrom";
        assert!(with_many(64, 0, ranked).unwrap().entries.last().unwrap().request.plan().is_ok());
        let message = with_many(65, 0, ranked).unwrap_err().to_string();
        assert!(message.contains("method 1, from: these are 65 agents, but a transfer has at most 64"), "{message}");
    }

    #[test]
    fn the_folders_of_methods_with_many_sources_have_names_that_systems_allow() {
        let meta_model = "kind = \"meta-model\"\nuniversal = \"eye\"\nreward_from";
        let folder =
            |count, longer| with_many(count, longer, meta_model).unwrap().entries.last().unwrap().folder.clone();
        let longest = |folder: &Path| folder.iter().map(|name| name.len()).max().unwrap();
        // As short as it can be, unchanged.
        assert_eq!(folder(2, 1), Path::new("runs/hopper/meta-model-from-sx-0+sx-1/1"));
        let long = folder(30, 20);
        assert_eq!(longest(&long), 230);
        assert_ne!(folder(31, 20), long, "they differ only beyond the end");
    }

    #[test]
    fn sources_and_meta_models_can_have_a_plan_for_their_universal_agent() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let preset = transfer::Preset::UniversalDynamics.text();
        let silent = format!("{preset}\n[meta_model]\nstart = \"silent\"\n");
        std::fs::write(folder.join("silent.toml"), &silent).unwrap();
        let found = meta_model(folder, "plan = \"universal-dynamics\"", "plan = \"silent.toml\"").unwrap();
        let folders: Vec<String> = found.entries.iter().map(|entry| entry.folder.display().to_string()).collect();
        let other = "sources/ant/3000-sees-as-ant-2000-1000-by-universal-dynamics/1000";
        assert_eq!(folders, ["sources/ant/2000/1000", other, "runs/hopper/meta-model-from-other/1"]);
        let plans: Vec<_> = found.entries[1..].iter().map(|entry| entry.request.plan().unwrap().unwrap()).collect();
        assert_eq!(plans.iter().map(|plan| plan.rules().len()).collect::<Vec<_>>(), [5, 5]);
        let planned = plans[1].meta_model().unwrap();
        assert_eq!((planned.start, planned.sources.len()), (transfer::MetaModelStart::Silent, 1));
        // The text of the plan is part of the study.
        let checksum = read(&folder.join("study.toml")).unwrap().checksum;
        std::fs::write(folder.join("silent.toml"), silent.replace("silent", "random")).unwrap();
        assert_ne!(read(&folder.join("study.toml")).unwrap().checksum, checksum);
        // Without these keys, everything is where it was.
        let plain = meta_model(folder, "", "").unwrap();
        assert!(plain.entries[1].folder.ends_with("3000-sees-as-ant-2000-1000/1000"));
        assert_eq!(plain.entries[2].request.plan().unwrap().unwrap().rules().len(), 3);
    }

    #[test]
    fn meta_models_can_have_untrained_sources_as_a_control() {
        let folder = tempfile::tempdir().unwrap();
        let found = meta_model(folder.path(), "untrained = true", "").unwrap();
        let [_, source, target] = &found.entries[..] else { panic!("{found:?}") };
        assert!(source.folder.ends_with("3000-sees-as-ant-2000-1000-untrained/1000"), "{source:?}");
        assert!(target.arguments.iter().any(|argument| argument == "--untrained-source"), "{target:?}");
        let plan = target.request.plan().unwrap().unwrap();
        let allowed: Vec<bool> = plan.sources().keys().map(|name| plan.allows_untrained(name)).collect();
        assert_eq!(allowed, [true, false], "the reward model, and not the encoder: {plan:?}");
        let trained = meta_model(folder.path(), "", "").unwrap();
        let plan = trained.entries[2].request.plan().unwrap().unwrap();
        assert!(!plan.sources().keys().any(|name| plan.allows_untrained(name)));
    }

    #[test]
    fn plans_that_cannot_be_used_are_named_before_anything_is_trained() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let own = transfer::Preset::Universal.text().replacen("[[rule]]", "[sources]\na = \"a\"\n[[rule]]", 1);
        std::fs::write(folder.join("own.toml"), own).unwrap();
        for (of_source, of_method, part) in [
            ("plan = \"universal-dynamic\"", "", "source 2, plan: \"universal-dynamic\" is not a built-in plan"),
            ("plan = \"paper\"", "", "\"paper\" does not freeze the encoder"),
            ("", "plan = \"own.toml\"", "names sources itself"),
            ("", "plan = \"none.toml\"", "none.toml"),
        ] {
            let message = meta_model(folder, of_source, of_method).unwrap_err().to_string();
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
