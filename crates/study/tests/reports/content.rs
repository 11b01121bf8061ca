//! The content of a report, in each of its forms.

use crate::folders;
use serde_json::Value;
use study::report::{MOST_BYTES, Media, Report, curves_json, figures_csv, markdown, page};
use study::results::{Results, read_metrics};
use study::statistics::{deviation, mean, probability_of_improvement};

fn results(tasks: &[&str], seeds: u64) -> (tempfile::TempDir, Results) {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "three methods", tasks, seeds);
    let results = Results::read(root.path()).unwrap();
    (root, results)
}

fn page_of(results: &Results) -> String {
    page(&Report::new(results), &Media::embed(results, MOST_BYTES), None)
}

/// The overall returns of a method's runs, as their files have them.
fn returns(results: &Results, method: &str) -> Vec<f64> {
    let runs = results.runs.iter().filter(|run| run.method == method);
    runs.map(|run| {
        let metrics = read_metrics(&results.root.join(&run.folder).join("metrics.jsonl"), &run.tasks).unwrap();
        let points = metrics.series[0].training.points();
        let episodes: f64 = points.iter().map(|point| point.episodes).sum();
        points.iter().map(|point| point.value * point.episodes).sum::<f64>() / episodes
    })
    .collect()
}

#[test]
fn figures_are_those_of_the_runs() {
    let (_root, results) = results(&["hopper", "ant"], 3);
    let report = Report::new(&results);
    let text = figures_csv(&report);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("task,method,figure,value,deviation,low,high,runs,unfinished,frames,note"));
    let figure = |task: &str, method: &str, figure: &str| -> Vec<f64> {
        let start = format!("{task},{method},{figure},");
        let line = text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{start}\n{text}"));
        line.split(',').map(|number| number.parse().unwrap_or(f64::NAN)).collect()
    };
    let hopper = Results { runs: results.runs.into_iter().filter(|run| run.tasks == ["hopper"]).collect(), ..results };
    let (ours, theirs) = (returns(&hopper, "meta-model"), returns(&hopper, "baseline"));
    let overall = figure("hopper", "meta-model", "overall");
    assert!((overall[0] - mean(&ours).unwrap()).abs() < 1e-9 && (overall[1] - deviation(&ours).unwrap()).abs() < 1e-9);
    let improvement = figure("hopper", "meta-model", "improvement");
    assert_eq!(improvement[0], probability_of_improvement(&ours, &theirs).unwrap());
    assert_eq!(figure("hopper", "meta-model", "source_frames")[0], 1e5);
    assert_eq!(figure("hopper", "baseline", "overall_published")[0], 2076.0);
    assert!(figure("all", "fractional-0.2", "interquartile_mean_normalised")[0] > 1.0);
    assert!((figure("all", "baseline", "interquartile_mean_normalised")[0] - 1.0).abs() < 0.1);
}

