//! The runs that a study file asks for, and study files and folders that are refused.

use super::{TINY, tiny};
use crate::program::Program;

#[test]
fn studies_whose_runs_must_fail_are_refused_by_the_plan() {
    let program = Program::new();
    let plan = "format = 1\n[[rule]]\nmatch = \"**\"\ntake = \"full\"\n";
    std::fs::write(program.path("full.toml"), plan).unwrap();
    std::fs::write(program.path("typo.toml"), plan.replace("**", "world_model.encodr.**")).unwrap();
    let start = "name = \"s\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n";
    let source = "[[source]]\nname = \"ant\"\ntasks = [\"ant\"]\nsteps = 1000\n";
    for (method, part) in [
        (
            "[set.agent]\nfrozen_encoder = true\n[[method]]\nkind = \"baseline\"",
            "set.agent.frozen_encoder: a transfer sets it",
        ),
        ("[[method]]\nkind = \"plan\"\nfile = \"full.toml\"", "(line 12), method 1, file: "),
        ("[[method]]\nkind = \"plan\"\nfile = \"full.toml\"", "does not name a source; add `from` to this method"),
        (
            "[[method]]\nkind = \"single-source\"\nfrom = []",
            "method 1, from: the list is empty; name at least one source",
        ),
        (
            "[[method]]\nkind = \"single-source\"\nfrom = [\"ant\"]\nplan = \"full\"\nfraction = 0.2",
            "does not have a rule with a fraction",
        ),
        // Transfers are tried before their sources are trained.
        (
            "[[method]]\nkind = \"fine-tune\"\nfrom = \"ant\"",
            "s.toml, method \"fine-tune\" on hopper from sources/ant/1000/1000: rule 1 (line 5) of the built-in plan fine-tune transfers",
        ),
        (
            "[[method]]\nkind = \"encoder-only\"\nfrom = \"ant\"\nset = { agent.depth = 3 }",
            "s.toml, method \"encoder-only\" on hopper from sources/ant/1000/1000: ",
        ),
        ("[[method]]\nkind = \"plan\"\nfile = \"typo.toml\"\nfrom = \"ant\"", "world_model.encodr.**"),
        (
            "[[method]]\nkind = \"fractional\"\nfrom = \"ant\"\nfractions = [0.2, 0.2]",
            "fractions, entry 2: 0.2 is listed twice; remove one",
        ),
        (
            "[[method]]\nkind = \"fractional\"\nfrom = \"ant\"\nfractions = [0.0, -0.0]",
            "fractions, entry 2: 0 is listed twice; remove one",
        ),
    ] {
        let method =
            if method.starts_with("[set") { format!("{method}\n{source}") } else { format!("{source}{method}\n") };
        std::fs::write(program.path("s.toml"), format!("{start}{method}")).unwrap();
        let error = program.fail(2, &["study", "plan", "s.toml"]);
        assert!(error.contains(part), "{method}: {error}");
    }
}

#[test]
fn a_folder_of_something_else_is_not_taken_for_that_of_a_study() {
    let program = Program::new();
    let text = "name = \"s\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n[[method]]\nkind = \"baseline\"\n";
    std::fs::write(program.path("s.toml"), text).unwrap();
    std::fs::create_dir(program.path("other")).unwrap();
    std::fs::write(program.path("other/notes.txt"), "").unwrap();
    std::fs::create_dir(program.path("run")).unwrap();
    std::fs::write(program.path("run/config.toml"), "").unwrap();
    for (folder, part) in [("other", "notes.txt"), ("run", "is a run folder")] {
        assert!(program.fail(4, &["study", "plan", "s.toml", "--dir", folder]).contains(part));
    }
    for (folder, part) in [
        (
            "other",
            "other contains \"notes.txt\" but no manifest.jsonl, so it is not the folder of a study; choose a new",
        ),
        ("run", "run is a run folder, not the folder of a study; choose a new or empty folder with --dir"),
    ] {
        let error = program.fail(4, &["study", "run", "s.toml", "--dir", folder]);
        assert!(error.contains(part), "{error}");
        assert_eq!(program.names(folder).len(), 1);
    }
    // A study whose manifest was removed, or never written, keeps its runs.
    program.succeed(&["study", "run", "s.toml"]);
    std::fs::remove_file(program.path("studies/s/manifest.jsonl")).unwrap();
    assert!(program.succeed(&["study", "run", "s.toml"]).contains("1 run in studies/s, 1 of them finished"));
}

