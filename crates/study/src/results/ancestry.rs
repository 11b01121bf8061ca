//! The agents that a run learns from, directly or through others.
//!
//! The record of a transfer names its sources and their files, and the folder of a source contains the record of its
//! own transfer. Here: following this chain. Not here: the transfer of one run (`transfer_record`), and the same for the runs of
//! a manifest (`lineage`).

use super::settings::{settings, tasks_of};
use super::transfer_record::{RecordedSource, TransferRecord};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// The most agents that are followed.
const MOST_AGENTS: usize = 1000;

/// The agents that a run learns from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ancestry {
    /// The tasks that its own sources learned, sorted, each once. Of a reward meta-model, these are the tasks of the agents
    /// whose reward models it reads; the agent that gives it an encoder does not count.
    pub tasks: Vec<String>,
    /// How many agents these tasks are of.
    pub direct: usize,
    /// All agents, sources of sources included, each by its run folder, or by its file if there is no run folder, with
    /// the frames that it trained for. With them are the candidates that a choice by pilot runs dropped.
    pub agents: BTreeMap<String, u64>,
    /// Sentences about missing information.
    pub gaps: Vec<String>,
}

impl Ancestry {
    /// Environment frames that all agents trained for, each agent once. Too few if there are [`Ancestry::gaps`].
    pub fn frames(&self) -> u64 {
        self.agents.values().fold(0, |sum, frames| sum.saturating_add(*frames))
    }

    /// The agents that a run in or below `root` learned from, directly or indirectly, given its transfer.
    pub fn new(root: &Path, record: &TransferRecord) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let (mut frames, mut gaps): (BTreeMap<String, u64>, Vec<String>) = (BTreeMap::new(), Vec::new());
        let (mut tasks, mut direct) = (BTreeSet::new(), 0);
        for source in record.own() {
            direct += 1;
            tasks.extend(source.tasks_in(&root));
        }
        let mut next = record.sources.clone();
        while let Some(source) = next.pop() {
            let folder = run_folder(&root, &source.file, &source.tasks);
            let agent = folder.as_deref().unwrap_or(&source.file).display().to_string();
            let trained = source.frames.unwrap_or(0);
            if source.frames.is_none() {
                gaps.push(format!(
                    "the number of frames for which the source {} was trained is not recorded",
                    source.name
                ));
            }
            if source.tasks_in(&root).is_empty() {
                gaps.push(format!("the tasks of the source {} are not recorded", source.name));
            }
            if let Some(known) = frames.get_mut(&agent) {
                // Another checkpoint of the same agent.
                *known = trained.max(*known);
                continue;
            }
            if frames.len() == MOST_AGENTS {
                gaps.push(format!("it has more than {MOST_AGENTS} agents as sources; the others are not counted"));
                break;
            }
            frames.insert(agent, trained);
            match folder.map(|folder| TransferRecord::read(&folder, None)) {
                Some(Ok(record)) => next.extend(record.map(|record| record.sources).unwrap_or_default()),
                Some(Err(why)) => gaps.push(format!("the sources of {} are not known: {why}", source.name)),
                None if source.file.file_name().is_some_and(|name| name == files::layout::EXPORTED_AGENT) => gaps
                    .push(format!("{} is an export without a run folder, so its own sources are unknown", source.name)),
                None => gaps.push(format!(
                    "the sources of {} are not known: the run folder of {} does not exist",
                    source.name,
                    source.file.display()
                )),
            }
        }
        gaps.sort();
        gaps.dedup();
        Self { tasks: tasks.into_iter().collect(), direct, agents: frames, gaps }
    }
}

impl RecordedSource {
    /// The tasks that the agent learned, from the record or from its run folder; empty if they are in neither.
    fn tasks_in(&self, root: &Path) -> Vec<String> {
        if !self.tasks.is_empty() {
            return self.tasks.clone();
        }
        let folder = run_folder(root, &self.file, &[]);
        folder.and_then(|folder| settings(&folder).ok()?).map(|settings| tasks_of(&settings)).unwrap_or_default()
    }
}

