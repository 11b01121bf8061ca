//! The sources' runs, which methods and other sources need, and the sources that no method uses.
//!
//! Not here: agents that were trained before the study (`existing`), the sources that each method needs (`methods`), and the order of all runs (`expand`).

use super::checks::check_preset;
use super::existing::SourceAgent;
use super::{Aim, Asked, Expansion, folder_name, universal_origin};
use crate::manifest::Role;
use crate::study_file::{Count, Method, SOURCE_SEED, Source, SourceSeed, StudyFile, Tasks};
use crate::{StudyError, layout};
use environment::file_name;
use std::collections::BTreeSet;
use std::path::Path;
use train::Origin;
use wording::nearest;

/// The longest chain of sources in which each has the encoder of the next.
const LONGEST_CHAIN: usize = 8;

/// The largest seed, since TOML has no larger number.
const LARGEST_SEED: u64 = i64::MAX as u64;

/// Sources and combinations of tasks that no method of a study file uses. Such sources are trained anyway.
pub fn unused(study: &StudyFile) -> Vec<String> {
    let mut used: BTreeSet<&str> = study.method.iter().flat_map(Method::sources).collect();
    // A source may have the encoder of another.
    for _ in 0..LONGEST_CHAIN {
        let others = study.source.iter().filter(|source| used.contains(&*source.name));
        let others: Vec<&str> = others.filter_map(|source| source.universal.as_deref()).collect();
        used.extend(others);
    }
    let sources = study.source.iter().map(|source| &*source.name).filter(|name| !used.contains(name));
    let exists = |name: &str| study.source.iter().any(|source| source.name == name && source.agents.is_some());
    let note = |name: &str| {
        let anyway = if exists(name) { "" } else { "; it will be trained anyway" };
        format!("no method uses the source {name:?}{anyway}")
    };
    let mut notes: Vec<String> = sources.map(note).collect();
    let lists = || study.source.iter().flat_map(|source| source.tasks.iter().chain(&source.each));
    let is_used = |name: &str| lists().any(|tasks| matches!(tasks, Tasks::Combination(used) if used == name));
    let combinations = study.combination.keys().filter(|name| !is_used(name));
    notes.extend(combinations.map(|name| format!("no source uses the combination {name:?}")));
    notes
}

