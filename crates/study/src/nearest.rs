//! The known name most like a mistyped one.

/// The one of `known` that is most like `typed`, by edit distance; the first of equals. `None` if nothing is known.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|candidate| strsim::damerau_levenshtein(typed, candidate))
}
