//! Curves over gradient steps and core-seconds, and the costs of runs and their sources.

use crate::content::balanced;
use crate::folders;
use serde_json::Value;
use std::path::Path;
use study::manifest::{Entry, Manifest, Role};
use study::report::{Media, Report, curves_json, figures_csv, markdown, page};
use study::results::Results;

fn page_of(results: &Results) -> String {
    let page = page(&Report::new(results), &Media::embed(results, 0), None);
    balanced(&page);
    page
}

/// A baseline of one task with these metrics, one run for each.
fn runs(root: &Path, metrics: &[String]) -> Results {
    let entry = |seed: usize| folders::entry(seed, Role::Target, &["ant"], "baseline", None, seed as u64, &[]);
    let entries: Vec<Entry> = (0..metrics.len()).map(entry).collect();
    for (entry, metrics) in entries.iter().zip(metrics) {
        folders::run(root, entry, folders::STEPS);
        std::fs::write(root.join(&entry.folder).join("metrics.jsonl"), metrics).unwrap();
    }
    Manifest::new("axes", &"0123456789abcdef".repeat(4), entries).write(root).unwrap();
    Results::read(root).unwrap()
}

/// Changes a file of a run.
fn change(root: &Path, folder: &Path, file: &str, from: &str, to: &str) {
    let path = root.join(folder).join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

#[test]
fn means_are_over_runs_at_equal_gradient_steps() {
    let root = tempfile::tempdir().unwrap();
    // An agent's progress depends only on its gradient steps; the second run makes twice as many.
    let metrics = |factor: u64| -> String {
        let line = |frame: u64| {
            let updates = factor * frame / 100;
            format!(
                "{{\"step\":{frame},\"train_return\":{updates},\"episodes\":{},\"updates\":{updates},\"seconds\":{}}}\n",
                frame / 1000,
                frame / 10
            )
        };
        (1000..=100_000).step_by(1000).map(line).collect()
    };
    let results = runs(root.path(), &[metrics(1), metrics(2)]);
    let report = Report::new(&results);
    let plot = |axis: &str| {
        let plots = &report.statistics.tasks[0].plots;
        plots.iter().find(|plot| plot.abscissa.name() == axis && plot.which.name() == "training").unwrap()
    };
    assert_eq!((plot("frames").end, plot("updates").end, plot("core-seconds").end), (1e5, 2000.0, 20_000.0));
    let band = &plot("updates").methods[0].band;
    assert_eq!((band[0].runs, band[24].runs, band[25].runs), (2, 2, 1), "the first run ends after 1000 gradient steps");
    assert!(
        band[..25].iter().all(|band| band.deviation.unwrap() < 10.0 && (band.mean - band.frames).abs() < 30.0),
        "{band:?}"
    );
    assert!(plot("frames").methods[0].band[49].deviation.unwrap() > 600.0, "over frames they are far apart");
    assert_eq!(plot("core-seconds").methods[0].band.len(), 50);
}

#[test]
fn the_page_has_the_curves_over_each_axis_and_shows_frames_without_a_script() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "axes", &["hopper", "ant"], 2);
    let html = page_of(&Results::read(root.path()).unwrap());
    assert!(html.contains("data-series=\"training\" data-axis=\"frames\"><head>"), "frames are shown first");
    for (axis, title, place) in [
        ("frames", "environment frames", "at frame 100\u{a0}000"),
        ("updates", "gradient steps", "at gradient step 9\u{a0}600"),
        ("core-seconds", "core-minutes", "at 83.3 core-minutes"),
    ] {
        for series in ["training", "evaluation"] {
            let panel = format!("class=\"panel\" data-series=\"{series}\" data-axis=\"{axis}\"");
            assert_eq!(html.matches(&panel).count(), 2, "{panel}");
            let place = format!("{series} returns over {title}: ");
            assert_eq!(html.matches(&place).count(), 2, "{place}");
        }
        assert!(html.contains(&format!("aria-hidden=\"true\">{title}</div>")) && html.contains(place), "{place}");
        assert_eq!(html.matches(&format!("name=\"axis\" value=\"{axis}\"")).count(), 1);
    }
    let note = "The curves of fractional-0.2 and meta-model do not include what their sources cost";
    assert_eq!(html.matches(note).count(), 2, "for gradient steps and for core-seconds");
    assert!(!html.contains("left out, because") && !html.contains("different processors"));
}

