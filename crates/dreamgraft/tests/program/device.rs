//! Learning on a device, with replacements for NVIDIA's libraries whose kernels run on the CPU.

use crate::program::{Ended, Program, SMOKE, metrics, outcomes, smoke};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

fn on_device(command: &mut Command) -> &mut Command {
    command.env("LD_LIBRARY_PATH", emulator::STAND_INS).env("DREAMGRAFT_NVRTC", emulator::STAND_INS)
}

fn run(program: &Program, arguments: &[&str]) -> Ended {
    let output = on_device(&mut program.command(arguments)).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn succeed(program: &Program, arguments: &[&str]) -> String {
    let ended = run(program, arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    ended.stdout
}

/// The words of a tiny run with few gradient steps: the stand-ins compute slowly.
fn few_steps<'a>(more: &[&'a str]) -> Vec<&'a str> {
    smoke(&[&["--set", "schedule.train_updates=4"], more].concat())
}

/// The numbers of a metric, line by line.
fn of(program: &Program, folder: &str, name: &str) -> Vec<f64> {
    metrics(&program.path(folder)).iter().filter_map(|line| line[name].as_f64()).collect()
}

#[test]
fn a_run_on_a_device_stops_and_resumes_and_learns_the_same_as_on_the_cpu() {
    let program = Program::new();
    let text = succeed(&program, &few_steps(&["--steps", "3000", "--device", "cuda"]));
    assert!(text.starts_with("gradient steps run on a processor, 9 GB, compute capability 9.0"), "{text}");
    let whole = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();

    // Stopped by a signal on the way, it is the same run, bit for bit.
    let arguments = few_steps(&["--steps", "3000", "--device", "cuda:0"]);
    let mut child = on_device(&mut program.command(&arguments)).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("frame 1 000")));
    assert!(Command::new("kill").args(["-USR1", &child.id().to_string()]).status().unwrap().success());
    lines.for_each(|line| drop(line.unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(75));
    succeed(&program, &arguments);
    assert_eq!(outcomes(&program.path("run")), whole);

    // With factors rounded to bfloat16, too.
    let precision = ["--steps", "1000", "--device", "cuda", "--set", "agent.precision=\"bf16\""];
    succeed(&program, &[&SMOKE[..4], &["--logdir", "bf16"], &precision[..]].concat());
    let (found, expected) = (of(&program, "bf16", "model_loss")[0], of(&program, "whole", "model_loss")[0]);
    assert!(found != expected && (found - expected).abs() <= 1e-2 * expected.abs(), "{found} and {expected}");

    // The first steps on the CPU are the same except for rounding.
    program.succeed(&[&SMOKE[..4], &["--logdir", "processor", "--steps", "1000"]].concat());
    for name in ["model_loss", "kl", "image_loss", "imagined_reward", "value_loss", "model_gradient_norm"] {
        let (found, expected) = (of(&program, "whole", name)[0], of(&program, "processor", name)[0]);
        assert!((found - expected).abs() <= 1e-3 * expected.abs(), "{name}: {found} and {expected}");
    }
}

#[test]
fn a_run_goes_from_a_device_to_a_processor_and_back() {
    let program = Program::new();
    for (device, steps) in [("cuda", "1000"), ("cpu", "2000"), ("cuda", "3000")] {
        succeed(&program, &few_steps(&["--steps", steps, "--device", device]));
    }
    let config = std::fs::read_to_string(program.path("run/config.toml")).unwrap();
    assert!(config.contains("device = \"a processor, 9 GB"), "{config}");
    let outcomes = outcomes(&program.path("run"));
    assert_eq!(outcomes.state["position"]["frames"].as_u64(), Some(3000));
    assert_eq!(outcomes.episodes.len(), 3);
    program.succeed(&["eval", "run", "--episodes", "1"]);
}

#[test]
fn an_agent_on_a_device_takes_from_others_and_several_tasks_learn_at_once() {
    let program = Program::new();
    let train = ["train", "hopper", "inverted-pendulum-swingup", "--preset", "smoke", "--steps", "2000"];
    succeed(&program, &[&train[..], &["--device", "cuda", "--logdir", "several"]].concat());
    let universal =
        ["--universal", "several", "--reward-from", "several", "--logdir", "universal-target", "--device", "cuda"];
    succeed(&program, &[&train[..2], &train[3..], &universal].concat());
    assert!(of(&program, "universal-target", "model_loss").iter().all(|loss| loss.is_finite()));
    assert!(!of(&program, "universal-target", "model_loss").is_empty());
}

