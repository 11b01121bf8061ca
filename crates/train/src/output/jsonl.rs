//! `metrics.jsonl`: one JSON object a line, `step` first.
//!
//! Here: appending complete lines, and continuing the file of a stopped run. Not here: reading and counting lines
//! (`lines`), and the metrics themselves.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Number, Value};

use super::error::OutputError;
use super::lines::for_each_line;
use crate::Frames;

/// A metrics file that is being appended to.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    /// Whole lines.
    lines: u64,
}

/// The changes of [`MetricsLog::open`] to an existing file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reopened {
    /// Bytes cut off: the beginning of a line that a stopped program did not finish.
    pub torn: u64,
    /// Lines moved to `aside`.
    pub moved: u64,
    /// The file with the lines beyond those that were to be kept.
    pub aside: Option<PathBuf>,
}

/// Changes to a metrics file, by another program or person, while it was being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meddled {
    /// The file was removed or replaced. It has all its lines again, and the other file, if there is one, has another name.
    Restored {
        /// The new name of the other file.
        aside: Option<PathBuf>,
    },
    /// The file was shortened or written to. It continues with the lines that it has now.
    Changed {
        /// How many lines there were.
        were: u64,
        /// How many there are.
        are: u64,
    },
}

impl MetricsLog {
    /// Opens `path` for appending, and makes it if there is none.
    ///
    /// An incomplete last line is cut off. With `keep`, only this many lines stay, and the others are moved to
    /// `<path>.aside-<n>`, where `n` is the first free number from 1: they belong to frames that the run will collect
    /// again. Lines are counted instead of comparing steps, because a step can have several lines. Lines that are moved may
    /// have any bytes: after a loss of power, blocks that were never synced may read as zeros.
    ///
    /// # Errors
    /// If a line that stays is not one of metrics, or the file system refuses.
    pub fn open(path: &Path, keep: Option<u64>) -> Result<(Self, Reopened), OutputError> {
        let keep = keep.unwrap_or(u64::MAX);
        let mut reopened = Reopened::default();
        let (mut length, mut lines) = (0, 0);
        if path.try_exists().map_err(|source| OutputError::io("look for", path, source))? {
            for_each_line(path, keep, |line| {
                length += line.len() as u64;
                lines += 1;
            })?;
            let rest = Rest::after(path, length)?;
            (reopened.torn, reopened.moved) = (rest.torn, rest.lines);
            if rest.lines > 0 {
                // The lines are in their new place before they leave the old one.
                let aside = free_name(path)?;
                rest.copy(path, length, &aside)?;
                reopened.aside = Some(aside);
            }
        }
        let io_error = |source| OutputError::io("open", path, source);
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(io_error)?;
        file.set_len(length).and_then(|()| file.sync_all()).map_err(io_error)?;
        let folder = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        files::sync_folder(folder).map_err(|source| OutputError::io("sync", folder, source))?;
        Ok((Self { path: path.to_owned(), file, length, lines }, reopened))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whole lines in the file.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Appends one line: `step`, then the metrics in their order. Numbers that are not finite become `null`, as JSON
    /// has none of them.
    ///
    /// # Errors
    /// If a name is empty, is `step`, or occurs twice, or if the file cannot be written; the file then ends with the
    /// previous line, as far as the file system allows.
    pub fn write<N: AsRef<str>>(
        &mut self,
        step: Frames,
        metrics: impl IntoIterator<Item = (N, f64)>,
    ) -> Result<(), OutputError> {
        let mut line = format!("{{\"step\":{}", step.0);
        let mut seen = Map::new();
        for (name, number) in metrics {
            let name = name.as_ref();
            let wrong = |reason| OutputError::MetricName { name: name.to_owned(), reason };
            if name.is_empty() {
                return Err(wrong("empty"));
            }
            if name == "step" {
                return Err(wrong("the name of the line's own step"));
            }
            if seen.insert(name.to_owned(), Value::Null).is_some() {
                return Err(wrong("twice on one line"));
            }
            let number = Number::from_f64(number).map_or(Value::Null, Value::Number);
            line.push_str(&format!(",{}:{number}", Value::from(name)));
        }
        line.push_str("}\n");
        if let Err(source) = self.file.write_all(line.as_bytes()) {
            // The first error is the one to report; a torn line that stays is cut off when the file is opened again.
            let is_torn = self.file.metadata().is_ok_and(|metadata| metadata.len() > self.length);
            let _ = if is_torn { self.file.set_len(self.length) } else { Ok(()) };
            return Err(OutputError::io("write", &self.path, source));
        }
        self.length += line.len() as u64;
        self.lines += 1;
        Ok(())
    }

    /// Looks whether the file is still the one that this writes to, and as long, and repairs it if possible: no other
    /// process else is meant to write to it.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn check(&mut self) -> Result<Option<Meddled>, OutputError> {
        let own = self.file.metadata().map_err(|source| OutputError::io("read", &self.path, source))?;
        let there = match self.path.symlink_metadata() {
            Ok(_) => self.path.metadata().ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.path.parent().is_some_and(Path::is_dir) => {
                None
            }
            Err(error) => return Err(OutputError::io("look for", &self.path, error)),
        };
        if own.len() != self.length {
            let were = self.lines;
            self.count_again()?;
            return Ok(Some(Meddled::Changed { were, are: self.lines }));
        }
        if there.is_some_and(|there| is_same(&own, &there)) {
            return Ok(None);
        }
        let mut aside = None;
        if self.path.symlink_metadata().is_ok() {
            let free = free_name(&self.path)?;
            std::fs::rename(&self.path, &free).map_err(|source| OutputError::io("move", &self.path, source))?;
            aside = Some(free);
        }
        let io_error = |source| OutputError::io("write", &self.path, source);
        self.file.rewind().map_err(io_error)?;
        files::write_atomically(&self.path, |file| io::copy(&mut (&self.file).take(self.length), file).map(|_| ()))
            .map_err(io_error)?;
        self.file = OpenOptions::new().read(true).append(true).open(&self.path).map_err(io_error)?;
        Ok(Some(Meddled::Restored { aside }))
    }

