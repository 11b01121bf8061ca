//! The study file: tasks, sources and methods in TOML.
//!
//! Here: its keys, and reading them; those of methods are in `method`. Not here: which runs it asks for, and whether
//! its names fit together (`expand`).

use crate::StudyError;
pub use crate::method::Method;
use crate::place::{line_at, place_of};
use files::{ReadError, sha256};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use transfer::TransferError;

/// The limit for the size of a study file, or of a plan that it names, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// A study.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyFile {
    /// Its name, that of its folder.
    pub name: String,
    /// The question that it answers, for people.
    #[serde(default)]
    pub description: String,
    /// The preset of all runs.
    pub preset: String,
    /// Environment frames of a target's run.
    pub steps: Count,
    /// Seeds of the targets' runs.
    pub seeds: Vec<u64>,
    /// The targets.
    pub tasks: Vec<String>,
    /// The order in which runs are finished.
    #[serde(default)]
    pub order: Order,
    /// The method that the others are compared with, by its name in tables. If there is none, the method that starts from
    /// scratch.
    pub baseline: Option<String>,
    /// Settings laid over the preset in all runs. A list of values is a sweep: all runs once with each value.
    #[serde(default)]
    pub set: toml::Table,
    /// Sets of source tasks that depend on the target: name, target, tasks.
    #[serde(default)]
    pub combination: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// The source agents.
    #[serde(default)]
    pub source: Vec<Source>,
    /// The methods that are compared.
    pub method: Vec<Method>,
}

/// The order of a study's runs. It decides which runs are finished if time runs out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// All sources, then all targets with the first seed, and so on: every target soon has some result.
    #[default]
    Seeds,
    /// Each target with all its seeds before the next target. Its sources come just before it.
    Tasks,
}

/// The seed of sources that the study file gives none, if no target has it.
pub(crate) const SOURCE_SEED: u64 = 1000;

impl StudyFile {
    /// The default seed of sources: 1000, or the next number that is not the seed of a target. So a target never has
    /// the seed of its source, and the sources stay the same if targets get more seeds.
    pub fn source_seed(&self) -> u64 {
        (SOURCE_SEED..).find(|seed| !self.seeds.contains(seed)).unwrap_or(SOURCE_SEED)
    }
}

/// Source agents: one that learns several tasks together, or one for each task.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// One agent learns all of these.
    pub tasks: Option<Tasks>,
    /// An agent for each of these.
    pub each: Option<Tasks>,
    /// Agents that were trained before the study, by the paths of their runs, checkpoints or exports.
    pub agents: Option<Paths>,
    /// Environment frames of each agent's run.
    pub steps: Option<Count>,
    /// Its seed; [`StudyFile::source_seed`] by default.
    pub seed: Option<SourceSeed>,
    /// Whether it is a control that takes no gradient step.
    #[serde(default)]
    pub untrained: bool,
    /// The source whose encoder it has, frozen.
    pub universal: Option<String>,
    /// The preset of the plan for that; `universal` by default.
    pub plan: Option<String>,
}

/// The seed of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SourceSeedText")]
pub enum SourceSeed {
    /// The same agent for all targets.
    Number(u64),
    /// Another agent for each seed of the targets, so that intervals cover the chance in the sources, too.
    Target,
}

/// A [`SourceSeed`] as it is written.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "it must be a whole number, or \"target\" for another source for each seed of the targets"
)]
enum SourceSeedText {
    Number(u64),
    Word(String),
}

impl TryFrom<SourceSeedText> for SourceSeed {
    type Error = String;

    fn try_from(text: SourceSeedText) -> Result<Self, String> {
        match text {
            SourceSeedText::Number(seed) => Ok(Self::Number(seed)),
            SourceSeedText::Word(word) if word == "target" => Ok(Self::Target),
            SourceSeedText::Word(word) => Err(format!(
                "it is {word:?}, but it must be a whole number, or \"target\" for another source for each seed of the targets"
            )),
        }
    }
}

