//! The request for a run: everything that a user can ask of `dreamgraft train`.
//!
//! Here: [`RunRequest`] and what it means: its configuration, its plan (`plan`) and its folder (`label`); in `arguments`, what a
//! person would type for it. Not here: the parser of arguments (the program), and the meaning of plans (crate `transfer`).

mod arguments;
mod label;
mod plan;

use crate::config::{Config, Layer, preset, resolve};
use crate::support::{Asked, Rehearse};
use crate::{Frames, TrainError};
use environment::Catalogue;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use transfer::{ChooseBy, Fraction, Plan};

/// The default plan.
const DEFAULT_PLAN: &str = "paper";

/// The name of the agent of `--universal` in plans.
const UNIVERSAL: &str = "universal";

/// A request for a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Names of the tasks to learn.
    pub tasks: Vec<String>,
    /// Name of the preset that the settings are laid over.
    pub preset: String,
    /// A file of settings, laid over the preset.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "files::path_text::option")]
    pub config: Option<PathBuf>,
    /// Settings `key=value`, laid over the file in this order. Keys with a field of their own (`tasks`, `steps`, `seed`,
    /// `threads`) are not among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// Environment frames to train for; if none are given, those of the preset or the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Frames>,
    /// The seed; if none is given, that of the preset or the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The run folder; if none is given, one that is named after the rest.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "files::path_text::option")]
    pub folder: Option<PathBuf>,
    /// The origin of the agent's initial parameters.
    pub origin: Origin,
    /// The agent that plays the episodes before the first gradient step, in place of random actions: its run folder, a
    /// checkpoint, its file, or an export.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "files::path_text::option")]
    pub guide: Option<PathBuf>,
    /// The run whose episodes are rehearsed, and how often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearse: Option<Rehearse>,
    /// Threads that compute; if none are given, the setting of the preset or the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// The device for gradient steps, such as `cuda:0`; if none is given, the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whether to wait for another process that works in the run folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,
}

/// The origin of the initial parameters of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Origin {
    /// Random parameters.
    Random,
    /// Parameters of one earlier agent.
    Agent {
        /// Its run folder, a folder in its checkpoints, or its file.
        #[serde(with = "files::path_text")]
        from: PathBuf,
        /// The plan: a preset or a file. If none is given, the preset `paper`.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "files::path_text::option")]
        plan: Option<PathBuf>,
        /// The fraction of the plan's rules that have one; if none is given, the plan's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fraction: Option<Fraction>,
        /// Whether it may be an agent without any gradient step: a control.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        untrained: bool,
    },
    /// Parameters of one of several earlier agents, which is chosen when the run begins.
    Agents {
        /// The candidates, each like that of [`Origin::Agent`].
        #[serde(with = "files::path_text::list")]
        from: Vec<PathBuf>,
        /// How one of them is chosen.
        choose: ChooseBy,
        /// The plan: a preset or a file. If none is given, the preset `paper`.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "files::path_text::option")]
        plan: Option<PathBuf>,
        /// The fraction of the plan's rules that have one; if none is given, the plan's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fraction: Option<Fraction>,
    },
    /// Means of the parameters of several agents that descend from one.
    Soup {
        /// These agents: of each, its run folder, a folder in its checkpoints, or its file.
        #[serde(with = "files::path_text::list")]
        from: Vec<PathBuf>,
        /// The plan: a preset or a file.
        #[serde(with = "files::path_text")]
        plan: PathBuf,
    },
    /// Parameters of the agents that a plan names itself.
    Plan {
        /// The plan's file.
        #[serde(with = "files::path_text")]
        plan: PathBuf,
        /// The fraction of the plan's rules that have one; if none is given, the plan's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fraction: Option<Fraction>,
    },
    /// The encoder of an earlier agent, frozen, and the other parameters that a plan for this transfers from it.
    Universal {
        /// That agent.
        #[serde(with = "files::path_text")]
        encoder: PathBuf,
        /// Agents whose reward models a reward meta-model reads.
        #[serde(default, skip_serializing_if = "Vec::is_empty", with = "files::path_text::list")]
        rewards: Vec<PathBuf>,
        /// Whether these agents may have other encoders.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        any_encoder: bool,
        /// Whether the agents with these reward models may be agents without any gradient step: controls.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        untrained: bool,
        /// The plan: a preset or a file without sources. If none is given, the preset `universal`.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "files::path_text::option")]
        plan: Option<PathBuf>,
    },
}

impl RunRequest {
    /// A run of these tasks with this preset, and defaults for everything else.
    pub fn new(tasks: Vec<String>, preset: impl Into<String>) -> Self {
        Self {
            tasks,
            preset: preset.into(),
            config: None,
            settings: Vec::new(),
            steps: None,
            seed: None,
            folder: None,
            origin: Origin::Random,
            guide: None,
            rehearse: None,
            threads: None,
            device: None,
            wait: false,
        }
    }

