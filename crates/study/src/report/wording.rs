//! Numbers as people read them.

use crate::statistics::Estimate;

/// The text in place of a missing value.
pub const NONE: &str = "\u{2013}";

/// A number with a true minus sign.
fn signed(text: String) -> String {
    text.replace('-', "\u{2212}")
}

/// Digits after the point that suit numbers of this size.
fn digits(size: f64) -> usize {
    match size.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    }
}

/// A number with so many digits after the point.
fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    // Rounding may leave the sign of nothing.
    let nothing = text.strip_prefix('-').filter(|rest| rest.chars().all(|letter| "0.".contains(letter)));
    signed(nothing.map_or(text.clone(), str::to_owned))
}

/// A return: `1490`, `-12.5`, `0.12`.
pub fn value(value: f64) -> String {
    fixed(value, digits(value))
}

/// `1490 ± 441`, or the mean alone of a single run.
pub fn spread(mean: f64, deviation: Option<f64>) -> String {
    let Some(deviation) = deviation else { return value(mean) };
    let digits = digits(mean.abs().max(deviation));
    format!("{} \u{b1} {}", fixed(mean, digits), fixed(deviation, digits))
}

/// `0.72 [0.44, 0.94]`, each number as `number` writes it.
pub fn estimate(estimate: &Estimate, number: impl Fn(f64) -> String) -> String {
    match &estimate.interval {
        Some(interval) => format!("{} [{}, {}]", number(estimate.value), number(interval.low), number(interval.high)),
        None => number(estimate.value),
    }
}

/// Digits that suit all three numbers of an estimate.
fn digits_of(estimate: &Estimate) -> usize {
    let ends = estimate.interval.map_or(0.0, |interval| interval.low.abs().max(interval.high.abs()));
    digits(ends.max(estimate.value.abs()))
}

/// `240 [226, 266]`.
pub fn estimated_return(of: &Estimate) -> String {
    let digits = digits_of(of);
    estimate(of, |value| fixed(value, digits))
}

/// `+65 [-39, +95]`.
pub fn estimated_difference(of: &Estimate) -> String {
    let digits = digits_of(of);
    estimate(of, |value| {
        let text = fixed(value, digits);
        if value > 0.0 { format!("+{text}") } else { text }
    })
}

/// A share as `0.72`.
pub fn share(value: f64) -> String {
    format!("{value:.2}")
}

/// A change as `+12 %`.
pub fn change(value: f64) -> String {
    let text = format!("{:+.0}", 100.0 * value);
    let text = if text == "-0" { "+0".to_owned() } else { text };
    format!("{}\u{a0}%", signed(text))
}

/// Frames as `120 000`.
pub fn frames(frames: f64) -> String {
    grouped(frames.max(0.0).round() as u64)
}

/// `120 000`, its groups held together.
pub fn grouped(number: u64) -> String {
    ::wording::grouped(number).replace(' ', "\u{a0}")
}

/// A tick of an axis: `0`, `250k`, `1.5M`.
pub fn tick(number: f64) -> String {
    let scaled = |scale: f64, unit: &str| {
        let text = format!("{:.2}", number / scale);
        signed(format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.')))
    };
    match number.abs() {
        size if size >= 1e6 => scaled(1e6, "M"),
        size if size >= 1e4 => scaled(1e3, "k"),
        _ => scaled(1.0, ""),
    }
}

/// A time: `45 s`, `12 min`, `3 h 20 min`.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..=99 => format!("{seconds}\u{a0}s"),
        100..=5999 => format!("{}\u{a0}min", (seconds + 30) / 60),
        _ => format!("{}\u{a0}h {}\u{a0}min", grouped((seconds + 30) / 3600), (seconds + 30) % 3600 / 60),
    }
}

/// Hours as `3.25`, or of less than a tenth with two digits that count: `0.0047`; with a deviation `3.25 ± 0.12`.
pub fn hours(mean: f64, deviation: Option<f64>) -> String {
    let largest = mean.abs().max(deviation.unwrap_or(0.0));
    let digits = if largest >= 0.1 || largest <= 0.0 {
        digits(largest)
    } else {
        (1.0 - largest.log10().floor()).clamp(2.0, 9.0) as usize
    };
    let mean = fixed(mean, digits);
    deviation.map_or(mean.clone(), |deviation| format!("{mean} \u{b1} {}", fixed(deviation, digits)))
}

/// `1 run`, `2 runs`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(count as u64), if count == 1 { "" } else { "s" })
}

/// `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Interval;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!([1490.4, -12.54, 0.123, -0.001].map(value), ["1490", "\u{2212}12.5", "0.12", "0.00"]);
        assert_eq!(
            (spread(1490.0, Some(441.2)), spread(-3.0, None)),
            ("1490 \u{b1} 441".into(), "\u{2212}3.00".into())
        );
        let wide = Estimate { value: 0.5, interval: Some(Interval { low: 0.25, high: 1.0 }) };
        assert_eq!(estimate(&wide, share), "0.50 [0.25, 1.00]");
        assert_eq!([0.123, -0.001, -0.5].map(change), ["+12\u{a0}%", "+0\u{a0}%", "\u{2212}50\u{a0}%"]);
        let wide = Estimate { value: 48.62, interval: Some(Interval { low: -10.8, high: 101.4 }) };
        assert_eq!(estimated_return(&wide), "49 [\u{2212}11, 101]");
        assert_eq!(estimated_difference(&wide), "+49 [\u{2212}11, +101]");
        assert_eq!(spread(-2.09, Some(14.6)), "\u{2212}2.1 \u{b1} 14.6");
        assert_eq!([0, 12, 1234, 1_234_567].map(grouped), ["0", "12", "1\u{a0}234", "1\u{a0}234\u{a0}567"]);
        assert_eq!([0.0, 250_000.0, 1.5e6, -800.0, 0.25].map(tick), ["0", "250k", "1.5M", "\u{2212}800", "0.25"]);
        assert_eq!([45.2, 754.0, 12_000.0].map(duration), ["45\u{a0}s", "13\u{a0}min", "3\u{a0}h 20\u{a0}min"]);
        assert_eq!((hours(3.25, Some(0.125)), hours(0.0, None)), ("3.25 \u{b1} 0.12".into(), "0.00".into()));
        assert_eq!((hours(0.0047, None), hours(0.004, Some(0.02))), ("0.0047".into(), "0.004 \u{b1} 0.020".into()));
        assert_eq!((counted(1, "run"), counted(2, "run")), ("1 run".into(), "2 runs".into()));
        let words = ["a", "b", "c"].map(str::to_owned);
        assert_eq!((listed(&words[..1]), listed(&words)), ("a".into(), "a, b and c".into()));
    }
}