#[test]
fn runs_without_gradient_steps_or_seconds_are_left_out_and_named() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "axes", &["ant"], 3);
    let folders: Vec<_> = Results::read(root.path()).unwrap().runs.iter().map(|run| run.folder.clone()).collect();
    change(root.path(), &folders[1], "metrics.jsonl", "\"updates\"", "\"other\"");
    change(root.path(), &folders[2], "metrics.jsonl", "\"seconds\"", "\"other\"");
    change(root.path(), &folders[3], "config.toml", "threads = 2\n", "");
    change(root.path(), &folders[4], "config.toml", "A processor", "Another processor");
    let results = Results::read(root.path()).unwrap();
    let html = page_of(&results);
    let [first, second, third] = [1, 2, 3].map(|index: usize| folders[index].display().to_string());
    assert!(html.contains(&format!("1 run is left out, because gradient steps are not recorded: {first}.")), "{html}");
    let both = format!("2 runs are left out, because seconds or threads are not recorded: {second} and {third}.");
    assert!(html.contains(&both), "{both}");
    let words = markdown(&Report::new(&results));
    for text in [&html, &words] {
        assert!(text.contains("Core-seconds come from different processors (A processor and Another processor)"));
    }
    assert!(words.contains("of 2 of 3 runs"), "{words}");
}

#[test]
fn an_axis_that_no_run_has_is_not_offered() {
    let root = tempfile::tempdir().unwrap();
    let line = |frame: u64| {
        format!("{{\"step\":{frame},\"train_return\":1,\"episodes\":{},\"updates\":{frame}}}\n", frame / 1000)
    };
    let results = runs(root.path(), &[(1000..=100_000).step_by(1000).map(line).collect()]);
    let html = page_of(&results);
    assert!(html.contains("value=\"updates\"") && !html.contains("value=\"core-seconds\""));
    assert!(
        html.contains("There are no curves over core-seconds, because no run has recorded both its seconds and"),
        "{html}"
    );
}

#[test]
fn threads_of_zero_are_one_per_core_and_runs_that_shared_a_machine_are_noted() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "axes", &["ant"], 1);
    let folders: Vec<_> = Results::read(root.path()).unwrap().runs.iter().map(|run| run.folder.clone()).collect();
    let total = |threads: &str| {
        change(root.path(), &folders[1], "config.toml", "threads = ", &format!("threads = {threads} # "));
        let results = Results::read(root.path()).unwrap();
        (results.runs[1].threads.unwrap(), markdown(&Report::new(&results)))
    };
    assert_eq!(total("0").0, 2.0);
    let (threads, words) = total("1");
    assert!(
        threads == 1.0 && words.contains("1 of 4 runs used fewer threads than their machine has cores."),
        "{words}"
    );
    let (threads, words) = total("3");
    assert!(threads == 3.0 && words.contains("1 of 4 runs used more threads than their machine has cores"), "{words}");
}

#[test]
fn curves_have_gradient_steps_and_core_seconds_of_every_point() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "axes", &["ant"], 1);
    let folder = Results::read(root.path()).unwrap().runs[2].folder.clone();
    change(root.path(), &folder, "metrics.jsonl", "\"seconds\"", "\"other\"");
    let results = Results::read(root.path()).unwrap();
    let curves: Vec<Value> = serde_json::from_str(&curves_json(&results)).unwrap();
    for curve in &curves {
        for (key, like) in
            [("updates", "xs"), ("core_seconds", "xs"), ("eval_updates", "eval_xs"), ("eval_core_seconds", "eval_xs")]
        {
            assert_eq!(curve[key].as_array().unwrap().len(), curve[like].as_array().unwrap().len(), "{key}");
        }
    }
    let curve = |method: &str| curves.iter().find(|curve| curve["method"] == method).unwrap();
    let ends = |curve: &Value, key: &str| {
        let all = curve[key].as_array().unwrap();
        (all[0].as_f64(), all[all.len() - 1].as_f64())
    };
    let baseline = curve("baseline");
    assert_eq!(ends(baseline, "updates"), (Some(100.0), Some(9600.0)));
    assert_eq!(ends(baseline, "core_seconds"), (Some(250.0), Some(5000.0)));
    assert_eq!(ends(baseline, "eval_core_seconds"), (Some(500.0), Some(5000.0)));
    let other = curve("fractional-0.2");
    assert_eq!((ends(other, "updates").1, ends(other, "core_seconds")), (Some(9600.0), (None, None)));
    // The source of two tasks: all that it spent, for each of them.
    assert_eq!(ends(curve("source"), "core_seconds").1, Some(5000.0));
}

