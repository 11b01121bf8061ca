//! `agent.size`: one name for the widths, the batches and the learning rates of an agent.
//!
//! A size is not a setting of its own: it stands for others, and only these are kept in a run's configuration. Here: what each
//! size stands for, and where it is laid. The next size is a table of `presets/sizes.toml`.

use super::layer::Layer;
use super::{ConfigError, tables};
use toml::{Table, Value};

/// The key of a size in a layer.
pub const KEY: &str = "agent.size";

/// A table for each size, with settings of the section `agent`.
const SIZES: &str = include_str!("../../presets/sizes.toml");

/// The names of all sizes, the smallest recurrent state first.
pub fn names() -> Vec<String> {
    let mut all: Vec<(i64, String)> =
        sizes().into_iter().map(|(name, size)| (size["deter"].as_integer().unwrap_or(0), name)).collect();
    all.sort();
    all.into_iter().map(|(_, name)| name).collect()
}

/// Whether every size sets the setting at the dotted path `key`.
pub fn is_of_size(key: &str) -> bool {
    let of = |size: &Value| key.strip_prefix("agent.").is_some_and(|key| size.get(key).is_some());
    sizes().values().any(of)
}

fn sizes() -> Table {
    SIZES.parse().expect("the sizes are TOML")
}

/// The layers without sizes, each size replaced by a layer of its settings. Such a layer lies directly below the settings that are
/// written next to the size, in the same file or on the same command line, so that these win in any order. Of several typed sizes,
/// the last one counts.
///
/// # Errors
/// [`ConfigError::Kind`] for a size that does not exist.
pub(super) fn expanded(layers: &[Layer]) -> Result<Vec<Layer>, ConfigError> {
    let mut all = Vec::new();
    let mut typed = layers.iter().rev().find(|layer| layer.typed && written(layer).is_some());
    for layer in layers {
        let named = if layer.typed { typed.take() } else { Some(layer) };
        if let Some((by, size)) = named.and_then(|by| Some((by, written(by)?))) {
            all.push(settings_of(size, by)?);
        }
        all.push(without_size(layer));
    }
    Ok(all)
}

/// The size that a layer names.
fn written(layer: &Layer) -> Option<&Value> {
    tables::get(&layer.table, KEY)
}

fn settings_of(size: &Value, by: &Layer) -> Result<Layer, ConfigError> {
    let settings = size.as_str().and_then(|name| sizes().remove(name));
    let Some(settings) = settings else {
        let names: Vec<String> = names().iter().map(|name| format!("{name:?}")).collect();
        return Err(ConfigError::Kind {
            path: KEY.to_owned(),
            value: size.to_string(),
            source_name: by.place(KEY),
            why: format!("it must be one of {}", names.join(", ")),
        });
    };
    Ok(Layer::leaf(&format!("{KEY} = {size}"), "agent", settings))
}

fn without_size(layer: &Layer) -> Layer {
    let mut layer = layer.clone();
    if let Some(Value::Table(agent)) = layer.table.get_mut("agent") {
        agent.remove("size");
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, preset, resolve};

    fn resolved(start: &str, settings: &[&str]) -> Result<Config, ConfigError> {
        let typed = ["tasks=hopper"].iter().chain(settings).map(|text| Layer::typed(text));
        let layers: Vec<Layer> = [preset(start)].into_iter().chain(typed).collect::<Result<_, _>>()?;
        resolve(&layers)
    }

    #[test]
    fn every_size_stands_for_the_same_settings_and_fits_every_preset() {
        let keys = |settings: &Value| settings.as_table().unwrap().keys().cloned().collect::<Vec<_>>();
        let all = sizes();
        let first = keys(all.values().next().unwrap());
        for (name, settings) in &all {
            assert_eq!(keys(settings), first, "{name}");
            for start in ["paper", "small", "smoke", "v3"] {
                let config = resolved(start, &[&format!("agent.size={name}")]).unwrap();
                assert_eq!(config.agent.deter as i64, settings["deter"].as_integer().unwrap(), "{start}, {name}");
            }
        }
    }

    #[test]
    fn a_size_and_its_settings_one_by_one_are_the_same_agent() {
        let size = sizes().remove("1m").unwrap();
        let each: Vec<String> =
            size.as_table().unwrap().iter().map(|(key, value)| format!("agent.{key}={value}")).collect();
        let each = resolved("small", &each.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!(resolved("small", &["agent.size=1m"]).unwrap(), each);
        assert_ne!(resolved("small", &[]).unwrap(), each);
        assert_eq!(resolved("v3", &["agent.size=1m"]).unwrap(), resolved("v3-1m", &[]).unwrap());
        assert_eq!(resolved("small", &["agent.size=small"]).unwrap(), resolved("small", &[]).unwrap());
    }

    #[test]
    fn settings_next_to_a_size_win_in_any_order_and_those_below_it_lose() {
        for settings in [["agent.deter=64", "agent.size=1m"], ["agent.size=1m", "agent.deter=64"]] {
            let config = resolved("small", &settings).unwrap();
            assert_eq!((config.agent.deter, config.agent.units), (64, 64));
        }
        let file = Layer::parse("file", "[agent]\ndeter = 64\nsize = \"paper\"\nunits = 32").unwrap();
        let task = Layer::typed("tasks=hopper").unwrap();
        let layers = [preset("small").unwrap(), file, task];
        let config = resolve(&layers).unwrap();
        assert_eq!((config.agent.deter, config.agent.units, config.agent.hidden), (64, 32, 200));
        let above = [&layers[..], &[Layer::typed("agent.size=1m").unwrap()]].concat();
        assert_eq!(resolve(&above).unwrap().agent.deter, 512);
        assert_eq!(resolved("small", &["agent.size=1m", "agent.size=12m"]).unwrap().agent.deter, 2048);
    }

    #[test]
    fn the_settings_of_sizes_are_known_by_their_names() {
        assert!(is_of_size("agent.deter") && is_of_size("agent.actor_learning_rate"));
        assert!(!is_of_size("agent.horizon") && !is_of_size("deter") && !is_of_size("agent.size"));
        assert_eq!(names()[..4], ["small", "paper", "1m", "12m"]);
    }

    #[test]
    fn a_size_that_does_not_exist_is_refused_with_those_that_do() {
        for (size, written) in [("2m", "\"2m\""), ("3", "3")] {
            let message = resolved("small", &[&format!("agent.size={size}")]).unwrap_err().to_string();
            let start = format!("agent.size = {written} (--set agent.size={size}) cannot be used: it must be one of ");
            assert!(message.starts_with(&start) && message.contains("\"12m\""), "{message}");
        }
    }
}
