//! Reports of runs, and their live page.

use crate::program::{Program, SMOKE};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

#[test]
fn a_run_is_reported_with_its_images() {
    let program = Program::new();
    program.succeed(&SMOKE);
    let output = program.succeed(&["study", "report", "."]);
    assert!(output.contains("1 run") && output.contains("report.html"), "{output}");
    assert_eq!(program.names("report"), ["curves.json", "figures.csv", "report.html", "report.md"]);
    let page = std::fs::read_to_string(program.path("report/report.html")).unwrap();
    for part in ["InvPend", "data:image/gif;base64,", "data:image/png;base64,", "finished, 3\u{a0}000", "--config"] {
        assert!(page.contains(part), "{part}");
    }
    // The report is not a run, and the next report is the same.
    program.succeed(&["study", "report", ".", "--out", "again"]);
    assert_eq!(std::fs::read_to_string(program.path("again/report.html")).unwrap(), page);
}

#[test]
fn a_run_that_was_killed_in_its_last_evaluation_is_not_finished() {
    let program = Program::new();
    program.succeed(&SMOKE);
    let newest = program.names("run/checkpoints").pop().unwrap();
    let path = program.path("run/checkpoints").join(newest).join("run.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let start = text.find("\"run_crc32\"").unwrap();
    let end = start + text[start..].find(',').unwrap() + 1;
    let text = text[..start].to_owned() + &text[end..];
    assert!(text.contains("\"finished\": true"), "{text}");
    std::fs::write(&path, text.replace("\"finished\": true", "\"finished\": false")).unwrap();
    program.succeed(&["study", "report", "."]);
    let figures = std::fs::read_to_string(program.path("report/figures.csv")).unwrap();
    let mut lines = figures.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let column = lines.next().unwrap().iter().position(|name| *name == "unfinished").unwrap();
    assert!(lines.any(|line| line[column] == "1"), "{figures}");
}

#[test]
fn a_folder_without_runs_is_refused() {
    let program = Program::new();
    let error = program.fail(1, &["study", "report", "."]);
    assert!(error.contains("does not contain runs"), "{error}");
    assert!(program.names(".").is_empty(), "nothing is written");
    let error = program.fail(2, &["watch", "nowhere"]);
    assert!(error.contains("nowhere"), "{error}");
}

#[test]
fn a_live_page_is_served_until_a_signal() {
    let program = Program::new();
    let mut child =
        program.command(&["watch", ".", "--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("no runs to compare yet"), "{page}");
    // A second one at the same port gets an error.
    let port = address.rsplit(':').next().unwrap();
    let error = program.fail(1, &["watch", ".", "--port", port]);
    assert!(error.contains(port) && error.contains("--port 0"), "{error}");
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), b"".as_slice()));
}
