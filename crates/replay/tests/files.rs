//! Episode files: round trips, files written by NumPy, and damaged or malicious files.

mod common;

use std::fs;
use std::io::Read;
use std::path::Path;

use common::{STAMP, arrays, bytes, container, episode, header, npy, put, utf32, with};
use proptest::prelude::*;
use random::Stream;
use replay::{
    Batch, Damage, Episode, EpisodeError, FileError, IMAGE_BYTES, Replay, WindowStarts, read_episode, write_batch,
    write_episode,
};

const LIMIT: u64 = 1 << 24;

/// Reads bytes as a file and returns the problem with it.
fn damage(bytes: &[u8]) -> Damage {
    damage_within(bytes, LIMIT)
}

fn damage_within(bytes: &[u8], limit: u64) -> Damage {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), 0, 3, bytes);
    match read_episode(&path, limit) {
        Err(FileError::Damaged { path: named, damage }) => {
            assert_eq!(named, path);
            damage
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_episode_is_read_back_as_it_was_written(
        task in "\\PC{1,40}",
        action_size in 1usize..40,
        length in 2usize..20,
        seed in any::<u64>(),
        id in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let episode = episode(&task, action_size, length, seed);
        let path = write_episode(folder.path(), STAMP, id, &episode).unwrap();
        prop_assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{STAMP}-{id:08}-{length}.npz"));
        prop_assert_eq!(read_episode(&path, episode.bytes()).unwrap(), episode);
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_change_of_bytes_makes_the_reader_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = container(arrays(), "");
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = put(folder.path(), 0, 3, &bytes);
        if let Ok(episode) = read_episode(&path, LIMIT) {
            prop_assert_eq!(episode.len(), 3);
        }
    }
}

#[test]
fn files_that_numpy_wrote_are_read() {
    // One with the task as a single string, one with a string for each transition.
    for name in ["20261122T101530-00000003-4.npz", "20261122T101530-00000004-4.npz"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let episode = read_episode(&path, LIMIT).unwrap();
        assert_eq!((episode.task(), episode.action_size(), episode.len()), ("läufer", 2, 4));
        assert_eq!(episode.action(), [0.0, 0.0, 0.5, -0.25, 1.0, -1.0, 0.125, 0.0]);
        assert_eq!(episode.reward(), [0.0, 1.5, -2.0, 0.25]);
        assert_eq!(episode.discount(), [1.0, 1.0, 1.0, 0.0]);
        for (i, &byte) in episode.image().iter().enumerate() {
            let (t, y, x, c) = (i / IMAGE_BYTES, i / 192 % 64, i / 3 % 64, i % 3);
            assert_eq!(usize::from(byte), (t * 50 + y * 2 + x + c * 7) % 256);
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let episode = episode("hopper", 3, 4, 5);
    let path = write_episode(folder.path(), STAMP, 0, &episode).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(7).chain(whole.len() - 60..whole.len()) {
        fs::write(&path, &whole[..length]).unwrap();
        let error = read_episode(&path, LIMIT).unwrap_err();
        assert!(matches!(error, FileError::Damaged { .. }), "{length}: {error}");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(read_episode(&path, LIMIT).unwrap(), episode);
}

#[test]
fn a_flipped_bit_in_the_data_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let whole = container(arrays(), "");
    let episode = read_episode(&put(folder.path(), 0, 3, &whole), LIMIT).unwrap();
    for bit in (0..whole.len() * 8).step_by(5) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // Some bits mean nothing here, such as a date's.
        if let Ok(read) = read_episode(&put(folder.path(), 0, 3, &bytes), LIMIT) {
            assert_eq!(read, episode, "bit {bit}");
        }
    }
}

#[test]
fn an_existing_file_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_episode(folder.path(), STAMP, 3, &episode("a", 1, 5, 1)).unwrap();
    let before = fs::read(&path).unwrap();
    let error = write_episode(folder.path(), STAMP, 3, &episode("b", 1, 5, 2)).unwrap_err();
    assert!(matches!(error, FileError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn stamps_folders_and_paths_that_cannot_be_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let episode = episode("a", 1, 3, 1);
    for stamp in ["", "../20261122T1015", "2026-11-22T1015", "20261122T10153০"] {
        let error = write_episode(folder.path(), stamp, 0, &episode).unwrap_err();
        assert!(matches!(error, FileError::Stamp { .. }), "{error}");
    }
    let missing = folder.path().join("missing");
    assert!(matches!(write_episode(&missing, STAMP, 0, &episode), Err(FileError::Io { .. })));
    assert!(matches!(read_episode(&missing, LIMIT), Err(FileError::Io { .. })));
    let error = read_episode(folder.path(), LIMIT).unwrap_err();
    assert!(matches!(error, FileError::Damaged { damage: Damage::NotAFile, .. }), "{error}");
}

#[test]
fn a_name_with_another_length_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), 0, 4, &container(arrays(), ""));
    let error = read_episode(&path, LIMIT).unwrap_err().to_string();
    assert!(
        error.contains("its name gives 4 transitions, but it contains 3") && error.contains("move it out"),
        "{error}"
    );
    let unnamed = folder.path().join("anything.npz");
    fs::rename(path, &unnamed).unwrap();
    assert_eq!(read_episode(&unnamed, LIMIT).unwrap().len(), 3);
}

