//! Reports of many methods and of many runs.

use crate::folders::of_many;
use study::report::{Media, Report, markdown, page};
use study::results::Results;

/// The page and the Markdown of a study of two tasks with so many methods and seeds.
fn report(methods: usize, seeds: u64) -> (String, String) {
    let root = tempfile::tempdir().unwrap();
    of_many(root.path(), methods, seeds);
    let results = Results::read(root.path()).unwrap();
    let report = Report::new(&results);
    (page(&report, &Media::embed(&results, 0), None), markdown(&report))
}

/// The part of a text between two others.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = &text[text.find(from).unwrap_or_else(|| panic!("{from}: {text}"))..];
    &rest[..rest.find(to).unwrap_or(rest.len())]
}

#[test]
fn twenty_methods_have_rows_and_labels_for_as_many_as_fit() {
    let (page, markdown) = report(20, 1);
    let ends = between(&page, "class=\"ends\"", "</div>");
    assert_eq!(ends.matches("data-of=").count(), 13, "{ends}");
    assert!(ends.contains("and 7 below"), "{ends}");
    let table = between(&page, "<table class=\"overall\"", "</table>");
    assert!(table.contains("<th scope=\"col\">Method</th><th scope=\"col\">Hopper</th>"), "{table}");
    assert_eq!(table.matches("<th scope=\"row\">").count(), 20, "{table}");
    // m2 comes before m10.
    let place = |method: &str| table.find(&format!(">{method}</th>")).unwrap();
    assert!(place("m1") < place("m2") && place("m2") < place("m10"), "{table}");
    assert!(markdown.contains("| Method | Hopper | Ant |"), "{markdown}");
}

#[test]
fn a_few_methods_have_columns() {
    let (page, _) = report(8, 1);
    let table = between(&page, "<table class=\"overall\"", "</table>");
    assert!(table.contains(">Task</th><th scope=\"col\">baseline</th>"), "{table}");
    assert_eq!(table.matches("<th scope=\"row\">").count(), 2, "{table}");
    assert!(!page.contains("data-keep=\"runs-"), "16 runs need no folds");
    assert!(!page.contains(" below</span>"));
}

#[test]
fn many_runs_are_folded_by_task_and_method_and_none_is_lost() {
    let (page, markdown) = report(3, 20);
    let runs = between(&page, "id=\"runs\"", "</section>");
    assert_eq!(runs.matches("20 runs, all finished, seeds 1 to 20<").count(), 6, "{runs}");
    assert_eq!(runs.matches("<tr><th scope=\"row\">").count(), 120);
    // Their seeds stay in view, because task and method stand above the rows.
    assert!(runs.contains("<thead><tr><th scope=\"col\">Seed</th>"), "{runs}");
    assert!(runs.contains("<tr><th scope=\"row\">20</th>"), "{runs}");
    assert!(!between(runs, "</h2>", "<details").contains("<table"), "no row is outside of a fold");
    assert_eq!(between(&markdown, "## Runs", "## Configuration").matches("\n| Hopper |").count(), 60);
    // With many methods, there is a fold for each task around them.
    let (page, _) = report(8, 4);
    let runs = between(&page, "id=\"runs\"", "</section>");
    assert!(runs.contains("data-keep=\"runs-Hopper\"") && runs.contains("32 runs of 8 methods"), "{runs}");
    assert_eq!(runs.matches("<tr><th scope=\"row\">").count(), 64);
}