/// The folder of the run that `file`, an agent's in its checkpoints, belongs to: at the recorded place, relative to
/// `root` or to a folder above it, or, if everything was moved, at the end of that path below `root`. The run must be
/// of `tasks`.
fn run_folder(root: &Path, file: &Path, tasks: &[String]) -> Option<PathBuf> {
    let checkpoints = file.parent()?.parent()?;
    let folder = checkpoints.parent().filter(|_| checkpoints.ends_with(files::layout::CHECKPOINTS))?;
    let is_run = |path: &PathBuf| {
        let found = settings(path).ok().flatten();
        found.is_some_and(|settings| tasks.is_empty() || tasks_of(&settings) == tasks)
    };
    let plain = |part: &Component<'_>| matches!(part, Component::Normal(_));
    let mut places: Vec<PathBuf> = Vec::new();
    if folder.is_absolute() {
        places.push(folder.to_owned());
    } else if folder.components().all(|part| plain(&part)) {
        places.extend(root.ancestors().map(|above| above.join(folder)));
    }
    let parts: Vec<Component<'_>> = folder.components().filter(|part| !matches!(part, Component::RootDir)).collect();
    let tails = (0..parts.len()).map(|first| &parts[first..]).filter(|tail| tail.iter().all(plain));
    places.extend(tails.map(|tail| root.join(tail.iter().collect::<PathBuf>())));
    places.into_iter().find(is_run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Makes the folder of a run that learned from these agents: name, tasks, frames and run folder of each.
    fn run(root: &Path, folder: &str, tasks: &[&str], sources: &[Value], rewards: Option<&[&str]>) -> PathBuf {
        let path = root.join(folder);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("config.toml"), format!("tasks = {tasks:?}\nsteps = 1000\n")).unwrap();
        if !sources.is_empty() {
            let mut report: Value = serde_json::from_str(include_str!("../../tests/reports/transfer.json")).unwrap();
            report["sources"] = sources.into();
            let meta_model = |rewards| json!({ "sources": rewards, "layers": 1, "any_encoder": true });
            report["meta_model"] = rewards.map_or(Value::Null, meta_model);
            std::fs::write(path.join(files::layout::TRANSFER_REPORT), report.to_string()).unwrap();
        }
        path
    }

    fn source(name: &str, tasks: &[&str], frames: u64, folder: &Path) -> Value {
        let file = folder.join(format!("checkpoints/{frames:010}/agent.safetensors"));
        json!({
            "name": name, "action_size": 1, "path": folder, "file": file, "bytes": 1, "sha256": "", "tasks": tasks,
            "frames": frames, "updates": 1
        })
    }

    fn ancestry(root: &Path, folder: &Path) -> Ancestry {
        Ancestry::new(root, &TransferRecord::read(folder, None).unwrap().unwrap())
    }

    /// A meta-model over two agents that have the encoder of a third.
    fn chain(root: &Path) -> PathBuf {
        let universal = run(root, "universal/0", &["hopper", "ant"], &[], None);
        let universal_source = || source("universal", &["hopper", "ant"], 600, &universal);
        let first = run(root, "walker2d/0", &["walker2d"], &[universal_source()], None);
        let second = run(root, "half-cheetah/0", &["half-cheetah"], &[universal_source()], None);
        let sources =
            [universal_source(), source("a", &["walker2d"], 250, &first), source("b", &["half-cheetah"], 250, &second)];
        run(root, "target/0", &["inverted-pendulum-swingup"], &sources, Some(&["a", "b"]))
    }

    #[test]
    fn a_meta_model_learns_from_its_reward_sources_and_counts_the_frames_of_all() {
        let root = tempfile::tempdir().unwrap();
        let found = ancestry(root.path(), &chain(root.path()));
        assert_eq!((found.tasks.clone(), found.direct), (vec!["half-cheetah".into(), "walker2d".into()], 2));
        assert_eq!((found.frames(), found.agents.len(), found.gaps), (1100, 3, vec![]), "the encoder's agent once");
    }

    #[test]
    fn sources_of_sources_are_followed_wherever_they_lie() {
        let root = tempfile::tempdir().unwrap();
        let old = chain(&root.path().join("old")).parent().unwrap().parent().unwrap().to_owned();
        let reward = source("b", &["half-cheetah"], 250, &old.join("half-cheetah/0"));
        let target = run(&old, "last/0", &["ant"], &[reward], None);
        // In its place; moved as a whole; and with the paths of a folder that is published.
        assert_eq!(ancestry(&old, &target).frames(), 850);
        std::fs::rename(&old, root.path().join("new")).unwrap();
        let new = root.path().join("new");
        let found = ancestry(&new, &new.join("last/0"));
        assert_eq!((found.tasks.clone(), found.frames(), found.gaps), (vec!["half-cheetah".into()], 850, vec![]));
        let target =
            run(&new, "x/0", &["ant"], &[source("b", &["half-cheetah"], 250, Path::new("half-cheetah/0"))], None);
        assert_eq!(ancestry(&new, &target).frames(), 850);
        assert_eq!(
            ancestry(&new.join("x"), &target).frames(),
            850,
            "the sources are next to the folder that is reported"
        );
    }

    #[test]
    fn an_agent_that_guides_is_a_source() {
        let root = tempfile::tempdir().unwrap();
        let guide = |folder: &Path, source: Value| {
            let text = json!({ "format": 1, "dreamgraft": "0", "guide": source }).to_string();
            std::fs::write(folder.join(files::layout::GUIDE), text).unwrap();
        };
        let ant = run(root.path(), "ant/0", &["ant"], &[], None);
        let alone = run(root.path(), "x/0", &["hopper"], &[], None);
        guide(&alone, source("", &["ant"], 300, &ant));
        let found = ancestry(root.path(), &alone);
        assert_eq!((found.tasks.clone(), found.frames(), found.gaps), (vec!["ant".into()], 300, vec![]));
        let target = chain(root.path());
        guide(&target, source("", &["ant"], 300, &ant));
        let found = ancestry(root.path(), &target);
        assert_eq!(
            (found.tasks.clone(), found.direct),
            (vec!["ant".into(), "half-cheetah".into(), "walker2d".into()], 3)
        );
        assert_eq!(found.frames(), 1400, "and once more than the others");
    }

    #[test]
    fn two_checkpoints_of_one_run_are_one_agent() {
        let root = tempfile::tempdir().unwrap();
        let early = run(root.path(), "ant/0", &["ant"], &[], None);
        let sources = [source("a", &["ant"], 100, &early), source("b", &["ant"], 300, &early)];
        let found = ancestry(root.path(), &run(root.path(), "x/0", &["hopper"], &sources, None));
        assert_eq!((found.frames(), found.agents.len()), (300, 1));
    }

    #[test]
    fn a_plan_alone_is_enough_for_the_sources() {
        let root = tempfile::tempdir().unwrap();
        let target = chain(root.path());
        std::fs::remove_file(target.join(files::layout::TRANSFER_REPORT)).unwrap();
        let plan = "format = 1\n[sources]\nuniversal = \"universal/0/checkpoints/0000000600/agent.safetensors\"\n\
            a = \"walker2d/0/checkpoints/0000000250/agent.safetensors\"\n\
            b = \"gone/0/checkpoints/0000000040/agent.safetensors\"\n\
            [meta_model]\nsources = [\"a\", \"b\"]\nlayers = 1\n\
            [[rule]]\nmatch = \"world_model.encoder.**\"\ntake = \"full\"\nsource = \"universal\"\nfrozen = true\n\
            [[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";
        std::fs::write(target.join(files::layout::TRANSFER_PLAN), plan).unwrap();
        let found = ancestry(root.path(), &target);
        assert_eq!((found.tasks.clone(), found.direct, found.frames()), (vec!["walker2d".into()], 2, 890));
        let [learned, tasks] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
        assert!(
            learned.contains("the sources of b are not known") && tasks.contains("tasks of the source b"),
            "{tasks}"
        );
    }

    #[test]
    fn unknown_ancestors_are_noted() {
        let root = tempfile::tempdir().unwrap();
        let mut lost = source("lost", &["ant"], 100, Path::new("/nowhere/ant/0"));
        lost["frames"] = Value::Null;
        let other = run(root.path(), "other/0", &["hopper"], &[], None);
        let sources = [lost, source("another", &["walker2d"], 100, &other)];
        let found = ancestry(root.path(), &run(root.path(), "x/0", &["hopper"], &sources, None));
        assert_eq!(found.frames(), 100);
        let [frames, first, second] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
        assert!(frames.contains("frames for which the source lost"), "{frames}");
        assert!(
            first.contains("sources of another are") && first.contains("does not exist"),
            "of another task: {first}"
        );
        assert!(second.contains("/nowhere/ant/0"), "{second}");
    }

    #[test]
    fn an_export_has_no_run_folder_that_could_exist() {
        let root = tempfile::tempdir().unwrap();
        let mut export = source("hopper-agent", &["hopper"], 100, root.path());
        export["file"] = root.path().join("hopper-agent").join(files::layout::EXPORTED_AGENT).to_str().into();
        let found = ancestry(root.path(), &run(root.path(), "x/0", &["ant"], &[export], None));
        assert_eq!(found.gaps, ["hopper-agent is an export without a run folder, so its own sources are unknown"]);
        assert_eq!(found.frames(), 100);
    }

    #[test]
    fn runs_that_learn_from_each_other_end() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a/0"), root.path().join("b/0"));
        run(root.path(), "a/0", &["ant"], &[source("b", &["hopper"], 5, &b)], None);
        run(root.path(), "b/0", &["hopper"], &[source("a", &["ant"], 7, &a)], None);
        assert_eq!(ancestry(root.path(), &a).frames(), 12);
    }
}
