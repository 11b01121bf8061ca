//! `dreamgraft transfer rank`.

use super::json_of;
use crate::program::Program;
use serde_json::Value;

#[test]
fn agents_are_ranked_before_anything_is_trained() {
    let program = Program::new();
    program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "hopper"]);
    program.succeed(&["train", "ant", "--preset", "smoke", "--steps", "1000", "--logdir", "ant"]);
    let words = ["transfer", "rank", "hopper", "--from", "ant", "--target", "hopper", "--episodes", "2"];
    let table = program.succeed(&words);
    for part in [
        "target   hopper (3 action elements), 2 episodes of random actions",
        "8 (padded)",
        "(control) hopper",
        "untrained",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let json = program.succeed(&[&words[..], &["--json", "--plan", "ranked.toml"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 3);
    assert_eq!(json["mean_return"].as_f64().unwrap(), json_of(&program, &words)["mean_return"].as_f64().unwrap());
    let trained =
        program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--plan", "ranked.toml"]);
    assert!(trained.contains("ant"), "{trained}");
    // The run has a single episode: the rewards of one cannot be predicted from others.
    let error = program.fail(2, &["transfer", "rank", "ant", "--from", "ant", "--episodes-of", "ant"]);
    assert!(error.contains("at least 2 episodes of ant, but ant has 1 episode;"), "{error}");
    assert!(program.fail(2, &[&words[..], &["--plan", "ranked.toml"]].concat()).contains("exists"));
    assert!(program.fail(5, &["transfer", "rank", "hopper", "--from", "nowhere"]).contains("nowhere"));
    assert!(program.fail(2, &["transfer", "rank", "hoper", "--from", "ant"]).contains("\"hopper\""));
    assert_eq!(program.run(&["transfer", "rank", "hopper"]).code, Some(2));
    let twice = program.fail(2, &["transfer", "rank", "hopper", "--from", "ant", "--from", "ant"]);
    assert!(twice.contains("--from ant is given twice"), "{twice}");
    let other = program.fail(2, &["transfer", "rank", "hopper", "--from", "hopper", "--target", "ant"]);
    assert!(other.contains("ant has learned ant, but --target is for an agent of hopper itself"), "{other}");
    // As in a transfer, no older checkpoint takes the place of a damaged one.
    program.succeed(&["train", "ant", "--preset", "smoke", "--steps", "2000", "--logdir", "ant"]);
    assert_eq!(program.names("ant/checkpoints").len(), 2);
    program.truncate("ant/checkpoints/0000002000/agent.safetensors");
    let damaged = program.fail(5, &["transfer", "rank", "hopper", "--from", "ant"]);
    assert!(damaged.contains("ant/checkpoints/0000002000"), "{damaged}");
    assert_eq!(program.run(&["transfer", "rank", "hopper", "--from", "ant", "--episodes", "1"]).code, Some(2));
}

#[test]
fn a_file_of_settings_ranks_like_the_same_settings_of_the_task_typed() {
    let program = Program::new();
    program.succeed(&["train", "hopper", "--preset", "smoke", "--steps", "1000", "--logdir", "hopper"]);
    std::fs::write(program.path("short.toml"), "[task]\nframe_limit = 100\n[agent]\nhorizon = 4\n").unwrap();
    let words = ["transfer", "rank", "ant", "--from", "hopper", "--episodes", "2"];
    let with = |more: &[&str]| json_of(&program, &[&words[..], more].concat());
    let (typed, file) = (with(&["--set", "task.frame_limit=100"]), with(&["--config", "short.toml"]));
    assert_eq!(typed, file);
    assert_ne!(typed["mean_return"], with(&[])["mean_return"]);
    let text = program.succeed(&[&words[..], &["--config", "short.toml", "--plan", "plan.toml"]].concat());
    assert!(text.contains("`dreamgraft train ant --config short.toml --plan plan.toml`"), "{text}");
    assert!(program.fail(2, &[&words[..], &["--config", "none.toml"]].concat()).contains("none.toml"));
}
