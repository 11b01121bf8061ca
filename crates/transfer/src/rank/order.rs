//! The order of candidates: the mean of their ranks by three scores.

use super::Ranked;

/// Sorts rows by the mean of their ranks by image, by prediction 15 steps ahead, and by reward; equal ones by name. A rank counts
/// the rows that are better, and half of those that are equal, from 1. A score that is missing comes last.
pub fn order(mut rows: Vec<Ranked>) -> Vec<Ranked> {
    let worst_last = |value: Option<f64>| value.filter(|value| !value.is_nan()).unwrap_or(f64::INFINITY);
    let keys: Vec<[f64; 3]> = rows
        .iter()
        .map(|row| {
            let scores = &row.scores;
            [worst_last(scores.image), worst_last(scores.ahead[1]), worst_last(scores.reward.map(|reward| -reward))]
        })
        .collect();
    let rank = |index: usize, score: usize| {
        let own = keys[index][score];
        let better = keys.iter().filter(|keys| keys[score] < own).count();
        let equal = keys.iter().filter(|keys| keys[score] == own).count() - 1;
        1.0 + better as f64 + 0.5 * equal as f64
    };
    for (index, row) in rows.iter_mut().enumerate() {
        row.rank = (0..3).map(|score| rank(index, score)).sum::<f64>() / 3.0;
    }
    rows.sort_by(|a, b| a.rank.total_cmp(&b.rank).then_with(|| a.name.cmp(&b.name)));
    rows
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;

    #[test]
    fn the_mean_of_ranks_decides() {
        let rows = vec![row("a", 0.9, 0.9, 0.1), row("b", 0.2, 0.3, 0.9), row("c", 0.1, 0.8, 0.5)];
        let ordered = order(rows);
        let found: Vec<(&str, f64)> = ordered.iter().map(|row| (row.name.as_str(), row.rank)).collect();
        assert_eq!(found, [("b", 4.0 / 3.0), ("c", 5.0 / 3.0), ("a", 3.0)]);
    }

    #[test]
    fn missing_and_undefined_scores_come_last_and_equal_rows_are_in_the_order_of_their_names() {
        let mut without = row("a", 0.1, f64::NAN, 0.5);
        without.scores.reward = None;
        let ordered = order(vec![row("z", 0.1, 0.1, 0.5), row("y", 0.1, 0.1, 0.5), without]);
        assert_eq!(ordered.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["y", "z", "a"]);
    }
}
