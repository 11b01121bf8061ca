//! The manifest: the runs of a study, one per line, in an order in which they can run.
//!
//! `manifest.jsonl` in the folder of a study: a header, then the runs. Launchers, status and report read only this file
//! of the study. Here: its format and checksum; in `format_1`, lines of earlier versions. Not here: creating it from a
//! study file (`expand`).

mod format_1;

use crate::StudyError;
use crate::pilot::{Pilot, expected_frames};
use files::{ReadError, sha256};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use train::{Frames, RunRequest};

/// The manifest's file in a study's folder.
pub const FILE: &str = "manifest.jsonl";

/// The version of the format. Format 1, whose lines do not have a request, can still be read.
pub const FORMAT: u32 = 2;

/// The most bytes that a manifest may have: runs by the ten thousands.
const LARGEST_FILE: u64 = 64 << 20;

/// The first line of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The study's name.
    pub study: String,
    /// SHA-256 of the study file from which it was created, and of the plans that it names.
    pub document: String,
    /// How many runs there are, a line each.
    pub runs: usize,
    /// SHA-256 of the lines below, so that edited ones are noticed.
    pub lines: String,
    /// The method that the study file names as the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
}

/// The role of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// One of several runs for the same target, of which the best is compared.
    Candidate,
    /// A source of transfers.
    Source,
    /// A target, whose returns are compared.
    Target,
}

/// A run of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number, from 0: that of its line.
    pub index: usize,
    /// Its role.
    pub role: Role,
    /// The tasks it learns; a target learns one.
    pub tasks: Vec<String>,
    /// The method by its name in tables, such as `baseline` or `fractional-0.2`; `source` for sources.
    pub method: String,
    /// Of a source, its own name. Of a target, the name of the source of its transfer, several joined by `, `; none for
    /// a baseline.
    pub source: Option<String>,
    /// Its seed.
    pub seed: u64,
    /// Environment frames at its end.
    pub steps: u64,
    /// Its run folder, relative to the study's folder.
    #[serde(with = "files::path_text")]
    pub folder: PathBuf,
    /// Numbers of the runs that must be finished before it begins.
    pub after: Vec<usize>,
    /// Its part in a choice by pilot runs, if it is a candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pilot: Option<Pilot>,
    /// Its request. Paths are relative to the folder of the study.
    pub request: RunRequest,
    /// The same as arguments of `dreamgraft`, with the folder of the study as working directory.
    pub arguments: Vec<String>,
}

impl Entry {
    /// The frames that it will have: for a candidate that may be dropped, the frames of its place in the group, so that
    /// the sum over the group is right.
    pub fn expected_frames(&self) -> u64 {
        self.pilot.as_ref().map_or(self.steps, |pilot| {
            expected_frames(self.index - pilot.group, pilot.candidates, &pilot.slices, self.steps)
        })
    }

    /// Checks that the group of a candidate is one among so many runs.
    fn check_pilot(&self, runs: usize) -> Result<(), String> {
        if (self.role == Role::Candidate) != self.pilot.is_some() {
            return Err("its role and its part in a choice by pilot runs do not fit each other".to_owned());
        }
        let Some(Pilot { group, candidates, slices }) = &self.pilot else { return Ok(()) };
        let is_in_it =
            *group <= self.index && group.checked_add(*candidates).is_some_and(|end| self.index < end && end <= runs);
        let is_rising = !slices.is_empty() && slices.windows(2).all(|pair| pair[0] < pair[1]);
        if is_in_it && is_rising { Ok(()) } else { Err("its pilot group is not one of this manifest".to_owned()) }
    }

    /// Checks that the other values of a line agree with its request.
    fn check(&self) -> Result<(), String> {
        let Self { tasks, seed, steps, folder, request, arguments, .. } = self;
        let written = (tasks, Some(*seed), Some(Frames(*steps)), Some(folder));
        let asked = (&request.tasks, request.seed, request.steps, request.folder.as_ref());
        if written != asked {
            return Err("its tasks, seed, steps or folder differ from those of its request".to_owned());
        }
        if *arguments != arguments_of(request) {
            return Err("its arguments differ from those of its request".to_owned());
        }
        Ok(())
    }
}

