//! The progress that `train` shows: lines, the progress bar on a terminal, and nothing.

use crate::program::{Program, smoke};
use std::process::Stdio;

/// Runs its arguments on a terminal of 40 columns, and writes their output to stdout.
const TERMINAL: &str = "
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 40, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
written = b''
while True:
    try:
        more = os.read(terminal, 65536)
    except OSError:
        break
    if not more:
        break
    written += more
sys.stdout.buffer.write(written)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// The output of `train` on a terminal of 40 columns of this kind.
fn on_a_terminal(kind: &str, arguments: &[&str]) -> String {
    let program = Program::new();
    let mut command = program.wrapped(&["python3", "-c", TERMINAL], &smoke(arguments));
    let output = command.env("TERM", kind).stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

/// The text without the control codes of terminals.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').get(1..).unwrap_or_default());
    }
    plain
}

#[test]
fn a_terminal_of_forty_columns_shows_a_bar_of_one_line() {
    let text = on_a_terminal("xterm", &["--steps", "1000"]);
    let plain = plain(&text);
    let bars: Vec<&str> = plain.split(['\r', '\n']).filter(|line| line.starts_with('[')).collect();
    assert!(!bars.is_empty(), "{text:?}");
    for bar in bars {
        // A line of metrics may follow on the cleared line; a bar of its own is never broken.
        assert!(bar.contains(" % ") && bar.chars().count() <= 40, "{bar:?}");
    }
    let before = plain.split("agent: ").next().unwrap();
    assert!(!before.contains('['), "nothing is drawn before the run has begun: {text:?}");
    let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
    assert!(lines.iter().any(|line| line.contains("finished at frame 1 000")), "{text:?}");
}

#[test]
fn no_control_codes_are_written_where_they_are_not_understood() {
    assert!(!on_a_terminal("dumb", &["--steps", "1000"]).contains('\x1b'));
    let program = Program::new();
    let ended = program.run(&smoke(&["--steps", "1000"]));
    assert!(!(ended.stdout + &ended.stderr).contains(['\x1b', '\r']));
}

#[test]
fn the_lines_name_the_agent_and_mark_random_episodes() {
    let program = Program::new();
    let text = program.succeed(&smoke(&["--set", "checkpoint.best=false"]));
    let lines = |part: &str| text.lines().filter(|line| line.contains(part)).count();
    assert_eq!(lines("agent: "), 1, "{text}");
    for part in ["parameters (encoder ", "dynamics ", "actor ", "value "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The first of three lines of metrics; the others have the agent's own.
    assert_eq!((lines("gradient steps/s"), lines("of random episodes")), (3, 1), "{text}");
    assert!(text.lines().any(|line| line.starts_with("frame 1 000  return ") && line.contains("of random episodes")));
    assert_eq!(program.names("run/checkpoints"), ["0000002000", "0000003000"]);
    assert_eq!(lines("checkpoint run"), 1, "the later ones say nothing new: {text}");
}

#[test]
fn a_quiet_run_prints_only_notes() {
    let program = Program::new();
    assert_eq!(program.succeed(&smoke(&["-q", "--steps", "1000"])), "");
    let resumed = program.run(&smoke(&["--quiet", "--steps", "2000"]));
    assert_eq!((resumed.code, resumed.stdout.as_str()), (Some(0), ""), "{resumed:?}");
    assert!(resumed.stderr.lines().all(|line| line.starts_with("note: moved")), "{resumed:?}");
    let ended = program.run(&["train", "hopper", "--preset", "smoke", "--steps", "10", "-q"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.starts_with("note: the random episodes at the start"), "{ended:?}");
    let error = program.fail(2, &["train", "hoper", "-q"]);
    assert!(error.contains("hopper"), "{error}");
}

#[test]
fn a_run_that_reached_its_return_is_finished_and_another_rule_resumes_it() {
    let program = Program::new();
    let rule = ["--set", "stop.evaluations=1", "--set", "stop.return=-1e6"];
    let text = program.succeed(&smoke(&rule));
    assert!(
        text.contains(
            "finished at frame 1 000, because the mean return of the last evaluation reached -1000000 (stop.return)"
        ),
        "{text}"
    );
    let again = program.succeed(&smoke(&rule));
    assert!(again.contains("already finished: run ended at frame 1 000") && again.contains("another value"), "{again}");
    let whole = program.succeed(&smoke(&["--set", "stop.evaluations=1", "--set", "stop.return=inf"]));
    assert!(whole.contains("resuming at frame 1 000") && whole.contains("finished at frame 3 000;"), "{whole}");
    let error = program.fail(2, &smoke(&["--set", "stop.return=nan"]));
    assert!(error.contains("stop.return = nan (--set stop.return=nan) is out of range"), "{error}");
}

#[test]
fn runs_of_a_study_that_reached_their_return_are_finished() {
    let program = Program::new();
    let study = |rule: &str| {
        let text = format!(
            "name = \"short\"\npreset = \"smoke\"\ntasks = [\"inverted-pendulum-swingup\"]\nseeds = [0]\nsteps = 3000\n\
             {rule}\n[[method]]\nkind = \"baseline\"\n"
        );
        std::fs::write(program.path("short.toml"), text).unwrap();
    };
    study("set.stop = { return = -1e6, evaluations = 1 }");
    program.succeed(&["study", "run", "short.toml", "--jobs", "1"]);
    let status = program.succeed(&["study", "status", "studies/short"]);
    assert!(status.contains("1 finished") && status.contains("1 000"), "{status}");
    assert!(program.succeed(&["study", "run", "short.toml"]).contains("1 of them finished"));
    let page = std::fs::read_to_string(program.path("studies/short/report/report.md")).unwrap();
    assert!(page.contains("all finished"), "{page}");
    // Without the rule, the same run has its frames to come.
    study("set.stop = { evaluations = 1 }");
    std::fs::remove_file(program.path("studies/short/manifest.jsonl")).unwrap();
    program.succeed(&["study", "run", "short.toml", "--jobs", "1"]);
    let status = program.succeed(&["study", "status", "studies/short"]);
    assert!(status.contains("1 finished") && status.contains("3 000"), "{status}");
}
