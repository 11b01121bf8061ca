//! Lists that are cut: agents of two presets differ in forty settings, and a message names a few of them.

/// How many are shown.
const SHOWN: usize = 6;

/// The first six of these texts, and how many more `things` (a plural noun) there are. A seventh is shown too if it is the last,
/// because it takes no longer to read than its count.
pub fn first_of(texts: &[String], separator: &str, things: &str) -> String {
    match texts.len().saturating_sub(SHOWN) {
        0 | 1 => texts.join(separator),
        more => format!("{} and {more} more {things}", texts[..SHOWN].join(separator)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let texts = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(first_of(&texts(0), ", ", "settings"), "");
        assert_eq!(first_of(&texts(7), ", ", "settings"), "1, 2, 3, 4, 5, 6, 7");
        assert_eq!(first_of(&texts(21), "; ", "settings"), "1; 2; 3; 4; 5; 6 and 15 more settings");
    }
}
