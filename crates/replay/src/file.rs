//! The episode file: a compressed npz, its arrays those of other Dreamer programs and the task's name; see
//! `docs/formats.md`.
//!
//! Here: writing a file, reading a file of arbitrary bytes within a limit, and storing a batch with infinite or NaN
//! values. Not here: folders of episodes.

use std::io::{self, Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};

use zip::read::ZipFile;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::{Damage, EpisodeError, FileError};
use crate::name::{EpisodeName, is_stamp};
use crate::npy::Header;
use crate::{Arrays, Batch, Episode, IMAGE_BYTES, IMAGE_SIDE, LARGEST_ACTION, LONGEST_TASK, LONGEST_VECTOR, Sizes};
use environment::{ImageSpace, ObservationSpace};
use files::write_atomically;

/// The container's comment: the format's name, and its version after the space.
const COMMENT: &str = "dreamgraft-episode 1";
/// Deflate's level: the next ones are slower and hardly smaller on rendered images.
const LEVEL: i64 = 4;
/// Most arrays that a file may hold; those beyond the five that are needed are not read.
const MOST_ARRAYS: usize = 64;
/// The allowance for headers and the tables of the container, in addition to the bytes of the arrays.
const OVERHEAD: u64 = 1 << 20;
/// The allowance for the name of the task, stored once for each transition, as a part of the bytes of the episode.
const NAMES: u64 = 20;

/// Writes `episode` into `folder` as `<stamp>-<id>-<transitions>.npz`, atomically, and returns the file's path.
///
/// `stamp` is the time at the episode's end (see [`crate::stamp`]), `id` its running number in the run.
///
/// # Errors
/// If the stamp is none, the file exists, or the file system refuses.
pub fn write_episode(folder: &Path, stamp: &str, id: u64, episode: &Episode) -> Result<PathBuf, FileError> {
    write_encoded(folder, EpisodeName { stamp: stamp.to_owned(), id, length: episode.len() }, || {
        encode_episode(episode)
    })
}

/// Writes the bytes of an episode's file under its name, like [`write_episode`].
pub(crate) fn write_encoded(
    folder: &Path,
    name: EpisodeName,
    encode: impl FnOnce() -> Result<Vec<u8>, ZipError>,
) -> Result<PathBuf, FileError> {
    if !is_stamp(&name.stamp) {
        return Err(FileError::Stamp { stamp: name.stamp });
    }
    let path = folder.join(name.to_string());
    if path.symlink_metadata().is_ok() {
        return Err(FileError::Exists { path });
    }
    // The container is made in memory: a full disk is then met by a plain write, whose error is the one to report.
    let written =
        encode().map_err(io::Error::from).and_then(|bytes| write_atomically(&path, |file| file.write_all(&bytes)));
    written.map_err(|source| FileError::Io { action: "write the episode", path: path.clone(), source })?;
    Ok(path)
}

/// The bytes of an episode's file. Equal episodes have equal bytes.
pub(crate) fn encode_episode(episode: &Episode) -> Result<Vec<u8>, ZipError> {
    let length = episode.len() as u64;
    let side = IMAGE_SIDE as u64;
    let task: Vec<u8> = episode.task.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let task_type = format!("<U{}", task.len() / 4);
    let tasks = task.repeat(episode.len());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let Arrays { image, vector, action, reward, discount } = &episode.arrays;
    if !image.is_empty() {
        write_array(&mut zip, "image", "|u1", &[length, side, side, 3], image)?;
    }
    if !vector.is_empty() {
        write_array(&mut zip, "vector", "<f4", &[length, episode.sizes.vector() as u64], &to_bytes(vector))?;
    }
    write_array(&mut zip, "action", "<f4", &[length, episode.sizes.action as u64], &to_bytes(action))?;
    write_array(&mut zip, "reward", "<f4", &[length], &to_bytes(reward))?;
    write_array(&mut zip, "discount", "<f4", &[length], &to_bytes(discount))?;
    write_array(&mut zip, "task", &task_type, &[length], &tasks)?;
    // Later Dreamer programs ask for these in place of the discount.
    let flags = |is_set: &dyn Fn(usize) -> bool| -> Vec<u8> { (0..episode.len()).map(|t| is_set(t).into()).collect() };
    let last = episode.len() - 1;
    write_array(&mut zip, "is_first", "|b1", &[length], &flags(&|t| t == 0))?;
    write_array(&mut zip, "is_last", "|b1", &[length], &flags(&|t| t == last))?;
    write_array(&mut zip, "is_terminal", "|b1", &[length], &flags(&|t| discount[t] == 0.0))?;
    zip.set_comment(COMMENT)?;
    Ok(zip.finish()?.into_inner())
}

