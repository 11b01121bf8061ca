//! The name of an episode file: `<stamp>-<number>-<transitions>.npz`.
//!
//! Here: making and reading names and stamps. Not here: the file's content.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The information in the name of an episode file.
///
/// Episodes are ordered by `id` alone: a clock that was set back does not change the order of collection. As names, they
/// sort in that order too while the clock runs forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpisodeName {
    /// When the episode ended, like `20261122T101530`.
    pub stamp: String,
    /// The running number of the episode in its run, from 0; written with at least 8 digits.
    pub id: u64,
    /// Transitions, `T + 1`.
    pub length: usize,
}

impl EpisodeName {
    /// The parts of a file's name, or `None` if it is not such a name.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".npz")?.split('-');
        let (stamp, id, length) = (parts.next()?, parts.next()?, parts.next()?);
        let parsed = Self { stamp: stamp.to_owned(), id: id.parse().ok()?, length: length.parse().ok()? };
        // Comparing the whole excludes signs, missing zeros and everything else that reads as a number.
        (is_stamp(stamp) && parts.next().is_none() && parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for EpisodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08}-{}.npz", self.stamp, self.id, self.length)
    }
}

/// Whether `stamp` has the form of a time: eight digits, `T`, six digits.
pub(crate) fn is_stamp(stamp: &str) -> bool {
    let bytes = stamp.as_bytes();
    bytes.len() == 15
        && bytes.iter().enumerate().all(|(i, byte)| if i == 8 { *byte == b'T' } else { byte.is_ascii_digit() })
}

/// The stamp of a time, in UTC, for the name of an episode file: 22 November 2026, 10:15:30 is `20261122T101530`.
///
/// Times before 1970 give 1970's first second, times after the year 9999 its last day.
pub fn stamp(time: SystemTime) -> String {
    const LAST_DAY: u64 = 2_932_896;
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil((seconds / 86_400).min(LAST_DAY));
    let second = seconds % 86_400;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of the day that is `days` after 1 January 1970, in the Gregorian calendar.
///
/// Counted in years that begin on 1 March, so that the day a leap year adds is the year's last.
fn civil(days: u64) -> (u64, u64, u64) {
    // From 1 March of the year 0 to 1 January 1970; then the days of 400, 100, 4 and 1 years.
    const EPOCH: u64 = 719_468;
    const SPANS: [(u64, u64); 4] = [(146_097, 400), (36_524, 100), (1_461, 4), (365, 1)];
    let mut left = days + EPOCH;
    let mut year = 0;
    for (index, (span, years)) in SPANS.into_iter().enumerate() {
        // The fourth century of 400 years and the fourth year of 4 are a day longer than the others.
        let most = if index % 2 == 1 { 3 } else { u64::MAX };
        let count = (left / span).min(most);
        left -= count * span;
        year += count * years;
    }
    // From March on, five months have 153 days: 31, 30, 31, 30, 31.
    let month = (5 * left + 2) / 153;
    let day = left - (153 * month + 2) / 5 + 1;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        let name = EpisodeName { stamp: "20261122T101530".into(), id: 41, length: 501 };
        assert_eq!(name.to_string(), "20261122T101530-00000041-501.npz");
        assert_eq!(EpisodeName::parse(&name.to_string()), Some(name));
        let large = EpisodeName { stamp: "20261122T101530".into(), id: u64::MAX, length: usize::MAX };
        assert_eq!(EpisodeName::parse(&large.to_string()), Some(large));
        for wrong in [
            "",
            ".npz",
            "20261122T101530-41-501.npz",
            "20261122T101530-000000041-501.npz",
            "20261122T101530-+0000041-501.npz",
            "20261122T101530-00000041-0501.npz",
            "20261122T101530-00000041-501.npz.partial",
            "20261122T101530-00000041-501-1.npz",
            "20261122T101530-99999999999999999999-501.npz",
            "20261122-101530-00000041-501.npz",
            "2026112T2101530-00000041-501.npz",
            "20261122T101530-c0ffee-501.npz",
        ] {
            assert_eq!(EpisodeName::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn stamps_of_known_times() {
        let known = [
            (0, "19700101T000000"),
            (951_782_399, "20000228T235959"),
            (951_782_400, "20000229T000000"),
            (951_868_800, "20000301T000000"),
            (1_709_164_800, "20240229T000000"),
            (1_795_342_530, "20261122T101530"),
            (4_107_542_400, "21000301T000000"),
            (4_107_542_399, "21000228T235959"),
            (253_402_300_799, "99991231T235959"),
        ];
        for (seconds, expected) in known {
            assert_eq!(stamp(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        assert_eq!(stamp(UNIX_EPOCH - Duration::from_secs(1)), "19700101T000000");
    }

    proptest! {
        #[test]
        fn stamps_sort_as_their_times(a in 0..253_402_300_799u64, b in 0..253_402_300_799u64) {
            let [first, second] = [a, b].map(|seconds| stamp(UNIX_EPOCH + Duration::from_secs(seconds)));
            prop_assert!(is_stamp(&first));
            prop_assert_eq!(a.cmp(&b), first.cmp(&second));
        }

        #[test]
        fn any_text_is_a_name_or_not(text in "\\PC*") {
            if let Some(name) = EpisodeName::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
