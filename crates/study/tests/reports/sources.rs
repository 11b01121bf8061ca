//! The sources of runs, and the published numbers with which they are compared.

use crate::folders;
use serde_json::{Value, json};
use std::path::Path;
use study::report::{Report, figures_csv, markdown};
use study::results::Results;
use study::{Entry, Manifest, Role};
use train::config::Config;

/// Makes a finished run of `tasks`, found by its folder `name`/0, that learned from `sources`: name, tasks and folder of each.
fn run(root: &Path, name: &str, tasks: &[&str], sources: &[(&str, &[&str], &str)], rewards: Option<&[&str]>) {
    let mut entry = folders::entry(0, Role::Source, tasks, name, None, 0, &[]);
    entry.folder = format!("{name}/0").into();
    folders::run(root, &entry, folders::STEPS);
    if sources.is_empty() {
        return;
    }
    let mut report: Value = serde_json::from_str(include_str!("transfer.json")).unwrap();
    let source = |(name, tasks, folder): &(&str, &[&str], &str)| {
        let file = root.join(folder).join("0/checkpoints/0000100000/agent.safetensors");
        json!({
            "name": name, "action_size": 1, "path": file, "file": file, "bytes": 1, "sha256": "", "tasks": tasks,
            "frames": folders::STEPS, "updates": 1
        })
    };
    report["sources"] = sources.iter().map(source).collect();
    report["meta_model"] =
        rewards.map_or(Value::Null, |names| json!({ "sources": names, "layers": 1, "any_encoder": false }));
    std::fs::write(root.join(&entry.folder).join("transfer.json"), report.to_string()).unwrap();
}

#[test]
fn a_meta_model_in_any_folder_is_compared_with_the_row_of_its_reward_sources() {
    let root = tempfile::tempdir().unwrap();
    let universal: (&str, &[&str], &str) = ("universal", &["hopper", "ant", "walker2d"], "universal");
    run(root.path(), "universal", universal.1, &[], None);
    run(root.path(), "a", &["hopper"], &[universal], None);
    run(root.path(), "b", &["ant"], &[universal], None);
    let rewards: [(&str, &[&str], &str); 2] = [("a", &["hopper"], "a"), ("b", &["ant"], "b")];
    let sources = [universal, rewards[0], rewards[1]];
    run(root.path(), "meta-model", &["half-cheetah"], &sources, Some(&["a", "b"]));
    let results = Results::read(root.path()).unwrap();
    let found = results.runs.iter().find(|run| run.method == "meta-model").unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.ancestry.tasks, ["ant", "hopper"]);
    assert_eq!(found.ancestry.frames(), 300_000, "the agent whose encoder all of them have counts once");
    let report = Report::new(&results);
    let task = report.statistics.tasks.iter().find(|task| task.task == "half-cheetah").unwrap();
    let method = report.statistics.methods.iter().position(|method| method == "meta-model").unwrap();
    let published: Vec<f64> = task.methods[method].as_ref().unwrap().published.iter().map(|it| it.mean).collect();
    assert_eq!(published, [2057.0], "two sources; of three it is 2078");
}

#[test]
fn fractions_that_were_fitted_are_listed_with_the_error_of_others() {
    let root = tempfile::tempdir().unwrap();
    run(root.path(), "ant", &["ant"], &[], None);
    run(root.path(), "fractional-fit", &["hopper"], &[("source", &["ant"], "ant")], None);
    let path = root.path().join("fractional-fit/0/transfer.json");
    let words = || {
        let results = Results::read(root.path()).unwrap();
        markdown(&Report::new(&results))
    };
    assert!(!words().contains("Fractions that were fitted"));
    let mut report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let errors: Vec<f64> = (0..11).map(|step| 2.0 + f64::from(step)).collect();
    report["fractions"] = json!([{
        "head": "reward", "rule": 0, "states": 99, "episodes": 3, "error_of_random": 2.0, "error": 1.5,
        "sources": [{ "source": "source", "fraction": 0.375, "best": 0.375, "errors": errors }],
    }]);
    std::fs::write(&path, report.to_string()).unwrap();
    let text = words();
    assert!(text.contains("Fractions that were fitted"), "{text}");
    let row = text.lines().find(|line| line.contains("0.375")).unwrap_or_else(|| panic!("{text}"));
    assert!(
        row.contains("| reward |") && row.contains("| ant | 0.375 | 2.000 | 3.000 |") && row.contains("| 12.00 |"),
        "{row}"
    );
}

