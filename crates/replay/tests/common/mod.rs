//! Helpers of the tests of this crate: small episodes, and containers that no honest program writes.
#![allow(dead_code, reason = "each test program uses some of them")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use random::Stream;
use replay::{CompressedEpisode, Episode, EpisodeBuilder, IMAGE_BYTES};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A stamp for names.
pub const STAMP: &str = "20261122T101530";

/// An episode of `length` transitions with random contents; its images are noise in one corner.
pub fn episode(task: &str, action_size: usize, length: usize, seed: u64) -> Episode {
    let mut random = Stream::new(seed, "test episode");
    let mut image = [seed as u8; IMAGE_BYTES];
    let mut builder = EpisodeBuilder::new(task, action_size, &image).unwrap();
    for t in 1..length {
        image[..60].fill_with(|| random.below(256) as u8);
        let action: Vec<f32> = (0..action_size).map(|_| random.uniform_in(-1.0, 1.0) as f32).collect();
        let discount = if t + 1 == length && seed.is_multiple_of(2) { 0.0 } else { 1.0 };
        builder.push(&action, random.normal() as f32, discount, &image).unwrap();
    }
    builder.finish().unwrap()
}

/// An episode in which every value identifies its episode and transition: the reward is `id * 1000 + t`.
pub fn numbered(action_size: usize, length: usize, id: usize) -> Episode {
    let value = |t: usize| (id * 1000 + t) as f32;
    let image = |t: usize| [(id * 31 + t) as u8; IMAGE_BYTES];
    let mut builder = EpisodeBuilder::new("numbered", action_size, &image(0)).unwrap();
    for t in 1..length {
        builder.push(&vec![value(t) / 1e6; action_size], value(t), 1.0, &image(t)).unwrap();
    }
    builder.finish().unwrap()
}

/// Bytes that an episode occupies in a memory.
pub fn held(episode: Episode) -> u64 {
    CompressedEpisode::new(episode).bytes()
}

/// A `.npy` header of version 1 around `text`.
pub fn header(text: &str) -> Vec<u8> {
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A `.npy` file.
pub fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [header(&text), data.to_vec()].concat()
}

/// The bytes of numbers.
pub fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The five arrays of a right episode of 3 transitions and action size 2.
pub fn arrays() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("image.npy", npy("|u1", "(3, 64, 64, 3)", &vec![9; 3 * IMAGE_BYTES])),
        ("action.npy", npy("<f4", "(3, 2)", &bytes(&[0.0, 0.0, 1.0, -1.0, 0.5, 0.5]))),
        ("reward.npy", npy("<f4", "(3,)", &bytes(&[0.0, 1.0, 2.0]))),
        ("discount.npy", npy("<f4", "(3,)", &bytes(&[1.0, 1.0, 0.0]))),
        ("task.npy", npy("<U3", "(3,)", &utf32("antantant"))),
    ]
}

/// The bytes of a numpy string.
pub fn utf32(text: &str) -> Vec<u8> {
    text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()
}

/// Those arrays with one replaced.
pub fn with(name: &str, bytes: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let mut arrays = arrays();
    arrays.iter_mut().find(|(array, _)| *array == name).unwrap().1 = bytes;
    arrays
}

/// A container of files.
pub fn container<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>, comment: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.set_comment(comment).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Writes bytes as the file of an episode.
pub fn put(folder: &Path, id: u64, length: usize, bytes: &[u8]) -> PathBuf {
    let path = folder.join(format!("{STAMP}-{id:08}-{length}.npz"));
    fs::write(&path, bytes).unwrap();
    path
}
