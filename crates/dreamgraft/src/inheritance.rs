//! The meaning of the transfer arguments: an origin, its plan, and a short name for the run folder.
//!
//! Not here: how a plan is applied (`transfer`).

use crate::args::Inherits;
use crate::exit::Failure;
use environment::Catalogue;
use std::path::{Component, Path, PathBuf};
use train::config::presets;
use train::{AgentConfig, Origin, RunRequest, TrainError, stored_config};
use transfer::{Plan, Preset, TransferError};

/// The default plan.
const DEFAULT_PLAN: &str = "paper";
/// The name of the agent of `--from` in plans.
const SOURCE: &str = "source";
/// The name of the agent of `--universal` in plans.
const UNIVERSAL: &str = "universal";
/// The hidden layers of a reward meta-model, unless a plan file sets them.
const META_MODEL_LAYERS: usize = 1;
/// Longest name of a source.
const LONGEST_NAME: usize = 64;
/// Longest name of a transfer in the name of a run's folder: names of files have up to 255 bytes.
const LONGEST_LABEL: usize = 200;

/// The origin of the agent, from the arguments.
///
/// # Errors
/// If arguments contradict each other.
pub fn origin(typed: &Inherits) -> Result<Origin, Failure> {
    let refuse = |why: &str| Err(Failure::Arguments(why.to_owned()));
    let Inherits { from, plan, fraction, universal, reward_from: rewards, any_encoder } = typed;
    if *any_encoder && rewards.is_empty() {
        return refuse("--any-encoder needs --universal RUN and --reward-from RUN");
    }
    if let Some(encoder) = universal {
        if !from.is_empty() || plan.is_some() || fraction.is_some() {
            return refuse(
                "--universal cannot be combined with --from, --plan or --fraction; write a plan file that names all \
                 sources and use it with --plan (`dreamgraft transfer preset universal` prints a plan to start with)",
            );
        }
        let (encoder, rewards) = (encoder.clone(), rewards.clone());
        return Ok(Origin::Universal { encoder, rewards, any_encoder: *any_encoder });
    }
    if !rewards.is_empty() {
        return refuse(
            "--reward-from needs --universal RUN: agents can share reward models only if they share an encoder",
        );
    }
    if from.len() > 1 {
        return refuse(
            "--from names one agent; to take from several, write a plan that names them as its sources, and give it with \
             --plan (`dreamgraft transfer preset paper` prints a plan to begin with)",
        );
    }
    match (from.first().cloned(), plan.clone(), *fraction) {
        (Some(from), plan, fraction) => Ok(Origin::Agent { from, plan, fraction }),
        (None, Some(plan), fraction) => Ok(Origin::Plan { plan, fraction }),
        (None, None, Some(_)) => refuse("--fraction needs --from RUN, or a --plan that names its sources"),
        (None, None, None) => Ok(Origin::Random),
    }
}

/// The plan of a beginning, if it has one.
///
/// # Errors
/// If the plan cannot be used.
pub fn plan(origin: &Origin) -> Result<Option<Plan>, Failure> {
    let (mut plan, fraction) = match origin {
        Origin::Random => return Ok(None),
        Origin::Universal { encoder, rewards, any_encoder } => {
            let mut plan = Plan::universal(encoder, &named(rewards)?, META_MODEL_LAYERS)?;
            if *any_encoder {
                plan.allow_any_encoder();
            }
            return Ok(Some(plan));
        }
        Origin::Agent { from, plan, fraction } => {
            let mut plan = Plan::find(plan.as_deref().unwrap_or(DEFAULT_PLAN))?;
            plan.add_source(SOURCE, from)?;
            (plan, fraction)
        }
        Origin::Plan { plan, fraction } => {
            let plan = Plan::find(plan)?;
            if plan.sources().is_empty() {
                let why = format!("{} does not name a source; give one with --from RUN", plan.name());
                return Err(Failure::Arguments(why));
            }
            (plan, fraction)
        }
    };
    if let Some(fraction) = fraction {
        plan.set_fraction(*fraction)?;
    }
    Ok(Some(plan))
}

/// The error of a transfer that does not fit, and the preset that was forgotten, if the source was trained with another one.
pub fn with_preset(error: TrainError, request: &RunRequest) -> Failure {
    let from = match &request.origin {
        Origin::Agent { from, .. } => from,
        Origin::Universal { encoder, .. } => encoder,
        Origin::Random | Origin::Plan { .. } => return error.into(),
    };
    if !matches!(error, TrainError::Transfer(TransferError::Misfit(_))) {
        return error.into();
    }
    let Some(agent) = from.ancestors().take(4).find_map(|folder| stored_config(folder).ok()).map(|config| config.agent)
    else {
        return error.into();
    };
    let is_of = |name: &str| {
        let asked = RunRequest { preset: name.to_owned(), settings: Vec::new(), config: None, ..request.clone() };
        asked.configuration().is_ok_and(|config| {
            let sizes = |agent: &AgentConfig| {
                (agent.depth, agent.stoch, agent.deter, agent.hidden, agent.units, agent.value_layers)
            };
            sizes(&config.agent) == sizes(&agent)
        })
    };
    match presets().map(|(name, _)| name).find(|name| *name != request.preset && is_of(name)) {
        Some(name) => Failure::Arguments(format!(
            "{} was trained with the sizes of --preset {name}, and this agent has those of --preset {}: give --preset {name} \
             here as well. ({error})",
            from.display(),
            request.preset
        )),
        None => error.into(),
    }
}

