//! The range of returns that the actor's objective divides by.

use super::case::{Case, Results};
use tape::{follow, percentiles, range_divisor};

/// Checks the constants of ranges.
pub fn check(case: &Case) -> Result<(), String> {
    case.fixed(&[("ret_low", 5.0), ("ret_high", 95.0), ("ret_limit", 1.0)])
}

/// Several updates in a row.
pub fn updates(case: &Case) -> Result<Results, String> {
    check(case)?;
    let mut results = Results::default();
    let count = case.shape("returns")?[0];
    let (returns, rate) = (case.numbers("returns")?, case.number("ret_rate")?);
    let mut range = [case.scalar("low")?, case.scalar("high")?];
    let names = ["scale_before", "percentile_low", "percentile_high", "low", "high", "scale_after"];
    let mut columns = [const { Vec::new() }; 6];
    for returns in returns.chunks_exact(returns.len() / count) {
        let before = range_divisor(&range);
        let found = percentiles(&mut returns.to_vec());
        follow(&mut range, &found, rate);
        let row = [before, found[0], found[1], range[0], range[1], range_divisor(&range)];
        columns.iter_mut().zip(row).for_each(|(column, number)| column.push(number));
    }
    names.into_iter().zip(columns).for_each(|(name, column)| results.put(name, &[count], column));
    Ok(results)
}
