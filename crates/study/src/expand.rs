//! Expands a study file into its runs, their order and their requests.
//!
//! Here: the order of the runs, and their requests; in `sources`, the runs of sources; in `existing`, agents from before the
//! study; in `trials`, whether its transfers can be done; in `methods`, those of each
//! method; in `earlier_episodes`, guides and rehearsal; in `choosing`, those that choose a source when they begin; in
//! `sweep`, settings with several values; in `checks`, the consistency of names; in `shared_seeds`, sources with the
//! seed of a target. Not here: the keys of a study file (`study_file`), the manifest in a folder (`prepare`), and
//! starting runs (`local`, `slurm`).

mod checks;
mod choosing;
mod earlier_episodes;
mod existing;
mod methods;
mod pilot;
mod shared_seeds;
mod sources;
mod sweep;
mod trials;

use crate::StudyError;
use crate::manifest::{Entry, Manifest, Role, arguments_of};
use crate::place::place_of;
use crate::study_file::{Count, LoadedStudy, Order, StudyFile};
use environment::Catalogue;
use existing::Existing;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use sweep::{Sweep, Variant};
use train::config::{Config, Layer, preset, resolve};
use train::{Frames, Origin, Rehearse, RunRequest};

pub use sources::unused;
pub(crate) use trials::agents_of;
pub use trials::check_transfers;
pub(crate) use trials::is_external;

/// The largest number of runs in a study.
const MOST_RUNS: usize = 10_000;

/// The longest name of a folder, in bytes. File systems allow 255, and a temporary file has a longer name than the one that it
/// replaces.
const LONGEST_FOLDER: usize = 230;

/// The seed that earlier versions gave to sources without a seed in the study file.
pub(crate) const EARLIER_SOURCE_SEED: u64 = 0;

/// The manifest of a study file, whose tasks are those of `catalogue`.
///
/// # Errors
/// The first name or value that cannot be used, with its place.
pub fn manifest_of(read: &LoadedStudy, catalogue: &dyn Catalogue) -> Result<Manifest, StudyError> {
    manifest_with(read, catalogue, read.study.source_seed())
}

/// The manifest of a study file, in which sources without a seed have `source_seed`.
pub(crate) fn manifest_with(
    read: &LoadedStudy,
    catalogue: &dyn Catalogue,
    source_seed: u64,
) -> Result<Manifest, StudyError> {
    let mut expansion = Expansion::new(read, catalogue, source_seed)?;
    expansion.check_names()?;
    let StudyFile { order, seeds, tasks, .. } = &read.study;
    match order {
        Order::Seeds => {
            expansion.add_sources()?;
            for seed in seeds {
                for task in tasks {
                    expansion.add_methods(task, *seed)?;
                }
            }
        }
        Order::Tasks => {
            for task in tasks {
                for seed in seeds {
                    expansion.add_methods(task, *seed)?;
                }
            }
            expansion.add_sources()?;
        }
    }
    expansion.check_baseline()?;
    let manifest = Manifest::new(&read.study.name, &read.checksum, expansion.entries);
    Ok(manifest.with_baseline(read.study.baseline.clone()))
}

/// The part of a request that differs between the runs of a study.
struct Asked {
    tasks: Vec<String>,
    settings: Vec<String>,
    steps: Count,
    seed: u64,
    folder: PathBuf,
    origin: Origin,
    guide: Option<PathBuf>,
    rehearse: Option<Rehearse>,
}

/// The purpose of the targets of a method.
struct Aim<'t> {
    task: &'t str,
    seed: u64,
    /// The source whose policy plays their first episodes.
    guide: Option<&'t str>,
    /// The source whose episodes they rehearse, and the share of their sequences.
    rehearse: (Option<&'t str>, Option<f64>),
    /// The settings of the sources.
    base: Variant,
    /// The settings of the target: those of the sources, and the method's own.
    own: Variant,
}

/// The entries so far, and the data from which they are created.
struct Expansion<'a> {
    read: &'a LoadedStudy,
    /// The available tasks.
    catalogue: &'a dyn Catalogue,
    study: &'a StudyFile,
    /// The seed of sources without a seed in the study file.
    source_seed: u64,
    /// The settings of all runs: several if the study's `set` has lists.
    variants: Vec<Variant>,
    /// The own settings of each method's targets.
    of_methods: Vec<Vec<Variant>>,
    entries: Vec<Entry>,
    /// The agents from before the study that its sources name.
    existing: Vec<Existing>,
    /// The index of each entry by its folder.
    folders: BTreeMap<PathBuf, usize>,
}