/// A short name of a transfer: plan, fraction and sources. `None` if nothing is transferred.
pub fn label(origin: &Origin) -> Option<String> {
    let of_plan = |plan: &str| match Preset::named(plan) {
        Some(_) => plan.to_owned(),
        None => plan_label(Path::new(plan)),
    };
    let with = |mut label: String, fraction: &Option<f64>| {
        if let Some(fraction) = fraction {
            label.push_str(&format!("-{fraction}"));
        }
        label
    };
    let mut label = match origin {
        Origin::Random => return None,
        Origin::Universal { encoder, rewards, .. } => {
            let rewards = rewards.iter().map(|path| label_of(path)).collect::<Vec<_>>().join("+");
            let rewards = if rewards.is_empty() { rewards } else { format!("-reward-{rewards}") };
            format!("{UNIVERSAL}-from-{}{rewards}", label_of(encoder))
        }
        Origin::Agent { from, plan, fraction } => {
            let plan = plan.as_deref().map_or_else(|| DEFAULT_PLAN.to_owned(), of_plan);
            format!("{}-from-{}", with(plan, fraction), label_of(from))
        }
        Origin::Plan { plan, fraction } => with(of_plan(plan), fraction),
    };
    if label.len() > LONGEST_LABEL {
        // A checksum replaces the part that is cut off, so that different transfers keep different names.
        let checksum = format!("-{:08x}", crc32fast::hash(label.as_bytes()));
        label.truncate(LONGEST_LABEL - checksum.len());
        label.push_str(&checksum);
    }
    Some(label)
}

/// The agents of `--reward-from` with names made of their paths, each its own.
fn named(paths: &[PathBuf]) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    for path in paths {
        if named.iter().any(|(_, other)| other == path) {
            let why = format!("--reward-from {} is given twice; remove one", path.display());
            return Err(Failure::Arguments(why));
        }
        let wanted = short(&name(path));
        let taken = |name: &String| name == UNIVERSAL || named.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|number| format!("{}-{number}", &wanted[..wanted.len().min(LONGEST_NAME - 8)]));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(wanted.clone());
        named.push((free, path.clone()));
    }
    Ok(named)
}

/// The name of a source in the name of a run's folder: [`name`], with a checksum if another path could have the same name.
fn label_of(path: &Path) -> String {
    let parts = parts_of(path);
    let known = |tasks: &str| {
        let all = tasks::catalogue().names();
        tasks.split('+').all(|task| all.contains(&task))
    };
    let is_seed = |seed: &str| !seed.is_empty() && seed.bytes().all(|byte| byte.is_ascii_digit());
    let is_own = match parts.as_deref() {
        // A run folder with the name that it has by default. No other path looks like one in the name.
        Some(["runs", tasks, method, seed]) => known(tasks) && is_seed(seed) && !method.is_empty(),
        Some([one]) => !one.contains('-'),
        _ => false,
    };
    if is_own { name(path) } else { with_checksum(&name(path), path) }
}

/// The name of a plan's file in the name of a run's folder.
fn plan_label(path: &Path) -> String {
    let stem = Path::new(path.file_stem().unwrap_or_default());
    let is_own = matches!(parts_of(path).as_deref(), Some([file]) if file.ends_with(".toml"));
    let is_preset = stem.to_str().is_some_and(|stem| Preset::named(stem).is_some());
    if is_own && !is_preset { name(stem) } else { with_checksum(&name(stem), path) }
}

/// The parts of a relative path, if all of them are names whose letters stay as they are.
fn parts_of(path: &Path) -> Option<Vec<&str>> {
    let here = |component: &Component<'_>| *component == Component::CurDir;
    let parts = path.components().skip_while(here).map(|component| match component {
        Component::Normal(part) => part.to_str().filter(|part| part.chars().all(is_letter)),
        _ => None,
    });
    parts.collect()
}

/// `name` with a checksum of the path that it was made of.
fn with_checksum(name: &str, path: &Path) -> String {
    let here = |component: &Component<'_>| *component == Component::CurDir;
    let path: PathBuf = path.components().skip_while(here).collect();
    format!("{name}-{:08x}", crc32fast::hash(path.as_os_str().as_encoded_bytes()))
}

/// Whether a letter may stand in the name of a source.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_')
}