/// The arguments for a request. All requests of studies can be written as text.
pub(crate) fn arguments_of(request: &RunRequest) -> Vec<String> {
    request.to_arguments().into_iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The runs of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The first line.
    pub header: Header,
    /// The runs; each stands below those that it comes after.
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// The manifest of the study with the name `study`, created from a study file with this checksum that names no baseline.
    pub fn new(study: &str, document: &str, entries: Vec<Entry>) -> Self {
        let lines = sha256(body(&entries).as_bytes());
        let (study, document, runs) = (study.to_owned(), document.to_owned(), entries.len());
        Self { header: Header { format: FORMAT, study, document, runs, lines, baseline: None }, entries }
    }

    /// The same with the baseline that the study file names.
    pub fn with_baseline(mut self, baseline: Option<String>) -> Self {
        self.header.baseline = baseline;
        self
    }

    /// Reads the manifest of the study's folder `folder`.
    ///
    /// # Errors
    /// If there is none, or it is not as it was written.
    pub fn read(folder: &Path) -> Result<Self, StudyError> {
        Self::find(folder)?.ok_or_else(|| StudyError::NoManifest { path: folder.to_owned() })
    }

    /// [`Manifest::read`], of a folder that may have none.
    ///
    /// # Errors
    /// If there is one that is not as it was written, or that cannot be read.
    pub fn find(folder: &Path) -> Result<Option<Self>, StudyError> {
        let path = folder.join(FILE);
        let unusable = |why: String| StudyError::Manifest { path: path.clone(), why };
        let text = match files::read_text(&path, LARGEST_FILE) {
            Ok(text) => text,
            Err(ReadError::Io(source)) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(ReadError::Io(source)) => return Err(StudyError::io(&path)(source)),
            Err(error) => return Err(unusable(format!("{error}; {REMEDY}"))),
        };
        Self::parse(&text).map(Some).map_err(unusable)
    }

    /// Writes the manifest into the study's folder `folder`.
    ///
    /// # Errors
    /// If the file cannot be written; one that was there is then untouched.
    pub fn write(&self, folder: &Path) -> Result<(), StudyError> {
        let path = folder.join(FILE);
        let text = self.to_text();
        files::write_atomically(&path, |file| file.write_all(text.as_bytes())).map_err(StudyError::io(path))
    }

    /// The manifest as its file holds it.
    pub fn to_text(&self) -> String {
        format!("{}\n{}", line(&self.header), body(&self.entries))
    }

    /// Reads the text of [`Manifest::to_text`] of this version or an earlier one.
    ///
    /// # Errors
    /// The problem and the next step.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        // The version first: a later form may have keys that this one does not know.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let no_header =
            |error: serde_json::Error| format!("line 1 is not the header of a manifest ({error}); {REMEDY}");
        let Version { format } = serde_json::from_str(first).map_err(no_header)?;
        if !(1..=FORMAT).contains(&format) {
            return Err(format!(
                "its format is {format}, but this version reads formats 1 to {FORMAT}; use the version that wrote it"
            ));
        }
        let header: Header = serde_json::from_str(first).map_err(no_header)?;
        if sha256(rest.as_bytes()) != header.lines {
            return Err(format!("its checksum does not match its lines, so it was edited or cut off; {REMEDY}"));
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (index, text) in rest.lines().enumerate() {
            let wrong = |why: String| format!("line {}: {why}; {REMEDY}", index + 2);
            let entry: Entry = match format {
                1 => format_1::entry(text).map_err(wrong)?,
                _ => serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?,
            };
            if entry.index != index {
                return Err(wrong(format!("its index is {} instead of {index}", entry.index)));
            }
            // A foreign folder must not make this program read files outside it.
            if !inside(&entry.folder) {
                return Err(wrong(format!(
                    "the folder {} is not inside the folder of the study",
                    entry.folder.display()
                )));
            }
            if let Some(later) = entry.after.iter().find(|&&other| other >= index) {
                return Err(wrong(format!("run {index} cannot depend on run {later}, which comes later")));
            }
            entry.check().map_err(wrong)?;
            entry.check_pilot(header.runs).map_err(wrong)?;
            entries.push(entry);
        }
        if entries.len() != header.runs {
            return Err(format!("it has {} runs, but its header gives {}; {REMEDY}", entries.len(), header.runs));
        }
        // One of format 1 is the same as if it had been written today.
        Ok(Self::new(&header.study, &header.document, entries).with_baseline(header.baseline))
    }
}

/// The next step if a manifest was changed.
const REMEDY: &str = "remove it, and `dreamgraft study run FILE` writes it again; finished runs stay finished";

/// Whether a path stays below where it begins.
fn inside(folder: &Path) -> bool {
    folder.components().next().is_some() && folder.components().all(|part| matches!(part, Component::Normal(_)))
}

