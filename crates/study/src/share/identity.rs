//! The identity of a run: everything that its results depend on, so that equal identities mean equal results.
//!
//! A run with parts that are not known here is not shared: environments and plans outside of this program, and GPUs.

use crate::StudyError;
use crate::expand::is_external;
use crate::manifest::Manifest;
use crate::study_file::contents;
use environment::Catalogue;
use files::{Checksums, sha256};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use train::config::Config;
use train::{Arithmetic, Origin};
use transfer::{Plan, Preset};

/// The version of the identity's content.
const FORMAT: u32 = 1;

/// The identity of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 of the text: its name in a store.
    pub checksum: String,
    /// JSON.
    pub text: String,
}

impl Identity {
    fn of(content: &Value) -> Self {
        let text = content.to_string();
        Self { checksum: sha256(text.as_bytes()), text }
    }
}

/// The identities of the runs of a manifest, each found out when it is asked for.
pub(super) struct Identities<'a> {
    catalogue: &'a dyn Catalogue,
    manifest: &'a Manifest,
    /// The identity of the program.
    program: Value,
    /// Whether gradient steps run on a GPU.
    on_device: bool,
    /// The index of each run by its folder.
    folders: HashMap<&'a Path, usize>,
    known: RefCell<HashMap<usize, Result<Identity, String>>>,
}

impl<'a> Identities<'a> {
    /// Of the runs of a manifest, which this `program` makes, on a GPU or not.
    ///
    /// # Errors
    /// If the program cannot be read.
    pub fn new(
        catalogue: &'a dyn Catalogue,
        program: &Path,
        on_device: bool,
        manifest: &'a Manifest,
    ) -> Result<Self, StudyError> {
        let checksum = Checksums::of_file(program).map_err(StudyError::io(program))?.sha256;
        let Arithmetic { simd, fingerprint } = Arithmetic::here();
        // The program itself, and not only its version: a version under development has many programs.
        let program = json!({ "version": env!("CARGO_PKG_VERSION"), "sha256": checksum, "simd": simd, "fingerprint": fingerprint });
        let folders = manifest.entries.iter().map(|entry| (&*entry.folder, entry.index)).collect();
        Ok(Self { catalogue, manifest, program, on_device, folders, known: RefCell::default() })
    }

    /// The identity of the run with this number, or why it cannot be known.
    pub fn of(&self, index: usize) -> Result<Identity, String> {
        let known = self.known.borrow().get(&index).cloned();
        known.unwrap_or_else(|| {
            let found = self.find(index);
            self.known.borrow_mut().insert(index, found.clone());
            found
        })
    }

    fn find(&self, index: usize) -> Result<Identity, String> {
        if self.on_device {
            return Err("results on a GPU depend on its model, which is not part of a run's identity".to_owned());
        }
        let entry = &self.manifest.entries[index];
        let config = entry.request.configuration().map_err(|error| error.to_string())?;
        if let Some(task) = self.outside(&config) {
            return Err(format!("{task} is an external environment, whose program may have changed"));
        }
        let earlier = |folder: &Path| -> Result<Value, String> {
            // A manifest's runs start from earlier ones, so this ends.
            let source = self.folders.get(folder).filter(|source| **source < index);
            let source = source.ok_or_else(|| format!("{} is not a run of the study", folder.display()))?;
            Ok(json!({ "folder": files::path_text::encode(folder), "run": self.of(*source)?.checksum }))
        };
        let origin = origin(&entry.request.origin, &earlier)?;
        let config = of_config(&config);
        let mut all = json!({ "format": FORMAT, "program": self.program, "config": config, "origin": origin });
        // Runs without one keep the identity of versions that knew none.
        if let Some(guide) = &entry.request.guide {
            all["guide"] = earlier(guide)?;
        }
        if let Some(rehearse) = &entry.request.rehearse {
            all["rehearsal"] = json!({ "of": earlier(&rehearse.from)?, "share": rehearse.share() });
        }
        Ok(Identity::of(&all))
    }

    /// A task that is an environment of another program.
    fn outside(&self, config: &Config) -> Option<String> {
        // To ask the catalogue about such a name would start its program.
        let named = config.tasks.iter().find(|task| is_external(task)).cloned();
        named.or_else(|| {
            let mut infos = config.tasks.iter().flat_map(|task| self.catalogue.info(task, &config.task));
            infos.find(|info| info.outside.is_some()).map(|info| info.name)
        })
    }
}

/// The settings on which results depend: all but those that a run may change, except where these change its metrics.
fn of_config(config: &Config) -> Value {
    let mut all = serde_json::to_value(config).expect("a configuration is made of what JSON can hold");
    let paths = [
        "/threads",
        "/task/timeout",
        "/replay/files",
        "/replay/embeddings",
        "/log/videos",
        "/log/video_every",
        "/checkpoint",
    ];
    for path in paths {
        let (section, key) = path.rsplit_once('/').unwrap_or_default();
        if let Some(table) = all.pointer_mut(section).and_then(Value::as_object_mut) {
            table.remove(key);
        }
    }
    all
}

