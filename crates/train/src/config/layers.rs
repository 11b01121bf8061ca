//! Laying presets, files and typed settings over the defaults.
//!
//! The defaults, written as TOML, are the list of all valid keys: a layer may set those and no others. Each value is
//! tried on its own, so that errors name the full path and the layer of the value. Not here: what messages say about ranges
//! (`ranges`), and reading a layer (`layer`).

use super::layer::{Layer, one_line};
use super::ranges::{expected, placed};
use super::tables::{get, set, table_of};
use super::{Config, ConfigError, names, size};
use environment::TaskOptions;
use toml::{Table, Value};

/// The one section whose keys are free: each external environment has its own.
pub(super) const FREE: [&str; 2] = ["task", "arguments"];

/// The configuration made of `layers`, each laid over the ones before it and all over the defaults.
///
/// # Errors
/// [`ConfigError`] for the first unknown key, value of the wrong kind or value out of range.
pub fn resolve(layers: &[Layer]) -> Result<Config, ConfigError> {
    let layers = size::expanded(layers)?;
    let config = laid(&layers)?;
    config.validate().map_err(|error| placed(error, &layers))?;
    Ok(config)
}

/// The value that `of` reads from the defaults with one layer on top. Ranges are not checked.
///
/// # Errors
/// [`ConfigError`] for the layer's first unknown key or value of the wrong kind.
pub fn value_of<T>(layer: Layer, of: impl FnOnce(&Config) -> T) -> Result<T, ConfigError> {
    Ok(of(&laid(&[layer])?))
}

/// The options of a task: `own`, with those that `layers` set in the section `task` laid over them.
///
/// # Errors
/// [`ConfigError`] for the first unknown key, value of the wrong kind or value out of range.
pub fn task_options(own: &TaskOptions, layers: &[Layer]) -> Result<TaskOptions, ConfigError> {
    // A configuration names a task, and these options are for any.
    let start = Config { tasks: vec!["any".to_owned()], task: own.clone(), ..Config::default() };
    let config = laid_over(start, layers)?;
    config.validate().map_err(|error| placed(error, layers))?;
    Ok(config.task)
}

/// The configuration made of `layers` before its ranges are checked.
fn laid(layers: &[Layer]) -> Result<Config, ConfigError> {
    laid_over(Config::default(), layers)
}

/// The configuration made of `layers`, laid over `config`, before its ranges are checked.
fn laid_over(mut config: Config, layers: &[Layer]) -> Result<Config, ConfigError> {
    let defaults = table_of(&Config::default());
    let mut merged = table_of(&config);
    for layer in &size::expanded(layers)? {
        let mut leaves = Vec::new();
        collect_leaves(&layer.table, &defaults, &mut Vec::new(), layer, &mut leaves)?;
        for (path, value) in leaves {
            let given = value.to_string();
            set(&mut merged, &path, value);
            config = merged.clone().try_into().map_err(|error: toml::de::Error| ConfigError::Kind {
                why: expected(&path.join("."), get(&defaults, &path.join(".")))
                    .unwrap_or_else(|| one_line(&transfer::plain(error.message()))),
                path: path.join("."),
                value: given,
                source_name: layer.place(&path.join(".")),
            })?;
        }
    }
    Ok(config)
}

/// Appends each value of `table` with its path, made to fit the kind of the default at the same place.
fn collect_leaves(
    table: &Table,
    defaults: &Table,
    above: &mut Vec<String>,
    layer: &Layer,
    leaves: &mut Vec<(Vec<String>, Value)>,
) -> Result<(), ConfigError> {
    for (key, value) in table {
        above.push(key.clone());
        if above.len() > FREE.len() && above.iter().zip(FREE).all(|(key, free)| key == free) {
            if !can_be_passed_on(value) {
                return Err(not_an_argument(above, value, layer));
            }
            leaves.push((above.clone(), value.clone()));
            above.pop();
            continue;
        }
        match (get(defaults, &above.join(".")), value) {
            (None, _) => return Err(unknown(&above.join("."), layer)),
            (Some(Value::Table(_)), Value::Table(inner)) => collect_leaves(inner, defaults, above, layer, leaves)?,
            (Some(Value::Table(section)), _) => return Err(section_error(above, section, layer)),
            (Some(_), Value::Table(inner)) => {
                let below = inner.keys().next().map(|key| format!(".{key}")).unwrap_or_default();
                return Err(unknown(&(above.join(".") + &below), layer));
            }
            (Some(default), value) => leaves.push((above.clone(), fitted(value.clone(), default))),
        }
        above.pop();
    }
    Ok(())
}

