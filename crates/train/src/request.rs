//! The request for a run: everything that a user can ask of `dreamgraft train`.
//!
//! Here: [`RunRequest`], the arguments that a person would type for it, and its configuration. Not here: the parser of
//! arguments, which the program has; its test compares the two. The meaning of transfers is in crate `transfer`.

use crate::config::{Config, Layer, preset, resolve};
use crate::{Frames, TrainError};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
        /// The fraction of the plan's rules that have one; if none is given, the plan's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fraction: Option<f64>,
    },
    /// Parameters of the agents that a plan names itself.
    Plan {
        /// The plan's file.
        plan: String,
        /// The fraction of the plan's rules that have one; if none is given, the plan's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fraction: Option<f64>,
    },
    /// The encoder of an earlier agent, frozen.
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
            threads: None,
            device: None,
            wait: false,
        }
    }

    /// The arguments of `dreamgraft` that start this run. The program's parser turns them into the same request.
    pub fn to_arguments(&self) -> Vec<OsString> {
        let mut arguments = Arguments(vec!["train".into()]);
        // After `--`, the parser does not take a task for an option.
        let tasks_last = self.tasks.iter().any(|task| task.starts_with('-'));
        if !tasks_last {
            arguments.0.extend(self.tasks.iter().map(OsString::from));
        }
        arguments.option("--preset", &self.preset);
        arguments.options("--config", &self.config);
        arguments.options("--set", &self.settings);
        arguments.options("--set", self.threads.map(|threads| format!("threads={threads}")));
        arguments.options("--steps", self.steps.map(|steps| steps.0.to_string()));
        arguments.options("--seed", self.seed.map(|seed| seed.to_string()));
        arguments.options("--logdir", &self.folder);
        match &self.origin {
            Origin::Random => {}
            Origin::Agent { from, plan, fraction } => {
                arguments.options("--plan", plan);
                arguments.options("--fraction", fraction.map(|fraction| fraction.to_string()));
                arguments.option("--from", from);
            }
            Origin::Plan { plan, fraction } => {
                arguments.option("--plan", plan);
                arguments.options("--fraction", fraction.map(|fraction| fraction.to_string()));
            }
            Origin::Universal { encoder, rewards, any_encoder } => {
                arguments.option("--universal", encoder);
                arguments.options("--reward-from", rewards);
                arguments.flag("--any-encoder", *any_encoder);
            }
        }
        arguments.options("--device", &self.device);
        arguments.flag("--wait", self.wait);
        if tasks_last {
            arguments.0.push("--".into());
            arguments.0.extend(self.tasks.iter().map(OsString::from));
        }
        arguments.0
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
}

/// Arguments so far.
struct Arguments(Vec<OsString>);

impl Arguments {
    fn flag(&mut self, name: &str, set: bool) {
        self.0.extend(set.then(|| name.into()));
    }

    /// The option `name` with a value: as one argument if the value looks like another option.
    fn option(&mut self, name: &str, value: impl AsRef<OsStr>) {
        let value = value.as_ref();
        if value.as_encoded_bytes().starts_with(b"-") {
            let mut word = OsString::from(name);
            word.push("=");
            word.push(value);
            self.0.push(word);
        } else {
            self.0.extend([name.into(), value.to_owned()]);
        }
    }

    /// The option `name` with each of these values.
    fn options(&mut self, name: &str, values: impl IntoIterator<Item = impl AsRef<OsStr>>) {
        values.into_iter().for_each(|value| self.option(name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> RunRequest {
        RunRequest::new(vec!["hopper".to_owned()], "smoke")
    }

    #[test]
    fn arguments_are_those_that_a_person_types() {
        let asked = RunRequest {
            settings: vec!["log.videos=false".to_owned()],
            steps: Some(Frames(2000)),
            seed: Some(3),
            folder: Some("runs/3".into()),
            origin: Origin::Agent { from: "runs/ant".into(), plan: Some("paper".to_owned()), fraction: Some(0.2) },
            ..request()
        };
        let arguments = "train hopper --preset smoke --set log.videos=false --steps 2000 --seed 3 --logdir runs/3 --plan paper \
                     --fraction 0.2 --from runs/ant";
        assert_eq!(asked.to_arguments(), arguments.split(' ').collect::<Vec<_>>());
    }

    #[test]
    fn values_that_look_like_options_stay_values() {
        let asked = RunRequest { tasks: vec!["-a".to_owned()], folder: Some("-b".into()), ..request() };
        assert_eq!(asked.to_arguments(), ["train", "--preset", "smoke", "--logdir=-b", "--", "-a"]);
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
        assert!(message.contains("steps = 0 is out of range"), "{message}");
    }

    #[test]
    fn default_keys_are_not_written() {
        let text = serde_json::to_string(&request()).unwrap();
        assert_eq!(text, r#"{"tasks":["hopper"],"preset":"smoke","origin":{"kind":"random"}}"#);
        assert_eq!(serde_json::from_str::<RunRequest>(&text).unwrap(), request());
    }
}
