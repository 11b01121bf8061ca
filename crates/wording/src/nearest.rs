//! The known name that is most like a mistyped one: the rule behind every "did you mean".

/// How different two names are: the number of letters to insert, delete, replace or exchange with a neighbour.
pub fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

/// The one of `known` that is most like `typed`, by edit distance; the first of equals. `None` if none is like it.
///
/// Dotted paths are compared whole and by their last part, so that `horizon` finds `agent.horizon`. A name that contains all that
/// was typed, or a part of a longer text that was typed, is like it as well.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = last_part(typed).chars().count();
    let contained =
        |known: &str| letters >= 4 && known.contains(last_part(typed)) || known.len() >= 4 && typed.contains(known);
    let measured = known.map(|candidate| {
        let whole = distance(typed, candidate);
        let last = distance(last_part(typed), last_part(candidate));
        let distance = whole.min(last + usize::from(last_part(candidate) != candidate));
        (!contained(candidate), distance, whole, candidate)
    });
    let (apart, distance, _, found) = measured.min_by_key(|(apart, distance, whole, _)| (*apart, *distance, *whole))?;
    (distance <= 2.max(letters / 3).min(letters.saturating_sub(1)) || !apart).then_some(found)
}

/// The end of a message about an unknown name, after the fault: `; did you mean "hopper"?`, or only a full stop.
pub fn did_you_mean(nearest: &str) -> String {
    if nearest.is_empty() { ".".to_owned() } else { format!("; did you mean {nearest:?}?") }
}

fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_like_none_has_no_nearest() {
        let tasks = ["ant", "half-cheetah", "hopper", "inverted-pendulum-swingup", "walker2d"];
        for (typed, expected) in [
            ("Pendulum-v1", None),
            ("hoper", Some("hopper")),
            ("pendulum", Some("inverted-pendulum-swingup")),
            ("walker2d-v4", Some("walker2d")),
            ("an", Some("ant")),
            ("xyz", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, tasks.into_iter()), expected, "{typed}");
        }
        assert_eq!(nearest("randm", ["random", "zero"].into_iter()), Some("random"));
        assert_eq!(nearest("foo", ["seed", "steps"].into_iter()), None);
    }

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
