//! Draws learning curves: `cargo run --release -p dreamgraft-tools --bin curves -- OUT.svg METRIC RUN... [--no-mean]`, where RUN is a folder
//! that holds a `metrics.jsonl`. One line a run, and their mean where all have a value, over environment frames; without the
//! mean, runs that are not seeds of the same.

#![allow(clippy::print_stderr, reason = "a program prints")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Size of the plot and of its margins: left, right, top, bottom.
const SIZE: (f64, f64) = (760.0, 440.0);
const MARGIN: (f64, f64, f64, f64) = (70.0, 35.0, 40.0, 55.0);
const COLOURS: [&str; 6] = ["#3b6fb6", "#c8553d", "#4f9d69", "#8a63b3", "#b8860b", "#4b5563"];

/// A run's name and its points: environment frames and the metric's value.
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

fn main() -> ExitCode {
    let (options, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if options.iter().any(|option| option != "--no-mean") {
        return usage();
    }
    let with_mean = options.is_empty();
    let [out, metric, runs @ ..] = arguments.as_slice() else { return usage() };
    if runs.is_empty() {
        return usage();
    }
    let curves: Result<Vec<Curve>, String> = runs.iter().map(|run| read(Path::new(run), metric)).collect();
    let write = |curves: Vec<Curve>| {
        std::fs::write(out, draw(&curves, metric, with_mean)).map_err(|error| format!("{out}: {error}"))
    };
    match curves.and_then(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: curves OUT.svg METRIC RUN... [--no-mean]");
    ExitCode::from(2)
}

fn read(run: &Path, metric: &str) -> Result<Curve, String> {
    let path = run.join("metrics.jsonl");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut points = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |why: String| format!("{}:{}: {why}", path.display(), number + 1);
        let line: serde_json::Value = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let step = line["step"].as_f64().ok_or_else(|| wrong("a line without step".to_owned()))?;
        points.extend(line[metric].as_f64().map(|value| (step, value)));
    }
    if points.is_empty() {
        return Err(format!("{}: no line has a number {metric:?}", path.display()));
    }
    let name = run.file_name().map_or_else(|| run.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(Curve { name, points })
}

/// Values at the frames that all curves share, averaged.
fn mean(curves: &[Curve]) -> Vec<(f64, f64)> {
    let at = |curve: &Curve, step: f64| curve.points.iter().find(|point| point.0 == step).map(|point| point.1);
    let shared = curves[0].points.iter().filter_map(|&(step, _)| {
        let values: Option<Vec<f64>> = curves.iter().map(|curve| at(curve, step)).collect();
        values.map(|values| (step, values.iter().sum::<f64>() / values.len() as f64))
    });
    shared.collect()
}

/// A round step that cuts `span` into about five.
fn tick(span: f64) -> f64 {
    let power = 10f64.powf((span / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&step| span / step <= 6.0).unwrap_or(span)
}

fn draw(curves: &[Curve], metric: &str, with_mean: bool) -> String {
    let with_mean = with_mean && curves.len() > 1;
    let all = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let (low, high) = all().fold((f64::MAX, f64::MIN), |(low, high), (_, y)| (low.min(y), high.max(y)));
    let last = all().fold(1.0, |most: f64, (x, _)| most.max(x));
    // A span that f64 cannot cut at these heights would never end.
    let step = tick((high - low).max(1e-6 * low.abs().max(high.abs())).max(1e-9));
    let (low, high) = ((low / step).floor() * step, ((high / step).ceil() * step).max(low + step));
    let (left, right, top, bottom) = MARGIN;
    let x = |value: f64| left + value / last * (SIZE.0 - left - right);
    let y = |value: f64| SIZE.1 - bottom - (value - low) / (high - low) * (SIZE.1 - top - bottom);

    let mut svg = String::new();
    let mut put = |line: String| writeln!(svg, "{line}").expect("writing to a string");
    put(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="13">"#,
        SIZE.0, SIZE.1
    ));
    put(r#"<rect width="100%" height="100%" fill="white"/>"#.to_owned());
    let mut value = low;
    while value <= high + step / 2.0 {
        let (at, end) = (y(value), SIZE.0 - right);
        put(format!(r##"<line x1="{left}" x2="{end}" y1="{at:.1}" y2="{at:.1}" stroke="#ddd"/>"##));
        put(format!(r#"<text x="{}" y="{:.1}" text-anchor="end">{value}</text>"#, left - 8.0, at + 4.0));
        value += step;
    }
    let step = tick(last);
    let mut value = 0.0;
    while value <= last {
        let at = SIZE.1 - bottom + 20.0;
        put(format!(r#"<text x="{:.1}" y="{at}" text-anchor="middle">{value}</text>"#, x(value)));
        value += step;
    }
    let (middle, under) = (SIZE.0 / 2.0, SIZE.1 - 12.0);
    put(format!(r#"<text x="{middle}" y="{under}" text-anchor="middle">environment frames</text>"#));
    put(format!(r#"<text x="{left}" y="22" font-size="15">{metric}</text>"#));
    let mut line = |points: &[(f64, f64)], colour: &str, width: f64| {
        let path: Vec<String> = points.iter().map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b))).collect();
        put(format!(r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#, path.join(" ")));
    };
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        line(&curve.points, colour, 1.5);
    }
    if with_mean {
        line(&mean(curves), "black", 3.0);
    }
    let names = curves.iter().map(|curve| curve.name.as_str()).zip(COLOURS.iter().cycle().copied());
    let legend = names.chain(with_mean.then_some(("mean", "black")));
    for (row, (name, colour)) in legend.enumerate() {
        let at = SIZE.1 - bottom - 14.0 - 18.0 * row as f64;
        put(format!(r#"<text x="{}" y="{at}" text-anchor="end" fill="{colour}">{name}</text>"#, SIZE.0 - right - 8.0));
    }
    put("</svg>".to_owned());
    svg
}
