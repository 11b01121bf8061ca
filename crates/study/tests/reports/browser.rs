//! The page in a browser, if there is one: `chromium`, or the program that DREAMGRAFT_TEST_BROWSER names. The page is
//! loaded in frames with the widths of a computer and a telephone, and used as people use it (`harness.html`).

use crate::folders;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use study::report::{MOST_BYTES, Media, Report, page};
use study::results::Results;
use study::watch::Watch;

/// The browser, if it is installed; if not, a line is printed.
fn browser() -> Option<String> {
    let named = std::env::var("DREAMGRAFT_TEST_BROWSER").unwrap_or_else(|_| "chromium".to_owned());
    let known = Command::new(&named).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if known.is_ok_and(|status| status.success()) {
        return Some(named);
    }
    let _ = writeln!(std::io::stderr(), "SKIPPED: there is no browser called {named:?} here");
    None
}

/// Loads `address` with these arguments, and returns the final page and the errors of the browser.
fn load(browser: &str, address: &str) -> (String, Vec<String>) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0"])
        .args(["--window-size=1400,1000", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(address)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let complaints = text.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), complaints)
}

/// Serves the results of `answer` until the test ends, and returns the port.
fn serve(mut answer: impl FnMut(&str) -> String + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = reply(stream.unwrap(), &mut answer);
        }
    });
    port
}

fn reply(mut stream: TcpStream, answer: &mut impl FnMut(&str) -> String) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    let count = stream.read(&mut asked)?;
    let asked = String::from_utf8_lossy(&asked[..count]);
    let body = answer(asked.split(' ').nth(1).unwrap_or_default());
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", body.len())?;
    write!(stream, "Connection: close\r\n\r\n{body}")
}

fn study(root: &Path) -> Results {
    folders::study(root, "pendulums", &["inverted-pendulum-swingup", "hopper", "ant"], 3);
    Results::read(root).unwrap()
}

#[test]
fn the_page_can_be_used_at_every_width() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let results = study(root.path());
    let page = page(&Report::new(&results), &Media::embed(&results, MOST_BYTES), None);
    let port = serve(move |address| match address {
        "/harness" => include_str!("harness.html").to_owned(),
        "/page" => page.clone(),
        _ => String::new(),
    });
    let (seen, complaints) = load(&browser, &format!("http://127.0.0.1:{port}/harness"));
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(seen.contains("<pre id=\"verdict\">all as it should be"), "{seen}");
}

#[test]
fn pages_of_many_methods_and_of_many_runs_stay_short_and_in_their_place() {
    let Some(browser) = browser() else { return };
    let page_of = |methods: usize, seeds: u64| {
        let root = tempfile::tempdir().unwrap();
        folders::of_many(root.path(), methods, seeds);
        let results = Results::read(root.path()).unwrap();
        page(&Report::new(&results), &Media::embed(&results, MOST_BYTES), None)
    };
    let (methods, runs) = (page_of(20, 3), page_of(3, 100));
    let port = serve(move |address| match address {
        "/harness" => include_str!("many.html").to_owned(),
        "/methods" => methods.clone(),
        "/runs" => runs.clone(),
        _ => String::new(),
    });
    let (seen, complaints) = load(&browser, &format!("http://127.0.0.1:{port}/harness"));
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(seen.contains("<pre id=\"verdict\">all as it should be"), "{seen}");
}

#[test]
fn a_live_page_is_loaded_without_complaints() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    study(root.path());
    let watch = Watch::start(root.path(), 0).unwrap();
    let (seen, complaints) = load(&browser, &format!("http://{}/", watch.address()));
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(seen.contains("<h1>pendulums</h1>") && !seen.contains("class=\"stale"), "{seen}");
}

#[test]
fn a_live_page_follows_its_runs() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let before = page(&Report::new(&study(root.path())), &Media::Served, Some("before"));
    // A run more, and one that is not where it was.
    folders::study(root.path(), "pendulums", &["inverted-pendulum-swingup", "hopper"], 4);
    let after = page(&Report::new(&Results::read(root.path()).unwrap()), &Media::Served, Some("after"));
    let mut loaded = false;
    let port = serve(move |address| match address {
        "/" if std::mem::replace(&mut loaded, true) => after.clone(),
        "/" => before.clone(),
        "/state" => "after".to_owned(),
        _ => String::new(),
    });
    let (seen, complaints) = load(&browser, &format!("http://127.0.0.1:{port}/"));
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(
        seen.contains("data-live=\"after\"") && seen.contains("24 runs") && !seen.contains("class=\"stale"),
        "{seen}"
    );
    assert!(seen.contains("4 runs") && !seen.contains("27 runs"), "{seen}");
}