/// Whether an external environment can be given this argument: arguments are written as JSON, which does not have NaN,
/// infinity and dates.
fn can_be_passed_on(value: &Value) -> bool {
    match value {
        Value::Float(real) => real.is_finite(),
        Value::Datetime(_) => false,
        Value::Array(values) => values.iter().all(can_be_passed_on),
        Value::Table(table) => table.values().all(can_be_passed_on),
        Value::String(_) | Value::Integer(_) | Value::Boolean(_) => true,
    }
}

fn not_an_argument(path: &[String], value: &Value, layer: &Layer) -> ConfigError {
    let path = path.join(".");
    ConfigError::Kind {
        why: "an argument of an environment is text, a finite number, true or false, or a list or table of these; text that reads like \
              another type needs quotes, as in '...=\"nan\"'"
            .to_owned(),
        value: value.to_string(),
        source_name: layer.place(&path),
        path,
    }
}

/// `1e5` where a whole number belongs, `1` where a real one does, a single name where a list does.
fn fitted(value: Value, default: &Value) -> Value {
    match (value, default) {
        (Value::Float(real), Value::Integer(_)) if real.fract() == 0.0 && real.abs() < 9e15 => {
            Value::Integer(real as i64)
        }
        (Value::Integer(whole), Value::Float(_)) => Value::Float(whole as f64),
        (Value::String(name), Value::Array(_)) => Value::Array(vec![Value::String(name)]),
        (value, _) => value,
    }
}

fn unknown(path: &str, layer: &Layer) -> ConfigError {
    let nearest = names::nearest(path);
    ConfigError::UnknownKey { path: path.to_owned(), source_name: layer.place(path), nearest }
}

