//! A layer of settings: a preset, a file, or one typed setting, and where each of its values is written.

use super::{ConfigError, names};
use dreamer::AgentConfig;
use std::path::Path;
use toml::{Table, Value};

/// The most bytes that a file of settings may have.
const LARGEST_FILE: u64 = 1 << 20;

/// Some settings and where they came from.
#[derive(Clone, Debug)]
pub struct Layer {
    source: String,
    pub(super) table: Table,
    /// The text of a file, for the lines of its settings.
    text: Option<String>,
    /// Whether it is one setting of the command line.
    pub(super) typed: bool,
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
        Ok(Self { source: source.to_owned(), table, text: None, typed: false })
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
        let advice = match key {
            "agent.images" | "agent.vector" => {
                "what an agent observes follows from its tasks; set task.observe to image, vector or both instead"
            }
            "agent.resets" => "it follows from replay.starts: stream stands for true, inside and edges for false",
            _ => "",
        };
        if !advice.is_empty() {
            return Err(ConfigError::Derived { key: key.to_owned(), advice });
        }
        Ok(Self { typed: true, ..Self::value(&format!("--set {text}"), key, value) })
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

    pub(super) fn leaf(source: &str, key: &str, leaf: Value) -> Self {
        let (above, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = Table::from_iter([(last.trim().to_owned(), leaf)]);
        for section in above.rsplit('.').filter(|section| !section.is_empty()) {
            table = Table::from_iter([(section.trim().to_owned(), Value::Table(table))]);
        }
        Self { source: source.to_owned(), table, text: None, typed: false }
    }

    /// The origin of the setting at `path`, with its line in a file.
    pub(super) fn place(&self, path: &str) -> String {
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

/// How to write a text that is not a setting: with a value, or with the right sign before it.
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

/// A message of a parser on one line.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_toml_is_named_with_its_line() {
        let text = Layer::parse("my.toml", "steps = 1\nseed = = 2\n").unwrap_err().to_string();
        assert!(text.contains("my.toml") && text.contains("line 2") && !text.contains('\n'), "{text}");
    }
}