#[test]
fn versions_are_distinguished() {
    let folder = tempfile::tempdir().unwrap();
    for comment in ["", "someone else's", "dreamgraft-episode 1"] {
        let path = put(folder.path(), 0, 3, &container(arrays(), comment));
        read_episode(&path, LIMIT).unwrap();
    }
    let later = damage(&container(arrays(), "dreamgraft-episode 2"));
    assert_eq!(later, Damage::Version { found: "2".into() });
}

#[test]
fn more_arrays_are_passed_over_but_not_thousands() {
    let folder = tempfile::tempdir().unwrap();
    let more = arrays().into_iter().chain([("state.npy", b"not even an array".to_vec())]);
    read_episode(&put(folder.path(), 0, 3, &container(more, "")), LIMIT).unwrap();
    let names: Vec<String> = (0..2000).map(|i| format!("{i}.npy")).collect();
    let many = arrays().into_iter().chain(names.iter().map(|name| (name.as_str(), Vec::new())));
    let Damage::Entries { reason } = damage(&container(many, "")) else { panic!() };
    assert!(reason.contains("2005 arrays"), "{reason}");
}

#[test]
fn two_arrays_of_one_name_are_refused() {
    // The writer refuses to make such a file: a name of the same length is changed afterwards.
    let twin = arrays().into_iter().chain([("reworm.npy", npy("<f4", "(3,)", &bytes(&[0.0, 5.0, 5.0])))]);
    let mut file = container(twin, "");
    let places: Vec<usize> = (0..file.len() - 6).filter(|&i| &file[i..i + 6] == b"reworm").collect();
    assert_eq!(places.len(), 2);
    for place in places {
        file[place..place + 6].copy_from_slice(b"reward");
    }
    let Damage::Entries { reason } = damage(&file) else { panic!() };
    assert!(reason.contains("the same name"), "{reason}");
}

#[test]
fn missing_arrays_and_other_types_and_shapes_are_named() {
    for array in ["image", "action", "reward", "discount", "task"] {
        let without = arrays().into_iter().filter(|(name, _)| *name != format!("{array}.npy"));
        let expected = if array == "task" { Damage::NoTask } else { Damage::Missing { array } };
        assert_eq!(damage(&container(without, "")), expected);
    }
    let image = vec![0; 3 * IMAGE_BYTES];
    let six = bytes(&[0.0; 6]);
    for (array, descr, shape, data) in [
        ("image", "<f4", "(3, 64, 64, 3)", &image),
        ("action", "<i4", "(3, 2)", &six),
        ("reward", ">f4", "(3,)", &six),
        ("discount", "|u1", "(3,)", &six),
        ("task", "|V3", "()", &six),
        ("task", "|O", "()", &six),
    ] {
        let found = damage(&container(with(&format!("{array}.npy"), npy(descr, shape, data)), ""));
        assert!(matches!(&found, Damage::Type { array: a, .. } if *a == array), "{found}");
        assert!(found.to_string().contains(descr), "{found}");
    }
    for (array, descr, shape, data) in [
        ("image", "|u1", "(3, 64, 64)", &image),
        ("image", "|u1", "(2, 64, 64, 3)", &image),
        ("image", "|u1", "(3, 3, 64, 64)", &image),
        ("action", "<f4", "(3, 2000)", &six),
        ("action", "<f4", "(4, 1)", &six),
        ("reward", "<f4", "(3, 1)", &six),
        ("discount", "<f4", "(4,)", &six),
        ("task", "<U1", "(4,)", &six),
        ("task", "<U1", "(3, 1)", &six),
    ] {
        let found = damage(&container(with(&format!("{array}.npy"), npy(descr, shape, data)), ""));
        assert!(matches!(&found, Damage::Shape { array: a, .. } if *a == array), "{found}");
    }
}

