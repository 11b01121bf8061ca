//! The requests to the server, and the form of its answers.
//!
//! Only GET, only these addresses, and only with a `Host` that names this machine: a page of another site whose name was made to
//! lead here would send its own name. The port does not matter: `ssh -L` may give the page another one.

use std::io::{ErrorKind, Read};

/// The limit for the size of a request in bytes; requests do not have a body.
const LONGEST_HEADER: usize = 8 << 10;

/// The most headers.
const MOST_HEADERS: usize = 64;

/// A page or file that is served.
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
    pub fn header(&self) -> String {
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

/// Reads a request to the server at `port`.
///
/// # Errors
/// If the connection fails. An invalid request is not an error of this function: it is answered by the second value.
pub fn read(mut stream: impl Read, port: u16) -> std::io::Result<Result<Asked, Answer>> {
    let mut header = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let count = match stream.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        header.extend_from_slice(&piece[..count]);
        if let Some(answer) = parse(&header, port) {
            return Ok(answer);
        }
        if header.len() > LONGEST_HEADER {
            return Ok(Err(Answer::text(431, "the request is too long")));
        }
    }
}

/// The target of a request; `None` if the request is not complete yet.
fn parse(header: &[u8], port: u16) -> Option<Result<Asked, Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(header) {
        Ok(httparse::Status::Partial) => return None,
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Some(Err(Answer::text(431, "too many headers"))),
        Err(_) => return Some(Err(Answer::text(400, "this is not an HTTP request"))),
    }
    let hosts: Vec<&[u8]> =
        request.headers.iter().filter(|it| it.name.eq_ignore_ascii_case("host")).map(|it| it.value).collect();
    Some(match hosts.as_slice() {
        [host] if names_this_machine(host) => match request.method {
            Some("GET") => {
                asked(request.path.unwrap_or_default()).ok_or_else(|| Answer::text(404, "this page does not exist"))
            }
            _ => Err(Answer::text(405, "this server supports GET only")),
        },
        _ => Err(Answer::text(403, &format!("open http://127.0.0.1:{port}/ or http://localhost:{port}/"))),
    })
}

/// Whether a `Host` is this machine's loopback, at any port.
fn names_this_machine(host: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"localhost", b"127.0.0.1", b"[::1]"];
    let of = |name: &&[u8]| host.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let Some(name) = names.into_iter().find(of) else { return false };
    match &host[name.len()..] {
        [] => true,
        [b':', port @ ..] => (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
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
        read(text.as_bytes(), 7).unwrap().map_err(|answer| answer.status)
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
    fn other_names_of_this_machine_are_refused() {
        for host in [
            "evil.example:7",
            "evil.example",
            "127.0.0.1:7.evil.example",
            "127.0.0.1.evil.example:7",
            "localhost.evil.example",
            "localhost:evil.example",
            "localhost@evil.example",
            "127.0.0.1:",
            "127.0.0.1:123456",
            "127.0.0.12:7",
            "127.0.0.2:7",
            "0.0.0.0:7",
            "[::1",
            "[::2]:7",
            "::1",
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
    fn this_machine_may_be_reached_at_any_port() {
        // `ssh -L 9000:127.0.0.1:7` gives the page the port 9000.
        for host in
            ["127.0.0.1:7", "127.0.0.1:9000", "localhost:9000", "LocalHost", "127.0.0.1", "[::1]:65535", "[::1]"]
        {
            assert_eq!(ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), Ok(Asked::Page), "{host}");
        }
    }

    #[test]
    fn requests_are_bounded() {
        let long = format!("GET / HTTP/1.1\r\nHost: localhost:7\r\nX: {}\r\n\r\n", "x".repeat(LONGEST_HEADER + 4096));
        assert_eq!(ask(&long), Err(431));
        let many = "A: b\r\n".repeat(MOST_HEADERS + 1);
        assert_eq!(ask(&format!("GET / HTTP/1.1\r\n{many}\r\n")), Err(431));
        assert_eq!(read("GET / HTTP/1.1\r\nHo".as_bytes(), 7).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    proptest! {
        #[test]
        fn bytes_of_anything_get_no_page(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(answer) = read(bytes.as_slice(), 7) {
                prop_assert!(answer.is_err());
            }
        }
    }
}
