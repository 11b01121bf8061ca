//! Which parameters a rule is about: patterns over parameter paths.
//!
//! Here: [`Pattern`], its syntax and its matching. Not here: the treatment of parameters that match.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest pattern, in characters. The longest path of an agent has about 50.
const LONGEST: usize = 256;

/// A pattern over paths such as `world_model.rssm.img1.kernel`.
///
/// `*` stands for any characters within a segment (none included), `**` as a whole segment for any number of segments
/// (none included). Everything else stands for itself, and a pattern must match the whole path: `value` does not match
/// `value.hout.bias`, `value.**` does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl Pattern {
    /// Whether the pattern matches a whole path.
    pub fn matches(&self, path: &str) -> bool {
        let pattern: Vec<&str> = self.0.split('.').collect();
        let segments: Vec<&str> = path.split('.').collect();
        with_gaps(
            &pattern,
            &segments,
            |segment| *segment == "**",
            |pattern, segment| {
                let same = |a: &u8, b: &u8| a == b;
                with_gaps(pattern.as_bytes(), segment.as_bytes(), |byte| *byte == b'*', same)
            },
        )
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `items` can be cut so that each element of `pattern` is a gap and stands for any number of items, or is not
/// and stands for one that `one` accepts. Needs at most `pattern.len() * items.len()` steps: only the last gap is ever
/// widened.
fn with_gaps<P, I>(pattern: &[P], items: &[I], gap: impl Fn(&P) -> bool, one: impl Fn(&P, &I) -> bool) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut last_gap = None;
    while item < items.len() {
        if at < pattern.len() && gap(&pattern[at]) {
            at += 1;
            last_gap = Some((at, item));
        } else if at < pattern.len() && one(&pattern[at], &items[item]) {
            at += 1;
            item += 1;
        } else if let Some((after, begin)) = last_gap {
            last_gap = Some((after, begin + 1));
            (at, item) = (after, begin + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(gap)
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem = |why: &str| format!("{text:?} is not a pattern of parameters: {why}");
        if text.len() > LONGEST {
            let start: String = text.chars().take(20).collect();
            return Err(format!(
                "the pattern that starts with {start:?} has {} bytes, but the limit is {LONGEST}",
                text.len()
            ));
        }
        for segment in text.split('.') {
            if segment.is_empty() {
                return Err(problem("a segment is empty; write for example \"world_model.encoder.**\""));
            }
            if let Some(other) = segment.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '*')) {
                return Err(problem(&format!("paths do not contain {other:?}; dots separate their segments")));
            }
            if segment.contains("**") && segment != "**" {
                return Err(problem("`**` must stand alone between dots; within a segment, use `*`"));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The meaning of a pattern, implemented again in the simplest way.
    fn means(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => (0..=path.len()).any(|skip| means(rest, &path[skip..])),
            ([first, rest @ ..], [segment, others @ ..]) => {
                segment_means(first.as_bytes(), segment.as_bytes()) && means(rest, others)
            }
            _ => false,
        }
    }

    fn segment_means(pattern: &[u8], segment: &[u8]) -> bool {
        match pattern {
            [] => segment.is_empty(),
            [b'*', rest @ ..] => (0..=segment.len()).any(|skip| segment_means(rest, &segment[skip..])),
            [first, rest @ ..] => segment.first() == Some(first) && segment_means(rest, &segment[1..]),
        }
    }

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("value.hout.bias", "value.hout.bias", true),
            ("value", "value.hout.bias", false),
            ("value.*", "value.hout.bias", false),
            ("value.**", "value.hout.bias", true),
            ("**", "value.hout.bias", true),
            ("value.hout.bias.**", "value.hout.bias", true),
            ("world_model.reward.**", "world_model.reward_sources.0.h0.bias", false),
            ("world_model.reward*.**", "world_model.reward_sources.0.h0.bias", true),
            ("**.h*.kernel", "actor.h0.kernel", true),
            ("**.h*.kernel", "world_model.rssm.img1.kernel", false),
            ("*.hout.*", "world_model.reward.hout.bias", false),
            ("**.hout.*", "world_model.reward.hout.bias", true),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn invalid_patterns_are_refused() {
        for (text, expected) in [
            ("", "a segment is empty"),
            ("value..bias", "a segment is empty"),
            ("value.", "a segment is empty"),
            ("value/hout", "'/'"),
            ("Value.**", "'V'"),
            ("value.h**", "stand alone"),
            ("value.***", "stand alone"),
            (&"a".repeat(300), "300 bytes"),
        ] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn many_gaps_cost_no_more_than_their_product() {
        let pattern: Pattern = ["**.a*a*a*a*a*b"; 17].join(".").parse().unwrap();
        let path = vec!["a".repeat(60); 60].join(".");
        assert!(!pattern.matches(&path));
    }

    proptest! {
        #[test]
        fn matching_follows_the_meaning_of_patterns(
            pattern in proptest::collection::vec("\\*\\*|[ab*]{1,4}", 1..5),
            path in proptest::collection::vec("[ab]{1,4}", 1..5),
        ) {
            let text = pattern.join(".");
            if let Ok(parsed) = text.parse::<Pattern>() {
                let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
                let segments: Vec<&str> = path.iter().map(String::as_str).collect();
                prop_assert_eq!(parsed.matches(&path.join(".")), means(&pattern, &segments));
            }
        }
    }
}
