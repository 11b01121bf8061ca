//! Which runs are compared, and over which frames: the report names both, and nothing is left out without a note.

use crate::folders;
use std::path::Path;
use study::Manifest;
use study::report::{Report, ReportStatistics, figures_csv, markdown};
use study::results::Results;

fn study(root: &Path, tasks: &[&str], seeds: u64) -> Manifest {
    folders::study(root, "compared", tasks, seeds);
    Manifest::read(root).unwrap()
}

/// Rewrites a file of each run of `method` on `task`; `edit` gets the seed and the text.
fn edit(
    root: &Path,
    manifest: &Manifest,
    (method, task): (&str, &str),
    file: &str,
    edit: impl Fn(u64, &str) -> String,
) {
    for entry in manifest.entries.iter().filter(|entry| entry.method == method && entry.tasks == [task]) {
        let path = root.join(&entry.folder).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, edit(entry.seed, &text)).unwrap();
    }
}

/// Lines of an episode every 1000 frames, the first of five random ones.
fn lines(frames: u64, value: impl Fn(u64) -> f64) -> String {
    let line =
        |frame: u64| format!("{{\"step\":{frame},\"train_return\":{},\"episodes\":{}}}\n", value(frame), frame / 1000);
    (5..=frames / 1000).map(|thousand| line(1000 * thousand)).collect()
}

fn place(figures: &ReportStatistics, method: &str) -> usize {
    figures.methods.iter().position(|name| name == method).unwrap()
}

#[test]
fn a_baseline_below_random_actions_takes_no_improvement_away() {
    let root = tempfile::tempdir().unwrap();
    let manifest = study(root.path(), &["hopper", "ant"], 3);
    edit(root.path(), &manifest, ("baseline", "ant"), "metrics.jsonl", |seed, _| {
        lines(100_000, |frame| if frame == 5000 { -800.0 } else { -900.0 - seed as f64 })
    });
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    let together = &report.statistics.together[place(&report.statistics, "fractional-0.2")];
    let improvement = together.improvement.as_ref().unwrap();
    assert_eq!((improvement.tasks.len(), improvement.left_out.len()), (2, 0), "no scale is needed for it");
    assert!(improvement.estimate.unwrap().value > 0.5);
    let mean = &together.interquartile_mean;
    let why = "the baseline is not above random actions";
    assert_eq!(
        (mean.tasks.as_slice(), mean.left_out.as_slice()),
        (&["Hopper".into()][..], &[("Ant".into(), why.into())][..])
    );
    assert!(mean.estimate.unwrap().value > 1.0);
    let words = markdown(&report);
    assert!(words.contains("1 of 2 tasks: Hopper<br>without Ant: the baseline is not above random actions"), "{words}");
    assert!(words.contains("all 2 tasks"), "{words}");
    assert!(words.contains("the baseline's final return is not above random actions"), "{words}");
    let table = figures_csv(&report);
    let line = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{table}"));
    assert!(line("all,fractional-0.2,interquartile_mean_normalised,").contains(why));
    assert!(line("all,fractional-0.2,improvement,").ends_with(",all 2 tasks"));
}

#[test]
fn a_jumpstart_that_cannot_be_measured_says_why() {
    let root = tempfile::tempdir().unwrap();
    let manifest = study(root.path(), &["ant"], 2);
    let why = "not all runs have a return there";
    let shown = || markdown(&Report::new(&Results::read(root.path()).unwrap()));
    assert!(!shown().contains(why));
    edit(root.path(), &manifest, ("fractional-0.2", "ant"), "metrics.jsonl", |_, _| {
        let all = lines(100_000, |frame| frame as f64);
        // None between the random episodes and frame 20 000.
        all.lines()
            .enumerate()
            .filter(|(line, _)| *line == 0 || *line >= 15)
            .map(|(_, line)| format!("{line}\n"))
            .collect()
    });
    assert!(shown().contains(why));
}

