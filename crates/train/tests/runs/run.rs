//! The work and the files of a run.

use crate::toy::{EPISODE, Listener, Toy, checkpoints, config, environments, finish, metrics, names, outcomes, run};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use train::{TrainError, train_with};

#[test]
fn the_schedule_is_kept_and_everything_is_left_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&["log.videos=true", "checkpoint.best=false"]));
    let metrics = metrics(folder.path());
    let steps = |name: &str| -> Vec<u64> {
        metrics.iter().filter(|line| line.get(name).is_some()).map(|line| line["step"].as_u64().unwrap()).collect()
    };
    // Prefill 2 episodes of 40 frames; lines every 80 frames; evaluations every 120 and at the end.
    assert_eq!(steps("train_return"), [80, 160, 240, 320, 400]);
    assert_eq!(steps("eval_return"), [80, 200, 320, 400]);
    let last = metrics.iter().rfind(|line| line.get("updates").is_some()).unwrap();
    assert_eq!(last["updates"], 3.0 + (400.0 - 80.0) / 40.0 * 5.0);
    assert_eq!((&last["episodes"], &last["agent_steps"]), (&10.0.into(), &200.0.into()));
    assert_eq!(last["train_length"], f64::from(EPISODE));
    assert!(last["toy_loss"].as_f64().unwrap() < 0.0);
    // 4 MB hold 15 episodes of 21 transitions, so none has left the memory.
    assert_eq!(last["replay_episodes"], 10.0);
    assert_eq!(outcomes(folder.path()).episodes.len(), 10);
    assert_eq!(kept(folder.path()), ["0000000360", "0000000400"]);
    let videos = names(&folder.path().join("videos"));
    assert!(videos.contains(&"0000000400-point.gif".to_owned()), "{videos:?}");
    assert!(videos.contains(&"0000000080-point-open-loop.png".to_owned()), "{videos:?}");
    assert!(names(folder.path()).iter().any(|name| name.starts_with("events.out.tfevents")));
}

/// The names of a run's checkpoints.
fn kept(root: &Path) -> Vec<String> {
    checkpoints(root).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_checkpoint_of_the_best_evaluation_stays() {
    let folder = tempfile::tempdir().unwrap();
    // More evaluations than checkpoints, so that some of them have no checkpoint of their own.
    let settings = ["schedule.eval_every=40", "checkpoint.every=200", "steps=800"];
    let with = |name: &str, more: &[&str]| {
        let root = folder.path().join(name);
        finish(&root, &config(&[&settings, more].concat()));
        root
    };
    let root = with("best", &[]);
    let evaluations: Vec<(u64, f64)> = outcomes(&root)
        .metrics
        .iter()
        .filter_map(|line| Some((line["step"].as_u64()?, line["eval_return"].as_f64()?)))
        .filter(|(frames, _)| *frames < 800)
        .collect();
    assert!(evaluations.len() > 10, "{evaluations:?}");
    let best = evaluations.iter().fold(evaluations[0], |best, one| if one.1 > best.1 { *one } else { best });
    let names = kept(&root);
    assert!(names.len() == 3 && names[0] == format!("{:010}", best.0), "{best:?}: {names:?}");
    assert_eq!(kept(&with("newest", &["checkpoint.best=false"])).len(), 2);

    // If it is gone, the best one from then on stays.
    std::fs::remove_dir_all(root.join("checkpoints").join(format!("{:010}", best.0))).unwrap();
    let listener = finish(&root, &config(&[&settings[..2], &["steps=1600"]].concat()));
    let gone = format!("the best evaluation, at frame {}, is gone", best.0);
    assert!(listener.notes.iter().any(|note| note.contains(&gone)), "{:?}", listener.notes);
    let state = train::checkpoint::newest_state(&root).unwrap();
    let [(_, _, frames)] = state.best_evaluations().collect::<Vec<_>>()[..] else { panic!("no best evaluation") };
    assert!(frames.0 >= 800 && kept(&root).contains(&format!("{:010}", frames.0)), "{frames:?}: {:?}", kept(&root));
}

#[test]
fn several_tasks_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&["tasks=[\"point\", \"pair\"]", "steps=330"]));
    let outcomes = outcomes(folder.path());
    // A prefill of 80 frames each, then rounds of 80 frames: the round that passes 330 frames is played to its end.
    assert_eq!(tasks_of(folder.path()), "point point pair pair point pair point pair point pair");
    let last = outcomes.metrics.iter().rfind(|line| line.get("updates").is_some()).unwrap();
    assert!(last.get("train_return/point").is_some() && last.get("train_return/pair").is_some(), "{last}");
    let evaluation = outcomes.metrics.iter().rfind(|line| line.get("eval_length/point").is_some()).unwrap();
    assert!(evaluation.get("eval_return/point").is_some() && evaluation.get("eval_return/pair").is_some());
}

