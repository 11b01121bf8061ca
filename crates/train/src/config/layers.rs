//! Laying presets, files and typed settings over the defaults.
//!
//! The defaults, written as TOML, are the list of all valid keys: a layer may set those and no others. Each value is
//! tried on its own, so that errors name the full path and the layer of the value.

use super::tables::{get, table_of};
use super::{Config, ConfigError, names};
use dreamer::{AgentConfig, DreamerError};
use environment::TaskOptions;
use std::path::Path;
use toml::{Table, Value};

/// The one section whose keys are free: each world has its own.
pub(super) const FREE: [&str; 2] = ["task", "arguments"];

/// The most bytes that a file of settings may have.
const LARGEST_FILE: u64 = 1 << 20;

/// Some settings and where they came from.
#[derive(Clone, Debug)]
pub struct Layer {
    source: String,
    table: Table,
    /// The text of a file, for the lines of its settings.
    text: Option<String>,
}

/// The table of a run folder's `config.toml` that names the program and the machine that wrote it: not a setting, and skipped when
/// read. The key is part of the file's format.
pub(crate) const PROVENANCE: &str = "made_by";

impl Layer {
    /// Settings written as TOML; `source` names them in messages.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] if the text is not TOML.
    pub fn parse(source: &str, text: &str) -> Result<Self, ConfigError> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            let why = format!("line {line}: {}", one_line(error.message()));
            ConfigError::Syntax { source_name: source.to_owned(), why }
        })?;
        table.remove(PROVENANCE);
        Ok(Self { source: source.to_owned(), table, text: None })
    }

    /// The settings in the file at `path`: one of the user's, or the `config.toml` of a run folder.
    ///
    /// # Errors
    /// If the file cannot be read, or is not TOML.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = files::read_text(path, LARGEST_FILE)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source: source.into() })?;
        let layer = Self::parse(&path.display().to_string(), &text)?;
        Ok(Self { text: Some(text), ..layer })
    }

    /// One typed setting, `key=value`. The value is TOML; anything that is not valid TOML is a string.
    ///
    /// # Errors
    /// [`ConfigError::NotASetting`] if there is no `=` or no key before it, [`ConfigError::Derived`] if the key follows from others.
    pub fn typed(text: &str) -> Result<Self, ConfigError> {
        let (key, value) = text
            .split_once('=')
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(|(key, _)| !key.is_empty() && key.split('.').all(|part| !part.trim().is_empty()))
            .ok_or_else(|| ConfigError::NotASetting { text: text.to_owned(), advice: as_setting(text) })?;
        if let "agent.images" | "agent.vector" = key {
            return Err(ConfigError::Derived { key: key.to_owned() });
        }
        Ok(Self::value(&format!("--set {text}"), key, value))
    }

    /// The setting at the dotted path `key`; `source` names it in messages. `value` is TOML; anything that is not valid
    /// TOML is a string.
    pub fn value(source: &str, key: &str, value: &str) -> Self {
        let parsed = format!("value = {value}").parse::<Table>().ok().filter(|table| table.len() == 1);
        let leaf = parsed.and_then(|mut table| table.remove("value"));
        Self::leaf(source, key, leaf.unwrap_or_else(|| Value::String(value.to_owned())))
    }

    /// The setting at the dotted path `key` to a list of strings; `source` names it in messages.
    pub fn texts(source: &str, key: &str, texts: &[String]) -> Self {
        Self::leaf(source, key, Value::Array(texts.iter().cloned().map(Value::String).collect()))
    }

    /// The sizes of an agent; `source` names them in messages.
    pub fn agent(source: &str, sizes: &AgentConfig) -> Self {
        Self::leaf(source, "agent", Value::try_from(sizes).expect("plain data"))
    }

    fn leaf(source: &str, key: &str, leaf: Value) -> Self {
        let (above, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = Table::from_iter([(last.trim().to_owned(), leaf)]);
        for section in above.rsplit('.').filter(|section| !section.is_empty()) {
            table = Table::from_iter([(section.trim().to_owned(), Value::Table(table))]);
        }
        Self { source: source.to_owned(), table, text: None }
    }

    /// Where the setting at `path` came from, with its line in a file.
    fn place(&self, path: &str) -> String {
        match self.text.as_deref().and_then(|text| line_of(text, path)) {
            Some(line) => format!("{}, line {line}", self.source),
            None => self.source.clone(),
        }
    }
}

/// The line of a setting in a file, from 1; `None` if it is written in a way that has no line of its own.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let mut section = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            section = format!("{}.", name.trim());
        } else if let Some((key, _)) = line.split_once('=')
            && format!("{section}{}", key.trim()) == path
        {
            return Some(number);
        }
    }
    None
}