#[test]
fn methods_are_compared_with_the_baseline_that_is_named() {
    let root = tempfile::tempdir().unwrap();
    let manifest = study(root.path(), &["hopper", "ant"], 3).with_baseline(Some("fractional-0.2".to_owned()));
    manifest.write(root.path()).unwrap();
    let mut results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    report.check_baseline().unwrap();
    assert_eq!(report.statistics.methods, ["fractional-0.2", "baseline", "meta-model"]);
    assert_eq!(report.statistics.baseline.as_deref(), Some("fractional-0.2"));
    for method in ["baseline", "meta-model"] {
        let improvement = report.statistics.together[place(&report.statistics, method)].improvement.as_ref().unwrap();
        assert!(improvement.estimate.unwrap().value < 0.5, "{method} is behind fractional-0.2");
    }
    assert!(report.statistics.together[0].improvement.is_none(), "it is not compared with itself");
    assert!(markdown(&report).contains("compared with fractional-0.2, which was named"), "{}", markdown(&report));
    // Without a name, it is the one from scratch.
    results.baseline = None;
    assert_eq!(Report::new(&results).statistics.baseline.as_deref(), Some("baseline"));
    results.baseline = Some("fractional".to_owned());
    let message = Report::new(&results).check_baseline().unwrap_err().to_string();
    assert!(message.contains("did you mean \"fractional-0.2\"?") && message.contains("\"meta-model\""), "{message}");
}

#[test]
fn a_task_without_runs_of_a_method_is_named() {
    let root = tempfile::tempdir().unwrap();
    let manifest = study(root.path(), &["hopper", "ant"], 2);
    let gone = |entry: &study::Entry| entry.method == "meta-model" && entry.tasks == ["ant"];
    let mut entries: Vec<_> = manifest.entries.into_iter().filter(|entry| !gone(entry)).collect();
    entries.iter_mut().enumerate().for_each(|(index, entry)| entry.index = index);
    std::fs::remove_dir_all(root.path().join(&entries[1].folder)).unwrap();
    std::fs::remove_dir_all(root.path().join(&entries[2].folder)).unwrap();
    Manifest::new("less", "", entries).write(root.path()).unwrap();
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    let pooled =
        |method: &str| report.statistics.together[place(&report.statistics, method)].improvement.as_ref().unwrap();
    let left_out =
        |method: &str| pooled(method).left_out.iter().map(|(task, why)| format!("{task}: {why}")).collect::<Vec<_>>();
    assert_eq!(
        left_out("meta-model"),
        ["Hopper: the baseline has no finished run", "Ant: it has no runs on this task"]
    );
    assert_eq!(pooled("meta-model").estimate, None);
    assert_eq!(left_out("fractional-0.2"), ["Hopper: the baseline has no finished run"]);
    assert!(pooled("fractional-0.2").estimate.is_some());
    let words = markdown(&report);
    assert!(words.contains("without Hopper: the baseline has no finished run"), "{words}");
}

#[test]
fn a_last_episode_that_is_played_to_its_end_counts_for_all_runs() {
    let root = tempfile::tempdir().unwrap();
    let make = |method: &str, asked: u64, played: u64| {
        let mut entry = folders::entry(0, study::Role::Target, &["ant"], method, None, 1, &[]);
        entry.steps = asked;
        folders::run(root.path(), &entry, asked);
        let folder = root.path().join(&entry.folder);
        // Every episode of 1000 frames earns as much as its last frame.
        std::fs::write(folder.join("metrics.jsonl"), lines(played, |frame| frame as f64)).unwrap();
    };
    // A run of 25 500 frames ends with the episode that reaches frame 26 000.
    make("baseline", 25_500, 26_000);
    make("fractional-0.2", 40_000, 40_000);
    let results = Results::read(&root.path().join("runs")).unwrap();
    let report = Report::new(&results);
    let [task] = report.statistics.tasks.as_slice() else { panic!("one task") };
    let of = |method: &str| task.methods[place(&report.statistics, method)].as_ref().unwrap();
    assert_eq!(task.length, Some(26_000.0));
    let overall = |method: &str| of(method).overall.unwrap().mean;
    assert_eq!(overall("baseline"), overall("fractional-0.2"));
    let last = |method: &str| of(method).last.map(|spread| (spread.runs, spread.mean));
    assert_eq!(last("baseline"), last("fractional-0.2"));
}

