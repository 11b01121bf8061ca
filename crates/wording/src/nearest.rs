//! The known name that is most like a mistyped one: the rule behind every "did you mean".

/// How different two names are: the number of letters to insert, delete, replace or exchange with a neighbour.
pub fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

/// The one of `known` that is most like `typed`, by edit distance; the first of equals. `None` if nothing is known.
///
/// Dotted paths are compared whole and by their last part, so that `horizon` finds `agent.horizon`.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|candidate| {
        let whole = distance(typed, candidate);
        let last = distance(last_part(typed), last_part(candidate));
        (whole.min(last + usize::from(last_part(candidate) != *candidate)), whole)
    })
}

fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_and_misplaced_keys_find_their_own() {
        let known = ["steps", "schedule.train_every", "agent.horizon", "agent.length", "replay.budget"];
        for (typed, expected) in [
            ("agent.horison", "agent.horizon"),
            ("horizon", "agent.horizon"),
            ("schedule.trainevery", "schedule.train_every"),
            ("replay.budgte", "replay.budget"),
            ("step", "steps"),
            ("schedule.length", "agent.length"),
        ] {
            assert_eq!(nearest(typed, known.into_iter()), Some(expected), "{typed}");
        }
    }
}