#[test]
fn runs_of_other_settings_are_not_taken_for_those_of_an_edited_study() {
    let program = Program::new();
    let write = |set: &str, plan: &str| {
        let text = "name = \"s\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n\
                    [[source]]\nname = \"ant\"\ntasks = [\"ant\"]\nsteps = 1000\n\
                    [[method]]\nkind = \"plan\"\nfile = \"plan.toml\"\nfrom = \"ant\"\n[set]\n";
        std::fs::write(program.path("s.toml"), format!("{text}{set}\n")).unwrap();
        let plan = program.succeed(&["transfer", "preset", plan]);
        std::fs::write(program.path("plan.toml"), plan).unwrap();
    };
    write("", "encoder-only");
    program.succeed(&["study", "run", "s.toml", "--jobs", "1"]);
    let again = || {
        let _ = std::fs::remove_file(program.path("studies/s/manifest.jsonl"));
        program.run(&["study", "run", "s.toml", "--jobs", "1"])
    };
    write("agent.horizon = 5", "encoder-only");
    let ended = again();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    for part in ["studies/s/sources/ant", "agent.horizon: was 3, now 5", "remove the folder", "--dir"] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    write("", "full");
    let ended = again();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("studies/s/runs/hopper") && ended.stderr.contains("rule"), "{ended:?}");
    // Settings that change no results may change, and the old file is still valid.
    write("checkpoint.kept = 3", "encoder-only");
    let ended = again();
    assert!(ended.code == Some(0) && ended.stdout.contains("2 runs in studies/s, 2 of them finished"), "{ended:?}");
    let error = program.fail(4, &["study", "run", "s.toml", "--share", "studies/s/shared"]);
    assert!(error.contains("the folder of a study, or lies in one"), "{error}");
    write("task.arguments.x = 1", "full");
    let error = program.fail(2, &["study", "plan", "s.toml"]);
    assert!(error.contains("task.arguments.x: it has no effect on hopper"), "{error}");
}