#[test]
fn one_source_at_a_time_has_a_best_a_worst_and_a_mean() {
    let root = tempfile::tempdir().unwrap();
    let entry = |index: usize, source: &'static str, seed: u64| {
        let mut one = folders::entry(index, Role::Target, &["ant"], "single-source", Some(source), seed, &[]);
        one.folder = format!("runs/ant/single-source-from-{source}/{seed}").into();
        one.request.folder = Some(one.folder.clone());
        one.arguments = one.request.to_arguments().into_iter().map(|word| word.into_string().unwrap()).collect();
        one
    };
    let mut record: Value = serde_json::from_str(include_str!("transfer.json")).unwrap();
    record["meta_model"] = Value::Null;
    let write = |entries: Vec<Entry>| {
        for entry in &entries {
            folders::run(root.path(), entry, folders::STEPS);
            std::fs::write(root.path().join(&entry.folder).join("transfer.json"), record.to_string()).unwrap();
        }
        Manifest::new("one", &"0123456789abcdef".repeat(4), entries).write(root.path()).unwrap();
        markdown(&Report::new(&Results::read(root.path()).unwrap()))
    };
    assert!(!write(vec![entry(0, "hopper", 1), entry(1, "hopper", 2)]).contains("One source at a time"));
    let text = write(vec![
        entry(0, "hopper", 1),
        entry(1, "hopper", 2),
        entry(2, "walker2d", 1),
        entry(3, "walker2d", 2),
        entry(4, "humanoid", 1),
    ]);
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip_while(|line| !line.contains("One source at a time"))
        .filter(|line| line.starts_with("| ant | single-source |") || line.starts_with("| Ant | single-source |"))
        .take(4)
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let places: Vec<&str> = rows.iter().map(|row| row[3]).collect();
    assert_eq!(places, ["best", "", "worst", "mean"], "{text}");
    let earned: Vec<f64> = rows
        .iter()
        .map(|row| row[5].split_whitespace().next().unwrap().replace('\u{2212}', "-").parse().unwrap())
        .collect();
    assert!(earned[0] >= earned[1] && earned[1] >= earned[2], "{earned:?}");
    assert!((earned[3] - (earned[0] + earned[1] + earned[2]) / 3.0).abs() < 1.0, "{earned:?}");
    assert_eq!(rows[3][6], "3 sources");
}

#[test]
fn meta_models_over_different_sources_are_told_apart_and_are_no_single_sources() {
    let root = tempfile::tempdir().unwrap();
    run(root.path(), "one", &["ant"], &[], None);
    run(root.path(), "two", &["walker2d"], &[], None);
    for (seed, task, from) in [(0, "ant", "one"), (1, "walker2d", "two")] {
        let name = format!("meta-{task}");
        run(root.path(), &name, &["hopper"], &[("reward-ant-1", &[task], from)], Some(&["reward-ant-1"]));
        // One method for both.
        std::fs::create_dir_all(root.path().join("meta")).unwrap();
        std::fs::rename(root.path().join(&name).join("0"), root.path().join(format!("meta/{seed}"))).unwrap();
        let config = root.path().join(format!("meta/{seed}/config.toml"));
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("seed = 0", &format!("seed = {seed}"))).unwrap();
    }
    let words = markdown(&Report::new(&Results::read(root.path()).unwrap()));
    for part in ["### Hopper, meta from ant, seed 0", "### Hopper, meta from walker2d, seed 1"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("One source at a time"), "{words}");
}

#[test]
fn tasks_without_a_baseline_are_counted() {
    let root = tempfile::tempdir().unwrap();
    let words = || Report::new(&Results::read(root.path()).unwrap()).limits().join(" ");
    run(root.path(), "one", &["ant"], &[], None);
    run(root.path(), "two", &["hopper"], &[], None);
    assert!(!words().contains("a baseline ("), "each task has one method from scratch: {}", words());
    run(root.path(), "three", &["ant"], &[], None);
    assert!(words().contains("Of 2 tasks, 1 has a baseline ("), "{}", words());
    assert!(words().contains("Only this task is compared with one."), "{}", words());
    run(root.path(), "four", &["hopper"], &[], None);
    assert!(words().contains("No task here has a baseline ("), "{}", words());
}

#[test]
fn sources_that_are_not_there_are_named_and_frames_are_at_least() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["ant", "gone"] {
        run(root.path(), folder, &["ant"], &[], None);
    }
    for name in ["baseline", "fractional-0.2"] {
        let sources: &[(&str, &[&str], &str)] = if name == "baseline" { &[] } else { &[("x", &["ant"], "gone")] };
        run(root.path(), name, &["hopper"], sources, None);
    }
    std::fs::remove_dir_all(root.path().join("gone")).unwrap();
    let results = Results::read(root.path()).unwrap();
    let words = markdown(&Report::new(&results));
    assert!(words.contains("the sources of x are not known"), "{words}");
    assert!(words.contains("at least 100\u{a0}000"), "{words}");
}

