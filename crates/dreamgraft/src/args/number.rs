//! Numbers as they are typed, with their ranges.

/// A whole number as people write it, and as settings accept it: `100000`, `100_000` or `1e5`.
pub fn whole(typed: &str) -> Result<u64, String> {
    const MOST: u64 = i64::MAX as u64;
    number(typed)
        .filter(|number| *number <= MOST)
        .ok_or_else(|| format!("it must be a whole number from 0 to {MOST}, such as 7, 100_000 or 1e5"))
}

/// [`whole`], from `LOW` to `HIGH`.
pub fn whole_between<const LOW: u64, const HIGH: u64>(typed: &str) -> Result<u64, String> {
    number(typed)
        .filter(|number| (LOW..=HIGH).contains(number))
        .ok_or_else(|| format!("it must be a whole number from {LOW} to {HIGH}"))
}

/// [`whole_between`], as a size.
pub fn size_between<const LOW: u64, const HIGH: u64>(typed: &str) -> Result<usize, String> {
    let number = whole_between::<LOW, HIGH>(typed)?;
    usize::try_from(number).map_err(|error| error.to_string())
}

/// The number of a port.
pub fn port(typed: &str) -> Result<u16, String> {
    let number = whole_between::<0, 65_535>(typed)?;
    u16::try_from(number).map_err(|error| error.to_string())
}

fn number(typed: &str) -> Option<u64> {
    let digits = typed.trim().replace('_', "");
    if let Ok(number) = digits.parse::<u64>() {
        return Some(number);
    }
    let real = digits.parse::<f64>().ok()?;
    ((0.0..9e15).contains(&real) && real.fract() == 0.0).then_some(real as u64)
}
