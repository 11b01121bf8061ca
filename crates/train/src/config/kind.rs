//! Which kind of value a setting has, and which values are the same, for programs that read lists of values.

use super::layer::Layer;
use super::layers::{FREE, value_of};
use super::tables::{get, table_of};
use super::{Config, size};
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
        if path == size::KEY {
            return Some(Self::Single);
        }
        get(&table_of(&Config::default()), path).map(|default| match default {
            Value::Table(_) => Self::Section,
            Value::Array(_) => Self::List,
            _ => Self::Single,
        })
    }
}

/// The value of the setting at the dotted path `key` as a configuration holds it, however it is written: `8`, `8.0` and `8e0` are
/// one. `None` if the setting does not exist or cannot have the value.
pub fn meant(key: &str, value: &str) -> Option<Value> {
    if key == size::KEY {
        return size::names().into_iter().find(|name| name == value.trim_matches('"')).map(Value::String);
    }
    value_of(Layer::value("", key, value), |config| get(&table_of(config), key).cloned()).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_however_it_is_written() {
        for (key, values) in [
            ("agent.horizon", ["8", "8.0"]),
            ("agent.discount", ["1", "1e0"]),
            ("replay.budget", ["\"2GB\"", "2e9"]),
            ("task.observe", ["vector", "\"vector\""]),
            ("agent.size", ["12m", "\"12m\""]),
        ] {
            let [one, other] = values.map(|value| meant(key, value).unwrap());
            assert_eq!(one, other, "{key}");
        }
        assert_ne!(meant("task.arguments.x", "8"), meant("task.arguments.x", "8.0"));
        assert_eq!(meant("agent.size", "2m"), None);
        assert_eq!((meant("agent.horizn", "8"), meant("agent.horizon", "much")), (None, None));
    }

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