#[test]
fn costs_of_runs_and_of_their_sources_are_in_the_statistics() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "axes", &["ant"], 3);
    let folders: Vec<_> = Results::read(root.path()).unwrap().runs.iter().map(|run| run.folder.clone()).collect();
    // The source had one thread; a run is not finished, and does not count.
    change(root.path(), &folders[0], "config.toml", "threads = 2", "threads = 1");
    let cut = std::fs::read_to_string(root.path().join(&folders[4]).join("metrics.jsonl")).unwrap();
    std::fs::write(root.path().join(&folders[4]).join("metrics.jsonl"), &cut[..cut.find("{\"step\":50000").unwrap()])
        .unwrap();
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    let table = figures_csv(&report);
    let line =
        |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{table}"));
    assert_eq!(line("ant,baseline,updates,"), "ant,baseline,updates,9600.0,0.0,,,3,0,,");
    assert_eq!(line("ant,baseline,core_seconds,"), "ant,baseline,core_seconds,5000.0,0.0,,,3,0,,");
    assert_eq!(line("ant,fractional-0.2,updates,"), "ant,fractional-0.2,updates,9600.0,0.0,,,2,1,,");
    assert_eq!(line("ant,meta-model,source_updates,"), "ant,meta-model,source_updates,9600.0,0.0,,,3,0,,");
    assert_eq!(line("ant,meta-model,source_core_seconds,"), "ant,meta-model,source_core_seconds,2500.0,0.0,,,3,0,,");
    assert!(!table.contains("ant,baseline,source_"));
    let words = markdown(&report);
    let row = "| Ant | meta-model<br>3 runs | 100\u{a0}000 | 9\u{a0}600 | 1.39 \u{b1} 0.00 | 100\u{a0}000 | 9\u{a0}600 | 0.69 \u{b1} 0.00 |";
    assert!(words.contains("## Cost") && words.contains(row), "{words}");
    assert!(page_of(&results).contains("<h2 id=\"cost\">Cost</h2>"));
    // A source whose folder is gone.
    std::fs::remove_dir_all(root.path().join(&folders[0])).unwrap();
    let results = Results::read(root.path()).unwrap();
    assert!(!figures_csv(&Report::new(&results)).contains("source_core_seconds"));
    assert!(markdown(&Report::new(&results)).contains("| 100\u{a0}000 | not recorded | not recorded |"));
}

#[test]
fn large_studies_are_drawn_over_frames_only_and_the_page_notes_it() {
    let page = |methods: usize, seeds: u64| {
        let root = tempfile::tempdir().unwrap();
        folders::of_many(root.path(), methods, seeds);
        page_of(&Results::read(root.path()).unwrap())
    };
    let methods = page(33, 1);
    assert!(!methods.contains("data-series=\"training\" data-axis=\"updates\"") && !methods.contains("name=\"axis\""));
    assert!(methods.contains("it has 66 pairs of a task and a method, and draws them for at most 64."));
    let methods = page(32, 1);
    assert_eq!(methods.matches("class=\"panel\" data-series=\"training\" data-axis=\"updates\"").count(), 2);
    let runs = page(2, 76);
    assert_eq!(runs.matches("class=\"run of").count(), 2 * 304, "single runs over frames alone");
    assert_eq!(runs.matches("Single runs are only drawn over environment frames").count(), 2);
    assert_eq!(runs.matches("class=\"mean of").count(), 3 * 2 * 4, "the means over each axis");
}