/// A study of a baseline and a method, each with two seeds, whose targets come after these sources.
fn study(root: &Path, after: [&[usize]; 2]) -> String {
    let mut entries: Vec<Entry> = (0..2)
        .map(|seed| {
            let entry = folders::entry(seed, Role::Source, &["ant"], "source", Some("other"), seed as u64, &[]);
            folders::moved(entry, &format!("sources/{seed}"), None)
        })
        .collect();
    for (seed, after) in after.into_iter().enumerate() {
        let index = entries.len();
        entries.push(folders::entry(index, Role::Target, &["hopper"], "baseline", None, seed as u64, &[]));
        let target = folders::entry(index + 1, Role::Target, &["hopper"], "full", Some("other"), seed as u64, after);
        entries.push(target);
    }
    entries.iter().for_each(|entry| folders::run(root, entry, folders::STEPS));
    Manifest::new("luck", "", entries).write(root).unwrap();
    let results = Results::read(root).unwrap();
    markdown(&Report::new(&results))
}

#[test]
fn only_source_agents_that_all_seeds_share_are_noted() {
    const SAID: &str = "In full, runs of different seeds learn from the same source agents.";
    let root = tempfile::tempdir().unwrap();
    let words = study(root.path(), [&[0], &[0]]);
    assert!(words.contains(SAID) && words.contains("source agents trained from other seeds"), "{words}");
    let words = study(root.path(), [&[0], &[1]]);
    assert!(
        !words.contains("the same source agents") && !words.contains("source agents trained from other seeds"),
        "{words}"
    );
    let words = study(root.path(), [&[0, 1], &[1]]);
    assert!(words.contains(SAID), "one of them is shared: {words}");
}

#[test]
fn published_numbers_are_marked_unless_our_runs_are_like_theirs() {
    let root = tempfile::tempdir().unwrap();
    let mut entry = folders::entry(0, Role::Target, &["hopper"], "baseline", None, 0, &[]);
    folders::run(root.path(), &entry, folders::STEPS);
    let read = |root: &Path| {
        let results = Results::read(&root.join("runs")).unwrap();
        let report = Report::new(&results);
        (markdown(&report), figures_csv(&report))
    };
    let (words, table) = read(root.path());
    for part in [
        "published 2076 \u{b1} 2417 (Table 2, 9 runs), not comparable \u{2021}",
        "\u{2021} Not comparable with the published numbers: our runs, with 100\u{a0}000 environment frames (published: \
         1\u{a0}000\u{a0}000), agent.depth not recorded (published: 32)",
    ] {
        assert!(words.contains(&part.replace('_', "\\_")), "{part}\n{words}");
    }
    assert!(table.contains("overall_published,2076.0,2417.0,,,9,,1000000.0,not comparable"), "{table}");

    entry.steps = 1_000_000;
    folders::run(root.path(), &entry, entry.steps);
    let config = Config { tasks: entry.tasks.clone(), ..Config::default() };
    let text = toml::to_string(&config).unwrap();
    std::fs::write(root.path().join(&entry.folder).join("config.toml"), text).unwrap();
    let (words, table) = read(root.path());
    assert!(
        words.contains("published 2076 \u{b1} 2417 (Table 2, 9 runs)") && !words.contains("not comparable"),
        "{words}"
    );
    assert!(!table.contains("not comparable"), "{table}");
}

#[test]
fn a_control_that_is_asked_for_one_frame_counts_those_that_it_plays() {
    let root = tempfile::tempdir().unwrap();
    let mut control = folders::entry(0, Role::Source, &["ant"], "source", Some("other"), 1000, &[]);
    let target = folders::entry(1, Role::Target, &["hopper"], "full", Some("other"), 0, &[0]);
    (control.steps, control.request.steps) = (1, Some(train::Frames(1)));
    control.arguments = control.request.to_arguments().into_iter().map(|word| word.into_string().unwrap()).collect();
    let entries = vec![control, target];
    entries.iter().for_each(|entry| folders::run(root.path(), entry, folders::STEPS));
    Manifest::new("control", "", entries).write(root.path()).unwrap();
    let results = Results::read(root.path()).unwrap();
    assert_eq!(results.runs[1].ancestry.frames(), folders::STEPS);
}