#[test]
fn runs_of_different_length_are_compared_where_the_shortest_ends() {
    let root = tempfile::tempdir().unwrap();
    let make = |method: &str, seed: u64, frames: u64, value: &dyn Fn(u64) -> f64| {
        let mut entry = folders::entry(0, study::Role::Target, &["ant"], method, None, seed, &[]);
        entry.steps = frames;
        folders::run(root.path(), &entry, frames);
        let folder = root.path().join(&entry.folder);
        std::fs::write(folder.join("metrics.jsonl"), lines(frames, value)).unwrap();
    };
    // Up to frame 25 000 the short runs earn 100 more, and after it the long ones far more than that.
    let long = |frame: u64| if frame > 25_000 { 5000.0 } else { -800.0 };
    for seed in 1..=3 {
        make("baseline", seed, 100_000, &long);
        make("fractional-0.2", seed, 25_000, &|_| -700.0);
    }
    let results = Results::read(&root.path().join("runs")).unwrap();
    let report = Report::new(&results);
    let [task] = report.statistics.tasks.as_slice() else { panic!("one task") };
    let of = |method: &str| task.methods[place(&report.statistics, method)].as_ref().unwrap();
    assert_eq!(task.length, Some(25_000.0));
    assert_eq!(of("fractional-0.2").improvement.unwrap().value, 1.0);
    for spread in [of("baseline").overall, of("baseline").last] {
        assert_eq!(spread.map(|it| it.mean), Some(-800.0));
    }
    assert_eq!(of("baseline").interquartile_mean.unwrap().value, -800.0);
    let jumpstart = of("fractional-0.2").transfer.unwrap().jumpstart.unwrap();
    assert_eq!(jumpstart.value, 100.0);
    let words = markdown(&report);
    let text = "The finished runs of Ant differ in length: baseline 100\u{a0}000; fractional-0.2 25\u{a0}000. Their statistics cover the first 25\u{a0}000 frames of each run";
    for part in [text, "Ant<br>first 25\u{a0}000 frames"] {
        assert!(words.contains(part), "{part}\n{words}");
    }
    assert!(
        figures_csv(&report).contains("ant,baseline,overall,-800.0,0.0,,,3,0,25000.0,"),
        "{}",
        figures_csv(&report)
    );
}

#[test]
fn unfinished_runs_are_never_the_best() {
    let root = tempfile::tempdir().unwrap();
    let manifest = study(root.path(), &["ant"], 2);
    let earns = |value: f64| lines(100_000, move |_| value);
    for (method, value) in [("baseline", 10.0), ("fractional-0.2", 20.0), ("meta-model", 3000.0)] {
        edit(root.path(), &manifest, (method, "ant"), "metrics.jsonl", |_, _| earns(value));
    }
    edit(root.path(), &manifest, ("meta-model", "ant"), "metrics.jsonl", |seed, text| {
        if seed == 1 { text.to_owned() } else { text[..text.len() - 300].to_owned() }
    });
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    let words = markdown(&report);
    let words = words.split("## Is the difference more than chance?").next().unwrap();
    assert_eq!(report.unfinished(), 1);
    assert!(words.contains("**20.0") && !words.contains("**3000"), "{words}");
    assert!(words.contains("1 run is not finished. Means with a \u{2020}"), "{words}");
}

#[test]
fn a_first_line_with_learned_episodes_is_not_random() {
    let root = tempfile::tempdir().unwrap();
    let manifest = study(root.path(), &["ant"], 2);
    // A line every 20 000 frames: 5 random episodes, and 15 of an agent that learns.
    let coarse = |method: &str| {
        edit(root.path(), &manifest, (method, "ant"), "config.toml", |_, text| {
            text.replace("every = 1000\n[sch", "every = 20000\n[sch")
        });
        edit(root.path(), &manifest, (method, "ant"), "metrics.jsonl", |_, _| {
            let line = |frame: u64| {
                let updates = 100 + (frame - 5000) / 10;
                format!(
                    "{{\"step\":{frame},\"train_return\":{frame},\"episodes\":{},\"updates\":{updates}}}\n",
                    frame / 1000
                )
            };
            (1..=5).map(|index| line(20_000 * index)).collect()
        });
    };
    coarse("fractional-0.2");
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    let task = &report.statistics.tasks[0];
    assert!(task.random.unwrap() < -500.0, "only of the runs whose first line is random: {:?}", task.random);
    let of = |report: &Report<'_>, method: &str| {
        report.statistics.tasks[0].methods[place(&report.statistics, method)].as_ref().unwrap().transfer.unwrap()
    };
    assert_eq!(of(&report, "fractional-0.2").jumpstart, None);
    assert!(of(&report, "meta-model").jumpstart.is_some() && of(&report, "fractional-0.2").area_ratio.is_some());
    assert!(markdown(&report).contains("the random episodes of 2 runs cannot be separated from later episodes"));

    for method in ["baseline", "meta-model"] {
        coarse(method);
    }
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    assert_eq!(report.statistics.tasks[0].random, None);
    let measures = of(&report, "meta-model");
    assert_eq!((measures.jumpstart, measures.area_ratio, measures.threshold), (None, None, None));
    let words = markdown(&report);
    for part in
        ["at frame 20000, also contains episodes of the learning agent", "the return of random actions is unknown"]
    {
        assert!(words.contains(part), "{part}\n{words}");
    }
}