/// A path, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "OnePathOrMore")]
pub struct Paths(pub Vec<PathBuf>);

/// [`Paths`] as they are written.
#[derive(Deserialize)]
#[serde(untagged, expecting = "it must be the path of a run, a checkpoint or an export, or a list of such paths")]
enum OnePathOrMore {
    One(PathBuf),
    More(Vec<PathBuf>),
}

impl From<OnePathOrMore> for Paths {
    fn from(paths: OnePathOrMore) -> Self {
        match paths {
            OnePathOrMore::One(path) => Self(vec![path]),
            OnePathOrMore::More(paths) => Self(paths),
        }
    }
}

/// Tasks, or the name of a combination, which has different tasks for each target.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "it must be a list of tasks, or the name of a combination")]
pub enum Tasks {
    /// The same for every target.
    List(Vec<String>),
    /// Those of a combination.
    Combination(String),
}

/// The most frames of a run, as in its settings.
const MOST_FRAMES: u64 = 1_000_000_000_000;

/// A whole number as people write it: `25_000` or `2e6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "it must be a whole number from 1 to 1e12, such as 25_000 or 2e6")]
        enum Number {
            Whole(u64),
            Real(f64),
        }
        match Number::deserialize(deserializer)? {
            Number::Whole(number) if (1..=MOST_FRAMES).contains(&number) => Ok(Self(number)),
            Number::Real(real) if real.fract() == 0.0 && (1.0..=MOST_FRAMES as f64).contains(&real) => {
                Ok(Self(real as u64))
            }
            _ => Err(serde::de::Error::custom("it must be a whole number from 1 to 1e12, such as 25_000 or 2e6")),
        }
    }
}

/// A study file with the data of messages and its checksum.
#[derive(Clone, Debug)]
pub struct LoadedStudy {
    /// The study.
    pub study: StudyFile,
    /// Its file, for messages.
    pub path: PathBuf,
    /// Its text, in which messages find the lines of keys.
    pub text: String,
    /// SHA-256 of its text, and of the plans and agents that it names.
    pub checksum: String,
}

#[cfg(test)]
impl LoadedStudy {
    /// The study file with this text, which names no plan's file.
    pub fn of_text(text: &str) -> Result<Self, StudyError> {
        let path = PathBuf::from("study.toml");
        Ok(Self { study: parse(&path, text)?, path, text: text.to_owned(), checksum: String::new() })
    }
}

/// Reads the study file at `path`, and the plans that it names; the agents that it names must be there.
///
/// # Errors
/// The first key that cannot be used, with its path and line, or a file that cannot be read.
pub fn read(path: &Path) -> Result<LoadedStudy, StudyError> {
    let text = contents(path)?;
    let study = parse(path, &text)?;
    let mut covered = text.clone();
    for (index, method) in study.method.iter().enumerate() {
        let Some(file) = method.plan_file() else { continue };
        let found = next_to(path, file);
        if !found.exists() {
            let key = if matches!(method, Method::Plan { .. }) { "file" } else { "plan" };
            let place = place_of(path, &text, &format!("method[{index}].{key}"));
            let why =
                format!("{} does not exist; check its path, which is relative to the study file", found.display());
            return Err(StudyError::StudyFile { place, why });
        }
        covered.push_str(&contents(&found)?);
    }
    for (index, source) in study.source.iter().enumerate() {
        for (place, agent) in source.agents.iter().flat_map(|agents| &agents.0).enumerate() {
            let place = place_of(path, &text, &format!("source[{index}].agents[{place}]"));
            if agent.as_os_str().is_empty() {
                let why = "the path is empty; give that of a run, a checkpoint or an export".to_owned();
                return Err(StudyError::StudyFile { place, why });
            }
            let sha256 = transfer::sha256_of(&source.name, &next_to(path, agent));
            let unfit = |error| StudyError::Agent { place, why: Box::new(TransferError::from(error).into()) };
            let sha256 = sha256.map_err(unfit)?;
            covered.push_str(&sha256);
        }
    }
    Ok(LoadedStudy { study, path: path.to_owned(), text, checksum: sha256(covered.as_bytes()) })
}

