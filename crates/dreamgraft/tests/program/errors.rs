//! Every error of every crate shows its cause.

use crate::safety::sources;
use std::path::Path;

/// The variants of error enums in a Rust file: the text of `#[error(...)]`, and the text after it up to the variant's
/// end.
fn variants(code: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((_, after)) = rest.split_once("#[error(") {
        let end = after.find(")]").expect("an attribute ends");
        let (message, after) = after.split_at(end);
        // Braces inside the message are before the end; the first of the variant opens its fields.
        let body = after[2..].find([',', ';']).map_or("", |comma| match after[2..].find(['{', '(']) {
            Some(open) if open < comma => {
                let close = if after.as_bytes()[2..][open] == b'{' { '}' } else { ')' };
                after[2..][open..].split(close).next().unwrap_or_default()
            }
            _ => "",
        });
        found.push((message, body));
        rest = after;
    }
    found
}

/// Whether the fields hold another error, which thiserror uses as the cause.
fn has_cause(fields: &str) -> bool {
    let named = fields.lines().any(|line| line.trim_start().starts_with("source: "));
    named || fields.contains("#[from]") || fields.contains("#[source]")
}

#[test]
fn every_error_that_has_a_cause_shows_it() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let (mut unexplained, mut causes) = (Vec::new(), 0);
    for path in sources(&crates).into_iter().filter(|path| path.iter().any(|part| part == "src")) {
        let code = std::fs::read_to_string(&path).unwrap();
        for (message, _) in variants(&code).into_iter().filter(|(_, fields)| has_cause(fields)) {
            causes += 1;
            if message != "transparent" && !message.contains("source") && !message.contains("{0") {
                unexplained.push(format!("{}: {message}", path.display()));
            }
        }
    }
    assert!(causes > 30, "only {causes} errors with causes were found");
    assert!(unexplained.is_empty(), "these errors do not show their cause: {unexplained:#?}");
}