impl<'a> Expansion<'a> {
    fn new(read: &'a LoadedStudy, catalogue: &'a dyn Catalogue, source_seed: u64) -> Result<Self, StudyError> {
        let study = &read.study;
        let (variants, of_methods) = (Vec::new(), Vec::new());
        let (entries, existing, folders) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut new = Self { read, catalogue, study, source_seed, variants, of_methods, entries, existing, folders };
        new.read_settings()?;
        Ok(new)
    }

    /// Reads the settings of all runs and of each method, and their lists.
    fn read_settings(&mut self) -> Result<(), StudyError> {
        let all = Sweep::of(&self.study.set);
        let own: Vec<Sweep> = self.study.method.iter().map(|method| Sweep::of(method.set())).collect();
        self.check_set("set", &all)?;
        for (number, sweep) in own.iter().enumerate() {
            let key = format!("method[{number}].set");
            self.check_set(&key, sweep)?;
            if let Some(both) = all.swept().find(|swept| sweep.keys().any(|key| key == *swept)) {
                let why = "[set] has a list of values of this setting for all runs; remove it here or there";
                return Err(self.error(&format!("{key}.{both}"), why));
            }
        }
        let swept: BTreeSet<&str> = own.iter().chain([&all]).flat_map(Sweep::swept).collect();
        let variants = |key: &str, sweep: &Sweep| {
            sweep.variants(&swept).map_err(|(setting, why)| self.error(&format!("{key}.{setting}"), why))
        };
        let all = variants("set", &all)?;
        let of_method = |(number, sweep)| variants(&format!("method[{number}].set"), sweep);
        let of_methods = own.iter().enumerate().map(of_method).collect::<Result<Vec<_>, _>>()?;
        (self.variants, self.of_methods) = (all, of_methods);
        Ok(())
    }

    /// The runs of all methods on a task, and those of the sources that they need.
    fn add_methods(&mut self, task: &str, seed: u64) -> Result<(), StudyError> {
        let study = self.study;
        for (number, method) in study.method.iter().enumerate() {
            for base in self.variants.clone() {
                for own in self.of_methods[number].clone() {
                    let (guide, rehearse, own) = (method.guide(), method.rehearse(), base.with(&own));
                    let aim = Aim { task, seed, guide, rehearse, own, base: base.clone() };
                    self.add_targets(number, method, &aim)?;
                }
            }
        }
        Ok(())
    }

    /// An error at the key `key`.
    fn error(&self, key: &str, why: impl std::fmt::Display) -> StudyError {
        StudyError::StudyFile { place: place_of(&self.read.path, &self.read.text, key), why: why.to_string() }
    }

    /// The configuration of a run with the settings of `variant`, if it is valid; `key` is where they are.
    fn config(
        &self,
        key: &str,
        tasks: &[String],
        steps: Count,
        seed: u64,
        variant: &Variant,
    ) -> Result<Config, StudyError> {
        let mut layers = vec![preset(&self.study.preset).map_err(|error| self.error("preset", error))?];
        for (path, value) in &variant.settings {
            layers.push(Layer::value("the study's settings", path, value));
        }
        layers.push(Layer::value("the study's steps", "steps", &steps.0.to_string()));
        layers.push(Layer::value("the study's seeds", "seed", &seed.to_string()));
        layers.push(Layer::texts("the study's tasks", "tasks", tasks));
        resolve(&layers).map_err(|error| self.error(key, error))
    }

    /// Adds a run that depends on others, and returns its number.
    fn push(
        &mut self,
        role: Role,
        method: &str,
        source: Option<String>,
        asked: Asked,
        after: Vec<usize>,
    ) -> Result<usize, StudyError> {
        let index = self.entries.len();
        if index == MOST_RUNS {
            return Err(self.error(
                "seeds, tasks and methods",
                format!("the study has more than {MOST_RUNS} runs; split it into several studies"),
            ));
        }
        let Asked { tasks, settings, steps, seed, folder, origin, guide, rehearse } = asked;
        let request = RunRequest {
            settings,
            steps: Some(Frames(steps.0)),
            seed: Some(seed),
            folder: Some(folder.clone()),
            origin,
            guide,
            rehearse,
            ..RunRequest::new(tasks.clone(), &*self.study.preset)
        };
        self.folders.insert(folder.clone(), index);
        let (method, arguments) = (method.to_owned(), arguments_of(&request));
        let steps = steps.0;
        let pilot = None;
        self.entries.push(Entry {
            index,
            role,
            tasks,
            method,
            source,
            seed,
            steps,
            folder,
            after,
            pilot,
            request,
            arguments,
        });
        Ok(index)
    }
}