impl<'a> Expansion<'a> {
    /// The runs of all sources that are not there yet. Sources that no method uses are checked and trained, too.
    pub(super) fn add_sources(&mut self) -> Result<(), StudyError> {
        let study = self.study;
        for base in self.variants.clone() {
            for source in &study.source {
                for task in &study.tasks {
                    for seed in &study.seeds {
                        let (base, own) = (base.clone(), base.clone());
                        let aim = Aim { task, seed: *seed, guide: None, rehearse: (None, None), base, own };
                        self.add_agents(source, &aim, &mut Vec::new())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The agents of a source for the targets of `aim`, whose runs are added if necessary. `above` are the sources that depend on this one.
    pub(super) fn add_agents(
        &mut self,
        source: &'a Source,
        aim: &Aim<'_>,
        above: &mut Vec<&'a str>,
    ) -> Result<Vec<SourceAgent>, StudyError> {
        if above.contains(&source.name.as_str()) {
            let circle = above.iter().chain([&source.name.as_str()]).copied().collect::<Vec<_>>().join(" -> ");
            return Err(self.error(
                "source",
                format!("these sources depend on each other in a circle: {circle}; remove one `universal`"),
            ));
        }
        above.push(&source.name);
        let index = self.study.source.iter().position(|other| std::ptr::eq(other, source)).unwrap_or_default();
        let key = format!("source[{index}]");
        if above.len() > LONGEST_CHAIN {
            let why =
                format!("more than {LONGEST_CHAIN} sources inherit an encoder from one another; use a shorter chain");
            return Err(self.error(&key, why));
        }
        let encoder = match &source.universal {
            None => None,
            Some(name) => {
                let universal = self.source(&format!("{key}.universal"), name)?;
                self.check_trained(&format!("{key}.universal"), universal)?;
                Some(self.add_one_agent(&format!("{key}.universal"), universal, aim, above)?)
            }
        };
        above.pop();
        if let Some(plan) = &source.plan {
            let key = format!("{key}.plan");
            if source.universal.is_none() {
                return Err(self.error(&key, "it is for sources with `universal`; add that key, or remove this one"));
            }
            check_preset(plan).map_err(|why| self.error(&key, why))?;
            if transfer::Preset::named(plan).is_some_and(|preset| !preset.freezes_encoder()) {
                let why = format!(
                    "{plan:?} does not freeze the encoder, which agents with `universal` share; use universal or universal-dynamics"
                );
                return Err(self.error(&key, why));
            }
        }
        if source.agents.is_some() {
            return self.add_existing(&key, source);
        }
        let groups = match (&source.tasks, &source.each) {
            (Some(tasks), _) => vec![self.tasks(&format!("{key}.tasks"), tasks, aim.task)?],
            (None, Some(each)) => {
                self.tasks(&format!("{key}.each"), each, aim.task)?.into_iter().map(|task| vec![task]).collect()
            }
            (None, None) => Vec::new(),
        };
        groups.into_iter().map(|tasks| self.add_agent(source, tasks, aim, encoder)).collect()
    }

    /// The seed of a source that has one for each seed of the targets: none of them is a target's.
    fn seed_of_source_for(&self, target: u64) -> u64 {
        let most = self.study.seeds.iter().max().copied().unwrap_or_default();
        let first = (most / SOURCE_SEED + 1).saturating_mul(SOURCE_SEED);
        first.saturating_add(target)
    }

    /// The only agent of a source for the targets of `aim`.
    pub(super) fn add_one_agent(
        &mut self,
        key: &str,
        source: &'a Source,
        aim: &Aim<'_>,
        above: &mut Vec<&'a str>,
    ) -> Result<SourceAgent, StudyError> {
        match self.add_agents(source, aim, above)?[..] {
            [one] => Ok(one),
            ref all => {
                let why = format!(
                    "source {:?} has {} agents, but this key needs a source with one agent; use a source with `tasks`, or with one path in `agents`",
                    source.name,
                    all.len()
                );
                Err(self.error(key, why))
            }
        }
    }

    /// The agent of a source on `tasks`, whose run is added if there is no equal one. `encoder` is the agent whose encoder it has.
    fn add_agent(
        &mut self,
        source: &Source,
        tasks: Vec<String>,
        aim: &Aim<'_>,
        encoder: Option<SourceAgent>,
    ) -> Result<SourceAgent, StudyError> {
        let variant = &aim.base;
        // `check_names` has seen that it is there.
        let steps = source.steps.unwrap_or(Count(0));
        let mut what = format!("{}{}", steps.0, variant.of_folder());
        if let Some(encoder) = encoder {
            let of_encoder = match encoder {
                // The folder of the agent with the encoder, below `sources`.
                SourceAgent::Run(index) => {
                    let parts = self.entries[index].folder.iter().skip(1).map(|part| part.to_string_lossy());
                    parts.collect::<Vec<_>>().join("-")
                }
                SourceAgent::Existing(place) => self.existing[place].of_folder(),
            };
            what.push_str(&format!("-sees-as-{of_encoder}"));
            if let Some(plan) = &source.plan {
                what.push_str(&format!("-by-{plan}"));
            }
        }
        if source.untrained {
            what.push_str("-untrained");
        }
        let seed = match source.seed {
            None => self.source_seed,
            Some(SourceSeed::Number(seed)) => seed,
            Some(SourceSeed::Target) => self.seed_of_source_for(aim.seed),
        };
        if seed > LARGEST_SEED {
            let why = format!(
                "seed = \"target\" would give a source the seed {seed}, and seeds go to {LARGEST_SEED}; use smaller ones"
            );
            return Err(self.error("seeds", why));
        }
        let [of_tasks, what] = [file_name(&tasks.join("+")), what].map(folder_name);
        let folder = Path::new(layout::SOURCES).join(of_tasks).join(what).join(seed.to_string());
        if let Some(&index) = self.folders.get(&folder) {
            return Ok(SourceAgent::Run(index));
        }
        self.config("set", &tasks, steps, seed, variant)?;
        let origin = encoder.map_or(Origin::Random, |encoder| {
            universal_origin(self.folder_of(encoder), Vec::new(), false, source.plan.clone())
        });
        let name = match source.tasks {
            Some(Tasks::List(_)) => source.name.clone(),
            _ => file_name(&tasks.join("+")),
        };
        let mut settings = variant.typed();
        if source.untrained {
            settings.extend(["pretrain", "train"].map(|kind| format!("schedule.{kind}_updates=0")));
        }
        let asked = Asked { tasks, settings, steps, seed, folder, origin, guide: None, rehearse: None };
        let after = encoder.and_then(SourceAgent::run).into_iter().collect();
        self.push(Role::Source, "source", Some(name), asked, after).map(SourceAgent::Run)
    }

    /// Checks that a source whose encoder is shared was trained.
    pub(super) fn check_trained(&self, key: &str, source: &Source) -> Result<(), StudyError> {
        match source.untrained {
            true => {
                let why = format!(
                    "source {:?} is untrained, and all agents would have its random encoder, frozen; name another",
                    source.name
                );
                Err(self.error(key, why))
            }
            false => Ok(()),
        }
    }

    /// The source called `name`.
    pub(super) fn source(&self, key: &str, name: &str) -> Result<&'a Source, StudyError> {
        let sources = &self.study.source;
        sources.iter().find(|source| source.name == name).ok_or_else(|| {
            let like = nearest(name, sources.iter().map(|source| source.name.as_str()));
            let like = wording::did_you_mean(like.unwrap_or_default());
            self.error(key, format!("source {name:?} does not exist{like} It must be the name of a [[source]]"))
        })
    }

    /// The tasks that `tasks` stands for, for the target `target`.
    fn tasks(&self, key: &str, tasks: &Tasks, target: &str) -> Result<Vec<String>, StudyError> {
        let name = match tasks {
            Tasks::List(tasks) => return Ok(tasks.clone()),
            Tasks::Combination(name) => name,
        };
        let known = &self.study.combination;
        let targets = known.get(name).ok_or_else(|| {
            let like = nearest(name, known.keys().map(String::as_str)).unwrap_or_default();
            self.error(
                key,
                format!(
                    "combination {name:?} does not exist{} It must be the name of a [combination.NAME]",
                    wording::did_you_mean(like)
                ),
            )
        })?;
        let missing = || {
            self.error(
                &format!("combination.{name}"),
                format!("it does not list source tasks for the target {target:?}"),
            )
        };
        targets.get(target).cloned().ok_or_else(missing)
    }
}
