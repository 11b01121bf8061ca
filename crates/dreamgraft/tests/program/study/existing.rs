//! Studies whose sources were trained before them.

use crate::program::Program;

/// A study of agents in `old`, a run, and in `exported`, an export, with these methods.
fn study(methods: &str) -> String {
    format!(
        "name = \"mine\"\npreset = \"smoke\"\nsteps = 2000\nseeds = [0]\ntasks = [\"hopper\"]\n\
         [set]\nagent = {{ depth = 1, units = 2, batch = 1, length = 2 }}\nlog.videos = false\n\
         [[source]]\nname = \"old\"\nagents = \"old\"\n\
         [[source]]\nname = \"both\"\nagents = [\"old\", \"../exported\"]\n\
         [[source]]\nname = \"next\"\ntasks = [\"walker2d\"]\nsteps = 1000\nuniversal = \"old\"\n{methods}"
    )
}

const METHODS: &str = "[[method]]\nkind = \"baseline\"\n\
                       [[method]]\nkind = \"fractional\"\nfrom = \"old\"\nfractions = [0.2]\n\
                       [[method]]\nkind = \"single-source\"\nfrom = [\"both\"]\n\
                       [[method]]\nkind = \"ranked\"\nfrom = [\"both\"]\nset = { schedule.prefill_episodes = 2 }\n\
                       [[method]]\nkind = \"meta-model\"\nuniversal = \"old\"\nreward_from = [\"old\", \"next\"]\n";

/// The program with the study file `study/mine.toml`, the run `study/old` next to it, and `exported` above.
fn with_agents() -> Program {
    let program = Program::new();
    std::fs::create_dir(program.path("study")).unwrap();
    train(&program, "ant", "study/old", "2", "1000");
    train(&program, "inverted-pendulum-swingup", "run", "2", "1000");
    program.succeed(&["export", "run", "--out", "exported"]);
    std::fs::write(program.path("study/mine.toml"), study(METHODS)).unwrap();
    program
}

fn train(program: &Program, task: &str, folder: &str, units: &str, steps: &str) {
    let units = format!("agent.units={units}");
    let sizes = ["agent.depth=1", "agent.batch=1", "agent.length=2", "log.videos=false", &units];
    let settings = sizes.iter().flat_map(|setting| ["--set", setting]);
    let words = ["train", task, "--preset", "smoke", "--logdir", folder, "--steps", steps];
    program.succeed(&words.into_iter().chain(settings).collect::<Vec<_>>());
}

#[test]
fn agents_from_before_a_study_are_sources_of_every_kind() {
    let program = with_agents();
    let plan = program.succeed(&["study", "plan", "study/mine.toml"]);
    // A baseline, a fraction, two single sources, a ranking, a meta-model, and the one source to be trained.
    assert!(plan.contains("7 runs, 0 of them finished; 13 000 frames"), "{plan}");
    assert!(plan.contains("runs/hopper/single-source-from-ant/0\n"), "{plan}");
    assert!(plan.contains("sources/walker2d/1000-sees-as-ant-"), "{plan}");
    program.succeed(&["study", "run", "study/mine.toml"]);
    let report = std::fs::read_to_string(program.path("studies/mine/report/report.md")).unwrap();
    assert!(report.contains("| ranked |"), "{report}");
    // Their frames count, although the study did not train them.
    let figures = std::fs::read_to_string(program.path("studies/mine/report/figures.csv")).unwrap();
    let frames = |method: &str| {
        let line = figures.lines().find(|line| line.contains(&format!(",{method},source_frames,")));
        line.unwrap_or_else(|| panic!("{method}: {figures}")).split(',').nth(3).unwrap().parse::<f64>().unwrap()
    };
    assert_eq!((frames("fractional-0.2"), frames("meta-model")), (1000.0, 2000.0));
    assert!(program.succeed(&["study", "run", "study/mine.toml"]).contains("7 of them finished"));
    // A source that learns on is another source.
    train(&program, "ant", "study/old", "2", "2000");
    let error = program.fail(4, &["study", "run", "study/mine.toml"]);
    assert!(error.contains("an agent that it names"), "{error}");
    // Without the manifest, too: the finished runs started from another agent.
    std::fs::remove_file(program.path("studies/mine/manifest.jsonl")).unwrap();
    let error = program.fail(4, &["study", "run", "study/mine.toml"]);
    assert!(error.contains("sources.source: was ") && error.contains("sha256"), "{error}");
}

