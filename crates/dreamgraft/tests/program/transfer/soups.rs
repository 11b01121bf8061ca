//! Means of agents that descend from one agent.

use super::{arguments, newest, tensors, with_source};
use crate::program::Program;
use std::collections::BTreeMap;

/// A run of the single pendulum in `folder` that starts with `more`, and learns nothing if it `stays`.
fn pendulum(program: &Program, folder: &str, seed: &str, stays: bool, more: &[&str]) {
    let stay = ["--set", "schedule.pretrain_updates=0", "--set", "schedule.train_updates=0"];
    let stay = if stays { &stay[..] } else { &[] };
    let all = [&["--steps", "1000", "--seed", seed], stay, more].concat();
    program.succeed(&arguments(&["inverted-pendulum-swingup"], folder, &all));
}

#[test]
fn a_soup_is_the_mean_of_descendants_of_one_agent() {
    let program = with_source();
    for (child, seed) in [("one", "1"), ("two", "2")] {
        pendulum(&program, child, seed, false, &["--from", "source", "--plan", "fine-tune"]);
    }
    let soup = ["--from", "one", "--from", "two", "--plan", "soup"];
    let plan = ["transfer", "plan", "inverted-pendulum-swingup", "--preset", "smoke"];
    let text = program.succeed(&[&plan[..], &soup].concat());
    assert!(
        text.contains("the built-in plan soup") && text.contains("0.500 one + 0.500 two") && text.contains("soup  "),
        "{text}"
    );
    pendulum(&program, "mean", "3", true, &soup);
    let numbers = |run: &str| -> BTreeMap<String, Vec<f32>> {
        let of =
            |bytes: Vec<u8>| bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        let all = tensors(&newest(&program, run)).into_iter();
        let parameters =
            all.filter(|(name, _)| ["world_model.", "actor.", "value."].iter().any(|start| name.starts_with(start)));
        parameters.map(|(name, bytes)| (name, of(bytes))).collect()
    };
    let [one, two, mean] = ["one", "two", "mean"].map(numbers);
    assert!(mean.len() > 20 && one != two);
    for (name, values) in &mean {
        let pairs = one[name].iter().zip(&two[name]);
        let expected: Vec<f32> = pairs.map(|(a, b)| ((f64::from(*a) + f64::from(*b)) / 2.0) as f32).collect();
        assert_eq!(*values, expected, "{name}");
    }
    // A child and its parent are of one agent, and so are soups of children.
    pendulum(&program, "trained", "5", false, &soup);
    pendulum(&program, "again", "4", true, &["--from", "source", "--from", "trained", "--plan", "soup"]);
    // The run resumes like any other.
    let all = [
        &[
            "--steps",
            "1000",
            "--seed",
            "3",
            "--set",
            "schedule.pretrain_updates=0",
            "--set",
            "schedule.train_updates=0",
        ][..],
        &soup,
    ];
    let text = program.succeed(&arguments(&["inverted-pendulum-swingup"], "mean", &all.concat()));
    assert!(text.contains("already finished"), "{text}");
}

#[test]
fn a_soup_of_strangers_is_refused() {
    let program = with_source();
    pendulum(&program, "child", "1", false, &["--from", "source", "--plan", "fine-tune"]);
    pendulum(&program, "stranger", "2", false, &[]);
    pendulum(&program, "part", "3", false, &["--from", "source"]);
    let train = |more: &[&str]| {
        arguments(&["inverted-pendulum-swingup"], "run", &[&["--steps", "1000"], more].concat())
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let error = program.fail(2, &train(&["--from", "child", "--from", "stranger", "--plan", "soup"]));
    for part in [
        "rule 1 (line 5) of the built-in plan soup makes a soup of agents without a common origin: \
         world_model.encoder.h1.kernel of child and of stranger does not descend from one agent",
        "child: it began at random in ",
        "source; stranger: it began at random in ",
        "stranger), so the mean would be meaningless; make a soup of agents that started from one agent in full",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // The plan `paper` leaves some parameters random.
    let error = program.fail(2, &train(&["--from", "child", "--from", "part", "--plan", "soup"]));
    assert!(error.contains(" of child and of part does not descend from one agent"), "{error}");
    assert!(error.contains("part: it was not copied in full when "), "{error}");
    let text = "format = 1\n[sources]\na = \"child\"\nb = \"part\"\n\
                [[rule]]\nmatch = [\"world_model.encoder.**\", \"world_model.decoder.**\"]\ntake = \"soup\"\nsources = { a = 3, b = 1 }\n\
                [[rule]]\nmatch = \"**\"\nrest = true\ntake = \"random\"\n";
    std::fs::write(program.path("layers.toml"), text).unwrap();
    let preview = |plan: &str| {
        ["transfer", "plan", "inverted-pendulum-swingup", "--preset", "smoke", "--plan", plan].map(str::to_owned)
    };
    let table = program.succeed(&preview("layers.toml"));
    assert!(table.contains("0.750 a + 0.250 b") && table.contains("soup"), "{table}");
    // An export does not record where it comes from.
    program.succeed(&["export", "child", "--out", "export"]);
    let error = program.fail(2, &train(&["--from", "source", "--from", "export", "--plan", "soup"]));
    assert!(error.contains("is not in a run folder, so its origin is not recorded"), "{error}");
    for (more, part) in [
        (
            &["--from", "child", "--plan", "soup"][..],
            "a soup is the mean of several agents, and it has only \"source\"; name at least two",
        ),
        (&["--from", "child", "--from", "child", "--plan", "soup"], "--from child is given twice; remove one"),
        (&["--from", "child", "--from", "source", "--plan", "layers.toml"], "names its own sources; remove --from"),
        (
            &["--from", "child", "--from", "source", "--plan", "soup", "--fraction", "0.2"],
            "--fraction cannot be combined",
        ),
    ] {
        let error = program.fail(2, &train(more));
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!program.path("run").exists(), "nothing is written");
}