#[test]
fn invalid_studies_are_refused_in_one_line() {
    let program = tiny();
    for (from, to, part) in [
        ("preset = \"smoke\"", "preset = \"smole\"", "\"smole\""),
        ("steps = 2000", "steps = 0", "from 1 to 1e12"),
        ("steps = 2000", "step = 2000", "did you mean `steps`"),
        ("seeds = [0]", "seeds = [0, 0]", "seed 0 is listed twice"),
        ("seeds = [0]", "seeds = []", "nothing to run"),
        ("tasks = [\"inverted-pendulum-swingup\"]", "tasks = [\"hoper\"]", "did you mean \"hopper\""),
        ("log.videos = false", "log.video = false", "\"log.videos\""),
        ("log.videos = false", "threads = 3", "set.threads"),
        ("name = \"alone\"", "name = \"sight\"", "two sources have the name \"sight\""),
        ("steps = 3000", "steps = 3000\nuniversal = \"alone\"", "remove one `universal`"),
        ("from = \"sight\"", "from = \"sigt\"", "did you mean \"sight\""),
        ("from = \"sight\"", "from = \"alone\"", "has 2 agents, but"),
        ("kind = \"baseline\"", "kind = \"base-line\"", "did you mean `baseline`"),
        ("kind = \"baseline\"", "kind = \"baseline\"\n[[method]]\nkind = \"baseline\"", "two methods have the name"),
        ("fractions = [0.2]", "fractions = [1.2]", "must be from 0 to 1"),
        ("fractions = [0.2]", "fractions = 0.2", "fractions: it is 0.2 instead of a list"),
        ("fractions = [0.2]", "fractions = [\"best\"]", "fractions: it is the text \"best\" instead of"),
        ("from = \"sight\"", "from = [\"sight\"]", "from: it is a list instead of a text"),
        ("steps = 2000\nuniversal = \"sight\"", "steps = 2000", "does not have the encoder of"),
        ("steps = 3000", "steps = 3000\nuntrained = true", "\"sight\" is untrained, and all agents"),
        ("each = [", "tasks = \"four\"\n#", "combination \"four\" does not exist. It must be the name of a [comb"),
        ("name = \"tiny\"", "name = \"../tiny\"", "letters, digits"),
        ("name = \"tiny\"", "name = \"tiny\"\nbaseline = \"meta\"", "did you mean \"meta-model\""),
        ("log.videos = false", "log.every = [500, 500]", "500 is listed twice"),
        (
            "kind = \"baseline\"",
            "kind = \"baseline\"\nset = { agent.horizn = 2 }",
            "the nearest key is \"agent.horizon\"",
        ),
    ] {
        assert!(TINY.contains(from), "{from}");
        std::fs::write(program.path("bad.toml"), TINY.replacen(from, to, 1)).unwrap();
        let message = program.fail(2, &["study", "run", "bad.toml"]);
        assert!(message.contains(part) && message.contains("bad.toml"), "{to}: {message}");
    }
    let large = TINY
        .replace("seeds = [0]", "seeds = [9223372036854775807]")
        .replace("steps = 3000", "steps = 3000\nseed = \"target\"");
    std::fs::write(program.path("bad.toml"), large).unwrap();
    let message = program.fail(2, &["study", "run", "bad.toml"]);
    assert!(message.contains("seeds: seed = \"target\" would give a source"), "{message}");
    let ranked = TINY
        .replace("depth = 1", "reconstruction = \"barlow\", depth = 1")
        .replace("log.videos", "schedule.prefill_episodes = 2\nlog.videos")
        .replace("kind = \"baseline\"", "kind = \"ranked\"\nfrom = [\"alone\"]");
    std::fs::write(program.path("bad.toml"), ranked).unwrap();
    let message = program.fail(2, &["study", "run", "bad.toml"]);
    assert!(message.contains("method 1, kind: a ranking scores predictions"), "{message}");
    std::fs::write(program.path("bad.toml"), b"name = \"\xff\"").unwrap();
    let message = program.fail(2, &["study", "run", "bad.toml"]);
    assert!(message.contains("bad.toml: it is not text"), "{message}");
    let lost = "kind = \"plan\"\nfile = \"lost.toml\"";
    std::fs::write(program.path("bad.toml"), TINY.replace("kind = \"baseline\"", lost)).unwrap();
    let message = program.fail(2, &["study", "plan", "bad.toml"]);
    assert!(message.contains("method 1, file: lost.toml does not exist"), "{message}");
    std::fs::write(program.path("store"), "").unwrap();
    let message = program.fail(4, &["study", "plan", "tiny.toml", "--share", "store"]);
    assert!(message.contains("store"), "{message}");
    let seeds: Vec<String> = (0..10_001).map(|seed| seed.to_string()).collect();
    let chain: String = (0..9)
        .map(|link| {
            let sight = if link < 8 { format!("universal = \"link{}\"\n", link + 1) } else { String::new() };
            format!("[[source]]\nname = \"link{link}\"\ntasks = [\"ant\"]\nsteps = {}\n{sight}", 3000 + link)
        })
        .collect();
    for (text, part) in [
        (TINY.replacen("seeds = [0]", &format!("seeds = [{}]", seeds.join(", ")), 1), "more than 10000 runs"),
        (format!("{TINY}\n{chain}"), "more than 8 sources inherit"),
    ] {
        std::fs::write(program.path("bad.toml"), text).unwrap();
        let message = program.fail(2, &["study", "run", "bad.toml"]);
        assert!(message.contains(part) && message.contains("bad.toml"), "{message}");
    }
    assert!(!program.path("studies").exists());
    let message = program.fail(4, &["study", "status", "tiny.toml"]);
    assert!(message.contains("studies/tiny is not the folder of a study"), "{message}");
    let message = program.fail(2, &["study", "run", "tiny.toml", "--dry-run"]);
    assert!(message.contains("--launcher slurm"), "{message}");
}

