//! The requests to the server, and the form of its answers.
//!
//! Only GET, only these addresses, and only with a `Host` whose name is this machine's own: a page of another site whose name
//! was made to lead here would send that name. The port of a `Host` may be any: a port that `ssh -L` forwards has another
//! number, and a browser on the same machine can reach this port anyway.

use std::io::{ErrorKind, Read};

/// The limit for the size of a request in bytes; requests do not have a body.
const LONGEST_HEAD: usize = 8 << 10;

/// The most headers.
const MOST_HEADERS: usize = 64;

/// Something that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The page.
    Page,
    /// The state that the newest page would show.
    State,
    /// An image: the number of its run and its own number.
    Image {
        /// The run.
        run: usize,
        /// The image.
        image: usize,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's number for how it went.
    pub status: u16,
    /// The type of the body.
    pub mime: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A line of text.
    pub fn text(status: u16, text: &str) -> Self {
        Self { status, mime: "text/plain; charset=utf-8", body: text.as_bytes().to_vec() }
    }

    /// Everything before the body.
    pub fn head(&self) -> String {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            431 => "Request Header Fields Too Large",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let allow = if self.status == 405 { "Allow: GET\r\n" } else { "" };
        format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}Connection: close\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nX-Frame-Options: DENY\r\n\r\n",
            self.status,
            self.mime,
            self.body.len()
        )
    }
}

/// The names by which this machine calls itself.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Reads a request.
///
/// # Errors
/// If the connection fails. An invalid request is not an error of this function: it is answered by the second value.
pub fn read(mut stream: impl Read) -> std::io::Result<Result<Asked, Answer>> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let count = match stream.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&piece[..count]);
        if let Some(answer) = parse(&head) {
            return Ok(answer);
        }
        if head.len() > LONGEST_HEAD {
            return Ok(Err(Answer::text(431, "the request is too long")));
        }
    }
}

/// The target of a request; `None` if the request is not complete yet.
fn parse(head: &[u8]) -> Option<Result<Asked, Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Partial) => return None,
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Some(Err(Answer::text(431, "too many headers"))),
        Err(_) => return Some(Err(Answer::text(400, "this is not an HTTP request"))),
    }
    let hosts: Vec<&[u8]> =
        request.headers.iter().filter(|it| it.name.eq_ignore_ascii_case("host")).map(|it| it.value).collect();
    Some(match hosts.as_slice() {
        [host] if is_own(host) => match request.method {
            Some("GET") => {
                asked(request.path.unwrap_or_default()).ok_or_else(|| Answer::text(404, "this page does not exist"))
            }
            _ => Err(Answer::text(405, "this server supports GET only")),
        },
        _ => Err(Answer::text(403, "open this page by the name 127.0.0.1 or localhost, with any port")),
    })
}

/// Whether the value of a header `Host` is a name of this machine, with any port or none.
fn is_own(host: &[u8]) -> bool {
    OWN_NAMES.iter().any(|name| match host.split_at_checked(name.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(name.as_bytes()) => {
            let port = rest.strip_prefix(b":").and_then(|port| std::str::from_utf8(port).ok());
            let is_number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
            rest.is_empty() || port.is_some_and(is_number)
        }
        _ => false,
    })
}

/// The meaning of an address.
fn asked(target: &str) -> Option<Asked> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    match path {
        "/" => Some(Asked::Page),
        "/state" => Some(Asked::State),
        _ => {
            let (run, image) = path.strip_prefix("/media/")?.split_once('/')?;
            let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
            Some(Asked::Image { run: number(run)?, image: number(image)? })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(text: &str) -> Result<Asked, u16> {
        read(text.as_bytes()).unwrap().map_err(|answer| answer.status)
    }

    #[test]
    fn only_known_addresses_are_answered() {
        let get = |target: &str| ask(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:7\r\n\r\n"));
        assert_eq!(get("/"), Ok(Asked::Page));
        assert_eq!(get("/?x=1"), Ok(Asked::Page));
        assert_eq!(get("/state"), Ok(Asked::State));
        assert_eq!(get("/media/3/0?1000"), Ok(Asked::Image { run: 3, image: 0 }));
        for target in [
            "/media/../../etc/passwd",
            "/media/0/..",
            "/media/-1/0",
            "/media/+1/0",
            "/media/0/0/0",
            "/media/99999999999999999999999/0",
            "/media//",
            "//",
            "/%2e%2e/",
            "/config.toml",
            "http://127.0.0.1:7/",
            "*",
        ] {
            assert_eq!(get(target), Err(404), "{target}");
        }
    }

    #[test]
    fn only_get_is_answered() {
        for method in ["POST", "PUT", "HEAD", "DELETE", "OPTIONS", "get"] {
            assert_eq!(ask(&format!("{method} / HTTP/1.1\r\nHost: localhost:7\r\n\r\n")), Err(405), "{method}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_answered_at_whatever_port() {
        for host in
            ["127.0.0.1:7", "127.0.0.1:8080", "127.0.0.1", "LocalHost:65535", "localhost", "[::1]:8080", "[::1]"]
        {
            assert_eq!(ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), Ok(Asked::Page), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7",
            "127.0.0.1.evil.example:7",
            "127.0.0.1:7.evil.example",
            "localhost.evil.example",
            "localhost:",
            "localhost:+7",
            "localhost:65536",
            "user@localhost:7",
            "0.0.0.0:7",
            "192.168.0.1:7",
            "::1",
            "[::1",
            "",
            "127.0.0.1:7, a",
        ] {
            assert_eq!(ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), Err(403), "{host}");
        }
        assert_eq!(ask("GET / HTTP/1.1\r\n\r\n"), Err(403));
        assert_eq!(ask("GET / HTTP/1.1\r\nHost: localhost:7\r\nhost: evil.example:7\r\n\r\n"), Err(403));
        assert_eq!(ask("GET / HTTP/1.1\r\nHOST: LocalHost:7\r\n\r\n"), Ok(Asked::Page));
    }

    #[test]
    fn requests_are_bounded() {
        let long = format!("GET / HTTP/1.1\r\nHost: localhost:7\r\nX: {}\r\n\r\n", "x".repeat(LONGEST_HEAD + 4096));
        assert_eq!(ask(&long), Err(431));
        let many = "A: b\r\n".repeat(MOST_HEADERS + 1);
        assert_eq!(ask(&format!("GET / HTTP/1.1\r\n{many}\r\n")), Err(431));
        assert_eq!(read("GET / HTTP/1.1\r\nHo".as_bytes()).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    proptest! {
        #[test]
        fn bytes_of_anything_get_no_page(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(answer) = read(bytes.as_slice()) {
                prop_assert!(answer.is_err());
            }
        }
    }
}