/// How to write a text that is no setting: with a value, or with the right sign before it.
fn as_setting(text: &str) -> String {
    let known = |key: &str| names::is_setting(key.trim());
    if known(text) {
        return format!("the value is missing; write --set {}=VALUE", text.trim());
    }
    match text.split_once([':', ' ']).filter(|(key, value)| known(key) && !value.trim().is_empty()) {
        Some((key, value)) => format!("write --set {}={}", key.trim(), value.trim()),
        None => "write it as key=value, for example --set agent.horizon=10".to_owned(),
    }
}

/// The configuration made of `layers`, each laid over the ones before it and all over the defaults.
///
/// # Errors
/// [`ConfigError`] for the first unknown key, value of the wrong kind or value out of range.
pub fn resolve(layers: &[Layer]) -> Result<Config, ConfigError> {
    let config = laid(layers)?;
    config.validate().map_err(|error| placed(error, layers))?;
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

/// The error of a value that is out of range, with what was written, and where.
fn placed(error: ConfigError, layers: &[Layer]) -> ConfigError {
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

/// The configuration made of `layers` before its ranges are checked.
fn laid(layers: &[Layer]) -> Result<Config, ConfigError> {
    laid_over(Config::default(), layers)
}

/// The configuration made of `layers`, laid over `config`, before its ranges are checked.
fn laid_over(mut config: Config, layers: &[Layer]) -> Result<Config, ConfigError> {
    let defaults = table_of(&Config::default());
    let mut merged = table_of(&config);
    for layer in layers {
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

/// The expected value at `path`, where the default is `default`; `None` for types whose own
/// errors name the expected value.
fn expected(path: &str, default: Option<&Value>) -> Option<String> {
    let kind = match (path, default?) {
        ("tasks", _) => "a list of task names, such as [\"hopper\", \"ant\"]".to_owned(),
        ("agent.actor", _) => "\"tanh_normal\" or \"one_hot\"".to_owned(),
        ("agent.precision", _) => "\"f32\" or \"bf16\"".to_owned(),
        ("agent.evaluation", _) => "\"mode\" or \"mean\"".to_owned(),
        ("task.termination", _) => "\"fixed\" or \"stock\"".to_owned(),
        ("task.observe", _) => "\"image\", \"vector\" or \"both\"".to_owned(),
        ("replay.files", _) => "\"always\" or \"until_finished\"".to_owned(),
        ("replay.starts", _) => "\"inside\" or \"edges\"".to_owned(),
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

fn set(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [section, rest @ ..] => {
            let inner = table.entry(section.clone()).or_insert_with(|| Table::new().into());
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;
    use crate::config::ByteSize;
    use crate::config::difference;
    use crate::config::tables::paths;
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
    fn arguments_of_a_world_have_any_key() {
        let config =
            typed(&["task.arguments.g=9.81", "task.arguments.map_name=4x4", "task.arguments.inner={a=[1,2]}"]).unwrap();
        let text = serde_json::to_string(&config.task.arguments).unwrap();
        assert_eq!(text, r#"{"g":9.81,"inner":{"a":[1,2]},"map_name":"4x4"}"#);
        let text = toml::to_string(&config).unwrap();
        assert_eq!(resolve(&[Layer::parse("file", &text).unwrap()]).unwrap(), config, "{text}");
        let other = typed(&["task.arguments.g=9.8"]).unwrap();
        let differences = difference(&config, &other);
        let told: Vec<_> = differences.iter().map(|one| (&*one.path, &*one.was, &*one.now)).collect();
        let expected = [
            ("task.arguments.g", "9.81", "9.8"),
            ("task.arguments.inner.a", "[1, 2]", "nothing"),
            ("task.arguments.map_name", "\"4x4\"", "nothing"),
        ];
        assert_eq!(told, expected);
        // The section itself is none, and other sections still have only their own keys.
        assert!(message(&["task.arguments=3"]).contains("is a section"));
        assert!(message(&["task.argument.g=3"]).contains("unknown key"));
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
            ("replay.starts=outside", ["replay.starts = \"outside\"", "it must be \"inside\" or \"edges\""]),
            ("replay.starts=1", ["replay.starts = 1", "it must be \"inside\" or \"edges\""]),
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

    #[test]
    fn broken_toml_is_named_with_its_line() {
        let text = Layer::parse("my.toml", "steps = 1\nseed = = 2\n").unwrap_err().to_string();
        assert!(text.contains("my.toml") && text.contains("line 2") && !text.contains('\n'), "{text}");
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
