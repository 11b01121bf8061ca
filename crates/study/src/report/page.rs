//! The page: one HTML file that asks nothing of any network.
//!
//! Here: the structure of the page. Not here: its style (`page.css`), its script (`page.js`), the cells (`tables`).

use super::abscissa::Abscissa;
use super::chart::{any, chart};
use super::choices::choices;
use super::cost::{cautions, costs};
use super::curves::Which;
use super::fitted_fractions::fitted_fractions;
use super::folds;
use super::media::Media;
use super::pilots::pilots;
use super::run_tables;
use super::single_sources::single_sources;
use super::tables::{self, Cell, Table};
use super::wording::frames;
use super::{PlanOf, Report};
use crate::results::{ImageKind, RunResult};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The most rows of a table, or images of a gallery, that are shown without a frame to scroll in.
const LONGEST_TABLE: usize = 40;

/// The most rows of the table of costs that are shown without a fold.
const MOST_COSTS: usize = 12;

/// The most problems that the page lists.
const MOST_PROBLEMS: usize = 30;

/// The most methods whose buttons need no frame to scroll in, and none for all of them.
const FEW_METHODS: usize = 8;

/// Colours of methods, in light and in dark; the first is for a baseline. They are distinguishable for colour-blind
/// people, after Okabe and Ito.
const COLOURS: [(&str, &str); 8] = [
    ("#5f6b7a", "#a3aebd"),
    ("#0072b2", "#5cb3f0"),
    ("#d55e00", "#ff9147"),
    ("#00845f", "#2fcf9f"),
    ("#a8488f", "#e892d2"),
    ("#9a7400", "#e6c34d"),
    ("#4b45b5", "#a9a5ff"),
    ("#7d4a21", "#cfa077"),
];

/// The page of `report`, with its images. `live` is the state that it shows, if it comes from a server with later
/// states.
pub fn page(report: &Report<'_>, media: &Media, live: Option<&str>) -> String {
    let script_hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    let connect = if live.is_some() { "; connect-src 'self'; img-src 'self' data:" } else { "; img-src data:" };
    let policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; script-src \
         'sha256-{script_hash}'{connect}"
    );
    let title = format!("{}: {}", report.results.name, if live.is_some() { "live" } else { "report" });
    let document = html! {
        (DOCTYPE)
        html lang="en" data-live=[live] data-series="training" data-axis="frames" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ "dreamgraft " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) (PreEscaped(colours(report))) }
            }
            body {
                a.skip href="#curves" { "Skip to the curves" }
                (header(report, live.is_some()))
                main #main { (sections(report, media)) }
                footer { "Made by dreamgraft " (env!("CARGO_PKG_VERSION")) ". The page \"Reports\" of \
                    its documentation explains every statistic." }
                div #said .visually-hidden aria-live="polite" {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

/// Colours as variables, one for each method.
fn colours(report: &Report<'_>) -> String {
    let statistics = &report.statistics;
    // Grey is a baseline among others.
    let grey = statistics.methods.len() > 1 && statistics.baseline.as_ref() == statistics.methods.first();
    let offset = usize::from(!grey);
    let of = |index: usize| {
        let turn = index + offset;
        let place = if turn < COLOURS.len() { turn } else { 1 + (turn - 1) % (COLOURS.len() - 1) };
        let (light, dark) = COLOURS[place];
        let dash = match turn {
            0 => "7 4",
            turn if turn < COLOURS.len() => "none",
            turn if turn < 2 * COLOURS.len() => "3 3",
            _ => "9 3 2 3",
        };
        format!(".m{index}{{--c:light-dark({light},{dark});--dash:{dash}}}")
    };
    (0..statistics.methods.len()).map(of).collect()
}

fn header(report: &Report<'_>, live: bool) -> Markup {
    html! {
        header {
            div {
                p.kind {
                    @if live {
                        span.answers { "Live" } span.unreachable { "Not live: the server does not answer" } span.dot {}
                    } @else { "Study report" }
                }
                h1 { (report.results.name) }
                p.summary { (report.summary()) }
            }
            label.theme { "Theme "
                select #theme {
                    option value="" { "as the system" }
                    option value="light" { "light" }
                    option value="dark" { "dark" }
                }
            }
        }
    }
}