/// Writes the sequences of `batch` as an npz file, atomically, so that people can inspect a batch that led to infinite or
/// NaN values. `image` `[B, L, 64, 64, 3]`, `vector` `[B, L, V]`, `action` `[B, L, A]`, `reward` and `discount` `[B, L]`.
///
/// # Errors
/// If the file system refuses.
pub fn write_batch(path: &Path, batch: &Batch) -> Result<(), FileError> {
    let encode = || {
        let (sequences, length, side) = (batch.batch as u64, batch.length as u64, IMAGE_SIDE as u64);
        let action_shape = [sequences, length, batch.action_size as u64];
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        if !batch.image.is_empty() {
            write_array(&mut zip, "image", "|u1", &[sequences, length, side, side, 3], &batch.image)?;
        }
        if !batch.vector.is_empty() {
            let size = batch.vector.len() as u64 / (sequences * length).max(1);
            write_array(&mut zip, "vector", "<f4", &[sequences, length, size], &to_bytes(&batch.vector))?;
        }
        write_array(&mut zip, "action", "<f4", &action_shape, &to_bytes(&batch.action))?;
        write_array(&mut zip, "reward", "<f4", &[sequences, length], &to_bytes(&batch.reward))?;
        write_array(&mut zip, "discount", "<f4", &[sequences, length], &to_bytes(&batch.discount))?;
        Ok(zip.finish()?.into_inner())
    };
    encode()
        .map_err(|error: ZipError| io::Error::from(error))
        .and_then(|bytes| write_atomically(path, |file| file.write_all(&bytes)))
        .map_err(|source| FileError::Io { action: "write the batch", path: path.to_owned(), source })
}

fn write_array(
    zip: &mut ZipWriter<impl Write + Seek>,
    array: &str,
    descr: &str,
    shape: &[u64],
    bytes: &[u8],
) -> Result<(), ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .large_file(bytes.len() >= 1 << 31);
    zip.start_file(format!("{array}.npy"), options)?;
    zip.write_all(&Header { descr: descr.to_owned(), shape: shape.to_vec() }.bytes())?;
    zip.write_all(bytes)?;
    Ok(())
}

fn to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Reads an episode that takes at most `limit` bytes in memory ([`Episode::bytes`]).
///
/// For any content of the file, memory and time stay within a small multiple of `limit`. If the file has the name of an
/// episode, the length in its name must be that of the episode.
///
/// # Errors
/// If the file cannot be read, or is not an episode within the limit.
pub fn read_episode(path: &Path, limit: u64) -> Result<Episode, FileError> {
    read_episode_of(path, limit, None)
}

