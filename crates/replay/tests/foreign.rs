//! Episodes as other Dreamer programs write them, and files that those programs can read.

mod common;

use common::{STAMP, arrays, bytes, container, episode, npy, put, with};
use replay::{
    ADDED, Addition, Damage, EpisodeError, FileError, IMAGE_BYTES, Replay, add_episodes, read_episode, read_episode_of,
    write_episode,
};
use std::io::Read;
use std::path::PathBuf;

const LIMIT: u64 = 1 << 24;

/// The arrays that all of these programs write, of three transitions, in the types that `write` gives to numbers.
fn foreign(write: impl Fn(&str, &[f32]) -> Vec<u8>) -> Vec<(String, Vec<u8>)> {
    vec![
        ("image.npy".to_owned(), npy("|u1", "(3, 64, 64, 3)", &[7; 3 * IMAGE_BYTES])),
        ("action.npy".to_owned(), write("(3, 2)", &[0.0, 0.0, 0.5, -1.0, 0.25, 1.0])),
        ("reward.npy".to_owned(), write("(3,)", &[0.0, 2.5, -1.0])),
    ]
}

fn flags(name: &str, values: [u8; 3]) -> (String, Vec<u8>) {
    (format!("{name}.npy"), npy("|b1", "(3,)", &values))
}

fn single(shape: &str, numbers: &[f32]) -> Vec<u8> {
    npy("<f4", shape, &bytes(numbers))
}

fn double(shape: &str, numbers: &[f32]) -> Vec<u8> {
    npy("<f8", shape, &numbers.iter().flat_map(|number| f64::from(*number).to_le_bytes()).collect::<Vec<_>>())
}

/// Numbers of 16 bits, of which the tests have few.
fn half(shape: &str, numbers: &[f32]) -> Vec<u8> {
    let bits = |number: f32| match number {
        0.0 => 0u16,
        0.25 => 0x3400,
        0.5 => 0x3800,
        1.0 => 0x3c00,
        -1.0 => 0xbc00,
        2.5 => 0x4100,
        other => panic!("{other}"),
    };
    npy("<f2", shape, &numbers.iter().flat_map(|number| bits(*number).to_le_bytes()).collect::<Vec<_>>())
}

/// A file under the name that these programs give it.
fn file(folder: &std::path::Path, arrays: Vec<(String, Vec<u8>)>) -> PathBuf {
    let path = folder.join("20200316T141016-5e1a6e9d0f4d4d5c9e4b6f7a8b9c0d1e-3.npz");
    std::fs::write(&path, container(arrays.iter().map(|(name, bytes)| (&**name, bytes.clone())), "")).unwrap();
    path
}

#[test]
fn what_other_programs_write_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let discount =
        |write: &dyn Fn(&str, &[f32]) -> Vec<u8>| ("discount.npy".to_owned(), write("(3,)", &[1.0, 1.0, 0.0]));
    let tasks = ("task.npy".to_owned(), npy("|S6", "(3,)", b"hopperhopperhopper"));
    let one_task = ("task.npy".to_owned(), npy("|S8", "()", b"hopper\0\0"));
    let is_terminal = || flags("is_terminal", [0, 0, 1]);
    let others = || [flags("is_first", [1, 0, 0]), flags("is_last", [0, 0, 1])];
    let log = ("logprob.npy".to_owned(), single("(3,)", &[0.0; 3]));
    let kinds: [Vec<(String, Vec<u8>)>; 5] = [
        // Dreamer, in its half precision and in single.
        foreign(half).into_iter().chain([discount(&half)]).collect(),
        foreign(single).into_iter().chain([discount(&single), tasks]).collect(),
        // DreamerV2.
        foreign(single).into_iter().chain([is_terminal()]).chain(others()).collect(),
        // dreamerv3-torch.
        foreign(single).into_iter().chain([is_terminal(), discount(&single), log]).chain(others()).collect(),
        // Whatever makes numpy's own numbers.
        foreign(double).into_iter().chain([discount(&double), one_task]).collect(),
    ];
    for arrays in kinds {
        let path = file(folder.path(), arrays);
        let episode = read_episode_of(&path, LIMIT, Some("hopper")).unwrap();
        assert_eq!((episode.task(), episode.len(), episode.action_size()), ("hopper", 3, 2));
        assert_eq!(episode.action(), [0.0, 0.0, 0.5, -1.0, 0.25, 1.0]);
        assert_eq!(episode.reward(), [0.0, 2.5, -1.0]);
        assert_eq!(episode.discount(), [1.0, 1.0, 0.0]);
    }
    // An episode that reached the time limit.
    let path = file(folder.path(), foreign(single).into_iter().chain([flags("is_terminal", [0, 0, 0])]).collect());
    assert_eq!(read_episode_of(&path, LIMIT, Some("ant")).unwrap().discount(), [1.0; 3]);
}

