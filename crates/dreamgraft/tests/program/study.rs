//! Studies: plans, runs that are killed and stopped, and invalid study files.

use crate::program::{Program, outcomes};
use serde_json::Value;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A study of six runs, as small as they can be.
const TINY: &str = r#"
name = "tiny"
preset = "smoke"
steps = 2000
seeds = [0]
tasks = ["inverted-pendulum-swingup"]

[set]
agent = { depth = 1, units = 2, batch = 1, length = 2 }
checkpoint.every = 500
log.videos = false

[[source]]
name = "sight"
tasks = ["inverted-pendulum-swingup", "inverted-double-pendulum-swingup"]
steps = 3000

[[source]]
name = "alone"
each = ["inverted-pendulum-swingup", "inverted-double-pendulum-swingup"]
steps = 2000
universal = "sight"

[[method]]
kind = "baseline"

[[method]]
kind = "fractional"
from = "sight"
fractions = [0.2]

[[method]]
kind = "meta-model"
universal = "sight"
reward_from = ["alone"]
"#;

/// The program in a folder with the study file `tiny.toml`.
pub fn tiny() -> Program {
    let program = Program::new();
    std::fs::write(program.path("tiny.toml"), TINY).unwrap();
    program
}

/// The study's states, a JSON object each.
fn states(program: &Program) -> Vec<Value> {
    let text = program.succeed(&["study", "status", "tiny.toml", "--json"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Folders of the study's runs.
pub fn folders(program: &Program) -> Vec<PathBuf> {
    states(program).iter().map(|run| program.path("studies/tiny").join(run["folder"].as_str().unwrap())).collect()
}

#[test]
fn studies_whose_runs_must_fail_are_refused_by_the_plan() {
    let program = Program::new();
    let plan = "format = 1\n[[rule]]\nmatch = \"**\"\ntake = \"full\"\n";
    std::fs::write(program.path("full.toml"), plan).unwrap();
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
        (
            "[[method]]\nkind = \"fractional\"\nfrom = \"ant\"\nfractions = [0.2, 0.2]",
            "and the same source; list the fraction 0.2 once",
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
    // What changes no results may change, and the old file is as good as before.
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
fn a_study_is_planned_run_and_reported() {
    let program = tiny();
    let plan = program.succeed(&["study", "plan", "tiny.toml"]);
    for part in [
        "sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/3000/1000",
        "runs/inverted-pendulum-swingup/meta-model-from-alone/0  after 0, 1, 2",
        "runs/inverted-pendulum-swingup/fractional-0.2-from-sight/0  after 0",
        "6 runs, 0 of them finished; 13 000 frames",
        "measured now",
        "estimated memory of a run with",
        "estimated files of all runs: ",
        " of videos and plots, ",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert_eq!(program.names("."), ["tiny.toml"], "a plan writes nothing");
    assert!(!plan.contains("note:"), "{plan}");
    std::fs::write(program.path("tiny.toml"), TINY.replace("each =", "seed = 0\neach =")).unwrap();
    let plan = program.succeed(&["study", "plan", "tiny.toml"]);
    assert!(plan.contains("note: the source in sources/inverted-pendulum-swingup/2000-sees-as-"), "{plan}");
    assert!(plan.contains("have the same seed, 0: the two runs share their random streams"), "{plan}");
    assert_eq!(plan.matches("note:").count(), 1, "{plan}");
    std::fs::write(program.path("tiny.toml"), TINY).unwrap();

    let text = program.succeed(&["study", "run", "tiny.toml"]);
    assert!(text.contains("6 runs in studies/tiny") && text.contains("(6 of 6"), "{text}");
    assert!(program.path("studies/tiny/report/report.html").exists());
    let states = states(&program);
    assert!(states.iter().all(|run| run["state"] == "finished" && run["frames"].as_u64() >= run["steps"].as_u64()));
    assert!(states[5]["eval_return"].is_number(), "{:?}", states[5]);
    let text = program.succeed(&["study", "status", "studies/tiny"]);
    assert!(text.contains("6 finished, 0 running"), "{text}");

    // By its study file, and the meta-model's sources by their tasks.
    program.succeed(&["study", "report", "tiny.toml", "--images", "0", "--out", "out"]);
    let arguments = std::fs::read_to_string(program.path("out/report.md")).unwrap();
    for task in ["inverted-pendulum-swingup", "inverted-double-pendulum-swingup"] {
        assert!(arguments.contains(&format!("| meta-model | {task} |")), "{arguments}");
    }
    let message = program.fail(2, &["study", "report", "none.toml"]);
    assert!(message.contains("none.toml"), "{message}");

    // The arguments of a run are those that a person would type, and describe the same run.
    let manifest = std::fs::read_to_string(program.path("studies/tiny/manifest.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(manifest.lines().nth(6).unwrap()).unwrap();
    let arguments: Vec<&str> =
        entry["arguments"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let output = program.command(&arguments).current_dir(program.path("studies/tiny")).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("this run is already finished"));

    let text = program.succeed(&["study", "run", "tiny.toml"]);
    assert!(text.contains("6 of them finished") && !text.contains(" started: "), "{text}");
    let text = program.succeed(&["study", "run-one", "tiny.toml", "--index", "3"]);
    assert!(text.contains("run 3 is finished"), "{text}");
    assert!(program.succeed(&["study", "plan", "tiny.toml"]).contains("runs so far"));
}

/// Waits until the process that works in a run folder has left a checkpoint there; its number.
fn worker(root: &Path) -> String {
    let numbered =
        |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().to_str().unwrap().starts_with('0');
    while !std::fs::read_dir(root.join("checkpoints")).is_ok_and(|mut all| all.any(numbered)) {
        std::thread::yield_now();
    }
    std::fs::read_to_string(root.join("run.lock")).unwrap().trim().to_owned()
}

pub fn kill(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
}

#[test]
fn killed_and_stopped_a_study_ends_as_one_that_never_was() {
    let (whole, program) = (tiny(), tiny());
    whole.succeed(&["study", "run", "tiny.toml"]);
    let first =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/3000/1000");
    let run = ["study", "run", "tiny.toml", "--jobs", "2"];

    // A killed worker is restarted. Another `study run` is refused meanwhile. Then all receive a signal to stop.
    let study = program.command(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let killed = worker(&first);
    kill("-KILL", &killed);
    // Another process works there once it was started again.
    while std::fs::read_to_string(first.join("run.lock")).is_ok_and(|process| process.trim() == killed) {
        std::thread::yield_now();
    }
    let message = program.fail(4, &run);
    assert!(message.contains(&format!("(process {})", study.id())), "{message}");
    let baseline = program.path("studies/tiny/runs/inverted-pendulum-swingup/baseline/0");
    worker(&baseline);
    kill("-TERM", &study.id().to_string());
    let output = study.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(75), "{text}");
    assert!(text.contains("was killed and resumes") && text.contains("the same command resumes"), "{text}");
    assert!(states(&program).iter().all(|run| run["state"] != "running"));

    program.succeed(&run);
    for (one, other) in folders(&whole).iter().zip(folders(&program)) {
        assert_eq!(outcomes(one), outcomes(&other), "{other:?}");
    }
}

#[test]
fn a_failed_run_stops_only_the_runs_that_depend_on_it() {
    let program = tiny();
    // A folder of other things stands where a source's run would be.
    let foreign =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/3000/1000");
    std::fs::create_dir_all(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.tex"), "").unwrap();
    let ended = program.run(&["study", "run", "tiny.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("run 0 failed")
            && ended.stdout.contains("exit code 4")
            && ended.stdout.contains("thesis.tex")
    );
    assert!(ended.stdout.contains("1 of 6 runs are finished, 1 failed, 4 depend on failed runs"), "{}", ended.stdout);
    let names: Vec<String> = states(&program).iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["failed", "waiting", "waiting", "finished", "waiting", "waiting"]);
    let message = program.fail(4, &["study", "run-one", "tiny.toml", "--index", "5"]);
    assert!(message.contains("run 5 depends on run 0") && message.contains("not finished"), "{message}");
}

#[test]
fn invalid_studies_are_refused_in_one_line() {
    let program = tiny();
    for (from, to, part) in [
        ("preset = \"smoke\"", "preset = \"smole\"", "\"smole\""),
        ("steps = 2000", "steps = 0", "at least 1"),
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
        ("steps = 2000\nuniversal = \"sight\"", "steps = 2000", "does not have the encoder of"),
        ("each = [", "tasks = \"four\"\n#", "combination \"four\" does not exist"),
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
    std::fs::write(program.path("bad.toml"), b"name = \"\xff\"").unwrap();
    let message = program.fail(2, &["study", "run", "bad.toml"]);
    assert!(message.contains("bad.toml: it is not text"), "{message}");
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
    assert_eq!((text.matches(" was taken from ").count(), text.matches(" started: ").count()), (3, 1), "{text}");
    assert_eq!(stored(&program).len(), 4);
    let folder = |study: &str, run: &str| program.path(&format!("studies/{study}/{run}"));
    let runs = ["sources/inverted-double-pendulum-swingup/2000/1000", "runs/inverted-pendulum-swingup/baseline/0"];
    for name in runs {
        let (one, other) = (outcomes(&folder("first", name)), outcomes(&folder("second", name)));
        assert_eq!((one.metrics, one.agent, one.state), (other.metrics, other.agent, other.state), "{name}");
    }
    let status = program.succeed(&["study", "status", &second]);
    assert_eq!(status.matches("taken from the study first").count(), 3, "{status}");
    let states = program.succeed(&["study", "status", &second, "--json"]);
    assert!(states.lines().next().unwrap().contains("\"study\":\"first\""), "{states}");
    let report = std::fs::read_to_string(program.path("studies/second/report/report.md")).unwrap();
    assert!(report.contains("taken from the study first"), "{report}");

    // Nothing is lost with a study or the store, and the runs are complete sources.
    std::fs::remove_dir_all(program.path("studies/first")).unwrap();
    std::fs::remove_dir_all(program.path("shared")).unwrap();
    let text = program.succeed(&["study", "run", &second]);
    assert!(text.contains("4 of them finished"), "{text}");
    let source = folder("second", runs[0]);
    let play = ["eval", source.to_str().unwrap(), "--episodes", "1"];
    assert!(program.succeed(&play).contains("return"));
    // A taken run has no episodes, so it is not made longer.
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
fn only_finished_runs_of_one_program_are_shared() {
    let program = Program::new();
    let file = sharing(&program, "first", "", "");
    let baseline = "studies/first/runs/inverted-pendulum-swingup/baseline/0";
    let run_one = |index: &str| program.succeed(&["study", "run-one", &file, "--index", index, "--share", "shared"]);
    // Another program, or an unknown one, began the baseline: somebody typed its command.
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
    // With episodes of another program, a run is not only what its settings say.
    run_one("2");
    std::fs::create_dir(
        program.path("studies/first/runs/inverted-pendulum-swingup/fractional-0.2-from-a/0/episodes/added"),
    )
    .unwrap();
    assert!(!run_one("2").contains("copied"));
    assert_eq!(stored(&program), source);

    // What was changed in the store is not used; the run is trained.
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

#[test]
fn a_cluster_gets_scripts_that_people_can_read_and_edited_files_are_refused() {
    let program = tiny();
    std::fs::write(
        program.path("profile.toml"),
        "partition = \"long\"\ncpus = 3\nsignal_lead = 90\nlines = [\"# mine\"]\n[target]\ncpus = 2\nmemory = \"7G\"\n",
    )
    .unwrap();
    let run = ["study", "run", "tiny.toml", "--launcher", "slurm", "--dry-run", "--profile", "profile.toml"];
    program.succeed(&run);
    assert_eq!(program.names("studies/tiny/slurm"), [0, 1, 2, 3, 4].map(|array| format!("array-{array}.sh")));
    let array = |number: usize| {
        std::fs::read_to_string(program.path(&format!("studies/tiny/slurm/array-{number}.sh"))).unwrap()
    };
    let runs: Vec<String> = (0..5)
        .map(|number| array(number).lines().find(|line| line.starts_with("runs=(")).unwrap().to_owned())
        .collect();
    assert_eq!(runs, ["runs=(0)", "runs=(3)", "runs=(1 2)", "runs=(4)", "runs=(5)"]);
    assert!(
        array(1).contains("#SBATCH --cpus-per-task=2\n") && array(1).contains("#SBATCH --mem=7G\n"),
        "{}",
        array(1)
    );
    let script = array(2);
    // The memory of a source is an estimate.
    let memory = script.lines().find_map(|line| line.strip_prefix("#SBATCH --mem=")).unwrap();
    let memory: u64 = memory.strip_suffix('M').unwrap().parse().unwrap();
    assert!((60..600).contains(&memory), "{memory}");
    for part in [
        "--array=0-1\n",
        ", after the runs 0.\n",
        "--partition=long",
        "--cpus-per-task=3",
        "--signal=B:USR1@90",
        "# mine",
        "run-one",
        "--threads 3",
    ] {
        assert!(script.contains(part), "{part}: {script}");
    }
    let syntax = Command::new("bash").arg("-n").arg(program.path("studies/tiny/slurm/array-2.sh")).status().unwrap();
    assert!(syntax.success());
    std::fs::write(program.path("profile.toml"), "cpu = 3\n").unwrap();
    assert!(program.fail(2, &run).contains("unknown key `cpu`"));

    let message = program.fail(2, &["study", "run-one", "tiny.toml", "--index", "6"]);
    assert!(message.contains("run 6 does not exist") && message.contains("6 runs"), "{message}");
    std::fs::write(program.path("tiny.toml"), TINY.replace("steps = 2000", "steps = 2500")).unwrap();
    for arguments in [&["study", "run", "tiny.toml"][..], &["study", "run-one", "tiny.toml", "--index", "0"]] {
        let message = program.fail(4, arguments);
        assert!(message.contains("a different version of") && message.contains("--dir"), "{message}");
    }
    std::fs::write(program.path("tiny.toml"), TINY).unwrap();
    let manifest = program.path("studies/tiny/manifest.jsonl");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"seed\":0", "\"seed\":1", 1)).unwrap();
    let message = program.fail(4, &["study", "run-one", "tiny.toml", "--index", "0"]);
    assert!(message.contains("edited") && message.contains("remove it"), "{message}");
    let message = program.fail(4, &["study", "report", "tiny.toml"]);
    assert!(message.contains("edited") && message.contains("remove it"), "{message}");
}

/// A line of a process's output that has this part.
fn line_with(lines: &mut impl Iterator<Item = std::io::Result<String>>, part: &str) -> String {
    lines.map(Result::unwrap).find(|line| line.contains(part)).unwrap_or_else(|| panic!("no line with {part:?}"))
}

#[test]
fn a_run_that_is_started_twice_is_waited_for() {
    let program = tiny();
    std::fs::write(program.path("tiny.toml"), TINY.replace("steps = 3000", "steps = 20_000")).unwrap();
    let first =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/20000/1000");
    let arguments = ["study", "run-one", "tiny.toml", "--index", "0"];
    let mut one = program.command(&arguments).stdout(Stdio::null()).spawn().unwrap();
    assert_eq!(worker(&first), one.id().to_string());
    // It stands still until the others have found it at work.
    kill("-STOP", &one.id().to_string());
    let mut others: Vec<(Child, Lines<BufReader<ChildStdout>>)> = Vec::new();
    for _ in 0..2 {
        let mut other = program.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
        let line = line_with(&mut lines, "waiting");
        assert!(line.contains(&format!("in use by process {}", one.id())), "{line}");
        others.push((other, lines));
    }
    let (mut stopped, mut lines) = others.pop().unwrap();
    kill("-TERM", &stopped.id().to_string());
    line_with(&mut lines, "stopped while waiting");
    assert_eq!(stopped.wait().unwrap().code(), Some(75));

    // The first finishes, and the other finds it so.
    let (mut other, mut lines) = others.pop().unwrap();
    kill("-CONT", &one.id().to_string());
    assert_eq!(one.wait().unwrap().code(), Some(0));
    line_with(&mut lines, "this run is already finished");
    assert_eq!(other.wait().unwrap().code(), Some(0));
}

#[test]
fn a_waiting_run_resumes_where_the_other_process_was_killed() {
    let program = tiny();
    std::fs::write(program.path("tiny.toml"), TINY.replace("steps = 3000", "steps = 20_000")).unwrap();
    let first =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/20000/1000");
    let arguments = ["study", "run-one", "tiny.toml", "--index", "0"];
    let mut one = program.command(&arguments).stdout(Stdio::null()).spawn().unwrap();
    worker(&first);
    kill("-STOP", &one.id().to_string());
    let mut other = program.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    line_with(&mut lines, "waiting");
    one.kill().unwrap();
    one.wait().unwrap();
    line_with(&mut lines, "finished at frame");
    assert_eq!(other.wait().unwrap().code(), Some(0));
    assert_eq!(states(&program)[0]["state"], "finished");
}

#[test]
fn a_worker_that_comes_on_is_started_again_however_often_it_is_killed() {
    let program = tiny();
    std::fs::write(program.path("tiny.toml"), TINY.replace("steps = 3000", "steps = 200_000")).unwrap();
    let first =
        program.path("studies/tiny/sources/inverted-pendulum-swingup+inverted-double-pendulum-swingup/200000/1000");
    let run = ["study", "run", "tiny.toml", "--jobs", "1"];
    let study = program.command(&run).stdout(Stdio::piped()).spawn().unwrap();
    let (mut killed, mut frames) = (String::new(), 0);
    for _ in 0..8 {
        // Another process, and a newer checkpoint than when the last one was killed.
        let next = loop {
            let (next, saved) = (worker(&first), states(&program)[0]["frames"].as_u64().unwrap());
            if next != killed && saved > frames {
                frames = saved;
                break next;
            }
        };
        kill("-KILL", &next);
        killed = next;
    }
    while worker(&first) == killed {
        std::thread::yield_now();
    }
    kill("-TERM", &study.id().to_string());
    let output = study.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(75), "{text}");
    assert_eq!(text.matches("run 0 was killed and resumes").count(), 8, "{text}");
}

#[test]
fn jobs_that_slurm_still_has_are_not_submitted_again() {
    let program = tiny();
    // A cluster that numbers the submitted jobs, and whose queue is a file.
    std::fs::create_dir(program.path("cluster")).unwrap();
    let executable = |name: &str, text: &str| {
        let path = program.path("cluster").join(name);
        std::fs::write(&path, format!("#!/bin/sh\ncd {:?}\n{text}\n", program.path("cluster"))).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    };
    executable("sbatch", "echo \"$@\" >> asked; grep -c . asked");
    executable("squeue", "cat queue");
    executable("scontrol", "echo 'MaxArraySize            = 1'");
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(program.path("cluster")).chain(std::env::split_paths(&path)));
    let path = path.unwrap();
    let submit = || {
        let arguments = ["study", "run", "tiny.toml", "--launcher", "slurm"];
        let output = program.command(&arguments).env("PATH", &path).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    let (code, text) = submit();
    // The two sources with the encoder of the first are two arrays, since one may have a single task.
    assert!(code == Some(0) && text.contains("array-5.sh: 1 run, job 6\n") && !text.contains("job 7"), "{text}");
    let asked = std::fs::read_to_string(program.path("cluster/asked")).unwrap();
    let dependencies: Vec<Option<&str>> = asked
        .lines()
        .map(|line| line.split_whitespace().find_map(|word| word.strip_prefix("--dependency=afterok:")))
        .collect();
    assert_eq!(dependencies, [None, None, Some("1_0"), Some("1_0"), Some("1_0"), Some("1_0:3_0:4_0")], "{asked}");
    std::fs::write(program.path("cluster/queue"), "11\n2\n2\n3\n").unwrap();
    let (code, text) = submit();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("scancel 2 3\n"), "{text}");
    std::fs::write(program.path("cluster/queue"), "11\n").unwrap();
    let (code, text) = submit();
    assert!(code == Some(0) && text.contains("array-0.sh: 1 run, job 7"), "{text}");
}