/// [`read_episode`], of a file that may come from another Dreamer program: if it does not name its task, that is `task`.
///
/// # Errors
/// As [`read_episode`].
pub fn read_episode_of(path: &Path, limit: u64, task: Option<&str>) -> Result<Episode, FileError> {
    let io_error = |source| FileError::Io { action: "read the episode", path: path.to_owned(), source };
    let damaged = |damage| FileError::Damaged { path: path.to_owned(), damage };
    // Checked before opening, because opening a pipe would block until it has a writer.
    let metadata = path.metadata().map_err(io_error)?;
    if !metadata.is_file() {
        return Err(damaged(Damage::NotAFile));
    }
    let most = limit.saturating_add(limit / NAMES).saturating_add(OVERHEAD);
    if metadata.len() > most {
        return Err(damaged(Damage::FileTooLarge { bytes: metadata.len(), limit: most }));
    }
    // Read completely first, so that a failed read is not reported as damage.
    let mut bytes = Vec::new();
    files::open_file(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(io_error)?;
    if bytes.len() as u64 > most {
        return Err(damaged(Damage::FileTooLarge { bytes: bytes.len() as u64, limit: most }));
    }
    let episode = decode_episode_of(&bytes, limit, task).map_err(damaged)?;
    let name = path.file_name().and_then(|name| name.to_str()).and_then(EpisodeName::parse);
    match name {
        Some(name) if name.length != episode.len() => {
            Err(damaged(Damage::NamedLength { named: name.length, found: episode.len() }))
        }
        _ => Ok(episode),
    }
}

/// The episode in a file with these arbitrary bytes, of at most `limit` bytes in memory.
///
/// # Errors
/// The first thing found wrong.
pub fn decode_episode(bytes: &[u8], limit: u64) -> Result<Episode, Damage> {
    decode_episode_of(bytes, limit, None)
}

/// [`decode_episode`], of the task `task` if the file does not name one.
fn decode_episode_of(bytes: &[u8], limit: u64, task: Option<&str>) -> Result<Episode, Damage> {
    let mut zip =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| Damage::Container { reason: error.to_string() })?;
    check_container(&zip)?;
    let side = IMAGE_SIDE as u64;
    let has = |zip: &ZipArchive<Cursor<&[u8]>>, array: &str| zip.index_for_name(&format!("{array}.npy")).is_some();
    let (images, vectors) = (has(&zip, "image"), has(&zip, "vector"));
    let image = if images { Some(ImageSpace::STANDARD) } else { None };
    let sizes = |action: u64, vector: u64| {
        let observations = ObservationSpace { image, vector: vector as usize };
        Sizes { action: action as usize, observations }
    };
    let fits = |length: u64, sizes: &Sizes| length.saturating_mul(sizes.bytes() as u64) <= limit;

    // The rewards come first: they give the length, which limits the sizes of the large arrays.
    let reward = Array::open(&mut zip, "reward", REAL)?;
    let length = match *reward.shape() {
        [length] if fits(length, &sizes(1, 0)) => length,
        [_] => return Err(reward.too_large(limit)),
        _ => return Err(reward.wrong_shape("[T+1]")),
    };
    let reward = reward.numbers(length)?;

    let of_transitions = |array: Array<'_, Cursor<&[u8]>>| match array.shape() {
        [found] if *found == length => array.numbers(length),
        _ => Err(array.wrong_shape(&format!("[{length}]"))),
    };
    // Later programs write where an episode is terminal in place of the discount.
    let discount = if !has(&zip, "discount") && has(&zip, "is_terminal") {
        let terminal = of_transitions(Array::open(&mut zip, "is_terminal", FLAG)?)?;
        terminal.into_iter().map(|flag| if flag == 0.0 { 1.0 } else { 0.0 }).collect()
    } else {
        of_transitions(Array::open(&mut zip, "discount", REAL)?)?
    };
    let first = match has(&zip, "is_first") {
        true => of_transitions(Array::open(&mut zip, "is_first", FLAG)?)?,
        false => Vec::new(),
    };
    if let Some(transition) = first.iter().skip(1).position(|flag| *flag != 0.0) {
        return Err(EpisodeError::AnotherBegins { transition: transition + 1 }.into());
    }

    let action = Array::open(&mut zip, "action", REAL)?;
    let action_size = match *action.shape() {
        [first, size] if first == length && size <= LARGEST_ACTION as u64 => size,
        _ => return Err(action.wrong_shape(&format!("[{length}, A] with A from 1 to {LARGEST_ACTION}"))),
    };
    if !fits(length, &sizes(action_size, 0)) {
        return Err(action.too_large(limit));
    }
    let action = action.numbers(length * action_size)?;

    let (vector, vector_size) = if vectors {
        let vector = Array::open(&mut zip, "vector", REAL)?;
        let size = match *vector.shape() {
            [first, size] if first == length && (1..=LONGEST_VECTOR as u64).contains(&size) => size,
            _ => return Err(vector.wrong_shape(&format!("[{length}, V] with V from 1 to {LONGEST_VECTOR}"))),
        };
        if !fits(length, &sizes(action_size, size)) {
            return Err(vector.too_large(limit));
        }
        (vector.numbers(length * size)?, size)
    } else {
        (Vec::new(), 0)
    };

    // If the file has neither images nor vectors, the error names the images.
    let image = if images || !vectors {
        let image = Array::open(&mut zip, "image", &["|u1"])?;
        if image.shape() != [length, side, side, 3] {
            return Err(image.wrong_shape(&format!("[{length}, {side}, {side}, 3]")));
        }
        image.bytes(length * IMAGE_BYTES as u64)?
    } else {
        Vec::new()
    };

    let task = match task {
        _ if has(&zip, "task") => read_task(&mut zip, length)?,
        Some(task) => task.to_owned(),
        None => return Err(Damage::NoTask),
    };
    let arrays = Arrays { image, vector, action, reward, discount };
    Ok(Episode::of_arrays(&task, sizes(action_size, vector_size), arrays)?)
}