fn section_error(path: &[String], section: &Table, layer: &Layer) -> ConfigError {
    let path = path.join(".");
    let example = match section.keys().next() {
        Some(key) => format!("{path}.{key}"),
        // The keys of this section are those of an environment.
        None => format!("{path}.g=9.81"),
    };
    ConfigError::Section { source_name: layer.place(&path), path, example }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;
    use crate::config::ByteSize;
    use crate::config::difference;
    use environment::Termination;
    use proptest::prelude::*;

    fn typed(settings: &[&str]) -> Result<Config, ConfigError> {
        let settings = ["tasks=hopper"].iter().chain(settings);
        resolve(&settings.map(|text| Layer::typed(text)).collect::<Result<Vec<_>, _>>()?)
    }

    fn message(settings: &[&str]) -> String {
        typed(settings).unwrap_err().to_string()
    }

    #[test]
    fn arguments_of_an_external_environment_have_any_key() {
        let config =
            typed(&["task.arguments.g=9.81", "task.arguments.map_name=4x4", "task.arguments.inner={a=[1,2]}"]).unwrap();
        let text = serde_json::to_string(&config.task.arguments).unwrap();
        assert_eq!(text, r#"{"g":9.81,"inner":{"a":[1,2]},"map_name":"4x4"}"#);
        let text = toml::to_string(&config).unwrap();
        assert_eq!(resolve(&[Layer::parse("file", &text).unwrap()]).unwrap(), config, "{text}");
        let other = typed(&["task.arguments.g=9.8"]).unwrap();
        let differences = difference(&config, &other);
        let listed: Vec<_> = differences.iter().map(|one| (&*one.path, &*one.was, &*one.now)).collect();
        let expected = [
            ("task.arguments.g", "9.81", "9.8"),
            ("task.arguments.inner.a", "[1, 2]", "nothing"),
            ("task.arguments.map_name", "\"4x4\"", "nothing"),
        ];
        assert_eq!(listed, expected);
        // The section itself is none, and other sections still have only their own keys.
        assert!(message(&["task.arguments=3"]).contains("is a section"));
        assert!(message(&["task.argument.g=3"]).contains("unknown key"));
    }

    #[test]
    fn arguments_that_cannot_be_passed_on_are_refused() {
        for argument in ["nan", "-inf", "[1.0, inf]", "{ a = { b = nan } }", "2020-01-01"] {
            let message = message(&[&format!("task.arguments.x={argument}")]);
            assert!(message.starts_with("task.arguments.x = "), "{message}");
            assert!(message.contains("a finite number") && message.contains("needs quotes"), "{message}");
        }
        let config = typed(&["task.arguments.x=\"nan\""]).unwrap();
        assert_eq!(config.task.arguments["x"], "nan");
    }

    #[test]
    fn options_of_a_task_are_laid_over_its_own() {
        let own = TaskOptions { action_repeat: 4, ..TaskOptions::default() };
        let layers = [Layer::typed("task.timeout=5").unwrap()];
        assert_eq!(task_options(&own, &layers).unwrap(), TaskOptions { timeout: 5, ..own.clone() });
        let wrong = [Layer::typed("task.timeout=0").unwrap()];
        assert!(
            task_options(&own, &wrong)
                .unwrap_err()
                .to_string()
                .contains("task.timeout = 0 (--set task.timeout=0) is out of range")
        );
    }

    #[test]
    fn later_layers_win() {
        let file = Layer::parse("file", "steps = 7\n[agent]\nhorizon = 5\nlength = 6").unwrap();
        let last = Layer::typed("agent.horizon=9").unwrap();
        let config = resolve(&[Layer::typed("tasks=hopper").unwrap(), file, last]).unwrap();
        assert_eq!((config.steps, config.agent.horizon, config.agent.length), (Frames(7), 9, 6));
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        for steps in ["1e5", "100000", "100_000", " 100000.0 "] {
            assert_eq!(typed(&[&format!("steps={steps}")]).unwrap().steps, Frames(100_000), "{steps}");
        }
        let settings =
            ["replay.budget=3GB", "task.termination=stock", "agent.discount=1", "tasks=[\"ant\", \"hopper\"]"];
        let config = typed(&settings).unwrap();
        assert_eq!(config.replay.budget, ByteSize(3_000_000_000));
        assert_eq!(config.task.termination, Termination::Stock);
        assert_eq!(config.agent.discount, 1.0);
        assert_eq!(config.tasks, ["ant", "hopper"]);
        assert_eq!(typed(&["replay.budget=1e9"]).unwrap().replay.budget, ByteSize(1_000_000_000));
        assert_eq!(typed(&["replay.budget=5000000"]).unwrap().replay.budget, ByteSize(5_000_000));
    }

    #[test]
    fn unknown_keys_are_named_with_their_path_and_the_nearest() {
        let text = message(&["agent.horison=3"]);
        assert!(text.contains("\"agent.horison\"") && text.contains("\"agent.horizon\""), "{text}");
        let text = message(&["horizon=3"]);
        assert!(text.contains("\"agent.horizon\""), "{text}");
        let text = message(&["steps.more=3"]);
        assert!(text.contains("\"steps.more\""), "{text}");
        let file = Layer::parse("my.toml", "[agent.deeper]\nhorizon = 3").unwrap();
        let text = resolve(&[file]).unwrap_err().to_string();
        assert!(text.contains("my.toml") && text.contains("\"agent.deeper\""), "{text}");
    }

    #[test]
    fn wrong_values_are_named_with_the_allowed_ones() {
        for (setting, parts) in [
            ("steps=many", ["steps = \"many\"", "--set steps=many"]),
            ("steps=1.5", ["steps = 1.5", "must be a whole number from 1 to 1000000000000"]),
            ("log.videos=1", ["log.videos = 1", "must be true or false"]),
            ("agent.discount=high", ["agent.discount = \"high\"", "must be a number from 0 to 1"]),
            ("task.termination=late", ["task.termination = \"late\"", "fixed"]),
            ("replay.budget=much", ["replay.budget = \"much\"", "2GB"]),
            (
                "replay.starts=outside",
                ["replay.starts = \"outside\"", "it must be \"inside\", \"edges\" or \"stream\""],
            ),
            ("replay.starts=1", ["replay.starts = 1", "it must be \"inside\", \"edges\" or \"stream\""]),
            ("replay.start=edges", ["\"replay.start\"", "\"replay.starts\""]),
            ("agent=3", ["\"agent\"", "is a section"]),
            ("steps=0", ["steps = 0", "from 1 to"]),
            ("steps=-3", ["steps = -3", "must be a whole number from 1 to 1000000000000"]),
            ("agent.batch=x", ["agent.batch = \"x\"", "must be a whole number from 1 to 65536"]),
            (
                "agent.batch=0",
                ["agent.batch = 0 (--set agent.batch=0) is out", "must be a whole number from 1 to 65536"],
            ),
            ("task.action_repeat=x", ["task.action_repeat = \"x\"", "must be a whole number from 0 to 1000"]),
            ("seed=-1", ["seed = -1", "must be a whole number from 0 to 9223372036854775807"]),
            ("agent.lambda=2", ["agent.lambda = 2", "from 0 to 1"]),
            ("agent.lambda=nan", ["agent.lambda = nan", "from 0 to 1"]),
            ("checkpoint.kept=0", ["checkpoint.kept = 0", "from 1 to"]),
            ("replay.budget=2PB", ["replay.budget = \"2PB\"", "must be a size from 1MB to 1024TiB"]),
            ("replay.budget=9999TB", ["replay.budget = \"9999TB\"", "must be a size from 1MB to 1024TiB"]),
            ("replay.budget=1e3", ["replay.budget = 1000.0", "must be a size from 1MB to 1024TiB"]),
            ("tasks=[]", ["tasks = []", "at least one"]),
            ("tasks=[\"ant\", \"ant\"]", ["ant is named twice", "name each task once"]),
            ("steps", ["--set steps", "the value is missing; write --set steps=VALUE"]),
            ("agent.batch:3", ["--set agent.batch:3", "write --set agent.batch=3"]),
            ("agent.batch 3", ["--set agent.batch 3", "write --set agent.batch=3"]),
            ("nothing", ["--set nothing", "key=value"]),
            ("task.arguments=3", ["is a section", "for example \"task.arguments.g=9.81\""]),
            ("agent.learning_rate=1", ["the nearest keys are", "\"agent.model_learning_rate\""]),
            ("agent.batch_size=1", ["\"agent.batch_size\"", "the nearest key is \"agent.batch\""]),
            ("=3", ["--set =3", "key=value"]),
        ] {
            let text = message(&[setting]);
            assert!(parts.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{setting}: {text}");
        }
    }

    #[test]
    fn values_of_a_file_are_named_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        for (text, place) in [
            ("tasks = [\"ant\"]\n[agent]\nbatch = 0\n", "agent.batch = 0 (PATH, line 3) is out of range"),
            ("tasks = [\"ant\"]\nagent.batch = \"x\"\n", "agent.batch = \"x\" (PATH, line 2) cannot be used"),
            ("tasks = [\"ant\"]\nagent = { batch = 0 }\n", "agent.batch = 0 (PATH) is out of range"),
            ("\n[agent]\nbatsch = 3\n", "unknown key \"agent.batsch\" (PATH, line 3)"),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = resolve(&[Layer::read(&path).unwrap()]).unwrap_err().to_string();
            let place = place.replace("PATH", &path.display().to_string());
            assert!(message.contains(&place), "{message}");
        }
    }

    proptest! {
        #[test]
        fn a_resolved_configuration_written_and_read_is_itself(
            seed in 0u64..1 << 63, steps in 1u64..1 << 39, budget in 1_000_000u64..1 << 50, scale in 0.0f64..1e6,
            horizon in 2usize..10_000, kept in 1usize..1000, videos: bool,
        ) {
            let config = typed(&[
                &format!("seed={seed}"), &format!("steps={steps}"), &format!("replay.budget={budget}"),
                &format!("agent.kl_scale={scale:?}"), &format!("agent.horizon={horizon}"),
                &format!("checkpoint.kept={kept}"), &format!("log.videos={videos}"),
            ]).unwrap();
            prop_assert_eq!((config.seed, config.steps.0, config.replay.budget.0), (seed, steps, budget));
            prop_assert_eq!((config.agent.kl_scale, config.agent.horizon), (scale, horizon));
            let text = toml::to_string(&config).unwrap();
            prop_assert_eq!(resolve(&[Layer::parse("again", &text).unwrap()]).unwrap(), config);
        }

        #[test]
        fn a_difference_names_exactly_the_set_keys(horizon in 2usize..10_000, seed in 0u64..1000) {
            let (was, now) = (typed(&[]).unwrap(), typed(&[&format!("agent.horizon={horizon}"), &format!("seed={seed}")]).unwrap());
            let paths: Vec<String> = difference(&was, &now).into_iter().map(|difference| difference.path).collect();
            let expected: Vec<&str> =
                [("agent.horizon", horizon != 15), ("seed", seed != 0)].iter().filter(|(_, set)| *set).map(|(path, _)| *path).collect();
            prop_assert_eq!(paths, expected);
        }

        #[test]
        fn no_typed_setting_makes_it_panic(text in "[a-z.=0-9\\[\\]\"{}' _-]{0,40}") {
            let _ = Layer::typed(&text).and_then(|layer| resolve(&[layer]));
        }
    }
}
