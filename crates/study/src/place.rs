//! The place of a key of a study file: its line, and its path in the form in which messages name it.
//!
//! Not here: the meaning of keys (`study_file`).

use std::path::Path;
use toml::de::{DeTable, DeValue};

/// The place of `key` in the study file at `path` with this `text`: the file with the line, and the path of the key for
/// people, as in `mine.toml (line 30), method 2, from`. `key` is a path such as `method[1].from`; if the study file does not
/// contain it, the line is that of the innermost table or list that contains it.
pub(crate) fn place_of(path: &Path, text: &str, key: &str) -> String {
    let line = line_of(text, key).map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{}{line}, {}", path.display(), for_people(key))
}

/// The line of byte `start` of a text, from 1.
pub(crate) fn line_at(text: &str, start: usize) -> usize {
    1 + text[..start].matches('\n').count()
}

/// One step of a path.
enum Segment<'a> {
    Key(&'a str),
    Index(usize),
}

fn segments(path: &str) -> Vec<Segment<'_>> {
    let mut all = Vec::new();
    for part in path.split('.') {
        let (key, indices) = part.split_once('[').unwrap_or((part, ""));
        all.push(Segment::Key(key));
        all.extend(indices.split(['[', ']']).filter_map(|index| index.parse().ok()).map(Segment::Index));
    }
    all
}

/// The line of a key, or of the innermost table or list on the way to it. `None` if not even its first part is there.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?.into_inner();
    let mut start = None;
    let mut within = DeValue::Table(table);
    for segment in segments(path) {
        let (at, value) = match (segment, within) {
            (Segment::Key(key), DeValue::Table(table)) => {
                let Some((name, value)) = table.into_iter().find(|(name, _)| name.get_ref() == key) else { break };
                (name.span().start, value.into_inner())
            }
            (Segment::Index(index), DeValue::Array(array)) => {
                let Some(value) = array.into_iter().nth(index) else { break };
                (value.span().start, value.into_inner())
            }
            _ => break,
        };
        start = Some(at);
        within = value;
    }
    start.map(|start| line_at(text, start))
}

/// `method[1].fractions[0]` as `method 2, fractions, entry 1`. People count from 1.
fn for_people(path: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    for segment in segments(path) {
        match segment {
            Segment::Key(key) if text.is_empty() => text.push_str(key),
            // The name of a table of the file itself stays joined to its keys, as in `set.agent.horizon`.
            Segment::Key(key) if depth == 1 && !text.contains(' ') => text.push_str(&format!(".{key}")),
            Segment::Key(key) => text.push_str(&format!(", {key}")),
            Segment::Index(index) if matches!(&*text, "method" | "source") => {
                text.push_str(&format!(" {}", index + 1));
            }
            Segment::Index(index) => text.push_str(&format!(", entry {}", index + 1)),
        }
        depth = 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"a\"\nseeds = [0,\n  1]\n[set]\nagent.horizon = 3\n[[source]]\nname = \"b\"\n[[source]]\n\
                        name = \"c\"\neach = [\"hopper\"]\n";

    #[test]
    fn a_key_is_named_with_its_line_and_path() {
        for (key, place) in [
            ("name", "mine.toml (line 1), name"),
            ("seeds", "mine.toml (line 2), seeds"),
            ("seeds[1]", "mine.toml (line 3), seeds, entry 2"),
            ("set.agent.horizon", "mine.toml (line 5), set.agent.horizon"),
            ("source[0].name", "mine.toml (line 7), source 1, name"),
            ("source[1].each[0]", "mine.toml (line 10), source 2, each, entry 1"),
        ] {
            assert_eq!(place_of(Path::new("mine.toml"), TEXT, key), place);
        }
    }

    #[test]
    fn a_missing_key_has_the_line_of_the_table_that_lacks_it() {
        for (key, place) in [
            ("source[1].steps", "mine.toml (line 8), source 2, steps"),
            ("set.log.videos", "mine.toml (line 4), set.log.videos"),
            ("method[0].kind", "mine.toml, method 1, kind"),
        ] {
            assert_eq!(place_of(Path::new("mine.toml"), TEXT, key), place);
        }
    }
}