/// A name made of a path: `runs/hopper/small/0` is `hopper-small-0`. Letters that no source's name may have become `_`.
fn name(path: &Path) -> String {
    let mut parts: Vec<String> = path
        .components()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    if parts.len() > 1 && parts[0] == "runs" {
        parts.remove(0);
    }
    let letter = |c: char| if is_letter(c) { c } else { '_' };
    let name: String = parts.join("-").chars().map(letter).collect();
    if name.is_empty() { SOURCE.to_owned() } else { name }
}

/// A name that is short enough for a source: its start, which contains the task, and its end.
fn short(name: &str) -> String {
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let (gap, end) = ("..", LONGEST_NAME / 3);
    format!("{}{gap}{}", &name[..LONGEST_NAME - gap.len() - end], &name[name.len() - end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Inherits {
        Inherits {
            from: Vec::new(),
            plan: None,
            fraction: None,
            universal: None,
            reward_from: Vec::new(),
            any_encoder: false,
        }
    }

    #[test]
    fn a_transfer_has_a_short_name() {
        let label = |typed: &Inherits| label(&origin(typed).unwrap());
        assert_eq!(label(&typed()), None);
        let from = Inherits { from: vec!["runs/hopper+ant/small/0".into()], ..typed() };
        assert_eq!(label(&from).unwrap(), "paper-from-hopper+ant-small-0");
        let full = Inherits { plan: Some("full".into()), ..from };
        assert_eq!(label(&full).unwrap(), "full-from-hopper+ant-small-0");
        let file = Inherits { plan: Some("plans/two walkers.toml".into()), fraction: Some(0.5), ..typed() };
        assert_eq!(label(&file).unwrap(), "two_walkers-6112a22b-0.5");
        let file = Inherits { plan: Some("two-walkers.toml".into()), ..typed() };
        assert_eq!(label(&file).unwrap(), "two-walkers");
        let universal = Inherits {
            universal: Some("/u".into()),
            reward_from: vec!["runs/ant/small/0".into(), "../b".into()],
            ..typed()
        };
        assert_eq!(label(&universal).unwrap(), "universal-from-u-73aaaf21-reward-ant-small-0+b-e2da54e2");
        let long = |last: &str| Inherits { from: vec![format!("runs/{}/{last}", "x".repeat(300)).into()], ..typed() };
        let (one, other) = (label(&long("1")).unwrap(), label(&long("2")).unwrap());
        assert_eq!((one.len(), other.len()), (LONGEST_LABEL, LONGEST_LABEL));
        assert_ne!(one, other);
    }

    #[test]
    fn different_sources_have_different_names() {
        use std::os::unix::ffi::OsStrExt;
        let paths: [&[u8]; 18] = [
            b"a\xffb",
            b"a\xfeb",
            b"a_b",
            b"a b",
            b"a/b",
            b"a-b",
            b"../a",
            b"a",
            b"/a",
            b"runs/a",
            b"source",
            b"/",
            b"..",
            b"runs/ant/x/0",
            b"ant/x/0",
            b"ant-x-0",
            b"runs/ant-x/0",
            b"/runs/ant/x/0",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for path in paths {
            let from = vec![std::ffi::OsStr::from_bytes(path).into()];
            assert!(seen.insert(label(&origin(&Inherits { from, ..typed() }).unwrap()).unwrap()), "{path:?}");
        }
        let plans = ["full", "full.toml", "x.toml", "a/x.toml", "b/x.toml", "x", "x y.toml", "x_y.toml"];
        for plan in plans {
            assert!(
                seen.insert(label(&origin(&Inherits { plan: Some(plan.into()), ..typed() }).unwrap()).unwrap()),
                "{plan}"
            );
        }
        // The same source, typed in another way.
        let same = |path: &str| label_of(Path::new(path));
        assert_eq!((same("./a/b/"), same("a//b")), (same("a/b"), same("a/b")));
    }

    #[test]
    fn every_reward_model_has_a_name_of_its_own() {
        let names = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            named(&paths).unwrap().into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names(&["runs/ant/small/0", "a/b", "a-b", "universal", "/"]),
            ["ant-small-0", "a-b", "a-b-2", "universal-2", "source"]
        );
        let walker = format!("runs/walker2d/small-universal-from-{}-small-0/0", "x".repeat(40));
        assert_eq!(names(&[&walker]), ["walker2d-small-universal-from-xxxxxxxxxxx..xxxxxxxxxxx-small-0-0"]);
        let long = format!("runs/{}", "x".repeat(90));
        let other = format!("{long}/..");
        assert!(names(&[&long, &other, "é"]).iter().all(|name| (1..=64).contains(&name.len())));
        let message = named(&["a".into(), "a".into()]).unwrap_err().to_string();
        assert!(message.contains("twice"), "{message}");
        let plan = Plan::universal(Path::new("u"), &named(&["a/b".into(), "a-b".into()]).unwrap(), 1).unwrap();
        assert_eq!(plan.sources().len(), 3);
    }
}
