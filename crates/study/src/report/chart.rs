//! Plots of learning curves, which stretch to any width while their labels keep their size.
//!
//! Lines and bands are SVG in a box of 1000 by 1000, stretched; axes and labels are text next to it, so that they stay
//! legible on a telephone. The values for pointer and keys are embedded as JSON. Not here: the script that reads them.

use super::abscissa::{Abscissa, Unit};
use super::axis::Axis;
use super::curves::{Curves, Plot, Which};
use super::published::title;
use super::report_statistics::ReportStatistics;
use super::task_statistics::TaskStatistics;
use super::wording::{spread, tick, value};
use maud::{Markup, PreEscaped, html};
use serde_json::json;

/// Side of the box that is drawn in.
const BOX: f64 = 1000.0;

/// The least distance of two labels at the ends of curves, as a share of the plot's height.
const LABEL: f64 = 0.075;

/// The place from which on a tick is the last of the horizontal axis: on a telephone, its label leans to the left.
const LAST: f64 = 0.95;

/// The most labels at the ends of curves: as many as fit, with one place for the number of the others.
const MOST_LABELS: usize = 13;

/// The label of the vertical axis.
fn returns(which: Which) -> &'static str {
    match which {
        Which::Training => "return of a training episode",
        Which::Evaluation => "return of an evaluation episode",
    }
}

/// Whether any curve of these is there to draw.
pub fn any(statistics: &ReportStatistics, which: Which) -> bool {
    statistics.tasks.iter().flat_map(|task| &task.plots).any(|plot| plot.which == which && !plot.is_empty())
}

/// The learning curves of a task, over each of these axes.
pub fn chart(statistics: &ReportStatistics, task: &TaskStatistics, axes: &[Abscissa]) -> Markup {
    html! {
        figure.chart {
            figcaption { (title(&task.task)) }
            @for plot in task.plots.iter().filter(|plot| axes.contains(&plot.abscissa)) {
                div.panel data-series=(plot.which.name()) data-axis=(plot.abscissa.name()) { (panel(statistics, task, plot)) }
            }
        }
    }
}

fn panel(statistics: &ReportStatistics, task: &TaskStatistics, plot: &Plot) -> Markup {
    if plot.is_empty() {
        return html! {
            p.empty {
                "No " (plot.which.name()) " returns"
                @if plot.abscissa != Abscissa::Frames { " over " (plot.abscissa.label()) }
                " yet."
            }
        };
    }
    let unit = plot.abscissa.unit(plot.end);
    let x = Axis::new([0.0, plot.end / unit.size].into_iter(), 5, false);
    let values = plot.drawn().flat_map(|(_, curves)| {
        let ends = curves.band.iter().flat_map(|band| {
            let half = band.deviation.unwrap_or(0.0);
            [band.mean - half, band.mean + half]
        });
        ends.chain(curves.runs.iter().flatten().map(|(_, value)| *value)).collect::<Vec<_>>()
    });
    let y = Axis::new(values, 5, true);
    let sentence = sentence(statistics, task, plot, &unit);
    let percent = |share: f64| format!("{:.2}%", 100.0 * share);
    html! {
        div.ytitle { (returns(plot.which)) }
        div.plot tabindex="0" role="group" aria-roledescription="chart" aria-label=(sentence) {
            div.ys aria-hidden="true" {
                @for at in &y.ticks { span style={ "top:" (percent(1.0 - y.place(*at))) } { (tick(*at)) } }
            }
            div.canvas {
                svg viewBox={ "0 0 " (BOX) " " (BOX) } preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                    @for at in &y.ticks {
                        @let place = BOX * (1.0 - y.place(*at));
                        line.grid.zero[*at == 0.0] x1="0" x2=(BOX) y1=(round(place)) y2=(round(place)) {}
                    }
                    @if let Some(random) = task.random.filter(|random| (y.low..=y.high).contains(random)) {
                        @let place = round(BOX * (1.0 - y.place(random)));
                        line.random x1="0" x2=(BOX) y1=(place) y2=(place) {}
                    }
                    @for (index, curves) in plot.drawn() { (curves_of(statistics, index, curves, unit.size, &x, &y)) }
                }
                div.cross hidden {}
            }
            div.xs aria-hidden="true" {
                @for at in &x.ticks { span.last[x.place(*at) > LAST] style={ "left:" (percent(x.place(*at))) } { (tick(*at)) } }
            }
            div.ends aria-hidden="true" {
                @for (label, place) in ends(plot, &y) {
                    @match label {
                        Label::Method(index) => {
                            span class=(format!("of m{index}")) data-of=(index) style={ "top:" (percent(place)) } {
                                (statistics.methods[index])
                            }
                        }
                        Label::Others(count) => {
                            span.others style={ "top:" (percent(place)) } { "and " (count) " below" }
                        }
                    }
                }
            }
            div.tip hidden {}
            script type="application/json" { (PreEscaped(data(plot, &unit))) }
        }
        div.xtitle aria-hidden="true" { (unit.title) }
    }
}

