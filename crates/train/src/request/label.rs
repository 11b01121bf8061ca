//! Short names that are made of paths: of a transfer in the name of a run's folder, and of sources.
//!
//! Different transfers have different names: where a path cannot stand in a name as it is, the name contains a checksum of it.

use super::{DEFAULT_PLAN, Origin, RunRequest, UNIVERSAL};
use crate::support::Rehearse;
use environment::Catalogue;
use std::path::{Component, Path, PathBuf};
use transfer::{Fraction, Preset};

/// The most bytes of the name of a transfer in the name of a run's folder: names of files have up to 255 bytes.
const LONGEST_LABEL: usize = 200;

/// A short name of all that a run receives from others: its transfer, its guide and its rehearsal. `None` if it takes
/// nothing.
pub(super) fn label(request: &RunRequest, catalogue: &dyn Catalogue) -> Option<String> {
    let guide = request.guide.as_deref().map(|guide| format!("guided-by-{}", label_of(guide, catalogue)));
    let rehearsing = request.rehearse.as_ref().map(|Rehearse { from, share }| {
        let share = share.map(|share| format!("{share}-")).unwrap_or_default();
        format!("rehearsing-{share}{}", label_of(from, catalogue))
    });
    let parts: Vec<String> = of_origin(&request.origin, catalogue).into_iter().chain(guide).chain(rehearsing).collect();
    if parts.is_empty() {
        return None;
    }
    let mut label = parts.join("-");
    if label.len() > LONGEST_LABEL {
        // A checksum replaces the part that is cut off, so that different transfers keep different names.
        let checksum = format!("-{:08x}", crc32fast::hash(label.as_bytes()));
        label.truncate(LONGEST_LABEL - checksum.len());
        label.push_str(&checksum);
    }
    Some(label)
}

/// A short name of a transfer: plan, fraction and sources. `None` if nothing is transferred.
fn of_origin(origin: &Origin, catalogue: &dyn Catalogue) -> Option<String> {
    let of_plan = |plan: &Path| match Preset::named(plan) {
        Some(preset) => preset.name().to_owned(),
        None => plan_label(plan),
    };
    let with = |mut label: String, fraction: &Option<Fraction>| {
        if let Some(fraction) = fraction {
            label.push_str(&format!("-{fraction}"));
        }
        label
    };
    Some(match origin {
        Origin::Random => return None,
        Origin::Universal { encoder, rewards, plan, .. } => {
            let rewards = rewards.iter().map(|path| label_of(path, catalogue)).collect::<Vec<_>>().join("+");
            let rewards = if rewards.is_empty() { rewards } else { format!("-reward-{rewards}") };
            let plan = plan.as_deref().map_or_else(|| UNIVERSAL.to_owned(), of_plan);
            format!("{plan}-from-{}{rewards}", label_of(encoder, catalogue))
        }
        Origin::Agent { from, plan, fraction, .. } => {
            let plan = plan.as_deref().map_or_else(|| DEFAULT_PLAN.to_owned(), of_plan);
            format!("{}-from-{}", with(plan, fraction), label_of(from, catalogue))
        }
        Origin::Agents { from, choose, plan, fraction } => {
            let plan = plan.as_deref().map_or_else(|| DEFAULT_PLAN.to_owned(), of_plan);
            let from = from.iter().map(|path| label_of(path, catalogue)).collect::<Vec<_>>().join("+");
            format!("{}-by-{choose}-from-{from}", with(plan, fraction))
        }
        Origin::Soup { from, plan } => {
            let from = from.iter().map(|path| label_of(path, catalogue)).collect::<Vec<_>>().join("+");
            format!("{}-from-{from}", of_plan(plan))
        }
        Origin::Plan { plan, fraction } => with(of_plan(plan), fraction),
    })
}

/// The name of a source in the name of a run's folder: [`name`], with a checksum if another path could have the same name.
fn label_of(path: &Path, catalogue: &dyn Catalogue) -> String {
    let parts = parts_of(path);
    let known = |tasks: &str| {
        let all = catalogue.names();
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
pub(super) fn name(path: &Path) -> String {
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
    if name.is_empty() { "source".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    fn agent(from: impl Into<PathBuf>, plan: Option<&str>) -> Origin {
        Origin::Agent { from: from.into(), plan: plan.map(PathBuf::from), fraction: None, untrained: false }
    }

    fn label(origin: &Origin) -> Option<String> {
        let request = RunRequest { origin: origin.clone(), ..RunRequest::new(Vec::new(), "smoke") };
        super::label(&request, tasks::catalogue())
    }

    #[test]
    fn a_transfer_has_a_short_name() {
        let label = |origin: &Origin| label(origin).unwrap();
        assert_eq!(super::label(&RunRequest::new(Vec::new(), "smoke"), tasks::catalogue()), None);
        let from = "runs/hopper+ant/small/0";
        assert_eq!(label(&agent(from, None)), "paper-from-hopper+ant-small-0");
        assert_eq!(label(&agent(from, Some("full"))), "full-from-hopper+ant-small-0");
        let file = Origin::Plan { plan: "plans/two walkers.toml".into(), fraction: Some(Fraction::Of(0.5)) };
        assert_eq!(label(&file), "two_walkers-6112a22b-0.5");
        assert_eq!(label(&Origin::Plan { plan: "two-walkers.toml".into(), fraction: None }), "two-walkers");
        let rewards = vec!["runs/ant/small/0".into(), "../b".into()];
        let universal =
            Origin::Universal { encoder: "/u".into(), rewards, any_encoder: false, untrained: false, plan: None };
        assert_eq!(label(&universal), "universal-from-u-73aaaf21-reward-ant-small-0+b-e2da54e2");
        let long = |last: &str| label(&agent(format!("runs/{}/{last}", "x".repeat(300)), None));
        assert_eq!((long("1").len(), long("2").len()), (LONGEST_LABEL, LONGEST_LABEL));
        assert_ne!(long("1"), long("2"));
    }

    #[test]
    fn different_transfers_have_different_names() {
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
        let mut seen = BTreeSet::new();
        for path in paths {
            assert!(seen.insert(label(&agent(OsStr::from_bytes(path), None)).unwrap()), "{path:?}");
        }
        for plan in ["full", "full.toml", "x.toml", "a/x.toml", "b/x.toml", "x", "x y.toml", "x_y.toml"] {
            let origin = Origin::Plan { plan: plan.into(), fraction: None };
            assert!(seen.insert(label(&origin).unwrap()), "{plan}");
        }
        // The same source, typed in another way.
        let same = |path: &str| label_of(Path::new(path), tasks::catalogue());
        assert_eq!((same("./a/b/"), same("a//b")), (same("a/b"), same("a/b")));
    }
}