/// The origin of a run's parameters; `earlier` gives the identity of the run in a folder.
fn origin(origin: &Origin, earlier: &dyn Fn(&Path) -> Result<Value, String>) -> Result<Value, String> {
    Ok(match origin {
        Origin::Random => json!("random"),
        Origin::Agent { from, plan, fraction, .. } => {
            json!({ "agent": earlier(from)?, "plan": of_plan(plan.as_deref())?, "fraction": fraction })
        }
        Origin::Agents { from, choose, plan, fraction } => {
            let agents = from.iter().map(|folder| earlier(folder)).collect::<Result<Vec<_>, _>>()?;
            json!({ "agents": agents, "choose": choose, "plan": of_plan(plan.as_deref())?, "fraction": fraction })
        }
        Origin::Soup { from, plan } => {
            let from = from.iter().map(|folder| earlier(folder)).collect::<Result<Vec<_>, _>>()?;
            json!({ "soup": from, "plan": of_plan(Some(plan))? })
        }
        Origin::Plan { plan, .. } => return Err(format!("the plan {} names its sources itself", plan.display())),
        Origin::Universal { encoder, rewards, any_encoder, plan, .. } => {
            let rewards = rewards.iter().map(|folder| earlier(folder)).collect::<Result<Vec<_>, _>>()?;
            let mut all = json!({ "universal": earlier(encoder)?, "rewards": rewards, "any_encoder": any_encoder });
            // Runs of earlier versions, which had no such key, keep their identity.
            if plan.is_some() {
                all["plan"] = of_plan(plan.as_deref())?;
            }
            all
        }
    })
}

/// The name of a preset, or the text of a plan.
fn of_plan(plan: Option<&Path>) -> Result<Value, String> {
    match plan {
        None => Ok(Value::Null),
        Some(file) => {
            if let Some(preset) = Preset::named(file) {
                return Ok(json!(preset.name()));
            }
            let plan = Plan::find(file).map_err(|error| error.to_string())?;
            if !plan.sources().is_empty() {
                return Err(format!("the plan {} names sources itself", file.display()));
            }
            Ok(json!({ "text": contents(file).map_err(|error| error.to_string())? }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study_file::LoadedStudy;

    /// The identities of the runs of a study with a source and two methods, with `set`.
    fn found(set: &str, more: &str, on_device: bool) -> Vec<Result<Identity, String>> {
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [1]\ntasks = [\"hopper\"]\n[set]\n{set}\n\
             [[source]]\nname = \"a\"\ntasks = [\"ant\"]\nsteps = 2000\n{more}\n\
             [[method]]\nkind = \"baseline\"\n[[method]]\nkind = \"fractional\"\nfrom = \"a\"\nfractions = [0.2]\n"
        );
        let read = LoadedStudy::of_text(&text).unwrap();
        let manifest = crate::manifest_of(&read, tasks::catalogue()).unwrap();
        let program = std::env::current_exe().unwrap();
        let identities = Identities::new(tasks::catalogue(), &program, on_device, &manifest).unwrap();
        (0..manifest.entries.len()).map(|index| identities.of(index)).collect()
    }

    #[test]
    fn equal_runs_are_equal_whatever_is_written_and_how_fast() {
        let first = found("", "", false);
        assert!(first.iter().all(Result::is_ok) && first.len() == 3);
        let same = "log.videos = false\nlog.video_every = 500\ncheckpoint.kept = 1\ncheckpoint.every = 70\nreplay.embeddings = 0\n\
                    replay.files = \"until_finished\"\ntask.timeout = 3";
        assert_eq!(found(same, "", false), first);
        assert_ne!(first[0], first[1]);
    }

    #[test]
    fn what_changes_results_makes_another_run_and_others_of_what_starts_from_it() {
        let first = found("", "", false);
        for set in ["agent.horizon = 4", "log.every = 500", "agent.evaluation = \"mean\"", "replay.starts = \"edges\""]
        {
            let other = found(set, "", false);
            assert!(first.iter().zip(&other).all(|(one, other)| one != other), "{set}");
        }
        // Another source: the baseline is the same, the run that starts from the source is not.
        let other = found("", "seed = 7", false);
        assert_eq!(first.iter().zip(&other).map(|(one, other)| one == other).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn a_guide_makes_another_run() {
        // An agent of the task itself, which can act in it.
        let own = "[[source]]\nname = \"own\"\ntasks = [\"hopper\"]\nsteps = 3000\n";
        let first = found("", own, false);
        let guided = found("", &format!("{own}[[method]]\nkind = \"baseline\"\nguide = \"own\"\n"), false);
        assert!(guided.len() == first.len() + 1 && first.iter().all(|one| guided.contains(one)));
        let run = guided.iter().find(|one| !first.contains(one)).unwrap().as_ref().unwrap();
        let named = first.iter().flatten().filter(|earlier| run.text.contains(&earlier.checksum)).count();
        assert!(named == 1 && run.text.contains("guide"), "{}", run.text);
        let rehearsing = |share: &str| {
            found("", &format!("{own}[[method]]\nkind = \"baseline\"\nrehearse = \"own\"\n{share}"), false)
        };
        let (default, same, other) = (rehearsing(""), rehearsing("share = 0.2\n"), rehearsing("share = 0.4\n"));
        assert!(default == same && default.iter().filter(|run| !other.contains(run)).count() == 1);
    }

    #[test]
    fn runs_that_are_not_known_well_enough_are_not_shared() {
        assert!(found("", "", true).iter().all(|run| run.as_ref().is_err_and(|why| why.contains("GPU"))));
    }
}