#[test]
fn what_no_episode_is_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let damage = |more: Vec<(String, Vec<u8>)>, task: Option<&str>| {
        let path = file(folder.path(), foreign(single).into_iter().chain(more).collect());
        let Err(FileError::Damaged { damage, .. }) = read_episode_of(&path, LIMIT, task) else { panic!("it is read") };
        damage
    };
    let is_terminal = flags("is_terminal", [0, 0, 1]);
    assert_eq!(damage(vec![is_terminal.clone()], None), Damage::NoTask);
    assert_eq!(damage(vec![], Some("ant")), Damage::Missing { array: "discount" });
    let again = damage(vec![is_terminal, flags("is_first", [1, 0, 1])], Some("ant"));
    assert_eq!(again, EpisodeError::AnotherBegins { transition: 2 }.into());
    let wild = with("action.npy", single("(3, 2)", &[0.0, 0.0, 0.5, -1.5, 0.0, 0.0]));
    let path = file(folder.path(), wild.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect());
    let message = read_episode(&path, LIMIT).unwrap_err().to_string();
    assert!(message.contains("the element -1.5, not within -1 to 1"), "{message}");
}

#[test]
fn an_episode_that_is_there_is_not_added_again() {
    let folder = tempfile::tempdir().unwrap();
    let of = |seed| episode("hopper", 2, 4, seed);
    let own = write_episode(folder.path(), STAMP, 0, &of(5)).unwrap();
    let first = add_episodes(folder.path(), STAMP, &[of(1), of(2)]).unwrap();
    let added = |number: u64| first.folder.join(format!("{STAMP}-{number:08}-4.npz"));
    // One of an earlier command, a new one, the same again, and one of the run's own.
    let again = add_episodes(folder.path(), STAMP, &[of(2), of(3), of(3), of(5)]).unwrap();
    assert_eq!(again.known, [(0, added(1)), (2, added(2)), (3, own)]);
    assert_eq!(std::fs::read_dir(&first.folder).unwrap().count(), 3);
    // Of other tasks, or other numbers, it is another.
    let other = add_episodes(folder.path(), STAMP, &[episode("ant", 2, 4, 1), episode("hopper", 2, 5, 1)]).unwrap();
    assert_eq!(other.known, []);
}

#[test]
fn added_episodes_come_before_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let of = |seed| episode("hopper", 2, 4, seed);
    write_episode(folder.path(), STAMP, 0, &of(5)).unwrap();
    add_episodes(folder.path(), STAMP, &[of(1), of(2)]).unwrap();
    let added = add_episodes(folder.path(), STAMP, &[of(3)]).unwrap();
    assert_eq!(added, Addition { folder: folder.path().join(ADDED), known: Vec::new() });
    write_episode(folder.path(), STAMP, 1, &of(6)).unwrap();
    let tasks = ["hopper".to_owned()];
    let (replay, report) = Replay::open(folder.path(), 2, u64::MAX, Some(2), Some(&tasks)).unwrap();
    let rewards: Vec<f32> = replay.episodes().map(|episode| episode.reward()[1]).collect();
    assert_eq!(rewards, [1, 2, 3, 5, 6].map(|seed| of(seed).reward()[1]));
    assert_eq!((report.added, report.loaded, report.missing, report.transitions), (3, 5, 0, 8));
}

#[test]
fn episodes_of_another_size_are_skipped_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write_episode(folder.path(), STAMP, 0, &episode("hopper", 3, 4, 1)).unwrap();
    put(folder.path(), 1, 3, &container(arrays(), ""));
    let (replay, report) = Replay::open(folder.path(), 2, u64::MAX, None, None).unwrap();
    assert_eq!((replay.stats(2).episodes, report.skipped.len()), (1, 1));
    assert!(
        report.skipped[0].reason.contains("has action size 3, but this replay memory is for action size 2"),
        "{report:?}"
    );
}

#[test]
fn later_programs_find_the_arrays_that_they_ask_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_episode(folder.path(), STAMP, 0, &episode("hopper", 2, 3, 4)).unwrap();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    for (name, expected) in [("is_first", [1, 0, 0]), ("is_last", [0, 0, 1]), ("is_terminal", [0, 0, 1])] {
        let mut array = Vec::new();
        zip.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut array).unwrap();
        assert!(array.windows(15).any(|text| text == b"'descr': '|b1',"), "{name}");
        assert_eq!(array[array.len() - 3..], expected, "{name}");
    }
}