    /// Counts the whole lines that the file has now, and cuts off the rest.
    fn count_again(&mut self) -> Result<(), OutputError> {
        let io_error = |source| OutputError::io("read", &self.path, source);
        self.file.rewind().map_err(io_error)?;
        let rest = Rest::of(BufReader::new(&self.file)).map_err(io_error)?;
        (self.lines, self.length) = (rest.lines, rest.whole);
        self.file.set_len(self.length).map_err(io_error)
    }

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// If the file cannot be synced.
    pub fn sync(&mut self) -> Result<(), OutputError> {
        self.file.sync_data().map_err(|source| OutputError::io("sync", &self.path, source))
    }
}

/// The end of a metrics file, after the lines that stay.
#[derive(Default)]
struct Rest {
    /// Line ends.
    lines: u64,
    /// Bytes up to the last of them.
    whole: u64,
    /// Bytes after it: the beginning of a line.
    torn: u64,
}

impl Rest {
    /// The rest of the file at `path` after its first `length` bytes.
    fn after(path: &Path, length: u64) -> Result<Self, OutputError> {
        let file = BufReader::new(open_at(path, length)?);
        Self::of(file).map_err(|source| OutputError::io("read", path, source))
    }

    /// Reads the rest of a file.
    fn of(mut file: impl BufRead) -> io::Result<Self> {
        let mut rest = Self::default();
        loop {
            let bytes = file.fill_buf()?;
            let Some(last) = bytes.len().checked_sub(1) else { return Ok(rest) };
            if let Some(end) = bytes.iter().rposition(|&byte| byte == b'\n') {
                rest.lines += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
                rest.whole += rest.torn + end as u64 + 1;
                rest.torn = (last - end) as u64;
            } else {
                rest.torn += bytes.len() as u64;
            }
            let read = bytes.len();
            file.consume(read);
        }
    }

    /// Writes its whole lines, which begin at byte `length` of `from`, to the file `to`.
    fn copy(&self, from: &Path, length: u64, to: &Path) -> Result<(), OutputError> {
        let mut lines = open_at(from, length)?.take(self.whole);
        files::write_atomically(to, |file| io::copy(&mut lines, file).map(|_| ()))
            .map_err(|source| OutputError::io("write", to, source))
    }
}

/// Whether an open file is the one that a path leads to. Some file systems give a file a new number each time they are
/// asked.
fn is_same(own: &Metadata, there: &Metadata) -> bool {
    let number = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    let look = |metadata: &Metadata| (metadata.len(), metadata.modified().ok());
    number(own) == number(there) || (own.nlink() > 0 && look(own) == look(there))
}

/// The file at `path`, to be read from byte `place` on.
fn open_at(path: &Path, place: u64) -> Result<File, OutputError> {
    let opened = files::open_file(path).and_then(|mut file| file.seek(SeekFrom::Start(place)).map(|_| file));
    opened.map_err(|source| OutputError::io("read", path, source))
}

