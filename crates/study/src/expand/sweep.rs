//! Settings with several values, and the variants of runs that they stand for.
//!
//! A list is a sweep, unless the setting is a list itself: arguments of external environments may be lists, and a sweep over
//! them is written `{ sweep = [...] }`. Here: which lists are sweeps, their combinations, and the names of variants. Not
//! here: which runs have which variants (`expand`).

use environment::file_name;
use files::sha256;
use std::collections::BTreeSet;
use toml::{Table, Value};
use train::config::{SIZE, SettingKind, is_of_size, meant};

/// The most variants of a method, or of all runs.
const MOST_VARIANTS: usize = 1000;

/// The longest names of variants in names of folders, in bytes.
const LONGEST_NAME: usize = 100;

/// The key of a sweep over a setting whose values may be lists.
const SWEEP: &str = "sweep";

/// A table of settings, some of which have several values.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    settings: Vec<Setting>,
    /// The first sweep that is not written as one.
    wrong: Option<Wrong>,
}

#[derive(Debug)]
struct Setting {
    /// Its dotted path.
    key: String,
    /// Its values, as they are typed: one, unless it is swept.
    values: Vec<Value>,
    /// Whether it has a list of values.
    swept: bool,
}

/// One value of each setting.
#[derive(Clone, Debug, Default)]
pub(super) struct Variant {
    /// Dotted paths and values, as they are typed.
    pub settings: Vec<(String, String)>,
    /// The swept settings, as names of methods have them: `horizon=10`.
    choices: Vec<String>,
}

/// The fault of a sweep: the key of the setting, and the reason.
pub(super) type Wrong = (String, String);

impl Sweep {
    /// The settings of a table.
    pub fn of(set: &Table) -> Self {
        let mut sweep = Self::default();
        sweep.collect("", set);
        sweep
    }

    fn collect(&mut self, above: &str, table: &Table) {
        for (name, value) in table {
            let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
            let kind = SettingKind::of(&key);
            let values = match (value, kind) {
                (Value::Array(values), Some(SettingKind::Single)) => Some(values),
                (Value::Table(inner), Some(SettingKind::Single | SettingKind::List | SettingKind::Any)) => {
                    inner.get(SWEEP).filter(|_| inner.len() == 1).and_then(Value::as_array)
                }
                _ => None,
            };
            // An argument of an external environment may be such a table.
            if let (None, Value::Table(inner), Some(SettingKind::Single | SettingKind::List)) = (values, value, kind)
                && let Some(given) = inner.get(SWEEP)
            {
                self.wrong.get_or_insert((key, no_sweep(inner, given)));
                continue;
            }
            match (values, value) {
                (Some(values), _) => self.settings.push(Setting { key, values: values.clone(), swept: true }),
                (None, Value::Table(inner)) => self.collect(&key, inner),
                (None, other) => self.settings.push(Setting { key, values: vec![other.clone()], swept: false }),
            }
        }
    }

    /// Dotted paths of all settings.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(|setting| &*setting.key)
    }

    /// Dotted paths of the settings with a list of values.
    pub fn swept(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().filter(|setting| setting.swept).map(|setting| &*setting.key)
    }

    /// Every combination of values. `all` are the swept settings of the whole study, whose names must differ.
    ///
    /// # Errors
    /// The first list that is empty, has a value twice, however it is written, or is none, or that there are too many combinations.
    pub fn variants(&self, all: &BTreeSet<&str>) -> Result<Vec<Variant>, Wrong> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        let mut variants = vec![Variant::default()];
        for Setting { key, values, swept } in &self.settings {
            if values.is_empty() {
                let why = "the list is empty; give at least one value, or remove the setting";
                return Err((key.clone(), why.to_owned()));
            }
            let name = name_of(key, all);
            let mut seen: Vec<(&Value, Value)> = Vec::new();
            for value in values {
                // A value that cannot be used is refused later, with its reason.
                let same = meant(key, &value.to_string()).unwrap_or_else(|| value.clone());
                match seen.iter().find(|(_, other)| *other == same) {
                    None => seen.push((value, same)),
                    Some((first, _)) if first.to_string() == value.to_string() => {
                        return Err((key.clone(), format!("the value {value} is listed twice; remove one")));
                    }
                    Some((first, _)) => {
                        return Err((key.clone(), format!("the values {first} and {value} are the same; remove one")));
                    }
                }
            }
            let combinations = variants.len().saturating_mul(values.len());
            if combinations > MOST_VARIANTS {
                let why = format!(
                    "together with the lists before it, this list makes {combinations} combinations of settings, and a \
                     study has at most {MOST_VARIANTS}; use shorter lists, or several studies"
                );
                return Err((key.clone(), why));
            }
            let with = |before: &Variant, value: &Value| {
                let mut variant = before.clone();
                variant.settings.push((key.clone(), value.to_string()));
                variant.choices.extend(swept.then(|| format!("{name}={}", plain(value))));
                variant
            };
            variants = variants.iter().flat_map(|before| values.iter().map(move |value| with(before, value))).collect();
        }
        Ok(variants)
    }
}