fn sections(report: &Report<'_>, media: &Media) -> Markup {
    let (statistics, results) = (&report.statistics, report.results);
    html! {
        section.callout aria-labelledby="seeds" {
            h2 #seeds { "What this page can and cannot show" }
            @for sentence in report.limits() { p { (sentence) } }
        }
        (problems(report))
        section aria-labelledby="curves" {
            h2 #curves { "Learning curves" }
            @let axes = report.axes();
            (controls(report, &axes))
            div.charts { @for task in &statistics.tasks { (chart(statistics, task, &axes)) } }
            @for axis in &axes {
                div.notes data-axis=(axis.name()) { @for sentence in report.axis_notes(*axis) { p.about { (sentence) } } }
            }
            @for sentence in report.missing_axes() { p.about { (sentence) } }
            p.about {
                "Mean over the runs that have reached this point of the axis; shaded: one standard deviation to each side. A run \
                 is divided into at most 50 equal intervals, and each point shows the mean of the episodes that ended \
                 in the interval before it. The dotted line is the return of random actions."
            }
        }
        section aria-labelledby="returns" {
            h2 #returns { "Returns" }
            @for it in [tables::overall(statistics), tables::last(statistics)] { (table(&it)) }
            @if report.unfinished() > 0 {
                p.about { "\u{2020} Includes runs that are not finished; these values will change." }
            }
            @for sentence in tables::about_published(statistics) { p.about { (sentence) } }
        }
        section aria-labelledby="robust" {
            h2 #robust { "Is the difference more than chance?" }
            @for it in [tables::interquartile_means(statistics), tables::improvements(statistics)] { (table(&it)) }
        }
        @let cost = costs(statistics);
        @if !cost.rows.is_empty() {
            section aria-labelledby="cost" {
                h2 #cost { "Cost" }
                @if cost.rows.len() <= MOST_COSTS { (table(&cost)) } @else {
                    details data-keep="cost" {
                        summary { "All methods" span.count { " " (super::wording::counted(cost.rows.len(), "row")) } }
                        (framed(&cost, MOST_COSTS))
                    }
                }
                @for sentence in cautions(results) { p.about { (sentence) } }
            }
        }
        @let transfer = [tables::transfers(statistics), single_sources(results), pilots(results), choices(results), run_tables::source_use(results), fitted_fractions(results)];
        @if transfer.iter().any(|it| !it.rows.is_empty()) {
            section aria-labelledby="transfer" {
                h2 #transfer { "Effect of transfer" }
                @for it in &transfer { (table(it)) }
            }
        }
        (plans(report))
        (images(report, media))
        section aria-labelledby="runs" {
            h2 #runs { "Runs" }
            (folds::of_runs(results, table))
        }
        section aria-labelledby="settings" {
            h2 #settings { "Configuration" }
            details data-keep="settings" {
                summary { "All settings" }
                (table(&Table { title: String::new(), ..run_tables::settings(results) }))
            }
            @if let Some(document) = &results.document {
                p.about { "SHA-256 of the study file: " code { (document) } }
            }
        }
    }
}

fn problems(report: &Report<'_>) -> Markup {
    let problems = report.problems();
    html! {
        @if !problems.is_empty() {
            section.callout.problems aria-labelledby="problems" {
                h2 #problems { "Files that could not be read" }
                ul { @for problem in problems.iter().take(MOST_PROBLEMS) { li { (problem) } } }
                @if problems.len() > MOST_PROBLEMS {
                    p.about {
                        "And " (super::wording::counted(problems.len() - MOST_PROBLEMS, "other"))
                        "; report.md lists all."
                    }
                }
            }
        }
    }
}

/// The controls of the curves.
fn controls(report: &Report<'_>, axes: &[Abscissa]) -> Markup {
    let statistics = &report.statistics;
    html! {
        div.controls role="group" aria-label="Methods and settings of the curves" {
            div.methods.many[statistics.methods.len() > FEW_METHODS] role="group" aria-label="Methods" {
                @if statistics.methods.len() > FEW_METHODS {
                    button type="button" data-every="true" { "all" }
                    button type="button" data-every="false" { "none" }
                }
                @for (index, method) in statistics.methods.iter().enumerate() {
                    button type="button" class=(format!("method m{index}")) data-toggle=(index) aria-pressed="true" {
                        svg.swatch viewBox="0 0 26 10" aria-hidden="true" { path.mean d="M1 5L25 5" {} }
                        (method)
                    }
                }
            }
            @if any(statistics, Which::Evaluation) {
                fieldset.series {
                    legend.visually-hidden { "Episodes" }
                    @for which in Which::ALL {
                        label {
                            input type="radio" name="series" value=(which.name()) checked[which == Which::Training];
                            span { (which.name()) }
                        }
                    }
                }
            }
            @if axes.len() > 1 {
                fieldset.series {
                    legend.visually-hidden { "Horizontal axis" }
                    @for axis in axes {
                        label {
                            input type="radio" name="axis" value=(axis.name()) checked[*axis == Abscissa::Frames];
                            span { (axis.label()) }
                        }
                    }
                }
            }
            label { input type="checkbox" data-show="band" checked; span { "deviation" } }
            label { input type="checkbox" data-show="run"; span { "single runs" } }
        }
    }
}

fn table(table: &Table) -> Markup {
    framed(table, LONGEST_TABLE)
}

