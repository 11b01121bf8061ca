//! `dreamgraft episodes add`: episodes of other programs.

use crate::program::{Program, outcomes, smoke};

#[test]
fn a_run_learns_from_episodes_that_another_program_collected() {
    let program = Program::new();
    // The other program is this one, which names its files as others do.
    program.succeed(&["train", "inverted-pendulum-swingup", "--preset", "smoke", "--seed", "5", "--logdir", "other"]);
    let names = program.names("other/episodes");
    let foreign: Vec<String> =
        names.iter().take(2).map(|name| name.replacen("-0000000", "-5e1a6e9d0f4d4d5c", 1)).collect();
    for (name, foreign) in names.iter().zip(&foreign) {
        std::fs::copy(program.path("other/episodes").join(name), program.path(foreign)).unwrap();
    }
    program.succeed(&smoke(&["--steps", "2000"]));
    let words = ["episodes", "add", "run", &foreign[0], &foreign[1]];
    let text = program.succeed(&words);
    assert!(text.starts_with("2 episodes with 1 002 transitions added in run/episodes/added"), "{text}");
    // The run's counters do not change, and it may be stopped and resumed as before.
    std::fs::create_dir(program.path("copy")).unwrap();
    let copied = program.wrapped(&["sh", "-c", "cp -r run/. copy"], &[]).status().unwrap();
    assert!(copied.success());
    let text = program.succeed(&smoke(&["--steps", "4000"]));
    assert!(text.contains("note: 2 episodes of other programs"), "{text}");
    let with = |steps: &str| {
        let mut words = smoke(&["--steps", steps]);
        *words.iter_mut().find(|word| **word == "run").unwrap() = "copy";
        program.succeed(&words)
    };
    with("3000");
    with("4000");
    let (whole, parts) = (outcomes(&program.path("run")), outcomes(&program.path("copy")));
    assert_eq!(whole, parts);
    assert_eq!(whole.state["position"]["episodes"], 4);
    let last = whole.metrics.iter().rfind(|line| line["replay_episodes"].is_f64()).unwrap();
    assert_eq!((&last["replay_episodes"], &last["episodes"]), (&6.0.into(), &4.0.into()));
}

#[test]
fn an_episode_is_added_once_whatever_its_file_is_called() {
    let program = Program::new();
    program.succeed(&["train", "inverted-pendulum-swingup", "--preset", "smoke", "--seed", "5", "--logdir", "other"]);
    program.succeed(&smoke(&["--steps", "1000"]));
    let names = program.names("other/episodes");
    let of = |index: usize| format!("other/episodes/{}", names[index]);
    program.succeed(&["episodes", "add", "run", &of(0)]);
    std::fs::copy(program.path(&of(0)), program.path("copy.npz")).unwrap();
    let own = format!("run/episodes/{}", program.names("run/episodes")[0]);
    let ended = program.run(&["episodes", "add", "run", "copy.npz", &of(1), &of(1), &own]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("1 episode with 501 transitions added"), "{ended:?}");
    let notes: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(
        notes[0].starts_with("note: copy.npz was not added: the run has this episode already, in run/episodes/added/")
    );
    assert!(notes[1].contains(&names[1]) && notes[2].ends_with(&format!("in {own}")), "{notes:?}");
    assert_eq!(program.names("run/episodes/added").len(), 2);
}

#[test]
fn what_a_run_cannot_take_is_refused_as_a_whole() {
    let program = Program::new();
    program.succeed(&smoke(&["--steps", "1000"]));
    program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "hopper"]);
    let of = |run: &str| format!("{run}/episodes/{}", program.names(&format!("{run}/episodes"))[0]);
    let (own, other) = (of("run"), of("hopper"));
    let error = program.fail(1, &["episodes", "add", "run", &own, &other]);
    assert!(error.contains(&other) && error.contains("is an episode of hopper"), "{error}");
    let named = ["episodes", "add", "run", &own, &other, "--task", "inverted-pendulum-swingup"];
    let error = program.fail(1, &named);
    assert!(error.contains("has action size 3, but this replay memory is for action size 1"), "{error}");
    let error = program.fail(2, &["episodes", "add", "none", &own]);
    assert!(error.contains("none does not exist"), "{error}");
    let error = program.fail(1, &["episodes", "add", "run", "run/config.toml"]);
    assert!(error.contains("run/config.toml cannot be added: it cannot be read as an episode"), "{error}");
    // What is wrong may have a step of its own, such as scaling actions.
    assert!(error.trim_end().ends_with("Nothing was added; correct this file, or leave it out"), "{error}");
    assert!(!program.path("run/episodes/added").exists());
}
