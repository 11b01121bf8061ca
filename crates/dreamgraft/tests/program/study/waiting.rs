//! A run that several processes are started for.

use super::{TINY, kill, states, tiny, worker};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

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
