//! Whether published numbers may be compared with ours: only of runs of the same length with the same sizes.

use super::wording::{counted, frames, listed};
use crate::results::RunResult;
use std::collections::BTreeSet;
use train::config::Config;

/// Environment frames of the published runs.
pub const FRAMES: u64 = 1_000_000;

/// The most differing settings that are named.
const MOST_NAMED: usize = 4;

/// Why the published numbers are not comparable with these runs, compared over `length` frames; empty if they are.
pub fn differences(runs: &[&RunResult], length: Option<f64>) -> Vec<String> {
    let mut all = Vec::new();
    let mut lengths: BTreeSet<u64> = runs.iter().map(|run| run.steps).filter(|steps| *steps < u64::MAX).collect();
    lengths.extend(length.map(|length| length as u64));
    lengths.remove(&FRAMES);
    if !lengths.is_empty() {
        let ours: Vec<String> = lengths.into_iter().map(|count| frames(count as f64)).collect();
        all.push(format!("{} environment frames (published: {})", listed(&ours), frames(FRAMES as f64)));
    }
    let unfinished = runs.iter().filter(|run| !run.finished()).count();
    if unfinished > 0 {
        all.push(format!("{} unfinished", counted(unfinished, "run")));
    }
    let settings: Vec<String> =
        published_settings().iter().filter_map(|(key, value)| differs(runs, key, value)).collect();
    all.extend(settings.iter().take(MOST_NAMED).cloned());
    match settings.len().saturating_sub(MOST_NAMED) {
        0 => {}
        1 => all.push("1 other setting".to_owned()),
        more => all.push(format!("{more} other settings")),
    }
    all
}

/// The sizes, the amount of learning and the rule for the end of an episode in the published runs: our defaults.
fn published_settings() -> [(&'static str, String); 11] {
    let Config { agent, schedule, .. } = Config::default();
    [
        ("agent.depth", agent.depth.to_string()),
        ("agent.deter", agent.deter.to_string()),
        ("agent.batch", agent.batch.to_string()),
        ("schedule.train_updates", schedule.train_updates.to_string()),
        ("schedule.train_every", schedule.train_every.0.to_string()),
        ("agent.length", agent.length.to_string()),
        ("agent.stoch", agent.stoch.to_string()),
        ("agent.hidden", agent.hidden.to_string()),
        ("agent.units", agent.units.to_string()),
        ("agent.horizon", agent.horizon.to_string()),
        ("task.termination", "fixed".to_owned()),
    ]
}

/// How the setting `key` of these runs differs from the published `value`.
fn differs(runs: &[&RunResult], key: &str, value: &str) -> Option<String> {
    let begun = runs.iter().filter(|run| !run.settings.is_empty());
    let ours: BTreeSet<&str> = begun
        .map(|run| run.settings.get(key).map_or("not recorded", |value| &**value))
        .filter(|ours| *ours != value)
        .collect();
    let ours: Vec<String> = ours.into_iter().map(str::to_owned).collect();
    (!ours.is_empty()).then(|| format!("{key} {} (published: {value})", listed(&ours)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Progress, Results};

    /// A finished run with the published settings, except these.
    fn run(steps: u64, changes: &[(&str, &str)]) -> RunResult {
        let root = tempfile::tempdir().unwrap();
        let text = toml::to_string(&Config { steps: train::Frames(steps), ..Config::default() }).unwrap();
        std::fs::write(root.path().join("config.toml"), text).unwrap();
        std::fs::write(root.path().join("metrics.jsonl"), format!("{{\"step\":{steps}}}\n")).unwrap();
        let mut run = Results::read(root.path()).unwrap().runs.remove(0);
        run.settings.extend(changes.iter().map(|(key, value)| ((*key).into(), (*value).into())));
        run
    }

    #[test]
    fn runs_of_the_published_length_and_sizes_are_comparable() {
        let run = run(FRAMES, &[("agent.precision", "bf16"), ("agent.frozen_encoder", "true")]);
        assert_eq!(differences(&[&run, &run], Some(1e6)), Vec::<String>::new());
    }

    #[test]
    fn shorter_smaller_and_unfinished_runs_are_not() {
        let short = run(25_000, &[]);
        assert_eq!(
            differences(&[&short], Some(25_000.0)),
            ["25\u{a0}000 environment frames (published: 1\u{a0}000\u{a0}000)"]
        );
        let cut = run(FRAMES, &[]);
        assert!(differences(&[&cut], Some(25_000.0))[0].starts_with("25\u{a0}000 "), "compared over less than it has");
        let small = run(FRAMES, &[("agent.depth", "8"), ("task.termination", "stock")]);
        let found = differences(&[&small, &cut], Some(1e6));
        assert_eq!(found, ["agent.depth 8 (published: 32)", "task.termination stock (published: fixed)"]);
        let mut underway = run(FRAMES, &[]);
        underway.progress = Progress::Underway(5);
        assert_eq!(differences(&[&underway], None), ["1 run unfinished"]);
        let mut bare = run(FRAMES, &[]);
        bare.settings.retain(|key, _| **key == *"seed");
        let found = differences(&[&bare], Some(1e6));
        assert!(
            found[0].contains("agent.depth not recorded") && found.last().unwrap() == "7 other settings",
            "{found:?}"
        );
    }
}
