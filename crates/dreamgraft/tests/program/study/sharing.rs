//! Runs that studies share.

use crate::program::{Program, outcomes};
use serde_json::Value;

/// A study of a source and two methods in `program`, with `name`, and settings and methods of its own.
fn sharing(program: &Program, name: &str, set: &str, more: &str) -> String {
    let text = format!(
        "name = \"{name}\"\npreset = \"smoke\"\nsteps = 2000\nseeds = [0]\ntasks = [\"inverted-pendulum-swingup\"]\n[set]\n\
         agent = {{ depth = 1, units = 2, batch = 1, length = 2 }}\nlog.videos = false\n{set}\n\
         [[source]]\nname = \"a\"\ntasks = [\"inverted-double-pendulum-swingup\"]\nsteps = 2000\n\
         [[method]]\nkind = \"baseline\"\n[[method]]\nkind = \"fractional\"\nfrom = \"a\"\nfractions = [0.2]\n{more}"
    );
    let file = format!("{name}.toml");
    std::fs::write(program.path(&file), text).unwrap();
    file
}

/// Names in the store `shared`.
fn stored(program: &Program) -> Vec<String> {
    program.names("shared")
}

#[test]
fn equal_runs_of_two_studies_are_trained_once() {
    let program = Program::new();
    let full = "[[method]]\nkind = \"full\"\nfrom = \"a\"\n";
    let (first, second) =
        (sharing(&program, "first", "", ""), sharing(&program, "second", "checkpoint.kept = 1", full));
    let run = |file: &str| program.succeed(&["study", "run", file, "--share", "shared", "--jobs", "1"]);
    let text = run(&first);
    assert!(!text.contains("taken") && text.matches(" started: ").count() == 3, "{text}");
    assert_eq!(stored(&program).len(), 3);
    let plan = program.succeed(&["study", "plan", &second, "--share", "shared"]);
    assert!(plan.contains("3 runs in shared will be copied, not trained"), "{plan}");
    assert!(plan.contains("   2  shared ") && plan.contains("   3  waiting "), "{plan}");
    // The source, the baseline and the fraction are equal; the other method is new.
    let text = run(&second);
    assert_eq!((text.matches(" was copied from ").count(), text.matches(" started: ").count()), (3, 1), "{text}");
    assert_eq!(stored(&program).len(), 4);
    let folder = |study: &str, run: &str| program.path(&format!("studies/{study}/{run}"));
    let runs = ["sources/inverted-double-pendulum-swingup/2000/1000", "runs/inverted-pendulum-swingup/baseline/0"];
    for name in runs {
        let (one, other) = (outcomes(&folder("first", name)), outcomes(&folder("second", name)));
        assert_eq!((one.metrics, one.agent, one.state), (other.metrics, other.agent, other.state), "{name}");
    }
    let status = program.succeed(&["study", "status", &second]);
    assert_eq!(status.matches("copied from the study first").count(), 3, "{status}");
    let states = program.succeed(&["study", "status", &second, "--json"]);
    assert!(states.lines().next().unwrap().contains("\"study\":\"first\""), "{states}");
    let report = std::fs::read_to_string(program.path("studies/second/report/report.md")).unwrap();
    assert!(report.contains("copied from the study first"), "{report}");

    // Nothing is lost with a study or the store, and the runs are complete sources.
    std::fs::remove_dir_all(program.path("studies/first")).unwrap();
    std::fs::remove_dir_all(program.path("shared")).unwrap();
    let text = program.succeed(&["study", "run", &second]);
    assert!(text.contains("4 of them finished"), "{text}");
    let source = folder("second", runs[0]);
    let play = ["eval", source.to_str().unwrap(), "--episodes", "1"];
    assert!(program.succeed(&play).contains("return"));
    // A run copied from the store has no episodes, so it is not made longer.
    let task = "inverted-pendulum-swingup";
    let request = std::fs::read_to_string(program.path("studies/second/manifest.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(request.lines().nth(2).unwrap()).unwrap();
    let words: Vec<String> = entry["arguments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap().replace("2000", "4000"))
        .collect();
    assert_eq!(words[1], task);
    let longer = program.command(&words).current_dir(program.path("studies/second")).output().unwrap();
    assert_eq!(longer.status.code(), Some(5), "{longer:?}");
    assert!(String::from_utf8(longer.stderr).unwrap().contains("none of the"), "{words:?}");
}

#[test]
fn a_run_from_the_store_that_is_to_be_longer_can_be_begun_again() {
    let program = Program::new();
    let (first, second) = (sharing(&program, "first", "", ""), sharing(&program, "second", "", ""));
    let share = |file: &str| program.run(&["study", "run", file, "--share", "shared", "--jobs", "1"]);
    assert_eq!((share(&first).code, share(&second).code), (Some(0), Some(0)));
    // The targets get more frames; the source stays.
    let text = std::fs::read_to_string(program.path(&second)).unwrap();
    std::fs::write(program.path(&second), text.replacen("steps = 2000", "steps = 3000", 1)).unwrap();
    std::fs::remove_file(program.path("studies/second/manifest.jsonl")).unwrap();
    let ended = share(&second);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let advice: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("has none of the")).collect();
    assert_eq!(advice.len(), 2, "{ended:?}");
    for line in advice {
        let folder = line.split_once("remove the folder ").unwrap().1.split(',').next().unwrap();
        std::fs::remove_dir_all(program.path("studies/second").join(folder)).unwrap();
    }
    let ended = share(&second);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("1 of them finished") && ended.stdout.contains("(3 of 3"), "{ended:?}");
}

#[test]
fn a_dry_run_neither_fills_a_store_nor_takes_from_it() {
    let program = Program::new();
    let (first, second) = (sharing(&program, "first", "", ""), sharing(&program, "second", "", ""));
    let dry = |file: &str| {
        let words = ["study", "run", file, "--launcher", "slurm", "--dry-run", "--share", "shared"];
        program.succeed(&words)
    };
    assert!(dry(&first).contains("0 runs in ") && !program.path("shared").exists());
    program.succeed(&["study", "run-one", &first, "--index", "0"]);
    dry(&first);
    assert!(!program.path("shared").exists(), "finished runs are not copied to the store");
    program.succeed(&["study", "run", &first, "--share", "shared"]);
    let before = stored(&program);
    let text = dry(&second);
    assert!(text.contains("3 runs in ") && text.contains("would be copied, not trained"), "{text}");
    assert!(!program.path("studies/second/runs").exists() && stored(&program) == before);
    assert!(std::fs::read_to_string(program.path("studies/second/slurm/array-0.sh")).unwrap().contains("/shared"));
}

#[test]
fn only_finished_runs_of_one_program_are_shared() {
    let program = Program::new();
    let file = sharing(&program, "first", "", "");
    let baseline = "studies/first/runs/inverted-pendulum-swingup/baseline/0";
    let run_one = |index: &str| program.succeed(&["study", "run-one", &file, "--index", index, "--share", "shared"]);
    // Another program, or an unknown one, began the baseline: a user typed its command.
    let arguments = "train inverted-pendulum-swingup --preset smoke --set agent.depth=1 --set agent.units=2 --set agent.batch=1 \
                     --set agent.length=2 --set log.videos=false --steps 1000 --seed 0 --logdir";
    let arguments: Vec<&str> = arguments.split_whitespace().chain([baseline]).collect();
    program.succeed(&arguments);
    for index in ["0", "1"] {
        run_one(index);
        assert!(stored(&program).is_empty(), "a run is not shared before it is finished");
    }
    assert!(run_one("0").contains("it was copied to the shared runs"));
    let text = run_one("1");
    assert!(text.contains("run 1 is finished") && !text.contains("copied"), "{text}");
    let source = stored(&program);
    assert_eq!(source.len(), 1);
    // With episodes of another program, a run depends on more than its settings.
    run_one("2");
    std::fs::create_dir(
        program.path("studies/first/runs/inverted-pendulum-swingup/fractional-0.2-from-a/0/episodes/added"),
    )
    .unwrap();
    assert!(!run_one("2").contains("copied"));
    assert_eq!(stored(&program), source);

    // The changed run in the store is not used; the run is trained.
    let metrics = program.path(&format!("shared/{}/run/metrics.jsonl", source[0]));
    let mut text = std::fs::read_to_string(&metrics).unwrap();
    text.push_str("{\"step\":9000,\"train_return\":9999}\n");
    std::fs::write(&metrics, text).unwrap();
    let second = sharing(&program, "second", "", "");
    let text = program.succeed(&["study", "run", &second, "--share", "shared"]);
    assert!(text.contains("note: run 0 is not shared") && text.contains("run/metrics.jsonl was changed"), "{text}");
    assert!(text.contains("run 0 started") && text.contains("(3 of 3"), "{text}");
    // Other settings are other runs.
    let third = sharing(&program, "third", "replay.starts = \"edges\"", "");
    let plan = program.succeed(&["study", "plan", &third, "--share", "shared"]);
    assert!(plan.contains("0 runs in shared will be copied"), "{plan}");
}
