//! A request as the arguments of `dreamgraft` that a person would type.
//!
//! No other code writes arguments. Not here: the parser (the program), whose test compares the two.

use super::{Origin, RunRequest};
use std::ffi::{OsStr, OsString};
use transfer::Preset;

impl RunRequest {
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
            Origin::Agent { from, plan, fraction, untrained } => {
                arguments.options("--plan", plan);
                arguments.options("--fraction", fraction.map(|fraction| fraction.to_string()));
                arguments.option("--from", from);
                arguments.flag("--untrained-source", *untrained);
            }
            Origin::Agents { from, choose, plan, fraction } => {
                arguments.options("--plan", plan);
                arguments.options("--fraction", fraction.map(|fraction| fraction.to_string()));
                arguments.options("--from", from);
                arguments.option("--choose", choose.name());
            }
            Origin::Soup { from, plan } => {
                arguments.option("--plan", plan);
                arguments.options("--from", from);
                if Preset::named(plan) != Some(Preset::Soup) {
                    arguments.option("--choose", "all");
                }
            }
            Origin::Plan { plan, fraction } => {
                arguments.option("--plan", plan);
                arguments.options("--fraction", fraction.map(|fraction| fraction.to_string()));
            }
            Origin::Universal { encoder, rewards, any_encoder, untrained, plan } => {
                arguments.options("--plan", plan);
                arguments.option("--universal", encoder);
                arguments.options("--reward-from", rewards);
                arguments.flag("--any-encoder", *any_encoder);
                arguments.flag("--untrained-source", *untrained);
            }
        }
        arguments.options("--guide", &self.guide);
        arguments.options("--rehearse", self.rehearse.as_ref().map(|rehearse| &rehearse.from));
        let share = self.rehearse.as_ref().and_then(|rehearse| rehearse.share);
        arguments.options("--share", share.map(|share| share.to_string()));
        arguments.options("--device", &self.device);
        arguments.flag("--wait", self.wait);
        if tasks_last {
            arguments.0.push("--".into());
            arguments.0.extend(self.tasks.iter().map(OsString::from));
        }
        arguments.0
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
    use crate::Frames;

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
            origin: Origin::Agent {
                from: "runs/ant".into(),
                plan: Some("paper".into()),
                fraction: Some(transfer::Fraction::Of(0.2)),
                untrained: false,
            },
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
}