/// Refuses containers of a later version, and those whose list of arrays cannot be an episode's.
fn check_container<R: Read + Seek>(zip: &ZipArchive<R>) -> Result<(), Damage> {
    let ours = COMMENT.trim_end_matches('1').as_bytes();
    if let Some(version) = zip.comment().strip_prefix(ours)
        && version != b"1"
    {
        let found = String::from_utf8_lossy(&version[..version.len().min(40)]).into_owned();
        return Err(Damage::Version { found });
    }
    if zip.has_duplicate_names() {
        return Err(Damage::Entries { reason: "two arrays with the same name".to_owned() });
    }
    if zip.len() > MOST_ARRAYS {
        return Err(Damage::Entries {
            reason: format!("{} arrays, more than the {MOST_ARRAYS} that an episode may have", zip.len()),
        });
    }
    Ok(())
}

/// The task's name: a numpy string, UTF-32 or bytes, for each of `length` transitions, all equal; or a single one.
fn read_task<R: Read + Seek>(zip: &mut ZipArchive<R>, length: u64) -> Result<String, Damage> {
    const TASK: &str = "task";
    let array = Array::open(zip, TASK, TEXT)?;
    let copies = match *array.shape() {
        [] => 1,
        [copies] if copies == length => length,
        _ => return Err(array.wrong_shape(&format!("[{length}], or [] for one string,"))),
    };
    let is_bytes = array.header.descr.starts_with("|S");
    // A character of UTF-8 has up to four bytes.
    let (width, most) = if is_bytes { (1, 4 * LONGEST_TASK) } else { (4, LONGEST_TASK) };
    let characters = array.header.descr[2..].parse().unwrap_or(u64::MAX);
    if characters > most as u64 {
        let reason = format!("type {:?} instead of a string of up to {LONGEST_TASK} characters", array.header.descr);
        return Err(Damage::Header { array: TASK, reason });
    }
    let size = characters * width;
    let bytes = array.bytes(copies * size)?;
    let wrong = |reason: String| Damage::Data { array: TASK, reason };
    let (first, others) = bytes.split_at(size as usize);
    if let Some(other) = others.chunks_exact(first.len().max(1)).position(|other| other != first) {
        return Err(wrong(format!("transition {} and transition 0 name different tasks", other + 1)));
    }
    let text: Option<String> = if is_bytes {
        String::from_utf8(first.to_vec()).ok()
    } else {
        first.as_chunks().0.iter().map(|bytes| char::from_u32(u32::from_le_bytes(*bytes))).collect()
    };
    let text = text.ok_or_else(|| wrong("it is not Unicode text".to_owned()))?;
    Ok(text.trim_end_matches('\0').to_owned())
}