/// A method's band, runs and mean. `x` is in units of this size.
fn curves_of(statistics: &ReportStatistics, index: usize, curves: &Curves, size: f64, x: &Axis, y: &Axis) -> Markup {
    let at = |spent: f64, value: f64| {
        format!("{} {}", round(BOX * x.place(spent / size)), round(BOX * (1.0 - y.place(value))))
    };
    let path = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        let places: Vec<String> = points.map(|(frames, value)| at(frames, value)).collect();
        format!("M{}", places.join("L"))
    };
    let wide: Vec<_> = curves.band.iter().filter_map(|band| Some((band, band.deviation?))).collect();
    let upper = wide.iter().map(|(band, half)| (band.frames, band.mean + half));
    let lower = wide.iter().rev().map(|(band, half)| (band.frames, band.mean - half));
    let class = |kind: &str| format!("{kind} of m{index}");
    html! {
        g data-of=(index) class="of" data-name=(statistics.methods[index]) {
            @if wide.len() > 1 { path class=(class("band")) d={ (path(&mut upper.chain(lower))) "Z" } {} }
            @for run in &curves.runs { path class=(class("run")) d=(path(&mut run.iter().copied())) {} }
            path class=(class("mean")) d=(path(&mut curves.band.iter().map(|band| (band.frames, band.mean)))) {}
        }
    }
}

fn round(number: f64) -> f64 {
    (10.0 * number).round() / 10.0
}

/// A label at the end of curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    /// Of this method.
    Method(usize),
    /// As many methods with lower returns, for which there is no place.
    Others(usize),
}

/// The positions of the labels at the ends of the curves: 0 at the top, 1 at the bottom; none upon another. Of many
/// methods, those with the highest returns.
fn ends(plot: &Plot, y: &Axis) -> Vec<(Label, f64)> {
    let last =
        |(index, curves): (usize, &Curves)| Some((Label::Method(index), 1.0 - y.place(curves.band.last()?.mean)));
    placed(plot.drawn().filter_map(last).collect())
}

/// The labels, moved so that none stands upon another or outside.
fn placed(mut labels: Vec<(Label, f64)>) -> Vec<(Label, f64)> {
    labels.sort_by(|a, b| a.1.total_cmp(&b.1));
    // One label more would need no more space than the number of the others.
    if labels.len() > MOST_LABELS + 1 {
        let others = labels.split_off(MOST_LABELS);
        labels.push((Label::Others(others.len()), others[0].1));
    }
    for index in 1..labels.len() {
        labels[index].1 = labels[index].1.max(labels[index - 1].1 + LABEL);
    }
    // Labels that were pushed below the bottom move back, and push the others up.
    let mut limit = 1.0;
    for (_, place) in labels.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - LABEL;
    }
    labels
}

/// A description of the chart.
fn sentence(statistics: &ReportStatistics, task: &TaskStatistics, plot: &Plot, unit: &Unit) -> String {
    let ends = plot.drawn().filter_map(|(index, curves)| {
        let last = curves.band.last()?;
        Some(format!("{} {} at {}", statistics.methods[index], value(last.mean), unit.text(last.frames)))
    });
    let ends: Vec<String> = ends.collect();
    format!(
        "{}, {} returns over {}: {}. The left and right arrow keys move along the curve.",
        title(&task.task),
        plot.which.name(),
        unit.title,
        ends.join("; ")
    )
}

/// The values that the script shows for each interval: mean, deviation and number of runs of each method, as text.
fn data(plot: &Plot, unit: &Unit) -> String {
    let pieces = plot.pieces;
    let methods: Vec<_> = plot
        .drawn()
        .map(|(index, curves)| {
            let mut cells = vec![serde_json::Value::Null; pieces];
            for band in &curves.band {
                let piece = (band.frames / plot.end * pieces as f64).round() as usize;
                if let Some(cell) = piece.checked_sub(1).and_then(|piece| cells.get_mut(piece)) {
                    *cell = json!([spread(band.mean, band.deviation), band.runs, band.mean]);
                }
            }
            json!({ "of": index, "at": cells })
        })
        .collect();
    let places: Vec<String> = (1..=pieces).map(|piece| unit.number(plot.end * piece as f64 / pieces as f64)).collect();
    in_script(&json!({ "unit": [unit.before, unit.after], "places": places, "methods": methods }).to_string())
}

/// JSON in which no browser finds the end of the surrounding script.
pub fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stay_in_the_plot_and_apart_however_many_methods_there_are() {
        for count in 1..60 {
            for lows in [0.0, 0.5, 0.99] {
                let labels = (0..count).map(|index| (Label::Method(index), lows + 0.01 * index as f64 / count as f64));
                let placed = placed(labels.collect());
                assert!(placed.iter().all(|(_, place)| (-1e-9..=1.0).contains(place)), "{count}: {placed:?}");
                assert!(placed.windows(2).all(|pair| pair[1].1 - pair[0].1 > LABEL - 1e-9), "{count}: {placed:?}");
                let named = |label: &Label| if let Label::Others(count) = label { *count } else { 1 };
                assert_eq!(placed.iter().map(|(label, _)| named(label)).sum::<usize>(), count);
            }
        }
        assert_eq!(placed(vec![(Label::Method(0), 0.25)]), [(Label::Method(0), 0.25)]);
    }
}