#[test]
fn an_unusable_device_is_one_line_and_leaves_nothing() {
    let program = Program::new();
    let error = |arguments: &[&str], code: i32| {
        let ended = run(&program, arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        // At most, which device it would have been.
        assert!(ended.stdout.lines().all(|line| line.starts_with("gradient steps run on")), "{ended:?}");
        ended.stderr
    };
    let text = error(&smoke(&["--device", "cuda:3"]), 1);
    assert_eq!(text, "error: CUDA device 3 does not exist: this machine has one, with number 0\n");
    for variable in ["DREAMGRAFT_CUDA_CHECK", "DREAMGRAFT_CUDA_CHAINS"] {
        let mut wrong = program.command(&smoke(&["--device", "cuda"]));
        let output = on_device(wrong.env(variable, "yes")).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
        assert!(text.contains(&format!("{variable} = \"yes\" is not valid")), "{text}");
    }
    std::fs::write(program.path("libcuda.so.1"), "no library").unwrap();
    let output =
        program.command(&["bench", "--device", "cuda"]).env("LD_LIBRARY_PATH", program.path(".")).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
    std::fs::remove_file(program.path("libcuda.so.1")).unwrap();
    let text = error(&smoke(&["--device", "gpu"]), 2);
    assert!(text.contains("cpu, cuda or cuda:N"), "{text}");
    let large = ["--set", "agent.batch=200", "--preset", "paper"];
    let text = error(&[&["bench", "--device", "cuda"], &large[..]].concat(), 2);
    assert!(text.contains("cannot allocate 1") && text.lines().count() == 1, "{text}");
    let text = error(&[&["train", "hopper", "--device", "cuda", "--logdir", "run"], &large[..]].concat(), 2);
    assert!(text.contains("cannot allocate") && text.lines().count() == 1, "{text}");
    let long = ["agent.horizon=10000", "agent.batch=4300", "agent.length=50", "agent.depth=1"];
    let wide = ["agent.batch=65536", "agent.shard=1", "agent.length=2"];
    for (settings, key) in [(&long[..], "agent.batch = 4300"), (&wide[..], "agent.shard = 1")] {
        let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let text = error(&[&smoke(&["--device", "cuda"])[..], &settings[..]].concat(), 2);
        assert!(text.contains(key) && text.contains("on a device") && text.lines().count() == 1, "{text}");
    }
    assert!(program.names(".").is_empty());
}

#[test]
fn a_device_that_fails_during_a_run_leaves_the_last_checkpoint_and_the_run_resumes() {
    let program = Program::new();
    let arguments = few_steps(&["--steps", "3000", "--device", "cuda"]);
    succeed(&program, &arguments);
    let whole = outcomes(&program.path("run"));
    std::fs::rename(program.path("run"), program.path("whole")).unwrap();
    let updates = whole.state["position"]["updates"].as_u64().unwrap();
    let output =
        on_device(&mut program.command(&arguments)).env("STAND_IN_RUNS", (updates - 1).to_string()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in ["CUDA_ERROR_LAUNCH_FAILED", "its last checkpoint", "0000002000", "run the same command to resume"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    succeed(&program, &arguments);
    assert_eq!(outcomes(&program.path("run")), whole);
}

#[test]
fn a_measurement_on_a_device_names_it() {
    let tiny = ["agent.batch=2", "agent.length=4", "agent.depth=2", "agent.horizon=3", "agent.shard=1"];
    let mut arguments = vec!["bench", "--steps", "1", "--device", "cuda"];
    tiny.iter().for_each(|setting| arguments.extend(["--set", setting]));
    let measured: serde_json::Value = serde_json::from_str(&succeed(&Program::new(), &arguments)).unwrap();
    assert!(measured["device"].as_str().unwrap().starts_with("a processor"), "{measured}");
}

#[test]
fn a_study_runs_on_a_device() {
    let program = Program::new();
    let document = "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [0, 1]\ntasks = [\"hopper\"]\n\
                    [[method]]\nkind = \"baseline\"\n";
    std::fs::write(program.path("mine.toml"), document).unwrap();
    let text = succeed(&program, &["study", "run", "mine.toml", "--device", "cuda", "--jobs", "2"]);
    assert!(text.contains("2 of 2"), "{text}");
    let log = std::fs::read_to_string(program.path("studies/mine/logs/0.log")).unwrap();
    assert!(log.contains("gradient steps run on a processor"), "{log}");
}
