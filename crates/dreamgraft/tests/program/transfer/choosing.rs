//! One of several sources, chosen when a run begins: `dreamgraft train` with several `--from`.

use crate::program::{Program, outcomes};
use serde_json::Value;

/// A tiny run of hopper in `folder`.
fn arguments<'a>(folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let settings = ["train", "hopper", "--preset", "smoke", "--set", "log.videos=false", "--logdir", folder];
    [&settings[..], &["--set", "schedule.prefill_frames=2000", "--steps", "3000"], more].concat()
}

/// The program with two trained agents, in the folders `pendulum` and `ant`.
fn with_sources() -> Program {
    let program = Program::new();
    for (task, folder) in [("inverted-pendulum-swingup", "pendulum"), ("ant", "ant")] {
        let settings = ["--preset", "smoke", "--set", "log.videos=false", "--steps", "1000", "--logdir", folder];
        program.succeed(&[&["train", task][..], &settings].concat());
    }
    program
}

fn choice(program: &Program, run: &str) -> Value {
    let report: Value =
        serde_json::from_slice(&std::fs::read(program.path(&format!("{run}/transfer.json"))).unwrap()).unwrap();
    report["choice"].clone()
}

#[test]
fn several_sources_are_ranked_and_the_run_resumes_without_them() {
    let program = with_sources();
    let from = ["--from", "pendulum", "--from", "ant"];
    let text = program.succeed(&arguments("ranked", &from));
    for part in
        ["ranking 2 sources on the random episodes", "the first of 2 sources in a ranking on the 2 random episodes"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let found = choice(&program, "ranked");
    let chosen = found["chosen"].as_str().unwrap().to_owned();
    assert_eq!((found["by"].as_str(), found["episodes"].as_u64()), (Some("rank"), Some(2)));
    assert_eq!(found["candidates"].as_array().unwrap().len(), 2);
    assert_eq!(found["candidates"][0]["name"], *chosen);
    assert!(found["candidates"][0]["standing"]["rank"].as_f64() <= found["candidates"][1]["standing"]["rank"].as_f64());
    assert!(found["untrained"]["rank"].is_number());

    // The same as from the chosen one alone.
    program.succeed(&arguments("alone", &["--from", &chosen]));
    assert_eq!(outcomes(&program.path("ranked")), outcomes(&program.path("alone")));

    // In two sessions, the second without the sources.
    let first: Vec<&str> =
        arguments("parts", &from).into_iter().map(|word| if word == "3000" { "2000" } else { word }).collect();
    program.succeed(&first);
    for source in ["pendulum", "ant"] {
        std::fs::rename(program.path(source), program.path(&format!("{source}-gone"))).unwrap();
    }
    program.succeed(&arguments("parts", &from));
    assert_eq!(choice(&program, "parts"), found);

    // Other sources, or another way to choose, are another run.
    for (other, word) in [
        (&["--from", "pendulum"][..], "choose"),
        (&["--from", "pendulum", "--from", "walker"], "sources.walker"),
        (&["--from", "pendulum", "--from", "ant", "--choose", "chance"], "choose.by"),
    ] {
        let message = program.fail(4, &arguments("ranked", other));
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn chance_is_decided_by_the_seed() {
    let program = with_sources();
    let from = ["--from", "pendulum", "--from", "ant", "--choose", "chance"];
    let mut seen = Vec::new();
    for seed in ["0", "1", "2", "3", "4", "5"] {
        let words =
            [&["transfer", "plan", "hopper", "--preset", "smoke", "--json", "--seed", seed][..], &from].concat();
        let found: Value = serde_json::from_str(&program.succeed(&words)).unwrap();
        let again: Value = serde_json::from_str(&program.succeed(&words)).unwrap();
        assert_eq!(found["choice"], again["choice"]);
        assert!(found["choice"]["untrained"].is_null() && found["choice"]["episodes"] == 0);
        seen.push(found["choice"]["chosen"].as_str().unwrap().to_owned());
    }
    assert!(seen.contains(&"pendulum".to_owned()) && seen.contains(&"ant".to_owned()), "{seen:?}");
}

#[test]
fn choices_that_cannot_be_made_are_answered_with_what_can_be_done() {
    let program = with_sources();
    for (code, words, part) in [
        (2, "--from ant --choose rank", "give --from RUN for each of them"),
        (2, "--choose rank", "give --from RUN for each of them"),
        (2, "--from ant --from ant", "--from ant is given twice; remove one"),
        (2, "--from ant --from pendulum --choose best", "possible values: rank, chance, all"),
        (2, "--from ant --from pendulum --guide ant", "--choose chance"),
        (2, "--from ant --from ./ant", "are the same agent"),
        (2, "--from ant --from pendulum --choose all", "needs a --plan"),
        (5, "--from ant --from nothing", "nothing"),
        (
            2,
            "--from ant --from pendulum --set schedule.prefill_frames=1000",
            "needs at least 2 random episodes of hopper, and this run begins with 1",
        ),
    ] {
        let ended = program.run(&arguments("new", &words.split(' ').collect::<Vec<_>>()));
        assert_eq!(ended.code, Some(code), "{words}: {ended:?}");
        assert!(ended.stderr.contains(part), "{words}: {ended:?}");
        assert!(!program.path("new").exists(), "{words}");
    }
    let several = ["train", "hopper", "walker2d", "--preset", "smoke", "--from", "ant", "--from", "pendulum"];
    let message = program.fail(2, &several);
    assert!(message.contains("ranked for one task, but this run learns hopper, walker2d"), "{message}");
}
