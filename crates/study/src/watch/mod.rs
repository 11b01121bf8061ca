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
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// The limit for simultaneous connections; further clients are asked to try again.
const MOST_CONNECTIONS: usize = 32;

/// How long a client may take to ask, and to take each piece of an answer.
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
    /// If the folder cannot be read, or the port is in use.
    pub fn start(root: &Path, port: u16) -> Result<Self, ResultsError> {
        std::fs::read_dir(root).map_err(ResultsError::io(root))?;
        let shown = Arc::new(Mutex::new(Shown::new(root)?));
        let port_error = |source| ResultsError::Port { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(port_error)?;
        let address = listener.local_addr().map_err(port_error)?;
        let ends = Arc::new(AtomicBool::new(false));
        let thread = {
            let ends = Arc::clone(&ends);
            std::thread::spawn(move || accept(&listener, &shown, &ends))
        };
        Ok(Self { address, ends, thread: Some(thread) })
    }

    /// Where it is.
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

/// Takes connections until it `ends`.
fn accept(listener: &TcpListener, shown: &Arc<Mutex<Shown>>, ends: &AtomicBool) {
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
        let (shown, open) = (Arc::clone(shown), Arc::clone(&open));
        std::thread::spawn(move || {
            // A client that closed its connection is not an error.
            let _ = serve(&stream, &shown);
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Answers one request.
fn serve(stream: &TcpStream, shown: &Mutex<Shown>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let reply = match request::read(stream)? {
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

fn answer(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    stream.write_all(answer.head().as_bytes())?;
    stream.write_all(&answer.body)?;
    stream.flush()
}
