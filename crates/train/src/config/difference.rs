//! The settings on which two configurations differ.

use super::Config;
use super::tables::{get, paths, table_of};
use std::collections::BTreeSet;
use std::fmt;
use toml::Value;

/// A setting on which two configurations differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The key's full path.
    pub path: String,
    /// Its value in the first configuration.
    pub was: String,
    /// Its value in the second.
    pub now: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, was, now } = self;
        write!(f, "{path}: was {was}, now {now}")
    }
}

/// The settings on which `now` differs from `was`, in alphabetic order.
pub fn difference(was: &Config, now: &Config) -> Vec<Difference> {
    let (was, now) = (table_of(was), table_of(now));
    // All have the same keys, but for those that are free.
    let paths: BTreeSet<String> = paths(&was).into_iter().chain(paths(&now)).collect();
    let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), ToString::to_string);
    let differing = paths.into_iter().filter_map(|path| {
        let (was, now) = (get(&was, &path), get(&now, &path));
        (was != now).then(|| Difference { path, was: text(was), now: text(now) })
    });
    differing.collect()
}