impl Variant {
    /// These settings with those of `over` in their place or after them. A size of `over` takes the place of all that it stands for.
    pub fn with(&self, over: &Self) -> Self {
        let mut both = self.clone();
        if over.settings.iter().any(|(key, _)| key == SIZE) {
            both.settings.retain(|(key, _)| !is_of_size(key));
        }
        for (key, value) in &over.settings {
            match both.settings.iter_mut().find(|(known, _)| known == key) {
                Some((_, old)) => old.clone_from(value),
                None => both.settings.push((key.clone(), value.clone())),
            }
        }
        both.choices.extend(over.choices.iter().cloned());
        both
    }

    /// The settings as arguments of `--set`.
    pub fn typed(&self) -> Vec<String> {
        self.settings.iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    /// The name of this variant of the method `method`: `baseline, horizon=10`.
    pub fn of_method(&self, method: &str) -> String {
        [method].into_iter().chain(self.choices.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
    }

    /// The suffix of the method in names of folders: `-horizon=10`. Names that are long or would have to be changed end
    /// with a checksum, so that no two variants have the same folder.
    pub fn of_folder(&self) -> String {
        let exact: String = self.choices.iter().map(|choice| format!("-{choice}")).collect();
        let mut name = exact.split('=').map(file_name).collect::<Vec<_>>().join("=");
        if name != exact || name.len() > LONGEST_NAME {
            name.truncate(LONGEST_NAME);
            name.push_str(&format!("-{}", &sha256(exact.as_bytes())[..8]));
        }
        name
    }
}

/// Why the table `inner` with the value `given` of the key [`SWEEP`] is not a sweep.
fn no_sweep(inner: &Table, given: &Value) -> String {
    match inner.keys().find(|key| *key != SWEEP) {
        Some(other) => format!("a table with the key {SWEEP} has no other keys; remove {other}"),
        None => format!(
            "{SWEEP} takes a list of values, such as {SWEEP} = [{given}]; for a single value, write {given} alone"
        ),
    }
}

/// The last part of a setting's path, or all of it if another swept setting has the same last part.
fn name_of<'a>(key: &'a str, all: &BTreeSet<&str>) -> &'a str {
    let last = |key: &'a str| key.rsplit('.').next().unwrap_or(key);
    let same = all.iter().filter(|other| other.rsplit('.').next() == Some(last(key))).count();
    if same > 1 { key } else { last(key) }
}

