//! TensorBoard event files: `events.out.tfevents.<unix seconds>.<host>`.
//!
//! Here: the messages that are written, their framing as records, and the file. Not here: the metrics themselves.
//! Source: the protocol buffers `Event` and `Summary` of TensorFlow, and its record format: length, masked CRC-32C of
//! the length, data, masked CRC-32C of the data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use super::crc32c::masked;
use super::error::OutputError;
use crate::Frames;

/// The beginning of the name of every event file.
const PREFIX: &str = "events.out.tfevents.";

/// Names tried for one second and host.
const MOST_FILES_A_SECOND: u32 = 1000;

/// One record of an event file.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

/// The content of an event.
#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    Session(Session),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(oneof = "Datum", tags = "2, 4")]
    datum: Option<Datum>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Datum {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(Image),
}

#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    /// 3: red, green, blue.
    #[prost(int32, tag = "3")]
    channels: i32,
    /// A whole PNG or GIF file.
    #[prost(bytes = "vec", tag = "4")]
    encoded: Vec<u8>,
}

/// A program's start or end. Readers drop earlier events from the step of a start on.
#[derive(Clone, PartialEq, Message)]
struct Session {
    /// 1: start.
    #[prost(int32, tag = "1")]
    status: i32,
}

/// An event file that is being written. Each call writes one whole record.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
}

impl EventWriter {
    /// Starts a new file in `folder`, named after `time` and `host`. Readers take the files of a folder in the order of their
    /// names, so a file is named after a later second than all others, even if the clock is behind.
    ///
    /// A run that resumes from a checkpoint at step `resumed` records that in the file: TensorBoard then ignores the
    /// later steps in earlier files of the folder. A new run starts at step 0, because some readers skip the first
    /// start that they read.
    ///
    /// # Errors
    /// If the file cannot be made or written.
    pub fn create(folder: &Path, host: &str, time: SystemTime, resumed: Option<Frames>) -> Result<Self, OutputError> {
        let host: String = host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let newest = newest_stamp(folder)?;
        let stamp = newest.map_or(0, |newest| newest.saturating_add(1)).max(seconds(time) as u64);
        let base = format!("{PREFIX}{stamp}.{host}");
        let (path, file) = create_new(folder, &base)?;
        let mut writer = Self { path, file };
        writer.write(time, Frames(0), What::FileVersion("brain.Event:2".to_owned()))?;
        let first = resumed.map_or(0, |Frames(step)| step.saturating_add(1));
        writer.write(time, Frames(first), What::Session(Session { status: 1 }))?;
        files::sync_folder(folder).map_err(|source| OutputError::io("sync", folder, source))?;
        Ok(writer)
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes numbers of one step. They are stored with 32 bits, whether finite or not.
    ///
    /// # Errors
    /// If a name is empty or the file cannot be written.
    pub fn scalars<N: AsRef<str>>(
        &mut self,
        step: Frames,
        time: SystemTime,
        scalars: impl IntoIterator<Item = (N, f64)>,
    ) -> Result<(), OutputError> {
        let values = scalars
            .into_iter()
            .map(|(name, number)| value(name.as_ref(), Datum::Scalar(number as f32)))
            .collect::<Result<Vec<_>, _>>()?;
        if values.is_empty() {
            return Ok(());
        }
        self.write(time, step, What::Summary(Summary { values }))
    }

    /// Writes an image or an animation, `encoded` as a complete PNG or GIF file.
    ///
    /// # Errors
    /// If the name is empty, a side is beyond 2^31 - 1 pixels, or the file cannot be written.
    pub fn image(
        &mut self,
        step: Frames,
        time: SystemTime,
        name: &str,
        width: usize,
        height: usize,
        encoded: Vec<u8>,
    ) -> Result<(), OutputError> {
        let (Ok(wide), Ok(high)) = (i32::try_from(width), i32::try_from(height)) else {
            let reason = "a side is too long".to_owned();
            return Err(OutputError::Format { format: "TensorBoard image", width, height, reason });
        };
        let image = Image { height: high, width: wide, channels: 3, encoded };
        self.write(time, step, What::Summary(Summary { values: vec![value(name, Datum::Image(image))?] }))
    }

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// If the file cannot be synced.
    pub fn sync(&mut self) -> Result<(), OutputError> {
        self.file.sync_data().map_err(|source| OutputError::io("sync", &self.path, source))
    }

    fn write(&mut self, time: SystemTime, step: Frames, what: What) -> Result<(), OutputError> {
        let step = i64::try_from(step.0).unwrap_or(i64::MAX);
        let event = Event { wall_time: seconds(time), step, what: Some(what) };
        let record = record(&event.encode_to_vec());
        self.file.write_all(&record).map_err(|source| OutputError::io("write", &self.path, source))
    }
}

/// The name of this machine; `localhost` if the system does not report it.
pub fn host_name() -> String {
    let found = fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let name = found.unwrap_or_default().trim().to_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// The latest second that an event file in `folder` is named after.
fn newest_stamp(folder: &Path) -> Result<Option<u64>, OutputError> {
    let failed = |source| OutputError::io("list", folder, source);
    let mut newest = None;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let stamp = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('.').next()?.parse::<u64>().ok());
        newest = newest.max(stamp);
    }
    Ok(newest)
}