/// The images that the random episodes of a run begin and end with: starts and actions.
fn prefill(root: &Path) -> Vec<Vec<u8>> {
    let folder = root.join("episodes");
    let episodes: Vec<_> =
        names(&folder).iter().map(|name| replay::read_episode(&folder.join(name), 1 << 24).unwrap()).collect();
    // The first byte is the clock; the others have one colour.
    let shown = |episode: &replay::Episode| {
        episode.image().chunks_exact(replay::IMAGE_BYTES).map(|image| image[1]).collect::<Vec<u8>>()
    };
    episodes.iter().take(2).map(shown).collect()
}

#[test]
fn runs_share_random_streams_if_tasks_and_seed_are_the_same_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, settings: &[&str]| {
        let root = folder.path().join(name);
        finish(&root, &config(settings));
        (prefill(&root), metrics(&root).into_iter().find(|line| line.get("eval_return").is_some()))
    };
    let one = run("one", &[]);
    // Another method: the same random episodes, and evaluations from the same starts. (A toy agent learns the same with
    // any sizes.)
    assert_eq!(run("method", &["agent.units=9", "agent.horizon=4"]), one);
    for (name, setting) in [("task", "tasks=other"), ("seed", "seed=4")] {
        let (random, _) = run(name, &[setting]);
        assert!(random.iter().zip(&one.0).all(|(other, own)| other != own), "{name}");
    }
    // The same point is not the same run if another is learned with it.
    let (random, _) = run("both", &["tasks=[\"point\", \"other\"]", "schedule.prefill_episodes=1"]);
    assert_ne!(random[0], one.0[0]);
}

#[test]
fn a_finished_run_has_been_evaluated_both_ways_once() {
    let folder = tempfile::tempdir().unwrap();
    let line = |name: &str, settings: &[&str], metric: &str| -> Vec<serde_json::Value> {
        let root = folder.path().join(name);
        if !root.exists() {
            finish(&root, &config(settings));
        }
        metrics(&root).into_iter().filter(|line| line.get(metric).is_some()).collect()
    };
    let (mode, mean) = ("eval_return_by_mode", "eval_return_by_mean");
    let lines = line("mode", &[], mean);
    assert_eq!((lines.len(), &lines[0]["step"]), (1, &400.into()));
    assert!(line("mode", &[], mode).is_empty());
    let other = line("mean", &["agent.evaluation=mean"], mode);
    assert_eq!(other.len(), 1);
    // Each equals the last evaluation of the other run.
    let own = |name: &str, settings: &[&str]| line(name, settings, "eval_return").pop().unwrap()["eval_return"].clone();
    assert_eq!(own("mean", &["agent.evaluation=mean"]), lines[0][mean]);
    assert_eq!(own("mode", &[]), other[0][mode]);
    assert_ne!(lines[0][mean], other[0][mode]);
    // Where evaluations come due at the run's end, it is the same.
    assert_eq!(line("due", &["schedule.eval_every=80"], mean), lines);
    let several = line("several", &["tasks=[\"point\", \"pair\"]"], "eval_return_by_mean/pair");
    assert!(several.len() == 1 && several[0]["eval_return_by_mean/point"].is_f64(), "{several:?}");
}

