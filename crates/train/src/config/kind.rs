//! Which kind of value a setting has, for programs that read lists of values.

use super::Config;
use super::layers::FREE;
use super::tables::{get, table_of};
use toml::Value;

/// The kind of value that a setting has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A section, which has settings below it.
    Section,
    /// A single value.
    Single,
    /// A list of values.
    List,
    /// Any value, lists included: an argument of an external environment.
    Any,
}

impl SettingKind {
    /// The kind of the setting or section at the dotted path `path`; `None` if it does not exist.
    pub fn of(path: &str) -> Option<Self> {
        let free = FREE.join(".");
        if path.strip_prefix(&free).is_some_and(|rest| rest.starts_with('.')) {
            return Some(Self::Any);
        }
        get(&table_of(&Config::default()), path).map(|default| match default {
            Value::Table(_) => Self::Section,
            Value::Array(_) => Self::List,
            _ => Self::Single,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_settings_that_may_be_lists_are_known() {
        for (path, kind) in [
            ("agent", Some(SettingKind::Section)),
            ("task.arguments", Some(SettingKind::Section)),
            ("agent.horizon", Some(SettingKind::Single)),
            ("replay.budget", Some(SettingKind::Single)),
            ("task.observe", Some(SettingKind::Single)),
            ("tasks", Some(SettingKind::List)),
            ("agent.reward_sources", Some(SettingKind::List)),
            ("task.arguments.sizes", Some(SettingKind::Any)),
            ("agent.horizn", None),
            ("agent.horizon.sweep", None),
        ] {
            assert_eq!(SettingKind::of(path), kind, "{path}");
        }
    }
}