/// A value for people: strings without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variants(text: &str) -> Result<Vec<Variant>, Wrong> {
        let sweep = Sweep::of(&text.parse::<Table>().unwrap());
        let all = sweep.swept().collect();
        sweep.variants(&all)
    }

    fn names(text: &str) -> Vec<String> {
        variants(text).unwrap().iter().map(|variant| variant.of_method("baseline")).collect()
    }

    #[test]
    fn every_combination_has_a_name() {
        assert_eq!(names("agent.horizon = 10"), ["baseline"]);
        assert_eq!(names("agent.horizon = [10]"), ["baseline, horizon=10"]);
        let both = "agent = { horizon = [5, 10], units = 3 }\nreplay.starts = [\"inside\", \"edges\"]";
        let expected = ["5, starts=inside", "5, starts=edges", "10, starts=inside", "10, starts=edges"];
        assert_eq!(names(both), expected.map(|end| format!("baseline, horizon={end}")));
        // Two settings whose last parts are equal.
        let expected = "baseline, checkpoint.every=5, log.every=7";
        assert_eq!(names("checkpoint.every = [5]\nlog.every = [7]"), [expected]);
        let all = variants(both).unwrap();
        assert_eq!(all[0].typed(), ["agent.horizon=5", "agent.units=3", "replay.starts=\"inside\""]);
    }

    #[test]
    fn settings_that_are_lists_are_swept_only_if_they_say_so() {
        let list = variants("task.arguments.sizes = [4, 8]").unwrap();
        assert_eq!((list.len(), list[0].typed()), (1, vec!["task.arguments.sizes=[4, 8]".to_owned()]));
        let lists = names("task.arguments.sizes = { sweep = [[4, 8], [8]] }");
        assert_eq!(lists, ["baseline, sizes=[4, 8]", "baseline, sizes=[8]"]);
        assert_eq!(names("agent.horizon = { sweep = [4, 8] }").len(), 2);
        // An argument whose name is that of the key, and tables of arguments.
        let named = variants("task.arguments.sweep = [1, 2]\ntask.arguments.x = { sweep = 3 }").unwrap();
        assert_eq!(named.len(), 1);
        // Arguments of an environment keep the form in which they are written: it may tell a whole number from a real
        // one.
        assert_eq!(names("task.arguments.x = { sweep = [8, 8.0] }").len(), 2);
        assert_eq!(named[0].typed(), ["task.arguments.sweep=[1, 2]", "task.arguments.x.sweep=3"]);
    }

    #[test]
    fn lists_that_cannot_be_swept_are_refused() {
        let long = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
        let many = format!("agent.horizon = [{}]\nagent.units = [{}]", long(100), long(11));
        for (text, key, part) in [
            ("agent.horizon = []", "agent.horizon", "empty"),
            ("agent.horizon = [3, 4, 3]", "agent.horizon", "3 is listed twice"),
            ("agent.horizon = [3, 3.0]", "agent.horizon", "the values 3 and 3.0 are the same"),
            ("agent.discount = [1, 0.5, 1.0]", "agent.discount", "the values 1 and 1.0 are the same"),
            ("replay.budget = [\"2GB\", 2e9]", "replay.budget", "the values \"2GB\" and 2000000000.0 are the same"),
            ("replay.budget = [\"2GB\", \"2000MB\"]", "replay.budget", "\"2GB\" and \"2000MB\" are the same"),
            ("agent.horizon = { sweep = [8, 8e0] }", "agent.horizon", "are the same"),
            ("agent.horizon = { sweep = 8 }", "agent.horizon", "such as sweep = [8]"),
            ("tasks = { sweep = \"ant\" }", "tasks", "such as sweep = [\"ant\"]"),
            ("agent.horizon = { sweep = [8], also = 1 }", "agent.horizon", "remove also"),
            (&*many, "agent.units", "1100 combinations of settings, and a study has at most 1000"),
        ] {
            let (place, why) = variants(text).unwrap_err();
            assert!(place == key && why.contains(part), "{place}: {why}");
        }
    }

    #[test]
    fn folders_of_variants_differ() {
        let folders = |text: &str| variants(text).unwrap().iter().map(Variant::of_folder).collect::<Vec<_>>();
        assert_eq!(folders("agent.horizon = [5]"), ["-horizon=5"]);
        assert_eq!(folders("agent.horizon = 5"), [""]);
        let odd = folders("task.arguments.map = { sweep = [\"a/b\", \"a b\"] }");
        assert!(odd[0] != odd[1] && odd.iter().all(|name| name.starts_with("-map=a-b-")), "{odd:?}");
        let long = folders(&format!("task.arguments.map = {{ sweep = [\"{0}\", \"{0}1\"] }}", "x".repeat(300)));
        assert!(long[0] != long[1] && long.iter().all(|name| name.len() < 120), "{long:?}");
    }

    #[test]
    fn settings_of_a_method_replace_those_of_the_study() {
        let study = variants("agent.horizon = 5\nagent.units = [3]").unwrap().remove(0);
        let method = variants("agent.horizon = [7]\nlog.videos = false").unwrap().remove(0);
        let both = study.with(&method);
        assert_eq!(both.typed(), ["agent.horizon=7", "agent.units=3", "log.videos=false"]);
        assert_eq!(both.of_method("full"), "full, units=3, horizon=7");
        // A size replaces what it stands for, but not what stands next to it.
        let method = variants("agent.size = \"1m\"\nagent.deter = 9").unwrap().remove(0);
        assert_eq!(
            both.with(&method).typed(),
            ["agent.horizon=7", "log.videos=false", "agent.deter=9", "agent.size=\"1m\""]
        );
    }
}