fn body(entries: &[Entry]) -> String {
    entries.iter().map(|entry| line(entry) + "\n").collect()
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: usize, after: &[usize]) -> Entry {
        entry_in(index, after, &format!("runs/hopper/{index}"))
    }

    fn entry_in(index: usize, after: &[usize], folder: &str) -> Entry {
        let tasks = vec!["hopper".to_owned()];
        let request = RunRequest {
            steps: Some(Frames(1000)),
            seed: Some(3),
            folder: Some(folder.into()),
            ..RunRequest::new(tasks.clone(), "smoke")
        };
        Entry {
            index,
            role: if after.is_empty() { Role::Source } else { Role::Target },
            tasks,
            method: "fractional-0.2".into(),
            source: None,
            seed: 3,
            steps: 1000,
            folder: folder.into(),
            after: after.to_vec(),
            pilot: None,
            arguments: arguments_of(&request),
            request,
        }
    }

    fn manifest() -> Manifest {
        Manifest::new("mine", "00ff", vec![entry(0, &[]), entry(1, &[0]), entry(2, &[0, 1])])
    }

    #[test]
    fn written_data_is_read() {
        let folder = tempfile::tempdir().unwrap();
        manifest().write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest());
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(text.starts_with(r#"{"format":2,"study":"mine","document":"00ff","runs":3,"lines":""#), "{text}");
        let first = text.lines().nth(1).unwrap();
        let begins =
            r#"{"index":0,"role":"source","tasks":["hopper"],"method":"fractional-0.2","source":null,"seed":3,"#;
        assert!(first.starts_with(begins), "{first}");
    }

    #[test]
    fn a_folder_without_a_manifest_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let message = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("not the folder of a study") && message.contains("manifest.jsonl"), "{message}");
    }

    #[test]
    fn edited_manifests_are_refused() {
        let text = manifest().to_text();
        let other = |from: &str, to: &str| Manifest::parse(&text.replacen(from, to, 1)).unwrap_err();
        for (message, part) in [
            (other("\"seed\":3", "\"seed\":4"), "edited"),
            (other("\"format\":2", "\"format\":3"), "its format is 3"),
            (other("\"runs\":3", "\"runs\":4"), "has 3 runs, but its header gives 4"),
            (other("{", ""), "not the header of a manifest"),
            (Manifest::parse("").unwrap_err(), "not the header of a manifest"),
            (Manifest::parse(&text[..text.len() - 9]).unwrap_err(), "cut off"),
        ] {
            assert!(
                message.contains(part)
                    && message.contains(if part == "its format is 3" { "version" } else { "remove it" }),
                "{message}"
            );
        }
    }

    #[test]
    fn no_run_lies_outside_the_study() {
        for folder in ["../other", "/etc", "runs/../../other", ".", ""] {
            let wrong = Manifest::new("mine", "", vec![entry_in(0, &[], folder)]).to_text();
            assert!(Manifest::parse(&wrong).unwrap_err().contains("is not inside the folder of the study"), "{folder}");
        }
    }

    #[test]
    fn runs_are_below_those_on_which_they_depend() {
        let wrong = Manifest::new("mine", "", vec![entry(0, &[0])]).to_text();
        assert!(Manifest::parse(&wrong).unwrap_err().contains("run 0 cannot depend on run 0"));
        let wrong = Manifest::new("mine", "", vec![entry(1, &[])]).to_text();
        assert!(Manifest::parse(&wrong).unwrap_err().contains("its index is 1 instead of 0"));
    }

    #[test]
    fn the_values_of_a_line_agree_with_its_request() {
        let refused = |entry: Entry| Manifest::parse(&Manifest::new("mine", "", vec![entry]).to_text()).unwrap_err();
        for (wrong, part) in [
            (Entry { seed: 4, ..entry(0, &[]) }, "seed"),
            (Entry { steps: 4, ..entry(0, &[]) }, "steps"),
            (Entry { folder: "runs/4".into(), ..entry(0, &[]) }, "folder"),
            (Entry { tasks: vec!["ant".to_owned()], ..entry(0, &[]) }, "tasks"),
            (Entry { arguments: vec!["train".to_owned()], ..entry(0, &[]) }, "arguments"),
        ] {
            let message = refused(wrong);
            assert!(message.contains(part) && message.contains("line 2") && message.contains("request"), "{message}");
        }
    }
}