#[test]
fn every_array_of_a_file_has_an_entry_for_each_transition() {
    // Other Dreamer programs cut the same window out of every array that they find.
    let folder = tempfile::tempdir().unwrap();
    let path = write_episode(folder.path(), STAMP, 0, &episode("läufer", 3, 7, 1)).unwrap();
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    assert_eq!(zip.len(), 8);
    for index in 0..zip.len() {
        let mut array = Vec::new();
        zip.by_index(index).unwrap().read_to_end(&mut array).unwrap();
        let header = String::from_utf8_lossy(&array[10..128]).into_owned();
        assert!(header.contains("'shape': (7,"), "{header}");
        if header.contains("<U6") {
            assert_eq!(array[128..], utf32("läufer").repeat(7));
        }
    }
}

#[test]
fn the_task_may_be_one_string_or_as_many_equal_ones() {
    let folder = tempfile::tempdir().unwrap();
    let read = |shape: &str, text: &str| {
        let file = container(with("task.npy", npy("<U4", shape, &utf32(text))), "");
        read_episode(&put(folder.path(), 0, 3, &file), LIMIT).map(|episode| episode.task().to_owned())
    };
    assert_eq!(read("()", "ant\0").unwrap(), "ant");
    assert_eq!(read("(3,)", "ant\0ant\0ant\0").unwrap(), "ant");
    let error = read("(3,)", "ant\0ant\0ante").unwrap_err().to_string();
    assert!(error.contains("transition 2 and transition 0 name different tasks"), "{error}");
    let short = read("(3,)", "ant\0ant\0").unwrap_err().to_string();
    assert!(short.contains("cut off after 32 of 48 bytes"), "{short}");
}

#[test]
fn invalid_numbers_of_an_episode_are_refused() {
    let reward = |numbers: [f32; 3]| damage(&container(with("reward.npy", npy("<f4", "(3,)", &bytes(&numbers))), ""));
    assert!(matches!(
        reward([0.0, f32::NAN, 0.0]),
        Damage::Episode(EpisodeError::NotFinite { array: "reward", transition: 1, .. })
    ));
    assert_eq!(reward([1.0, 0.0, 0.0]), Damage::Episode(EpisodeError::Reset));
    let early = bytes(&[1.0, 0.0, 1.0]);
    let early = damage(&container(with("discount.npy", npy("<f4", "(3,)", &early)), ""));
    assert_eq!(early, Damage::Episode(EpisodeError::AfterTheEnd { transition: 2 }));
    let surrogate = damage(&container(with("task.npy", npy("<U1", "()", &0xd800u32.to_le_bytes())), ""));
    assert!(matches!(surrogate, Damage::Data { array: "task", .. }), "{surrogate}");
    let empty = damage(&container(with("task.npy", npy("<U0", "()", &[])), ""));
    assert!(matches!(empty, Damage::Episode(EpisodeError::Task { .. })), "{empty}");
}

