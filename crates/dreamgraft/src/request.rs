//! The arguments of `dreamgraft train` as a request.
//!
//! Here: the fields that arguments set, and arguments that exclude each other. Not here: how a request is written as
//! arguments again (`train`), and its meaning (`meaning`).

use crate::exit::Failure;
use crate::{args, origin};
use train::config::{Config, Layer, value_of};
use train::{Rehearse, RunRequest, TrainError};

/// The request that the arguments of `dreamgraft train` describe.
///
/// # Errors
/// If a number is not valid, or arguments exclude each other.
pub fn of(typed: &args::train::Train) -> Result<RunRequest, Failure> {
    let request = of_settings(&typed.settings, typed.steps.as_deref(), &typed.origin)?;
    let (folder, guide) = (typed.logdir.clone(), typed.guide.clone());
    let rehearse = match (&typed.rehearse, typed.share) {
        (Some(from), share) => Some(Rehearse { from: from.clone(), share }),
        (None, None) => None,
        (None, Some(share)) => {
            let why = format!("--share {share} needs --rehearse RUN, the run whose episodes are to be learned from");
            return Err(Failure::Arguments(why));
        }
    };
    if let Some(rehearse) = &rehearse {
        rehearse.check()?;
    }
    Ok(RunRequest { folder, guide, rehearse, device: typed.device.name(), wait: typed.wait, ..request })
}

/// The part of a request that describes the tasks, the settings and the transfer.
///
/// # Errors
/// As [`of`].
pub fn of_settings(
    typed: &args::Settings,
    steps: Option<&str>,
    typed_origin: &args::OriginArguments,
) -> Result<RunRequest, Failure> {
    refuse_twice(typed, steps)?;
    let mut request =
        RunRequest { config: typed.config.clone(), ..RunRequest::new(typed.tasks.clone(), &*typed.preset) };
    request.seed =
        typed.seed.as_deref().map(|seed| number("--seed", "seed", seed, |config| config.seed)).transpose()?;
    request.steps = steps.map(|steps| number("--steps", "steps", steps, |config| config.steps)).transpose()?;
    for setting in &typed.set {
        let Some((key, value)) = setting.split_once('=') else {
            request.settings.push(setting.clone());
            continue;
        };
        let source = format!("--set {setting}");
        let value = value.trim();
        match key.trim() {
            "seed" => request.seed = Some(number(&source, "seed", value, |config| config.seed)?),
            "steps" => request.steps = Some(number(&source, "steps", value, |config| config.steps)?),
            "threads" => request.threads = Some(number(&source, "threads", value, |config| config.threads)?),
            _ => request.settings.push(setting.clone()),
        }
    }
    request.origin = origin::of_arguments(typed_origin)?;
    Ok(request)
}

/// A number as it was typed, `1e5` for example, for the setting `key`.
fn number<T>(source: &str, key: &str, typed: &str, of: impl FnOnce(&Config) -> T) -> Result<T, TrainError> {
    Ok(value_of(Layer::value(source, key, typed), of)?)
}