/// `file` as a path relative to the working directory, if it is relative to the study file at `path`.
pub(crate) fn next_to(path: &Path, file: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

/// The text of a study file, a plan or a profile.
pub(crate) fn contents(path: &Path) -> Result<String, StudyError> {
    if path.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        let why = "it does not exist; check its path".to_owned();
        return Err(StudyError::StudyFile { place: path.display().to_string(), why });
    }
    if path.is_dir() {
        let why = "this is a folder; name a file".to_owned();
        return Err(StudyError::StudyFile { place: path.display().to_string(), why });
    }
    files::read_text(path, LARGEST_FILE).map_err(|error| match error {
        ReadError::Io(source) if source.kind() != ErrorKind::NotFound => StudyError::io(path)(source),
        error => StudyError::StudyFile { place: path.display().to_string(), why: error.to_string() },
    })
}

/// Reads the text of a study file; `path` is for messages.
///
/// # Errors
/// The first key that cannot be used, with its path and line.
pub fn parse(path: &Path, text: &str) -> Result<StudyFile, StudyError> {
    let one_line = |message: &str| message.split_whitespace().collect::<Vec<_>>().join(" ");
    let deserializer = toml::Deserializer::parse(text).map_err(|error| {
        let line = error.span().map_or_else(String::new, |span| format!(" (line {})", line_at(text, span.start)));
        let why = format!("it is not valid TOML: {}", one_line(error.message()));
        StudyError::StudyFile { place: format!("{}{line}", path.display()), why }
    })?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let mut key = error.path().to_string();
        let error = error.into_inner();
        if !["unknown ", "missing "].iter().any(|start| error.message().starts_with(start)) {
            key.extend(wrong_key(text, &key).map(|wrong| format!(".{wrong}")));
        }
        let mut why = one_line(&transfer::plain(error.message()));
        if let Some((wrong, known)) = choices(error.message()) {
            let like = wording::nearest(wrong, known.into_iter());
            why.extend(like.map(|like| format!("; did you mean `{like}`?")));
            // The reader names the table that has an unknown key of a method, not the key.
            if error.message().starts_with("unknown field") && !key.ends_with(wrong) {
                key.push_str(&format!(".{wrong}"));
            }
        }
        let place = if key == "." { path.display().to_string() } else { place_of(path, text, &key) };
        StudyError::StudyFile { place, why }
    })
}

/// The key of the method at `path`, such as `method[1]`, whose value has a wrong type. The reader names only the
/// method, because it reads all keys before it knows their kind; without the wrong key, it reports another error.
fn wrong_key(text: &str, path: &str) -> Option<String> {
    /// More keys than any kind of method has: others are not tried, so that a large table costs no time.
    const MOST_KEYS: usize = 16;
    let number: usize = path.strip_prefix("method[")?.strip_suffix(']')?.parse().ok()?;
    let study: toml::Table = text.parse().ok()?;
    let method = study.get("method")?.get(number)?.as_table()?;
    let message_of = |method: toml::Table| {
        let read = toml::Value::Table(method).try_into::<Method>();
        read.err().map(|error| error.message().to_owned())
    };
    let message = message_of(method.clone())?;
    let is_wrong = |key: &&String| {
        let mut rest = method.clone();
        rest.remove(key.as_str());
        message_of(rest).as_ref() != Some(&message)
    };
    let is_small = method.len() <= MOST_KEYS;
    method.keys().filter(|key| is_small && *key != "kind").find(is_wrong).cloned()
}

/// The wrong name, and the known ones, of a message about an unknown key or value.
fn choices(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut names = message.strip_prefix("unknown ")?.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    let known: Vec<&str> = names.collect();
    (!known.is_empty()).then_some((wrong, known))
}