#[test]
fn agents_that_cannot_be_sources_are_named_before_anything_is_trained() {
    let program = with_agents();
    train(&program, "ant", "study/wide", "3", "1000");
    let one = "[[source]]\nname = \"one\"\n";
    let from_one = "[[method]]\nkind = \"fractional\"\nfrom = \"one\"\nfractions = [0.2]\n";
    for (source, method, parts) in [
        (
            "agents = \"wide\"",
            from_one,
            &["mine.toml, method \"fractional-0.2\" on hopper from ", "study/wide: ", "agent.units"][..],
        ),
        ("agents = []", from_one, &["source 4, agents", "the list is empty"]),
        ("agents = [\"old\", \"old\"]", from_one, &["source 4, agents, entry 2", "listed twice"]),
        ("agents = [\"old\", \"old/checkpoints/0000001000\"]", from_one, &["entry 2", "same agent as", "remove one"]),
        ("agents = \"\"", from_one, &["source 4, agents, entry 1", "the path is empty"]),
        ("agents = [\"old\", \"../exported\"]", from_one, &["method 1, from", "has 2 agents"]),
        ("agents = \"old\"\nsteps = 5", from_one, &["source 4, steps", "about training"]),
        ("agents = \"old\"\ntasks = [\"ant\"]", from_one, &["source 4", "give one of `tasks`"]),
        ("tasks = [\"ant\"]", from_one, &["source 4, steps", "environment frames"]),
        ("agents = 5", from_one, &["source 4", "the path of a run, a checkpoint or an export"]),
        (
            "agents = \"../exported\"",
            "[[method]]\nkind = \"baseline\"\nrehearse = \"one\"\n",
            &["method 1, rehearse", "has no episodes"],
        ),
        (
            "agents = \"old/checkpoints/0000001000\"",
            "[[method]]\nkind = \"ranked\"\nfrom = [\"old\", \"one\"]\nset = { schedule.prefill_episodes = 2 }\n",
            &["method 1, from", "only one agent"],
        ),
        (
            "agents = \"old\"",
            "[[method]]\nkind = \"baseline\"\nguide = \"one\"\n",
            &["method 1, guide", "cannot act in hopper"],
        ),
        (
            "agents = \"../exported\"",
            "[[method]]\nkind = \"meta-model\"\nuniversal = \"old\"\nreward_from = [\"one\"]\n",
            &["method \"meta-model\" on hopper", "encoder"],
        ),
    ] {
        std::fs::write(program.path("study/mine.toml"), study(&format!("{one}{source}\n{method}"))).unwrap();
        for command in ["plan", "run"] {
            let error = program.fail(2, &["study", command, "study/mine.toml"]);
            assert!(parts.iter().all(|part| error.contains(part)), "{source}: {error}");
        }
    }
    std::fs::write(program.path("study/mine.toml"), study(&format!("{one}agents = \"gone\"\n{from_one}"))).unwrap();
    for command in ["plan", "run"] {
        let error = program.fail(5, &["study", command, "study/mine.toml"]);
        assert!(
            error.contains("(line 22), source 4, agents, entry 1") && error.contains("gone cannot be read"),
            "{error}"
        );
    }
    std::fs::write(program.path("study/wide/checkpoints/0000001000/agent.safetensors"), "damaged").unwrap();
    std::fs::write(program.path("study/mine.toml"), study(&format!("{one}agents = \"wide\"\n{from_one}"))).unwrap();
    for command in ["plan", "run"] {
        let error = program.fail(5, &["study", command, "study/mine.toml"]);
        assert!(error.contains("source 4, agents, entry 1") && error.contains("agent.safetensors"), "{error}");
    }
    assert!(!program.path("studies").exists());
}
