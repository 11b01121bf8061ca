//! The server of the live page, and its answers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use study::watch::Watch;

/// A folder with a run of one episode, and an image.
fn runs(root: &Path) {
    let folder = root.join("ant/small/0");
    std::fs::create_dir_all(folder.join("videos")).unwrap();
    std::fs::write(folder.join("config.toml"), "tasks = [\"ant\"]\nseed = 0\nsteps = 5000\n").unwrap();
    std::fs::write(folder.join("metrics.jsonl"), "{\"step\":1000,\"train_return\":12.5}\n").unwrap();
    std::fs::write(folder.join("videos/0000001000-ant.gif"), "GIF89a").unwrap();
    std::fs::write(root.join("secret.txt"), "nobody's business").unwrap();
}

/// The answer of the server to a raw request.
fn raw(watch: &Watch, request: &str) -> String {
    let mut stream = TcpStream::connect(watch.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(watch: &Watch, target: &str) -> String {
    raw(watch, &format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", watch.address()))
}

#[test]
fn the_page_and_its_images_are_served_to_this_machine_alone() {
    let root = tempfile::tempdir().unwrap();
    runs(root.path());
    let watch = Watch::start(root.path(), 0).unwrap();
    assert!(watch.address().ip().is_loopback() && watch.address().port() != 0);
    let page = get(&watch, "/");
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("data-live=") && page.contains("at 1\u{a0}000"),
        "{page}"
    );
    assert!(page.contains("src=\"/media/0/0?1000\""), "{page}");
    let image = get(&watch, "/media/0/0?1000");
    assert!(image.contains("Content-Type: image/gif\r\n") && image.ends_with("\r\n\r\nGIF89a"), "{image}");
    let state = get(&watch, "/state");
    let state = state.rsplit("\r\n").next().unwrap();
    assert!(state.len() == 16 && page.contains(&format!("data-live=\"{state}\"")), "{state}");
    let localhost = format!("GET / HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", watch.address().port());
    assert!(raw(&watch, &localhost).starts_with("HTTP/1.1 200"));
    // As a browser asks whose port 8080 is forwarded to this one.
    let forwarded = raw(&watch, "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n");
    assert!(forwarded.starts_with("HTTP/1.1 200"), "{forwarded}");
}

#[test]
fn nothing_else_is_answered() {
    let root = tempfile::tempdir().unwrap();
    runs(root.path());
    let watch = Watch::start(root.path(), 0).unwrap();
    for target in
        ["/secret.txt", "/../secret.txt", "/media/0/../../secret.txt", "/media/0/1", "/media/9/0", "/%2e%2e/secret.txt"]
    {
        let answer = get(&watch, target);
        assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("nobody"), "{target}: {answer}");
    }
    let host = watch.address();
    assert!(raw(&watch, &format!("POST / HTTP/1.1\r\nHost: {host}\r\n\r\n")).starts_with("HTTP/1.1 405"));
    assert!(raw(&watch, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").starts_with("HTTP/1.1 403"));
    assert!(raw(&watch, "\x16\x03\x01 hello\r\n\r\n").starts_with("HTTP/1.1 400"));
    // And the page is still there.
    assert!(get(&watch, "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn clients_that_say_nothing_do_not_keep_others_waiting() {
    let root = tempfile::tempdir().unwrap();
    runs(root.path());
    let watch = Watch::start(root.path(), 0).unwrap();
    let _silent: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(watch.address()).unwrap()).collect();
    assert!(get(&watch, "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_port_in_use_is_reported_with_the_next_step() {
    let root = tempfile::tempdir().unwrap();
    let watch = Watch::start(root.path(), 0).unwrap();
    let message = Watch::start(root.path(), watch.address().port()).unwrap_err().to_string();
    assert!(message.contains(&watch.address().port().to_string()) && message.contains("--port 0"), "{message}");
    let address = watch.address();
    drop(watch);
    assert!(TcpStream::connect(address).is_err(), "it ends with its value");
    let message = Watch::start(&root.path().join("none"), 0).unwrap_err().to_string();
    assert!(message.contains("none"), "{message}");
}
