//! The parts of messages about the allowed values of a setting: its range or its kind, and the value that was written.
//!
//! The ranges themselves are in the checks of a configuration (`Config::validate`, `AgentConfig::validate`).

use super::layer::Layer;
use super::tables::{get, set, table_of};
use super::{Config, ConfigError};
use dreamer::DreamerError;
use toml::Value;

/// The error of a value that is out of range, with the value and its place.
pub(super) fn placed(error: ConfigError, layers: &[Layer]) -> ConfigError {
    let (key, value, range) = match error {
        ConfigError::Range { key, value, range, .. } => (key, value, range),
        ConfigError::Agent(DreamerError::Config { key, value, range }) => (format!("agent.{key}"), value, range),
        other => return other,
    };
    match layers.iter().rev().find_map(|layer| Some((layer, get(&layer.table, &key)?))) {
        Some((layer, written)) => {
            let place = layer.place(&key);
            ConfigError::Range { key, value: written.to_string(), place, range }
        }
        None => ConfigError::Range { key, value, place: String::new(), range },
    }
}

/// The expected value at `path`, where the default is `default`; `None` for types whose own
/// errors name the expected value.
pub(super) fn expected(path: &str, default: Option<&Value>) -> Option<String> {
    let kind = match (path, default?) {
        ("tasks", _) => "a list of task names, such as [\"hopper\", \"ant\"]".to_owned(),
        ("agent.actor", _) => "\"tanh_normal\", \"bounded_normal\" or \"one_hot\"".to_owned(),
        ("agent.actor_gradient", _) => "\"dynamics\" or \"reinforce\"".to_owned(),
        ("agent.returns_from", _) => "\"imagined\" or \"start\"".to_owned(),
        ("agent.latent", _) => "\"gaussian\" or \"categorical\"".to_owned(),
        ("agent.cell", _) => "\"gru\" or \"block_gru\"".to_owned(),
        ("agent.image_network", _) => "\"v1\", \"v3_pool\" or \"v3_strided\"".to_owned(),
        ("agent.reconstruction", _) => "\"image\" or \"barlow\"".to_owned(),
        ("agent.loss_weights", _) => "\"fixed\" or \"harmony\"".to_owned(),
        ("agent.norm", _) => "\"none\" or \"rms\"".to_owned(),
        ("agent.activation", _) => "\"elu\" or \"silu\"".to_owned(),
        ("agent.heads", _) => "\"normal\" or \"twohot\"".to_owned(),
        ("agent.divergence", _) => "\"mean\" or \"balanced\"".to_owned(),
        ("agent.return_scale", _) => "\"none\" or \"percentile\"".to_owned(),
        ("agent.optimiser", _) => "\"adam\" or \"laprop\"".to_owned(),
        ("agent.precision", _) => "\"f32\", \"tf32\" or \"bf16\"".to_owned(),
        ("agent.evaluation", _) => "\"mode\" or \"mean\"".to_owned(),
        ("task.termination", _) => "\"fixed\" or \"stock\"".to_owned(),
        ("task.observe", _) => "\"image\", \"vector\" or \"both\"".to_owned(),
        ("replay.files", _) => "\"always\" or \"until_finished\"".to_owned(),
        ("replay.starts", _) => "\"inside\", \"edges\" or \"stream\"".to_owned(),
        ("agent.image_multipliers", _) => "four whole numbers from 1 to 64, such as [2, 3, 4, 4]".to_owned(),
        ("agent.reward_sources", _) => {
            "a list of the sizes of reward models, such as [{ layers = 2, units = 400 }]; a transfer sets it".to_owned()
        }
        (_, default @ Value::Integer(_)) => {
            range_of(path, default).unwrap_or_else(|| format!("a whole number from 0 to {}", i64::MAX))
        }
        (_, default @ Value::Float(_)) => range_of(path, default).unwrap_or_else(|| "a number".to_owned()),
        (_, Value::Boolean(_)) => "true or false".to_owned(),
        (_, default) => range_of(path, default)?,
    };
    Some(format!("it must be {kind}"))
}

/// The range of the number at `path`, as the check of a configuration names it; `None` if it is not a number with a range.
fn range_of(path: &str, default: &Value) -> Option<String> {
    // More than any range allows. Some settings have 32 bits.
    let absurd = match default {
        Value::Integer(_) => vec![Value::Integer(i64::MAX), Value::Integer(i64::from(u32::MAX))],
        Value::Float(_) => vec![Value::Float(f64::MAX)],
        Value::String(_) => vec![Value::Integer(i64::MAX)],
        _ => return None,
    };
    absurd.into_iter().find_map(|value| {
        let mut table = table_of(&Config { tasks: vec!["any".to_owned()], ..Config::default() });
        let path_parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        set(&mut table, &path_parts, value);
        let config: Config = table.try_into().ok()?;
        match config.validate().err()? {
            ConfigError::Range { key, range, .. } if key == path => Some(range),
            ConfigError::Agent(DreamerError::Config { key, range, .. })
                if path.strip_prefix("agent.") == Some(&*key) =>
            {
                Some(range)
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::resolve;
    use crate::config::tables::paths;

    fn typed(settings: &[&str]) -> Result<Config, ConfigError> {
        let settings = ["tasks=hopper"].iter().chain(settings);
        resolve(&settings.map(|text| Layer::typed(text)).collect::<Result<Vec<_>, _>>()?)
    }

    fn message(settings: &[&str]) -> String {
        typed(settings).unwrap_err().to_string()
    }

    /// Values that a key must refuse; `None` for types without a range.
    fn absurd(default: &Value) -> Option<Vec<String>> {
        match default {
            Value::Integer(_) => Some(vec!["-1".to_owned(), i64::MAX.to_string()]),
            Value::Float(_) => Some(["-1.0", "nan", "inf", "1e300"].map(str::to_owned).to_vec()),
            _ => None,
        }
    }

    #[test]
    fn every_number_of_a_configuration_has_a_range() {
        let defaults = table_of(&Config::default());
        let mut numbers = 0;
        for path in paths(&defaults) {
            for value in absurd(get(&defaults, &path).unwrap()).into_iter().flatten() {
                // Any number of 63 bits is a seed, and any number is a return; infinity is never reached.
                if path == "seed" && value != "-1" || path == "stop.return" && value != "nan" {
                    continue;
                }
                let text = message(&[&format!("{path}={value}")]);
                assert!(text.contains(&path), "{path} = {value}: {text}");
                numbers += 1;
            }
        }
        assert!(numbers > 60, "{numbers}");
    }

    #[test]
    fn zero_is_refused_where_nothing_would_ever_happen() {
        for path in [
            "steps",
            "schedule.prefill_episodes",
            "schedule.train_every",
            "schedule.eval_every",
            "schedule.eval_episodes",
            "replay.budget",
            "log.every",
            "checkpoint.every",
            "checkpoint.kept",
        ] {
            let text = message(&[&format!("{path}=0")]);
            assert!(text.contains(&format!("{path} = 0 (--set {path}=0) is out of range")), "{text}");
        }
        for path in ["schedule.prefill_frames", "schedule.pretrain_updates", "schedule.train_updates", "threads"] {
            typed(&[&format!("{path}=0")]).unwrap();
        }
        let text = message(&["agent.length=65537"]);
        assert!(text.contains("agent.length = 65537") && text.contains("from 2 to 65536"), "{text}");
    }
}