#[test]
fn curves_are_exchanged_in_the_form_of_the_field() {
    let (_root, results) = results(&["ant"], 2);
    let curves: Vec<Value> = serde_json::from_str(&curves_json(&results)).unwrap();
    // Six runs, and a source of two tasks.
    assert_eq!(curves.len(), 8);
    let curve = curves.iter().find(|curve| curve["method"] == "meta-model" && curve["seed"] == 2).unwrap();
    assert_eq!(curve["task"], "ant");
    let numbers = |key: &str| curve[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!((numbers("xs").len(), numbers("ys").len(), numbers("eval_ys").len()), (96, 96, 10));
    assert_eq!((numbers("xs")[0], *numbers("xs").last().unwrap()), (5000.0, 1e5));
}

#[test]
fn a_report_notes_that_several_methods_are_paired() {
    let (_root, results) = results(&["ant"], 2);
    let notes = |results: &Results| markdown(&Report::new(results)).matches("Methods are paired").count();
    assert_eq!(notes(&results), 1);
    assert_eq!(page_of(&results).matches("Methods are paired").count(), 1);
    let alone = Results { runs: results.runs.into_iter().filter(|run| run.method == "baseline").collect(), ..results };
    assert_eq!(notes(&alone), 0);
}

#[test]
fn every_form_has_the_same_statistics() {
    let (root, results) = results(&["hopper", "ant"], 3);
    let report = Report::new(&results);
    let out = root.path().join("report");
    let files = report.write(&out, MOST_BYTES).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["report.html", "report.md", "figures.csv", "curves.json"]);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let (html, words) = (read("report.html"), read("report.md"));
    let figures = report.statistics.tasks[0].methods[1].as_ref().unwrap();
    let overall = figures.overall.unwrap();
    let cell = format!("{:.0} \u{b1} {:.0}", overall.mean, overall.deviation.unwrap());
    assert!(overall.mean > 100.0 && html.contains(&cell) && words.contains(&cell), "{cell}");
    for text in [&html, &words] {
        for part in [
            "all 3 runs of one would still be above all 3 of the other in 1 of 20",
            "published 2076",
            "dreamgraft train hopper --preset small --steps 100000 --seed 1",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }
    assert_eq!(words, markdown(&report), "the same again");
}

#[test]
fn the_page_asks_nothing_of_a_network() {
    let (_root, results) = results(&["ant"], 1);
    let html = page_of(&results);
    assert!(html.contains("default-src 'none'") && html.contains("script-src 'sha256-"));
    for address in ["http:", "https:", "url(", "@import", "//cdn", "src=\"/"] {
        assert!(!html.contains(address), "{address}");
    }
    let sources = html.matches(" src=\"").count();
    assert!(sources > 0 && sources == html.matches(" src=\"data:image/").count());
}

#[test]
fn the_page_is_well_formed() {
    let (_root, results) = results(&["ant", "hopper"], 2);
    let html = page_of(&results);
    balanced(&html);
    // Names that labels and links speak of are there, once.
    let ids: Vec<&str> = attributes(&html, "id");
    for id in attributes(&html, "aria-labelledby").into_iter().chain(attributes(&html, "href")) {
        let id = id.trim_start_matches('#');
        assert!(id == "data:," || ids.iter().filter(|known| **known == id).count() == 1, "{id}");
    }
    assert_eq!(html.matches("<h1").count(), 1);
    // Everything that scrolls or is read along can be reached by key and has a name.
    for element in
        html.split('<').filter(|it| it.starts_with("div class=\"scroll") || it.starts_with("div class=\"plot"))
    {
        assert!(element.contains("tabindex=\"0\"") && element.contains("aria-label=\""), "{element}");
    }
    for element in html.split('<').filter(|it| it.starts_with("img ")) {
        assert!(element.contains("alt=\""), "{element}");
    }
}

/// Values of an attribute.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    html.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Checks that every opened element is closed, in the right order.
pub fn balanced(html: &str) {
    const EMPTY: [&str; 6] = ["meta", "link", "input", "img", "br", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').expect("a tag ends");
        let (tag, after) = rest.split_at(end);
        let name = tag.split([' ', '\n']).next().unwrap();
        rest = &after[1..];
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "near {}", &rest[..rest.len().min(80)]),
            None if EMPTY.contains(&name) => {}
            None => {
                open.push(name);
                if name == "script" || name == "style" {
                    let end = rest.find(&format!("</{name}")).expect("an element ends");
                    rest = &rest[end..];
                }
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn unfinished_runs_are_marked_and_not_compared() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "under way", &["ant"], 3);
    let manifest = study::Manifest::read(root.path()).unwrap();
    let of = |method: &str| manifest.entries.iter().filter(move |entry| entry.method == method).collect::<Vec<_>>();
    folders::run(root.path(), of("meta-model")[1], 40_000);
    std::fs::remove_dir_all(root.path().join(&of("meta-model")[2].folder)).unwrap();
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    assert_eq!(report.unfinished(), 2);
    let method = report.statistics.methods.iter().position(|method| method == "meta-model").unwrap();
    let figures = report.statistics.tasks[0].methods[method].as_ref().unwrap();
    assert_eq!((figures.runs, figures.begun, figures.finished), (3, 2, 1));
    assert_eq!(figures.overall.unwrap().runs, 2, "as far as they are");
    assert_eq!(figures.last.unwrap().runs, 1, "only one has come to its last tenth");
    assert_eq!(figures.interquartile_mean.unwrap().interval, None, "a single finished run has no interval");
    let html = page_of(&results);
    for part in
        ["2 of 3 runs, 2 unfinished", "not started", "at 40\u{a0}000 of 100\u{a0}000", "these values will change"]
    {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn images_are_embedded_up_to_the_limit() {
    let (_root, results) = results(&["ant"], 2);
    let count =
        |most: u64| page(&Report::new(&results), &Media::embed(&results, most), None).matches("data:image/").count();
    assert_eq!(count(MOST_BYTES), 12, "an episode and a prediction of each of six runs");
    let one_each = 3 * (folders::GIF.len() + folders::PNG.len()) as u64;
    assert_eq!(count(one_each), 6, "first those of one run of each method");
    let html = page(&Report::new(&results), &Media::embed(&results, 0), None);
    assert!(html.contains("12 images are left out"), "left-out images are counted");
}

#[test]
fn single_runs_are_noted_as_weak_evidence() {
    let (_root, results) = results(&["ant"], 1);
    let report = Report::new(&results);
    assert!(report.limits().iter().any(|sentence| sentence.contains("A single run does not show")));
    let figures = report.statistics.tasks[0].methods[1].as_ref().unwrap();
    assert_eq!(figures.overall.unwrap().deviation, None);
    assert_eq!(figures.improvement.unwrap().interval, None);
}

#[test]
fn runs_of_any_folder_can_be_reported() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "x", &["ant"], 2);
    let results = Results::read(&root.path().join("runs")).unwrap();
    let report = Report::new(&results);
    assert_eq!(report.statistics.methods, ["baseline", "source (hopper + ant)", "fractional-0.2", "meta-model"]);
    // Two methods begin from scratch, and one of them is called a baseline.
    assert_eq!(report.statistics.from_scratch, 2);
    let words = report.limits().join(" ");
    assert!(!words.contains("a baseline ("), "every task has one: {words}");
    let ant = report.statistics.tasks.iter().find(|task| task.task == "ant").unwrap();
    assert!(ant.methods[3].as_ref().unwrap().transfer.is_some());
    assert!(page_of(&results).contains("--plan"));
}

#[test]
fn runs_that_are_not_seeds_of_one_experiment_are_named() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "x", &["ant"], 2);
    let runs = root.path().join("runs");
    let words = || Report::new(&Results::read(&runs).unwrap()).limits().join(" ");
    assert!(!words().contains("as seeds of one method"), "{}", words());
    let of_second = runs.join("ant/baseline/1/config.toml");
    let text = std::fs::read_to_string(&of_second).unwrap();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        std::fs::write(&of_second, text.replace(from, to)).unwrap();
    };
    change("horizon = 15", "horizon = 5");
    let part = "The 2 runs of baseline on Ant have different settings (agent.horizon 15 and 5), but count as seeds of one method";
    assert!(words().contains(part), "{}", words());
    // The number of threads changes no result, and a setting that only later versions have says nothing.
    change("threads = 2", "threads = 4");
    assert!(!words().contains("different settings"), "{}", words());
    change("horizon = 15\n", "");
    assert!(!words().contains("different settings"), "{}", words());
    std::fs::write(&of_second, text.replace("horizon = 15\n", "").replace("fixed", "stock")).unwrap();
    assert!(words().contains("different settings (task.termination fixed and stock)"), "{}", words());
    change("seed = 1", "seed = 2");
    std::fs::rename(runs.join("ant/baseline/1"), runs.join("ant/baseline/seed-2")).unwrap();
    assert!(words().contains("Several runs of baseline on Ant have the same seed (2)"), "{}", words());
}