/// The tasks of a run's episodes in the order of collection, each stored with the action size of the largest.
fn tasks_of(root: &Path) -> String {
    let folder = root.join("episodes");
    let episodes: Vec<_> =
        names(&folder).iter().map(|name| replay::read_episode(&folder.join(name), 1 << 20).unwrap()).collect();
    let largest = episodes.iter().map(replay::Episode::action_size).max();
    assert!(episodes.iter().all(|episode| Some(episode.action_size()) == largest));
    episodes.iter().map(|episode| episode.task().to_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn short_random_episodes_are_collected_until_there_are_enough_frames() {
    let folder = tempfile::tempdir().unwrap();
    let listener = finish(folder.path(), &config(&["schedule.prefill_frames=300", "agent.length=21"]));
    assert!(listener.notes.is_empty(), "{:?}", listener.notes);
    let first = metrics(folder.path()).into_iter().find(|line| line.get("updates").is_some()).unwrap();
    assert_eq!((&first["episodes"], &first["updates"]), (&8.0.into(), &3.0.into()));
}

#[test]
fn the_first_nan_metric_stops_the_run_and_spares_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&["checkpoint.best=false"]);
    // 3 updates after the prefill, 5 after each of the episodes: number 21 comes after 240 frames.
    let stopped = AtomicBool::new(false);
    let result = train_with(
        folder.path(),
        &config,
        environments(&config),
        Toy::diverging(21),
        &stopped,
        &mut Listener::new(|_| {}),
    );
    let error = result.unwrap_err();
    let message = error.to_string();
    for part in ["toy_loss became NaN at gradient step 21 (240 frames)", "gradient of toy.weight", "--plan full"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    match error {
        TrainError::NotFinite { metric, value, update, frames, batch, .. } => {
            assert_eq!((metric.as_str(), value.is_nan(), update, frames.0), ("toy_loss", true, 21, 240));
            assert_eq!(batch.unwrap(), folder.path().join("not-finite/0000000021.npz"));
        }
        error => panic!("{error}"),
    }
    let report = std::fs::read(folder.path().join("not-finite/0000000021.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!((&report["figures"]["toy_loss"], &report["gradient"]["path"]), (&"NaN".into(), &"toy.weight".into()));
    assert!(report["figures"]["weight"].is_f64(), "{report}");
    let kept = kept(folder.path());
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0], "0000000120");
}

#[test]
fn a_nan_parameter_never_replaces_a_good_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&["checkpoint.best=false"]);
    let stopped = AtomicBool::new(false);
    let new = Toy::breaking(21);
    let result = train_with(folder.path(), &config, environments(&config), new, &stopped, &mut Listener::new(|_| {}));
    let error = result.unwrap_err();
    assert!(matches!(&error, TrainError::Diverged { broken, .. } if broken.path == "toy.weight"), "{error}");
    assert_eq!(checkpoints(folder.path()).len(), 1);
    // The remaining files are complete: the run resumes from them, and reaches the same number at the same place.
    let again = run(folder.path(), &config, &stopped, &mut Listener::new(|_| {})).unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
}

#[test]
fn episodes_of_other_tasks_are_not_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let (run, other) = (folder.path().join("run"), folder.path().join("other"));
    finish(&run, &config(&[]));
    finish(&other, &config(&["tasks=pair", "seed=5"]));
    let number = |name: &&String| name.contains("-00000004-");
    let [own, foreign] = [&run, &other].map(|root| {
        let names = names(&root.join("episodes"));
        root.join("episodes").join(names.iter().find(number).unwrap())
    });
    // An episode of `pair` would have actions of another size; turned into one of `point` except for its name, it is
    // the same.
    let theirs = replay::read_episode(&foreign, 1 << 24).unwrap();
    let mine = replay::read_episode(&own, 1 << 24).unwrap();
    std::fs::remove_file(&own).unwrap();
    let parts = (mine.image().to_vec(), mine.action().to_vec(), mine.reward().to_vec(), mine.discount().to_vec());
    let named = replay::Episode::new(theirs.task(), 1, parts.0, parts.1, parts.2, parts.3).unwrap();
    let placed = replay::write_episode(&run.join("episodes"), "20261122T101530", 4, &named).unwrap();
    let listener = finish(&run, &config(&["steps=480"]));
    let report = |part: &str| listener.notes.iter().any(|note| note.contains(part));
    assert!(report(placed.to_str().unwrap()) && report("an episode of pair") && report("resuming with 9 episodes"));
}

#[test]
fn a_damaged_episode_is_named_counted_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), &config(&[]));
    let damaged = names(&folder.path().join("episodes")).into_iter().find(|name| name.contains("-00000004-")).unwrap();
    let path = folder.path().join("episodes").join(&damaged);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let listener = finish(folder.path(), &config(&["steps=480"]));
    assert!(listener.notes.iter().any(|note| note.contains(&damaged)), "{:?}", listener.notes);
    assert!(listener.notes.iter().any(|note| note.contains("resuming with 9 episodes")), "{:?}", listener.notes);
    let last = metrics(folder.path()).into_iter().rfind(|line| line.get("updates").is_some()).unwrap();
    assert_eq!((&last["replay_episodes"], &last["episodes"]), (&11.0.into(), &12.0.into()));
}

#[test]
fn windows_longer_than_any_random_episode_are_an_error_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let result = run(folder.path(), &config(&["agent.length=22"]), &AtomicBool::new(false), &mut Listener::new(|_| {}));
    let message = result.unwrap_err().to_string();
    for part in ["agent.length = 22 is out of range", "from 2 to 21", "the longest episode of point"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(names(folder.path()).is_empty(), "nothing is written");
}