/// The table, in a frame to scroll in if it has more than `most` rows.
fn framed(table: &Table, most: usize) -> Markup {
    if table.rows.is_empty() {
        return html! {};
    }
    let name = if table.title.is_empty() { table.id } else { &table.title };
    html! {
        @if !table.title.is_empty() { h3 { (table.title) } }
        @if !table.about.is_empty() { p.about { (table.about) } }
        div.scroll.long[table.rows.len() > most] tabindex="0" role="region" aria-label=(name) {
            table class=(table.id) {
                thead { tr { @for column in &table.columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 { th scope="row" { (cell_of(cell)) } } @else { td { (cell_of(cell)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell_of(cell: &Cell) -> Markup {
    html! {
        @if cell.code { code { (cell.text) } }
        @else if cell.best { strong { (cell.text) } }
        @else { (cell.text) }
        @if let Some(bar) = &cell.bar {
            span.bar aria-hidden="true" {
                @if let Some(interval) = bar.interval {
                    span.range style={ "left:" (percent(interval.low)) ";width:" (percent(interval.high - interval.low)) } {}
                }
                span.point style={ "left:" (percent(bar.value)) } {}
            }
        }
        @for note in &cell.notes { small { (note) } }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share.clamp(0.0, 1.0))
}

/// The plans of transfer, each once.
fn plans(report: &Report<'_>) -> Markup {
    let plans = report.plans();
    let each = plans.iter().enumerate();
    let each: Vec<_> = each.map(|(number, plan)| (run_tables::tasks_of(plan.runs[0]), plan_of(number, plan))).collect();
    html! {
        @if !each.is_empty() {
            section aria-labelledby="plans" {
                h2 #plans { "Transferred parameters" }
                (folds::under_headings("plans", each, "transfer", |all| html! { @for one in all { (one) } }))
            }
        }
    }
}

/// One of them.
fn plan_of(number: usize, plan: &PlanOf<'_>) -> Markup {
    html! {
        details data-keep=(format!("plan-{number}")) {
            summary {
                strong { (run_tables::tasks_of(plan.runs[0])) } ", " (plan.method)
                span.count { " " (plan.summary()) }
            }
            @let transfer = plan.transfer;
            ul.sources {
                @for source in &transfer.sources {
                    li {
                        code { (source.name) } ": " (source.provenance.tasks.join(", "))
                        @if let Some(trained) = source.provenance.frames { ", " (frames(trained as f64)) " frames" }
                        ", " code { (source.provenance.path.display()) }
                    }
                }
            }
            (table(&run_tables::plan(transfer)))
            @let totals = &transfer.totals;
            p.about {
                "In total: full " (frames(totals.full.numbers as f64)) " numbers, a fraction of "
                (frames(totals.fraction.numbers as f64)) ", interpolated "
                (frames(totals.interpolated.numbers as f64)) ", random " (frames(totals.random.numbers as f64))
                ", frozen " (frames(totals.frozen.numbers as f64)) ". Parameter by parameter: "
                code { "transfer.json" } " in the run\u{2019}s folder."
            }
        }
    }
}

/// Episodes and open-loop plots of the runs that are compared.
fn images(report: &Report<'_>, media: &Media) -> Markup {
    let results = report.results;
    let shown: Vec<(usize, &RunResult)> = results
        .runs
        .iter()
        .enumerate()
        .filter(|(_, run)| run.role == crate::manifest::Role::Target && !run.images.is_empty())
        .collect();
    let left_out = |index: usize, run: &RunResult| {
        let missing = |number: &usize| media.address(index, *number, 0).is_none();
        (0..run.images.len()).filter(missing).count()
    };
    let missing: usize = shown.iter().map(|(index, run)| left_out(*index, run)).sum();
    let each = shown.iter().filter(|(index, run)| left_out(*index, run) < run.images.len());
    let each = each.map(|(index, run)| (run_tables::tasks_of(run), of_run(*index, run, media))).collect();
    html! {
        @if !shown.is_empty() {
            section aria-labelledby="images" {
                h2 #images { "Videos and predictions" }
                p.about {
                    "The last evaluation of each run: an episode, and below it the first 50 steps as real images, as \
                     predictions of the world model, and as their error around grey. The model receives the first 5 \
                     images and predicts the others from the actions alone."
                    @if missing > 0 {
                        " " (super::wording::counted(missing, "image")) " are left out to keep this page small; they \
                            are in the run folders, in " code { "videos/" } "."
                    }
                }
                (folds::under_headings("images", each, "run", |all| html! { div.gallery.long[all.len() > LONGEST_TABLE] { @for one in all { (one) } } }))
            }
        }
    }
}

fn of_run(index: usize, run: &RunResult, media: &Media) -> Markup {
    // Embedded images are there; others are loaded when they become visible.
    let lazy = matches!(media, Media::Served).then_some("lazy");
    let known = run.images.iter().enumerate();
    let known = known.filter_map(|(number, it)| Some((it, media.address(index, number, it.frames)?)));
    html! {
        statistic.run-images {
            figcaption {
                strong { (run_tables::tasks_of(run)) } ", " (run.method) ", seed " (run.seed)
                small { "frame " (frames(run.images[0].frames as f64)) }
            }
            @for (image, address) in known {
                @match image.kind {
                    ImageKind::Episode => {
                        img.episode src=(address) width="192" height="192" loading=[lazy] decoding="async"
                            alt={ "An evaluation episode of " (image.task) ", animated" };
                    }
                    ImageKind::OpenLoop => {
                        div.scroll.film tabindex="0" role="region" aria-label={ "Open-loop prediction of " (image.task) } {
                            img src=(address) loading=[lazy] decoding="async"
                                alt={ "Rows: real images of " (image.task) ", predictions of the model, their error" };
                        }
                    }
                }
            }
        }
    }
}