#[test]
fn runs_that_start_in_different_ways_and_repeated_runs_are_named() {
    let root = tempfile::tempdir().unwrap();
    folders::study(root.path(), "x", &["ant"], 2);
    let runs = root.path().join("runs");
    let words = || Report::new(&Results::read(&runs).unwrap()).limits().join(" ");
    // The records of all methods are alike.
    for seed in [1, 2] {
        let record = runs.join(format!("ant/fractional-0.2/{seed}/transfer.json"));
        let text = std::fs::read_to_string(&record).unwrap();
        std::fs::write(&record, text.replace("the preset universal", "the preset paper")).unwrap();
    }
    assert!(words().contains(", one per seed.") && !words().contains("in different ways"), "{}", words());
    let record = runs.join("ant/meta-model/1/transfer.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("the preset universal", "the preset encoder-only")).unwrap();
    let part = "The 2 runs of meta-model on Ant start in different ways (the preset encoder-only; the preset universal), but count as";
    assert!(words().contains(part) && !words().contains(", one per seed."), "{}", words());
    std::fs::write(&record, text).unwrap();
    // The same command with another folder.
    let [run, again] = ["ant/baseline/1", "ant/mine/0"].map(|folder| runs.join(folder));
    std::fs::create_dir_all(&again).unwrap();
    for file in ["config.toml", "metrics.jsonl"] {
        std::fs::copy(run.join(file), again.join(file)).unwrap();
    }
    let part = "ant/baseline/1 and ant/mine/0 have the same settings, the same start and the same seed (1)";
    assert!(words().contains(part), "{}", words());
    // A run without readable tasks is of no group, and its metrics of a meta-model are still there.
    std::fs::write(runs.join("ant/meta-model/1/config.toml"), "no settings").unwrap();
    let results = Results::read(&runs).unwrap();
    assert!(results.runs.iter().any(|run| run.tasks.is_empty() && !run.source_use.is_empty()), "{results:?}");
    assert!(page_of(&results).contains("Files that could not be read") && !markdown(&Report::new(&results)).is_empty());
    // A study says itself what its methods are.
    assert!(!Report::new(&Results::read(root.path()).unwrap()).limits().join(" ").contains("the same start"));
}
