//! The report as Markdown: the text and tables of the page, without plots and images.

use super::Report;
use super::choices::choices;
use super::cost::{cautions, costs};
use super::fitted_fractions::fitted_fractions;
use super::pilots::pilots;
use super::run_tables;
use super::single_sources::single_sources;
use super::tables::{self, Cell, Table};
use super::wording::frames;
use std::fmt::Write as _;

/// The report as Markdown.
pub fn markdown(report: &Report<'_>) -> String {
    let (statistics, results) = (&report.statistics, report.results);
    let mut text = format!("# {}\n\n{}\n", escaped(&results.name), escaped(&report.summary()));
    heading(&mut text, "What this page can and cannot show");
    report.limits().iter().for_each(|sentence| paragraph(&mut text, sentence));
    let problems = report.problems();
    if !problems.is_empty() {
        heading(&mut text, "Files that could not be read");
        problems.iter().for_each(|problem| put(&mut text, &format!("- {}", escaped(problem))));
    }
    heading(&mut text, "Returns");
    table(&mut text, &tables::overall(statistics));
    table(&mut text, &tables::last(statistics));
    if report.unfinished() > 0 {
        paragraph(&mut text, "\u{2020} Includes runs that are not finished; these values will change.");
    }
    tables::about_published(statistics).iter().for_each(|sentence| paragraph(&mut text, sentence));
    heading(&mut text, "Is the difference more than chance?");
    table(&mut text, &tables::interquartile_means(statistics));
    table(&mut text, &tables::improvements(statistics));
    let cost = costs(statistics);
    if !cost.rows.is_empty() {
        heading(&mut text, "Cost");
        table(&mut text, &cost);
        cautions(results).iter().for_each(|sentence| paragraph(&mut text, sentence));
    }
    let transfer = [
        tables::transfers(statistics),
        single_sources(results),
        pilots(results),
        choices(results),
        run_tables::source_use(results),
        fitted_fractions(results),
    ];
    if transfer.iter().any(|table| !table.rows.is_empty()) {
        heading(&mut text, "Effect of transfer");
        transfer.iter().for_each(|it| table(&mut text, it));
    }
    let plans = report.plans();
    if !plans.is_empty() {
        heading(&mut text, "Transferred parameters");
    }
    for plan in plans {
        let run = plan.runs[0];
        let title = format!("{}, {}, {}", run_tables::tasks_of(run), plan.method, plan.summary());
        put(&mut text, &format!("\n### {}\n", escaped(&title)));
        for source in &plan.transfer.sources {
            let trained = source.provenance.frames.map(|trained| format!(", {} frames", frames(trained as f64)));
            let line =
                format!("{}: {}{}", source.name, source.provenance.tasks.join(", "), trained.unwrap_or_default());
            put(&mut text, &format!("- {}", escaped(&line)));
        }
        table(&mut text, &Table { title: String::new(), ..run_tables::plan(plan.transfer) });
    }
    heading(&mut text, "Runs");
    table(&mut text, &Table { title: String::new(), ..run_tables::runs(&results.runs) });
    heading(&mut text, "Configuration");
    table(&mut text, &Table { title: String::new(), ..run_tables::settings(results) });
    if let Some(document) = &results.document {
        paragraph(&mut text, &format!("SHA-256 of the study file: {document}"));
    }
    paragraph(&mut text, &format!("Made by dreamgraft {}.", env!("CARGO_PKG_VERSION")));
    text
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string");
}

fn heading(text: &mut String, words: &str) {
    put(text, &format!("\n## {words}"));
}

fn paragraph(text: &mut String, words: &str) {
    put(text, &format!("\n{}", escaped(words)));
}

fn table(text: &mut String, table: &Table) {
    if table.rows.is_empty() {
        return;
    }
    if !table.title.is_empty() {
        put(text, &format!("\n### {}", escaped(&table.title)));
    }
    paragraph(text, &table.about);
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    put(text, &format!("\n{}", row(table.columns.iter().map(|column| escaped(column)).collect())));
    put(text, &row(vec!["---".to_owned(); table.columns.len()]));
    for cells in &table.rows {
        put(text, &row(cells.iter().map(cell).collect()));
    }
}

fn cell(cell: &Cell) -> String {
    let mut words = if cell.best { format!("**{}**", escaped(&cell.text)) } else { escaped(&cell.text) };
    for note in &cell.notes {
        words.push_str(&format!("<br>{}", escaped(note)));
    }
    words
}

/// Escapes text for Markdown and embedded HTML, on one line.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => text.extend(['\\', letter]),
            letter if letter.is_control() => text.push(' '),
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("a|b\n<script>*x*"), "a\\|b &lt;script&gt;\\*x\\*");
    }
}
