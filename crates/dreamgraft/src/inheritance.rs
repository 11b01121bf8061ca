//! What the words about transfer mean: a plan, and a short name of it for the run's folder.
//!
//! Not here: what a plan does (`transfer`).

use crate::args::Inherits;
use crate::exit::Failure;
use std::path::{Component, Path, PathBuf};
use transfer::{Plan, Preset};

/// The plan's name if none is typed.
const DEFAULT_PLAN: &str = "paper";
/// What a plan calls the agent of `--from`.
const SOURCE: &str = "source";
/// What a plan calls the agent of `--universal`.
const UNIVERSAL: &str = "universal";
/// Hidden layers of a reward meta-model; a plan's file may say otherwise.
const META_MODEL_LAYERS: usize = 1;
/// Longest name of a source.
const LONGEST_NAME: usize = 64;
/// Longest name of a transfer in the name of a run's folder: names of files have up to 255 bytes.
const LONGEST_LABEL: usize = 200;

/// The plan that was typed, if any.
///
/// # Errors
/// If words do not go together, or the plan cannot be used.
pub fn plan(typed: &Inherits) -> Result<Option<Plan>, Failure> {
    let refuse = |why: &str| Err(Failure::Words(why.to_owned()));
    if typed.any_encoder && typed.reward_from.is_empty() {
        return refuse("--any-encoder is about reward models: it needs --universal RUN and --reward-from RUN");
    }
    if let Some(universal) = &typed.universal {
        if typed.from.is_some() || typed.plan.is_some() || typed.fraction.is_some() {
            return refuse(
                "--universal is a plan of its own and cannot be given with --from, --plan or --fraction; to combine \
                 them, write a plan file that names all sources (docs/transfer.md), and give it with --plan",
            );
        }
        let mut plan = Plan::universal(universal, &named(&typed.reward_from)?, META_MODEL_LAYERS)?;
        if typed.any_encoder {
            plan.allow_any_encoder();
        }
        return Ok(Some(plan));
    }
    if !typed.reward_from.is_empty() {
        return refuse(
            "--reward-from needs --universal RUN: agents can share reward models only if they share an encoder",
        );
    }
    if typed.from.is_none() && typed.plan.is_none() {
        return match typed.fraction {
            Some(_) => refuse("--fraction needs --from RUN, or a --plan that names its sources"),
            None => Ok(None),
        };
    }
    let mut plan = Plan::find(typed.plan.as_deref().unwrap_or(DEFAULT_PLAN))?;
    match &typed.from {
        Some(from) => plan.add_source(SOURCE, from)?,
        None if plan.sources().is_empty() => {
            return refuse(&format!("{} names no agent to take from; give one with --from RUN", plan.origin()));
        }
        None => {}
    }
    if let Some(fraction) = typed.fraction {
        plan.set_fraction(fraction)?;
    }
    Ok(Some(plan))
}

/// A short name of the transfer that was typed: plan, fraction and sources. `None` if nothing is transferred.
pub fn label(typed: &Inherits) -> Option<String> {
    let mut label = match (&typed.universal, &typed.plan) {
        (Some(universal), _) => {
            let rewards = typed.reward_from.iter().map(|path| name(path)).collect::<Vec<_>>().join("+");
            let rewards = if rewards.is_empty() { rewards } else { format!("-reward-{rewards}") };
            format!("{UNIVERSAL}-from-{}{rewards}", name(universal))
        }
        (None, Some(plan)) if Preset::named(plan).is_none() => {
            name(Path::new(Path::new(plan).file_stem().unwrap_or_default()))
        }
        (None, Some(preset)) => preset.clone(),
        (None, None) if typed.from.is_some() => DEFAULT_PLAN.to_owned(),
        (None, None) => return None,
    };
    if let Some(fraction) = typed.fraction {
        label.push_str(&format!("-{fraction}"));
    }
    if let Some(from) = &typed.from {
        label.push_str(&format!("-from-{}", name(from)));
    }
    if label.len() > LONGEST_LABEL {
        // What is cut off must still tell this transfer from others.
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
            let why = format!(
                "--reward-from {} is there twice; the second would predict what the first does",
                path.display()
            );
            return Err(Failure::Words(why));
        }
        let wanted = short(&name(path));
        let taken = |name: &String| name == UNIVERSAL || named.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|number| format!("{}-{number}", &wanted[..wanted.len().min(LONGEST_NAME - 8)]));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(wanted.clone());
        named.push((free, path.clone()));
    }
    Ok(named)
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
    let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_') { c } else { '_' };
    let name: String = parts.join("-").chars().map(letter).collect();
    if name.is_empty() { SOURCE.to_owned() } else { name }
}

/// A name that is not too long for a source: its beginning, which tells the task, and its end.
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
            from: None,
            plan: None,
            fraction: None,
            universal: None,
            reward_from: Vec::new(),
            any_encoder: false,
        }
    }

    #[test]
    fn a_transfer_has_a_short_name() {
        assert_eq!(label(&typed()), None);
        let from = Inherits { from: Some("runs/hopper+ant/small/0".into()), ..typed() };
        assert_eq!(label(&from).unwrap(), "paper-from-hopper+ant-small-0");
        let full = Inherits { plan: Some("full".into()), ..from };
        assert_eq!(label(&full).unwrap(), "full-from-hopper+ant-small-0");
        let file = Inherits { plan: Some("plans/two walkers.toml".into()), fraction: Some(0.5), ..typed() };
        assert_eq!(label(&file).unwrap(), "two_walkers-0.5");
        let universal = Inherits {
            universal: Some("/u".into()),
            reward_from: vec!["runs/ant/small/0".into(), "../b".into()],
            ..typed()
        };
        assert_eq!(label(&universal).unwrap(), "universal-from-u-reward-ant-small-0+b");
        let long = |last: &str| Inherits { from: Some(format!("runs/{}/{last}", "x".repeat(300)).into()), ..typed() };
        let (one, other) = (label(&long("1")).unwrap(), label(&long("2")).unwrap());
        assert_eq!((one.len(), other.len()), (LONGEST_LABEL, LONGEST_LABEL));
        assert_ne!(one, other);
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