/// The first of `<path>.aside-1`, `-2` and so on that does not exist.
fn free_name(path: &Path) -> Result<PathBuf, OutputError> {
    let mut number = 1u64;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".aside-{number}"));
        let aside = PathBuf::from(name);
        match aside.try_exists() {
            Ok(false) => return Ok(aside),
            Ok(true) => number += 1,
            Err(source) => return Err(OutputError::io("look for", &aside, source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn open(path: &Path, keep: Option<u64>) -> (MetricsLog, Reopened) {
        MetricsLog::open(path, keep).unwrap()
    }

    #[test]
    fn a_line_is_a_json_object_with_the_step_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let (mut log, reopened) = open(&path, None);
        assert_eq!(reopened, Reopened::default());
        log.write(Frames(1000), [("return", -12.5), ("kl", 3.0), ("bad \"name\"", 1e-7)]).unwrap();
        log.write(Frames(2000), [("nan", f64::NAN), ("up", f64::INFINITY), ("down", f64::NEG_INFINITY)]).unwrap();
        log.write(Frames(3000), [("", 0.0); 0]).unwrap();
        log.sync().unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "{\"step\":1000,\"return\":-12.5,\"kl\":3.0,\"bad \\\"name\\\"\":1e-7}\n\
             {\"step\":2000,\"nan\":null,\"up\":null,\"down\":null}\n{\"step\":3000}\n"
        );
    }

    #[test]
    fn names_that_would_make_a_bad_object_are_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let (mut log, _) = open(&path, None);
        for names in [vec![""], vec!["a", "step"], vec!["a", "b", "a"]] {
            let error = log.write(Frames(1), names.into_iter().map(|name| (name, 1.0))).unwrap_err();
            assert!(matches!(error, OutputError::MetricName { .. }), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_torn_line_is_cut_off_wherever_it_was_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let whole = "{\"step\":1,\"a\":1.0}\n{\"step\":2,\"a\":2.0}\n{\"step\":3,\"a\":3.0}\n";
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let kept = whole[..length].rfind('\n').map_or(0, |end| end + 1);
            for keep in [None, Some(9)] {
                let (mut log, reopened) = open(&path, keep);
                let torn = if keep.is_none() { length - kept } else { 0 };
                assert_eq!(reopened, Reopened { torn: torn as u64, moved: 0, aside: None }, "{length}");
                assert_eq!(fs::read_to_string(&path).unwrap(), whole[..kept]);
                if keep.is_some() {
                    log.write(Frames(4), [("a", 4.0)]).unwrap();
                    let expected = format!("{}{{\"step\":4,\"a\":4.0}}\n", &whole[..kept]);
                    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn a_file_that_somebody_removes_or_replaces_has_all_its_lines_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let (mut log, _) = open(&path, None);
        log.write(Frames(1), [("a", 1.0)]).unwrap();
        assert_eq!(log.check().unwrap(), None);
        fs::remove_file(&path).unwrap();
        log.write(Frames(2), [("a", 2.0)]).unwrap();
        assert_eq!(log.check().unwrap(), Some(Meddled::Restored { aside: None }));
        let moved = folder.path().join("moved");
        fs::rename(&path, &moved).unwrap();
        fs::write(&path, "somebody's").unwrap();
        let aside = folder.path().join("metrics.jsonl.aside-1");
        assert_eq!(log.check().unwrap(), Some(Meddled::Restored { aside: Some(aside.clone()) }));
        log.write(Frames(3), [("a", 3.0)]).unwrap();
        assert_eq!((log.check().unwrap(), log.lines()), (None, 3));
        let whole = "{\"step\":1,\"a\":1.0}\n{\"step\":2,\"a\":2.0}\n{\"step\":3,\"a\":3.0}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
        assert_eq!(fs::read_to_string(aside).unwrap(), "somebody's");
        assert_eq!(
            whole.strip_prefix(&*fs::read_to_string(moved).unwrap()),
            whole.lines().last().map(|line| format!("{line}\n")).as_deref()
        );
        fs::remove_dir_all(folder.path()).unwrap();
        assert!(log.check().unwrap_err().to_string().contains("metrics.jsonl"));
    }

    #[test]
    fn a_file_that_somebody_shortens_is_counted_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let (mut log, _) = open(&path, None);
        (1..=4).for_each(|step| log.write(Frames(step), [("a", 1.0)]).unwrap());
        let text = fs::read_to_string(&path).unwrap();
        let cut = text.find("{\"step\":3").unwrap() + 5;
        OpenOptions::new().write(true).open(&path).unwrap().set_len(cut as u64).unwrap();
        assert_eq!(log.check().unwrap(), Some(Meddled::Changed { were: 4, are: 2 }));
        log.write(Frames(5), [("a", 1.0)]).unwrap();
        assert_eq!((log.check().unwrap(), log.lines()), (None, 3));
        let whole = "{\"step\":1,\"a\":1.0}\n{\"step\":2,\"a\":1.0}\n{\"step\":5,\"a\":1.0}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    }

    #[test]
    fn later_lines_are_moved_aside_and_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let aside = |number: u32| folder.path().join(format!("metrics.jsonl.aside-{number}"));
        fs::write(&path, "{\"step\":1}\n{\"step\":3}\n{\"step\":3,\"a\":null}\n{\"step\":7}\n{\"st").unwrap();
        let (mut log, reopened) = open(&path, Some(2));
        assert_eq!(reopened, Reopened { torn: 4, moved: 2, aside: Some(aside(1)) });
        assert_eq!(log.lines(), 2);
        assert_eq!(fs::read_to_string(aside(1)).unwrap(), "{\"step\":3,\"a\":null}\n{\"step\":7}\n");
        log.write(Frames(4), [("a", 1.0)]).unwrap();
        assert_eq!(log.lines(), 3);
        drop(log);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1}\n{\"step\":3}\n{\"step\":4,\"a\":1.0}\n");
        assert_eq!(open(&path, Some(2)).1, Reopened { torn: 0, moved: 1, aside: Some(aside(2)) });
        assert_eq!(open(&path, Some(2)).1, Reopened::default());
        assert_eq!(fs::read_to_string(aside(2)).unwrap(), "{\"step\":4,\"a\":1.0}\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn lines_that_are_moved_may_have_any_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        // As after a loss of power: of two blocks that were not synced, the disk has only the second one.
        let zeros = vec![0; 3 << 20];
        let lost = [&zeros[..], b"0}\n{\"step\":7}\n"].concat();
        for kept in ["", "{\"step\":1}\n{\"step\":3}\n"] {
            fs::write(&path, [kept.as_bytes(), &lost, b"{\"st"].concat()).unwrap();
            let lines = kept.lines().count() as u64;
            let (log, reopened) = open(&path, Some(lines));
            let aside = reopened.aside.unwrap();
            assert_eq!((log.lines(), reopened.moved, reopened.torn), (lines, 2, 4));
            assert_eq!(fs::read_to_string(&path).unwrap(), kept);
            assert!(fs::read(aside).unwrap() == lost);
        }
    }

    #[test]
    fn a_file_of_something_else_is_an_error_that_names_the_line_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let long = format!("{{\"step\":1,\"a\":\"{}\"}}\n", "x".repeat(2 << 20));
        for line in ["step 5\n", "{\"a\":1}\n", "{\"step\":-1}\n", "{\"step\":1.5}\n", "\n", "{\"step\":1}}\n", &long] {
            let text = format!("{{\"step\":1}}\n{line}{{\"step\":9}}\n");
            fs::write(&path, &text).unwrap();
            let error = MetricsLog::open(&path, Some(3)).unwrap_err();
            assert!(matches!(error, OutputError::Line { line: 2, .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]
        #[test]
        fn written_values_are_read_back(
            lines in prop::collection::vec((any::<u64>(), prop::collection::btree_map("\\PC{1,9}", any::<f64>(), 0..4)), 0..9),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("metrics.jsonl");
            let (mut log, _) = open(&path, None);
            for (step, metrics) in &lines {
                log.write(Frames(*step), metrics.iter().map(|(name, &number)| (name, number))).unwrap();
            }
            let text = fs::read_to_string(&path).unwrap();
            prop_assert_eq!(text.lines().count(), lines.len());
            for (line, (step, metrics)) in text.lines().zip(&lines) {
                let read: Map<String, Value> = serde_json::from_str(line).unwrap();
                prop_assert_eq!(read.len(), metrics.len() + 1);
                prop_assert_eq!(read["step"].as_u64(), Some(*step));
                for (name, number) in metrics {
                    prop_assert_eq!(read[name].as_f64(), Some(*number).filter(|number| number.is_finite()));
                }
            }
            prop_assert_eq!(open(&path, Some(u64::MAX)).1, Reopened::default());
        }
    }
}