/// Types of numbers: this program writes the first.
const REAL: &[&str] = &["<f4", "<f2", "<f8"];
/// Types of yes and no.
const FLAG: &[&str] = &["|b1", "|u1", "<f4", "<f2", "<f8"];
/// Types of texts, to which their lengths are appended.
const TEXT: &[&str] = &["<U", "|S"];

/// An array of the container whose header has been read.
struct Array<'a, R: Read> {
    name: &'static str,
    header: Header,
    data: ZipFile<'a, R>,
}

impl<'a, R: Read + Seek> Array<'a, R> {
    /// Finds the array and reads its header; its type must be one of `types`, or begin with one if they are those of texts.
    fn open(zip: &'a mut ZipArchive<R>, name: &'static str, types: &[&str]) -> Result<Self, Damage> {
        let mut data = zip.by_name(&format!("{name}.npy")).map_err(|error| match error {
            ZipError::FileNotFound => Damage::Missing { array: name },
            other => Damage::Data { array: name, reason: other.to_string() },
        })?;
        let header = Header::read(&mut data).map_err(|reason| Damage::Header { array: name, reason })?;
        let fits = if types == TEXT {
            types.iter().any(|text| header.descr.starts_with(text))
        } else {
            types.contains(&&*header.descr)
        };
        if !fits {
            let expected = types.iter().map(|known| format!("{known:?}")).collect::<Vec<_>>().join(" or ");
            return Err(Damage::Type { array: name, expected, found: header.descr });
        }
        Ok(Self { name, header, data })
    }

    fn shape(&self) -> &[u64] {
        &self.header.shape
    }

    fn wrong_shape(&self, expected: &str) -> Damage {
        Damage::Shape { array: self.name, expected: expected.to_owned(), found: self.header.shape.clone() }
    }

    fn too_large(&self, limit: u64) -> Damage {
        Damage::TooLarge { array: self.name, shape: self.header.shape.clone(), limit }
    }

    /// The data of the array, which must be `count` bytes with the checksum in the container.
    fn bytes(mut self, count: u64) -> Result<Vec<u8>, Damage> {
        let wrong = |reason: String| Damage::Data { array: self.name, reason };
        let mut bytes = Vec::new();
        let reserved = usize::try_from(count).ok().and_then(|count| bytes.try_reserve_exact(count).ok());
        reserved.ok_or_else(|| wrong(format!("its header claims {count} bytes, more than can be allocated")))?;
        (&mut self.data).take(count).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        if (bytes.len() as u64) < count {
            return Err(wrong(format!("it is cut off after {} of {count} bytes", bytes.len())));
        }
        // Reading to the end verifies the checksum.
        match self.data.read(&mut [0]) {
            Ok(0) => Ok(bytes),
            Ok(_) => Err(wrong(format!("it has more than its {count} bytes"))),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// The array's data as `count` numbers.
    fn numbers(self, count: u64) -> Result<Vec<f32>, Damage> {
        let descr = self.header.descr.clone();
        let size = descr[2..].parse::<u64>().unwrap_or(u64::MAX);
        let bytes = self.bytes(count.saturating_mul(size))?;
        Ok(match &*descr {
            "<f4" => bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            "<f8" => bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
            "<f2" => bytes.as_chunks().0.iter().map(|bytes| from_half(u16::from_le_bytes(*bytes))).collect(),
            _ => bytes.into_iter().map(f32::from).collect(),
        })
    }
}

/// The value of a number with 16 bits: a sign, 5 bits of exponent, 10 of mantissa (IEEE 754, binary16).
fn from_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match (exponent, bits & 1023) {
        (31, 0) => f32::INFINITY,
        (31, _) => f32::NAN,
        (0, _) => mantissa * 2f32.powi(-24),
        _ => (1.0 + mantissa / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::from_half;

    #[test]
    fn halves_are_the_numbers_of_the_standard() {
        for (bits, number) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(from_half(bits), number);
        }
        assert!(from_half(0x7e00).is_nan());
    }
}
