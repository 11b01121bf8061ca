//! The report of runs under way, served on this machine.
//!
//! Here: [`Watch`], a server that answers GET on loopback and nothing else. It reads, and never writes; addresses are
//! those of this file, and no part of one is a path. Not here: requests (`request`), the results (`shown`), the page
//! (`report`).

mod request;
mod shown;

use crate::results::ResultsError;
use request::{Answer, Asked};
use shown::{Shown, lock};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The limit for simultaneous connections; further clients are asked to try again.
const MOST_CONNECTIONS: usize = 32;

/// How long a client may need for its whole request, and to receive each piece of an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server of a page about the runs in a folder. It ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Serves the runs in `root` at `port` of this machine, or at any free one if that is 0.
    ///
    /// # Errors
    /// If the folder cannot be read, the port is in use, or no thread can be had.
    pub fn start(root: &Path, port: u16) -> Result<Self, ResultsError> {
        std::fs::read_dir(root).map_err(ResultsError::io(root))?;
        let shown = Arc::new(Mutex::new(Shown::new(root)?));
        let port_error = |source| ResultsError::Port { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(port_error)?;
        let address = listener.local_addr().map_err(port_error)?;
        let ends = Arc::new(AtomicBool::new(false));
        let thread = {
            let ends = Arc::clone(&ends);
            let accepting = move || accept(&listener, address.port(), &shown, &ends);
            std::thread::Builder::new().spawn(accepting).map_err(|source| ResultsError::Thread { source })?
        };
        Ok(Self { address, ends, thread: Some(thread) })
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // The thread waits for a connection: here is one.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

/// Accepts connections until it `ends`.
fn accept(listener: &TcpListener, port: u16, shown: &Arc<Mutex<Shown>>, ends: &AtomicBool) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if ends.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of file handles, for instance: others will be closed soon.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        if open.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            let _ = answer(&stream, &Answer::text(503, "too many connections; try again"));
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        // A client that closed its connection is not an error.
        let stream = Arc::new(stream);
        let serving = {
            let (stream, shown, open) = (Arc::clone(&stream), Arc::clone(shown), Arc::clone(&open));
            std::thread::Builder::new().spawn(move || {
                let _ = serve(&stream, port, &shown);
                open.fetch_sub(1, Ordering::SeqCst);
            })
        };
        // Without another thread, clients wait for each other.
        if serving.is_err() {
            let _ = serve(&stream, port, shown);
            open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Answers one request.
fn serve(stream: &TcpStream, port: u16, shown: &Mutex<Shown>) -> std::io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let reply = match request::read(Until { stream, end: Instant::now() + PATIENCE }, port)? {
        Err(refused) => refused,
        Ok(asked) => {
            let renewed = if matches!(asked, Asked::Image { .. }) { Ok(()) } else { Shown::renew(shown) };
            match (renewed, asked) {
                (Err(error), _) => Answer::text(500, &error.to_string()),
                (Ok(()), Asked::Page) => lock(shown).page(),
                (Ok(()), Asked::State) => lock(shown).state(),
                (Ok(()), Asked::Image { run, image }) => lock(shown).image(run, image),
            }
        }
    };
    answer(stream, &reply)
}

/// Reads from a client until an instant: one that sends a byte now and then is cut off, too.
struct Until<'a> {
    stream: &'a TcpStream,
    end: Instant,
}

impl Read for Until<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(bytes)
    }
}

fn answer(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    stream.write_all(answer.header().as_bytes())?;
    stream.write_all(&answer.body)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_still_sends_is_cut_off_when_its_time_is_over() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        let late = Until { stream: &stream, end: Instant::now() };
        assert_eq!(request::read(late, 7).unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        client.write_all(b"Host: localhost\r\n\r\n").unwrap();
        let early = Until { stream: &stream, end: Instant::now() + PATIENCE };
        assert_eq!(request::read(early, 7).unwrap(), Ok(Asked::Page));
    }
}