/// Refuses a setting that is given by two arguments, because only one of them can apply.
///
/// # Errors
/// The two arguments, and which one to remove.
fn refuse_twice(typed: &args::Settings, steps: Option<&str>) -> Result<(), Failure> {
    let of_its_own = [
        ("tasks", "TASK", Some(typed.tasks.join(" "))),
        ("seed", "--seed", typed.seed.as_ref().map(|seed| format!("--seed {seed}"))),
        ("steps", "--steps", steps.map(|steps| format!("--steps {steps}"))),
    ];
    for setting in &typed.set {
        let key = setting.split('=').next().unwrap_or_default().trim();
        let twice = of_its_own
            .iter()
            .find_map(|(known, option, typed)| Some((option, typed.as_ref()?)).filter(|_| *known == key));
        if let Some((option, other)) = twice {
            return Err(Failure::Arguments(format!(
                "--set {setting} and {other}: give one of them; {key} has its own option, {option}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use args::{Command, Typed};
    use clap::Parser;
    use proptest::option;
    use proptest::prelude::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::path::PathBuf;
    use train::{Frames, Origin};
    use transfer::{ChooseBy, Fraction};

    /// The request that the program creates from these arguments.
    fn parsed(arguments: impl IntoIterator<Item = OsString>) -> RunRequest {
        let arguments = std::iter::once("dreamgraft".into()).chain(arguments);
        let Command::Train(typed) = Typed::try_parse_from(arguments).unwrap().command else {
            unreachable!("it is train")
        };
        of(&typed).unwrap()
    }

    /// Any text, also one that looks like an option.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "-{1,3}[a-z]{0,7}(=[a-z]{0,3})?", "[a-z]{1,9}"]
    }

    /// Any path, with any bytes.
    fn path() -> impl Strategy<Value = PathBuf> {
        let bytes = prop::collection::vec(1u8.., 1..12).prop_map(|bytes| PathBuf::from(OsString::from_vec(bytes)));
        prop_oneof![bytes, text().prop_filter("a path is not empty", |text| !text.is_empty()).prop_map(PathBuf::from)]
    }

    /// Any setting of a key that is not a field of the request.
    fn setting() -> impl Strategy<Value = String> {
        let free = |setting: &String| {
            !["tasks", "seed", "steps", "threads"].contains(&setting.split('=').next().unwrap_or_default().trim())
        };
        let pair = ("[a-z._]{1,9}", text()).prop_map(|(key, value)| format!("{key}={value}"));
        prop_oneof![pair, text()].prop_filter("it has a field of its own", free)
    }

    fn origin() -> impl Strategy<Value = Origin> {
        let fraction = || {
            option::of(prop_oneof![
                (0.0..=1.0).prop_map(Fraction::Of),
                Just(Fraction::Of(0.0)),
                Just(Fraction::Of(1.0)),
                Just(Fraction::Of(f64::MIN_POSITIVE)),
                Just(Fraction::Fit),
            ])
        };
        prop_oneof![
            Just(Origin::Random),
            (prop::collection::vec(path(), 2..4), any::<bool>(), option::of(path()), fraction()).prop_map(
                |(from, by_rank, plan, fraction)| {
                    let choose = if by_rank { ChooseBy::Rank } else { ChooseBy::Chance };
                    Origin::Agents { from, choose, plan, fraction }
                }
            ),
            (path(), option::of(path()), fraction(), any::<bool>())
                .prop_map(|(from, plan, fraction, untrained)| Origin::Agent { from, plan, fraction, untrained }),
            (path(), fraction()).prop_map(|(plan, fraction)| Origin::Plan { plan, fraction }),
            (prop::collection::vec(path(), 2..4), path()).prop_map(|(from, plan)| Origin::Soup { from, plan }),
            (path(), prop::collection::vec(path(), 0..3), any::<[bool; 2]>(), option::of(path())).prop_map(
                |(encoder, rewards, allowed, plan)| {
                    // Without reward models, the program would refuse `--any-encoder` and `--untrained-source`.
                    let [any_encoder, untrained] = allowed.map(|allowed| allowed && !rewards.is_empty());
                    Origin::Universal { encoder, rewards, any_encoder, untrained, plan }
                }
            ),
        ]
    }

    fn request() -> impl Strategy<Value = RunRequest> {
        const MOST: u64 = i64::MAX as u64;
        let learned = (
            prop::collection::vec(text(), 1..4),
            text(),
            option::of(path()),
            prop::collection::vec(setting(), 0..4),
            (option::of(0..=MOST), option::of(0..=MOST), option::of(0..=MOST as usize)),
        );
        let share = option::of(prop_oneof![0.001..0.999, Just(f64::MIN_POSITIVE)]);
        let rehearse = option::of((path(), share).prop_map(|(from, share)| Rehearse { from, share }));
        let others = (origin(), option::of(path()), rehearse);
        (learned, option::of(path()), others, option::of(any::<usize>()), any::<bool>()).prop_map(
            |((tasks, preset, config, settings, (steps, seed, threads)), folder, others, device, wait)| RunRequest {
                config,
                settings,
                steps: steps.map(Frames),
                seed,
                folder,
                origin: others.0,
                guide: others.1,
                rehearse: others.2,
                threads,
                device: device.map(|number| format!("cuda:{number}")),
                wait,
                ..RunRequest::new(tasks, preset)
            },
        )
    }

    proptest! {
        #[test]
        fn a_request_written_as_arguments_is_read_as_the_same_request(request in request()) {
            prop_assert_eq!(parsed(request.to_arguments()), request);
        }
    }

    #[test]
    fn settings_with_a_field_of_their_own_go_there() {
        let arguments =
            "train hopper --set seed=7 --set agent.horizon=9 --set threads=1e1 --set steps=2e4 --set threads=2";
        let request = parsed(arguments.split(' ').map(OsString::from));
        assert_eq!((request.seed, request.steps, request.threads), (Some(7), Some(Frames(20_000)), Some(2)));
        assert_eq!(request.settings, ["agent.horizon=9"]);
    }
}