    /// The configuration of the run: defaults < preset < file < fields and settings.
    ///
    /// # Errors
    /// The first setting that cannot be used, with its path and where it came from.
    pub fn configuration(&self) -> Result<Config, TrainError> {
        let mut layers = vec![preset(&self.preset)?];
        layers.extend(self.config.as_deref().map(Layer::read).transpose()?);
        let numbers = [
            ("--seed", "seed", self.seed.map(|seed| seed.to_string())),
            ("--steps", "steps", self.steps.map(|steps| steps.0.to_string())),
            ("--set threads", "threads", self.threads.map(|threads| threads.to_string())),
        ];
        layers.extend(
            numbers.iter().filter_map(|(source, key, value)| Some(Layer::value(source, key, value.as_deref()?))),
        );
        for setting in &self.settings {
            layers.push(Layer::typed(setting)?);
        }
        layers.push(Layer::texts("TASK", "tasks", &self.tasks));
        Ok(resolve(&layers)?)
    }

    /// The plan of the run's transfer; `None` if nothing is transferred.
    ///
    /// # Errors
    /// If the plan cannot be read, or does not fit its sources' names.
    pub fn plan(&self) -> Result<Option<Plan>, TrainError> {
        plan::plan(&self.origin)
    }

    /// The support of the run besides a transfer.
    pub fn support(&self) -> Asked<'_> {
        Asked { guide: self.guide.as_deref(), rehearse: self.rehearse.as_ref() }
    }

    /// The folder of the run with this `seed`: the given one, or one below `runs` that is named after the tasks, the preset, the
    /// transfer and the seed. `catalogue` has the built-in tasks.
    pub fn root(&self, seed: u64, catalogue: &dyn Catalogue) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| {
            let transfer = label::label(self, catalogue).map_or_else(String::new, |label| format!("-{label}"));
            Path::new("runs")
                .join(environment::file_name(&self.tasks.join("+")))
                .join(format!("{}{transfer}", self.preset))
                .join(seed.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> RunRequest {
        RunRequest::new(vec!["hopper".to_owned()], "smoke")
    }

    #[test]
    fn the_folder_is_named_after_tasks_preset_transfer_and_seed() {
        let root = |asked: &RunRequest| asked.root(7, tasks::catalogue());
        assert_eq!(root(&request()), Path::new("runs/hopper/smoke/7"));
        let both = RunRequest { tasks: vec!["hopper".to_owned(), "ant".to_owned()], ..request() };
        assert_eq!(root(&both), Path::new("runs/hopper+ant/smoke/7"));
        let origin = Origin::Agent {
            from: "runs/ant/small/3".into(),
            plan: None,
            fraction: Some(Fraction::Of(0.3)),
            untrained: false,
        };
        assert_eq!(
            root(&RunRequest { origin, ..request() }),
            Path::new("runs/hopper/smoke-paper-0.3-from-ant-small-3/7")
        );
        let guide = Some("runs/hopper/small/3".into());
        assert_eq!(root(&RunRequest { guide, ..request() }), Path::new("runs/hopper/smoke-guided-by-hopper-small-3/7"));
        let rehearse = |share| Some(Rehearse { from: "runs/ant/small/3".into(), share });
        assert_eq!(
            root(&RunRequest { rehearse: rehearse(None), ..request() }),
            Path::new("runs/hopper/smoke-rehearsing-ant-small-3/7")
        );
        let label = "runs/hopper/smoke-rehearsing-0.5-ant-small-3/7";
        assert_eq!(root(&RunRequest { rehearse: rehearse(Some(0.5)), ..request() }), Path::new(label));
        assert_eq!(root(&RunRequest { folder: Some("here".into()), ..request() }), Path::new("here"));
    }

    #[test]
    fn fields_are_laid_over_the_preset() {
        let asked = RunRequest {
            settings: vec!["agent.horizon=7".to_owned()],
            steps: Some(Frames(9000)),
            threads: Some(2),
            ..request()
        };
        let config = asked.configuration().unwrap();
        assert_eq!((config.agent.horizon, config.steps, config.threads), (7, Frames(9000), 2));
        assert_eq!((config.tasks, config.seed), (vec!["hopper".to_owned()], 0));
        let message = RunRequest { steps: Some(Frames(0)), ..request() }.configuration().unwrap_err().to_string();
        assert!(message.contains("steps = 0 (--steps) is out of range"), "{message}");
    }

    #[test]
    fn default_keys_are_not_written() {
        let text = serde_json::to_string(&request()).unwrap();
        assert_eq!(text, r#"{"tasks":["hopper"],"preset":"smoke","origin":{"kind":"random"}}"#);
        assert_eq!(serde_json::from_str::<RunRequest>(&text).unwrap(), request());
    }
}
