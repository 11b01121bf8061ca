//! Numbers as people read them.

/// `1234567` as `1 234 567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number with a noun in singular or plural: `1 episode`, `2 episodes`, `1 234 episodes`.
pub fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with this many decimals. A number that rounds to zero is printed without a minus sign.
pub fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        _ => text,
    }
}

/// A number with four significant digits: `0.001234`, `12.35`, `12345`, and with an exponent if it is very large or small.
pub fn significant(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() {
        return format!("{value}");
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
    format!("{value:.decimals$}")
}

/// An amount of memory with one decimal, in the largest unit of which it is at least a tenth: `0.8 GB`, `7.0 MB`, `12 B`.
pub fn bytes(number: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.into_iter().find(|(_, size)| number as f64 >= size / 10.0) {
        Some((unit, size)) => format!("{:.1} {unit}", number as f64 / size),
        None => format!("{number} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn four_digits_are_significant() {
        for (value, text) in [
            (0.0, "0"),
            (0.0012345, "0.001234"),
            (1.0, "1.000"),
            (-27.1949, "-27.19"),
            (104765.3454, "104765"),
            (7.4e75, "7.400e75"),
            (2.5e-9, "2.500e-9"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(significant(value), text);
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(["0", "999", "1 000", "41 000", "1 234 567"], [0, 999, 1000, 41_000, 1_234_567].map(grouped)[..]);
    }

    #[test]
    fn one_is_not_several() {
        let counts = [0, 1, 1234].map(|number| counted(number, "episode"));
        assert_eq!(counts, ["0 episodes", "1 episode", "1 234 episodes"]);
    }

    #[test]
    fn no_rounded_number_is_minus_zero() {
        assert_eq!([-0.0, -0.4, -0.6, 0.4, f64::NAN].map(|value| rounded(value, 0)), ["0", "0", "-1", "0", "NaN"]);
        assert_eq!([-0.0004, -0.001, 12.3456].map(|value| rounded(value, 3)), ["0.000", "-0.001", "12.346"]);
    }

    #[test]
    fn small_amounts_have_small_units() {
        let amounts = [0, 12, 1_500, 6_990_000, 99_000_000, 801_600_000, 1_300_000_000];
        assert_eq!(amounts.map(bytes), ["0 B", "12 B", "1.5 kB", "7.0 MB", "99.0 MB", "0.8 GB", "1.3 GB"]);
    }

    proptest! {
        #[test]
        fn grouping_only_adds_spaces(number: u64) {
            prop_assert_eq!(grouped(number).replace(' ', ""), number.to_string());
        }
    }
}