/// Creates `base`, or `base.1`, `base.2` and so on: an existing file is never written to.
fn create_new(folder: &Path, base: &str) -> Result<(PathBuf, File), OutputError> {
    let mut path = folder.join(base);
    for number in 1..=MOST_FILES_A_SECOND {
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = folder.join(format!("{base}.{number}"))
            }
            Err(source) => return Err(OutputError::io("make", &path, source)),
            Ok(file) => return Ok((path, file)),
        }
    }
    Err(OutputError::io("make", &path, io::ErrorKind::AlreadyExists.into()))
}

fn value(name: &str, datum: Datum) -> Result<Value, OutputError> {
    if name.is_empty() {
        return Err(OutputError::MetricName { name: String::new(), reason: "empty" });
    }
    Ok(Value { tag: name.to_owned(), datum: Some(datum) })
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// `data` framed as a record.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked(data).to_le_bytes());
    record
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The file that TensorBoard's own Python writer makes of the events in the test below, recorded in hexadecimal.
    const RECORDED: &str = "1800000000000000a37f4b22090000a030b0c0da411a0d627261696e2e4576656e743a328b4540391100000000\
        0000009d6db52e090000a030b0c0da4110a9c0023a020801439d4d092d000000000000003c418afb090000d030b0c0da411090c8022a1e\
        0a110a0a6d6f64656c5f6c6f737315000038410a090a026b6c1500004040352a50542f000000000000006d5d1d50090000d030b0c0da41\
        1090c8022a200a1e0a096f70656e5f6c6f6f7022110802100318032209706e6720627974657315856ef3";

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_bytes_are_those_of_tensorboards_own_writer() {
        let folder = tempfile::tempdir().unwrap();
        let start = at(1_795_342_530_500);
        let mut writer = EventWriter::create(folder.path(), "a host.local", start, Some(Frames(41_000))).unwrap();
        assert_eq!(writer.path().file_name().unwrap(), "events.out.tfevents.1795342530.a_host_local");
        let later = at(1_795_342_531_250);
        writer.scalars(Frames(42_000), later, [("model_loss", 11.5), ("kl", 3.0)]).unwrap();
        writer.scalars(Frames(42_000), later, [("", 0.0); 0]).unwrap();
        writer.image(Frames(42_000), later, "open_loop", 3, 2, b"png bytes".to_vec()).unwrap();
        writer.sync().unwrap();
        let written: String = fs::read(writer.path()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written, RECORDED);
    }

    #[test]
    fn each_start_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let start = at(1_000);
        let mut names = Vec::new();
        for number in 0..3 {
            let mut writer = EventWriter::create(folder.path(), "h", start, None).unwrap();
            writer.scalars(Frames(1), start, [("number", f64::from(number))]).unwrap();
            names.push(writer.path().file_name().unwrap().to_str().unwrap().to_owned());
        }
        assert_eq!(names, [1, 2, 3].map(|second| format!("events.out.tfevents.{second}.h")));
        // The clock was set back.
        let writer = EventWriter::create(folder.path(), "a", at(0), Some(Frames(5))).unwrap();
        assert_eq!(writer.path().file_name().unwrap(), "events.out.tfevents.4.a");
        let missing = folder.path().join("missing");
        let error = EventWriter::create(&missing, "h", start, None).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
    }

    #[test]
    fn a_new_run_starts_at_step_zero() {
        let folder = tempfile::tempdir().unwrap();
        let writer = EventWriter::create(folder.path(), "h", at(0), None).unwrap();
        let bytes = fs::read(writer.path()).unwrap();
        let length = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        let second = length(0) + 16;
        let event = Event::decode(&bytes[second + 12..second + 12 + length(second)]).unwrap();
        assert_eq!((event.step, event.what), (0, Some(What::Session(Session { status: 1 }))));
        assert_eq!(bytes.len(), second + length(second) + 16);
    }

    #[test]
    fn names_that_are_empty_and_sides_too_long_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), &host_name(), at(0), None).unwrap();
        let before = fs::read(writer.path()).unwrap();
        assert!(matches!(writer.scalars(Frames(1), at(0), [("", 1.0)]), Err(OutputError::MetricName { .. })));
        assert!(matches!(writer.image(Frames(1), at(0), "", 1, 1, vec![]), Err(OutputError::MetricName { .. })));
        let long = writer.image(Frames(1), at(0), "a", 1 << 31, 1, vec![]);
        assert!(matches!(long, Err(OutputError::Format { .. })));
        assert_eq!(fs::read(writer.path()).unwrap(), before);
    }
}