#[test]
fn a_list_of_settings_is_swept_and_a_named_baseline_is_compared_with() {
    let program = Program::new();
    let text = "name = \"sweep\"\npreset = \"smoke\"\nsteps = 2000\nseeds = [0]\ntasks = [\"inverted-pendulum-swingup\"]\n\
        baseline = \"baseline, horizon=3\"\n[set]\nagent = { depth = 1, units = 2, batch = 1, length = 2 }\nlog.videos = false\n\
        [[method]]\nkind = \"baseline\"\nset = { agent.horizon = [2, 3] }\n";
    std::fs::write(program.path("sweep.toml"), text).unwrap();
    let plan = program.succeed(&["study", "plan", "sweep.toml"]);
    for horizon in [2, 3] {
        let folder = format!("runs/inverted-pendulum-swingup/baseline-horizon={horizon}/0");
        assert!(plan.contains(&folder), "{plan}");
    }
    assert!(plan.contains(" of episodes, 0 B of videos and plots"), "{plan}");
    program.succeed(&["study", "run", "sweep.toml"]);
    let config = program.path("studies/sweep/runs/inverted-pendulum-swingup/baseline-horizon=2/0/config.toml");
    assert!(std::fs::read_to_string(config).unwrap().contains("horizon = 2\n"));
    let report = || std::fs::read_to_string(program.path("studies/sweep/report/report.md")).unwrap();
    let words = report();
    assert!(
        words.contains("compared with baseline, horizon=3, which was named") && words.contains("baseline, horizon=2")
    );
    program.succeed(&["study", "report", "studies/sweep", "--baseline", "baseline, horizon=2"]);
    assert!(report().contains("compared with baseline, horizon=2, which was named"), "{}", report());
    let message = program.fail(2, &["study", "report", "sweep.toml", "--baseline", "baseline, horizon=4"]);
    assert!(message.contains("did you mean \"baseline, horizon="), "{message}");
}

#[test]
fn runs_of_studies_write_fewer_videos_unless_the_study_file_says_otherwise() {
    let program = Program::new();
    let text = |more: &str| {
        format!(
            "name = \"videos\"\npreset = \"smoke\"\nsteps = 8000\nseeds = [0]\ntasks = [\"inverted-pendulum-swingup\"]\n\
             [set]\nagent = {{ depth = 1, units = 2, batch = 1, length = 2 }}\nschedule.eval_every = 1000\n{more}\n\
             [[method]]\nkind = \"baseline\"\n"
        )
    };
    for (more, videos) in [("", 5), ("log.video_every = 0", 8), ("replay.files = \"until_finished\"", 5)] {
        std::fs::write(program.path("videos.toml"), text(more)).unwrap();
        let plan = program.succeed(&["study", "plan", "videos.toml"]);
        assert_eq!(plan.contains("are removed as runs finish"), more.starts_with("replay"), "{plan}");
        program.succeed(&["study", "run", "videos.toml"]);
        let run = "studies/videos/runs/inverted-pendulum-swingup/baseline/0";
        let names = program.names(&format!("{run}/videos"));
        assert_eq!(names.iter().filter(|name| name.ends_with(".gif")).count(), videos, "{more}: {names:?}");
        assert_eq!(program.names(&format!("{run}/episodes")).is_empty(), more.starts_with("replay"), "{more}");
        std::fs::remove_dir_all(program.path("studies")).unwrap();
    }
}

#[test]
fn a_study_of_one_run_is_not_planned_with_more_at_a_time() {
    let program = Program::new();
    let text = "name = \"one\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0]\ntasks = [\"hopper\"]\n[[method]]\nkind = \"baseline\"\n";
    std::fs::write(program.path("one.toml"), text).unwrap();
    for words in [&["study", "plan", "one.toml"][..], &["study", "plan", "one.toml", "--jobs", "4"]] {
        let plan = program.succeed(words);
        assert!(plan.contains("left with 1 run at a time, each on "), "{plan}");
        assert!(plan.contains("1 run, 0 of them finished; 1 000 frames"), "{plan}");
    }
}