#[test]
fn claims_beyond_the_limit_are_refused_before_anything_is_read() {
    for shape in ["(1000000000000,)", "(18446744073709551615,)", "(99999,)"] {
        let claim = damage(&container(with("reward.npy", npy("<f4", shape, &[])), ""));
        assert!(matches!(claim, Damage::TooLarge { array: "reward", .. }), "{claim}");
    }
    let task = damage(&container(with("task.npy", npy("<U4000000000", "()", &[])), ""));
    assert!(matches!(task, Damage::Header { array: "task", .. }), "{task}");
    let long = header(&"{".repeat(60_000));
    assert!(matches!(damage(&container(with("image.npy", long), "")), Damage::Header { array: "image", .. }));
    let small = damage_within(&container(arrays(), ""), 3 * (IMAGE_BYTES as u64 + 16) - 1);
    assert!(matches!(small, Damage::TooLarge { array: "action", .. }), "{small}");
}

#[test]
fn data_shorter_or_longer_than_its_header_is_refused() {
    for count in [0, 1, 3 * IMAGE_BYTES - 1, 3 * IMAGE_BYTES + 1] {
        let image = npy("|u1", "(3, 64, 64, 3)", &vec![0; count]);
        assert!(matches!(damage(&container(with("image.npy", image), "")), Damage::Data { array: "image", .. }));
    }
    // 300 MB of zeros behind an honest array: about 300 KB in the file, and read no further than its first byte.
    let mut bomb = arrays()[2].1.clone();
    bomb.resize(300 << 20, 0);
    let found = damage(&container(with("reward.npy", bomb), ""));
    assert!(found.to_string().contains("has more than its 12 bytes"), "{found}");
}

#[test]
fn files_larger_than_the_limit_and_heaps_of_signatures_are_refused() {
    let large = damage_within(&vec![0; 2 << 20], 1000);
    assert!(matches!(large, Damage::FileTooLarge { bytes: 2097152, .. }), "{large}");
    for signature in [&b"PK\x05\x06"[..], b"PK\x06\x06", b"PK\x01\x02", b"PK\x03\x04", &[0; 4], b"PK\x06\x07PK\x05\x06"]
    {
        let heap = signature.repeat((1 << 20) / signature.len());
        assert!(matches!(damage(&heap), Damage::Container { .. }), "{signature:?}");
    }
}

#[test]
fn a_failed_read_is_not_called_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{STAMP}-00000000-3.npz"));
    // A file whose first byte cannot be read by anyone.
    if Path::new("/proc/self/mem").exists() {
        std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap();
        let error = read_episode(&path, LIMIT).unwrap_err();
        assert!(matches!(error, FileError::Io { .. }), "{error}");
    }
}

#[test]
fn a_batch_is_kept_as_arrays_that_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("batch.npz");
    let mut memory = Replay::new(2, u64::MAX).unwrap();
    memory.add(episode("ant", 2, 9, 1)).unwrap();
    let mut batch = Batch::new(3, 4);
    memory.sample(&mut Stream::new(1, "batch"), WindowStarts::Inside, &mut batch).unwrap();
    write_batch(&path, &batch).unwrap();
    let mut zip = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
    let image: Vec<u8> = batch.image.clone();
    for (name, shape, data) in [
        ("image", "(3, 4, 64, 64, 3)", image),
        ("action", "(3, 4, 2)", bytes(&batch.action)),
        ("reward", "(3, 4)", bytes(&batch.reward)),
        ("discount", "(3, 4)", bytes(&batch.discount)),
    ] {
        let mut array = Vec::new();
        zip.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut array).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([array[8], array[9]]));
        assert!(String::from_utf8_lossy(&array[..header]).contains(&format!("'shape': {shape}")), "{name}");
        assert!(array[header..] == data, "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_message_names_the_file_the_fault_and_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), 7, 3, b"no container");
    let message = read_episode(&path, LIMIT).unwrap_err().to_string();
    for part in ["20261122T101530-00000007-3.npz", "npz (zip) container", "move it out of the folder"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_episode_reads_back_equal_through_the_public_parts() {
    let first = episode("walker2d", 6, 9, 3);
    let parts = (first.image().to_vec(), first.action().to_vec(), first.reward().to_vec(), first.discount().to_vec());
    assert_eq!(Episode::new("walker2d", 6, parts.0, parts.1, parts.2, parts.3).unwrap(), first);
}