/// The encoder of the agent in `encoder`, the reward models of those in `rewards`, which may be `untrained`, and the plan.
fn universal_origin(encoder: PathBuf, rewards: Vec<PathBuf>, untrained: bool, plan: Option<String>) -> Origin {
    Origin::Universal { encoder, rewards, any_encoder: false, untrained, plan: plan.map(PathBuf::from) }
}

/// This name of a folder. One that is too long ends with its checksum, so that no two names become one.
fn folder_name(name: String) -> String {
    if name.len() <= LONGEST_FOLDER {
        return name;
    }
    let checksum = files::sha256(name.as_bytes());
    let checksum = &checksum[..8];
    format!("{}-{checksum}", &name[..name.floor_char_boundary(LONGEST_FOLDER - checksum.len() - 1)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study_file;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    /// The manifest of a study in `folder` with its own plan file.
    fn manifest_in(folder: &Path) -> Result<Manifest, StudyError> {
        std::fs::create_dir_all(folder).unwrap();
        let text = "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n[[method]]\n\
                    kind = \"plan\"\nfile = \"plan.toml\"\n";
        std::fs::write(folder.join("study.toml"), text).unwrap();
        let plan = transfer::Preset::Full.text().replacen("[[rule]]", "[sources]\na = \"a\"\n[[rule]]", 1);
        std::fs::write(folder.join("plan.toml"), plan).unwrap();
        manifest_of(&study_file::read(&folder.join("study.toml")).unwrap(), tasks::catalogue())
    }

    /// The folders of a study of two targets, each with a source of its own.
    fn folders(order: &str) -> Vec<String> {
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [1, 2]\ntasks = [\"hopper\", \"ant\"]\n{order}\n\
             [combination.other]\nhopper = [\"ant\"]\nant = [\"hopper\"]\n\
             [[source]]\nname = \"other\"\ntasks = \"other\"\nsteps = 2000\n\
             [[source]]\nname = \"unused\"\ntasks = [\"walker2d\"]\nsteps = 2000\n\
             [[method]]\nkind = \"baseline\"\n[[method]]\nkind = \"full\"\nfrom = \"other\"\n"
        );
        let read = LoadedStudy::of_text(&text).unwrap();
        let manifest = manifest_of(&read, tasks::catalogue()).unwrap();
        assert!(manifest.entries.iter().all(|entry| entry.after.iter().all(|first| *first < entry.index)));
        manifest.entries.iter().map(|entry| entry.folder.display().to_string()).collect()
    }

    #[test]
    fn whole_targets_come_one_after_another_if_the_order_is_by_tasks() {
        let expected = [
            "runs/hopper/baseline/1",
            "sources/ant/2000/1000",
            "runs/hopper/full-from-other/1",
            "runs/hopper/baseline/2",
            "runs/hopper/full-from-other/2",
            "runs/ant/baseline/1",
            "sources/hopper/2000/1000",
            "runs/ant/full-from-other/1",
            "runs/ant/baseline/2",
            "runs/ant/full-from-other/2",
            "sources/walker2d/2000/1000",
        ];
        assert_eq!(folders("order = \"tasks\""), expected);
        let by_seeds = folders("");
        assert_eq!(by_seeds[..3], ["sources/ant/2000/1000", "sources/hopper/2000/1000", "sources/walker2d/2000/1000"]);
        assert_eq!(by_seeds[3..5], ["runs/hopper/baseline/1", "runs/hopper/full-from-other/1"]);
        assert_eq!(by_seeds[5..7], ["runs/ant/baseline/1", "runs/ant/full-from-other/1"]);
        assert_eq!(by_seeds, folders("order = \"seeds\""));
    }

    /// The manifest of a study with a source and its method, whose text ends with `more`.
    fn swept(set: &str, more: &str) -> Result<Manifest, StudyError> {
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [1]\ntasks = [\"hopper\"]\n{set}\n\
             [[source]]\nname = \"eye\"\ntasks = [\"ant\"]\nsteps = 2000\n\
             [[source]]\nname = \"other\"\ntasks = [\"ant\"]\nsteps = 3000\nuniversal = \"eye\"\n\
             [[method]]\nkind = \"baseline\"\n{more}\n[[method]]\nkind = \"full\"\nfrom = \"other\"\n"
        );
        manifest_of(&LoadedStudy::of_text(&text)?, tasks::catalogue())
    }

    #[test]
    fn a_list_of_values_makes_runs_with_each_of_them() {
        let manifest =
            swept("[set]\nagent.units = [8, 16]\nlog.videos = false", "set = { agent.horizon = [2, 4] }").unwrap();
        let found: Vec<String> = manifest.entries.iter().map(|entry| entry.folder.display().to_string()).collect();
        let expected = [
            "sources/ant/2000-units=8/1000",
            "sources/ant/3000-units=8-sees-as-ant-2000-units=8-1000/1000",
            "sources/ant/2000-units=16/1000",
            "sources/ant/3000-units=16-sees-as-ant-2000-units=16-1000/1000",
            "runs/hopper/baseline-units=8-horizon=2/1",
            "runs/hopper/baseline-units=8-horizon=4/1",
            "runs/hopper/baseline-units=16-horizon=2/1",
            "runs/hopper/baseline-units=16-horizon=4/1",
            "runs/hopper/full-units=8-from-other/1",
            "runs/hopper/full-units=16-from-other/1",
        ];
        assert_eq!(found, expected);
        // A target starts from the source with its own settings, and has these settings.
        let [_, _, _, source, .., before, last] = manifest.entries.as_slice() else { panic!("ten runs") };
        assert_eq!((&*before.method, &*last.method), ("full, units=8", "full, units=16"));
        assert_eq!((last.after.as_slice(), source.index), (&[3][..], 3));
        for (entry, units, horizon) in [(last, 16, 3), (source, 16, 3), (&manifest.entries[7], 16, 4)] {
            let config = entry.request.configuration().unwrap();
            assert_eq!((config.agent.units, config.agent.horizon, config.log.videos), (units, horizon, false));
        }
        assert_eq!(manifest.entries[7].method, "baseline, units=16, horizon=4");
        assert_eq!(Manifest::parse(&manifest.to_text()).unwrap(), manifest);
    }

    #[test]
    fn settings_of_a_method_are_those_of_its_targets_alone() {
        let manifest = swept("[set]\nagent.units = 16", "set = { agent.units = 4 }").unwrap();
        let units = |entry: &Entry| entry.request.configuration().unwrap().agent.units;
        let found: Vec<_> = manifest.entries.iter().map(|entry| (&*entry.method, units(entry))).collect();
        assert_eq!(found, [("source", 16), ("source", 16), ("baseline", 4), ("full", 16)]);
        assert_eq!(manifest.entries[2].request.settings, ["agent.units=4"]);
    }

    #[test]
    fn lists_and_baselines_that_cannot_be_used_are_named_with_their_place() {
        for (set, more, parts) in [
            ("[set]\nagent.units = [8, 0]", "", ["set", "agent.units = 0"]),
            ("[set]\nagent.units = []", "", ["(line 7), set.agent.units", "empty"]),
            (
                "[set]\nagent.units = [8]",
                "set = { agent.units = 4 }",
                ["method 1, set, agent, units", "[set] has a list"],
            ),
            ("", "set = { agent.units = [4, -1] }", ["method 1, set", "agent.units"]),
            ("", "set = { agent.unit = 4 }", ["method 1, set", "the nearest key is \"agent.units\""]),
            ("", "set = { seed = 4 }", ["method 1, set, seed", "separate key"]),
            ("[set]\ntasks = [\"ant\"]", "", ["set.tasks", "separate key"]),
            ("baseline = \"ful\"", "", ["(line 6), baseline", "did you mean \"full\""]),
            (
                "baseline = \"baseline\"\n[set]\nagent.units = [8, 16]",
                "",
                ["baseline", "\"baseline, units=16\", \"full"],
            ),
        ] {
            let message = swept(set, more).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{set} {more}: {message}");
        }
        let manifest = swept("baseline = \"full\"", "").unwrap();
        assert_eq!(manifest.header.baseline.as_deref(), Some("full"));
        assert_eq!(Manifest::parse(&manifest.to_text()).unwrap(), manifest);
        let several = "set = {}\n[[source]]\nname = \"a\"\neach = [\"ant\", \"hopper\"]\nsteps = 1000\n[[method]]\n\
                       kind = \"single-source\"\nfrom = [\"a\"]";
        let message = swept("baseline = \"single-source\"", several).unwrap_err().to_string();
        assert!(message.contains("learns from several sources on a task"), "{message}");
    }

    #[test]
    fn a_plan_whose_path_is_not_text_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a");
        let manifest = manifest_in(&folder).unwrap();
        let plan = folder.canonicalize().unwrap().join("plan.toml");
        let [entry] = manifest.entries.as_slice() else { panic!("one run") };
        assert_eq!(entry.request.origin, Origin::Plan { plan: plan.clone(), fraction: None });
        let message = manifest_in(&root.path().join(OsStr::from_bytes(b"\xff"))).unwrap_err().to_string();
        assert!(message.contains("method 1, file") && message.contains("not UTF-8"), "{message}");
    }
}
