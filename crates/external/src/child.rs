//! [`Child`]: a process that answers messages, is never waited for longer than it may take, and never outlives this one.
//!
//! Not here: the meaning of the messages (`client`).

use crate::protocol::{HEADER, Header, Kind, Malformed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to end after it was asked to; then it is killed.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(2);

/// Bytes that are read at once: the capacity of a pipe.
const CHUNK: usize = 1 << 16;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// It took too long.
    TimedOut,
    /// The process has ended, or closed its output; how.
    Gone(String),
    /// It answered with bytes that are not an answer.
    Malformed(Malformed),
    /// The system refuses to read or write.
    Pipe(io::Error),
}

/// A process in a group of its own, with pipes to its standard input and output.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    /// Whether the process was waited for: its number, which is also that of its group, may then be another's.
    reaped: bool,
    guard: Guard,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// Bytes that were read: those in `unread` are not yet part of an answer that was given out.
    buffer: Vec<u8>,
    unread: std::ops::Range<usize>,
    frame: Vec<u8>,
}

impl Child {
    /// Starts `command`. Its standard error is that of this process.
    ///
    /// # Errors
    /// The error of the system; also if the guard cannot be started.
    pub fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).process_group(0);
        end_with_this_process(&mut command);
        let mut process = command.spawn()?;
        let guard = match Guard::start(process.id()) {
            Ok(guard) => guard,
            Err(error) => {
                // It has just been started, so it has started nothing itself.
                let _ = process.kill();
                let _ = process.wait();
                return Err(error);
            }
        };
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("the process has no pipes"))?;
        let (buffer, frame) = (vec![0; CHUNK], Vec::new());
        Ok(Self { process, reaped: false, guard, input: Some(input), output, buffer, unread: 0..0, frame })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Lost> {
        self.frame.clear();
        Header::encode(kind, payload, &mut self.frame);
        let written = match &mut self.input {
            Some(input) => input.write_all(&self.frame),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        match written {
            Ok(()) => Ok(()),
            // An error that it sent before it ended explains more than that it has ended; reading finds out.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Lost::Pipe(error)),
        }
    }

    /// Waits for the next message, but not longer than `patience`.
    ///
    /// # Errors
    /// [`Lost`] if there is none in time.
    pub fn receive(&mut self, patience: Duration) -> Result<(Kind, &[u8]), Lost> {
        let deadline = Instant::now() + patience;
        self.fill(HEADER, deadline)?;
        let start = self.unread.start;
        let header = self.buffer[start..].first_chunk().expect("as many bytes were read");
        let header = Header::decode(header).map_err(Lost::Malformed)?;
        self.fill(HEADER + header.length, deadline)?;
        let end = self.unread.start + HEADER + header.length;
        let payload = self.unread.start + HEADER..end;
        self.unread.start = end;
        Ok((header.kind, &self.buffer[payload]))
    }

    /// Reads until there are at least `needed` unread bytes.
    fn fill(&mut self, needed: usize, deadline: Instant) -> Result<(), Lost> {
        if self.unread.is_empty() {
            self.unread = 0..0;
        }
        if self.unread.start + needed > self.buffer.len() {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
            self.buffer.resize(self.buffer.len().max(needed), 0);
        }
        while self.unread.len() < needed {
            self.wait_for_bytes(deadline)?;
            match self.output.read(&mut self.buffer[self.unread.end..]) {
                Ok(0) => return Err(Lost::Gone(self.how_it_ended())),
                Ok(read) => self.unread.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Lost::Pipe(error)),
            }
        }
        Ok(())
    }

    fn wait_for_bytes(&self, deadline: Instant) -> Result<(), Lost> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(|_| Lost::TimedOut)?;
            match poll(&mut [PollFd::new(&self.output, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return Err(Lost::TimedOut),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Lost::Pipe(error.into())),
            }
        }
    }

    fn group(&self) -> Option<Pid> {
        i32::try_from(self.process.id()).ok().and_then(Pid::from_raw)
    }

    /// Waits until the process has ended, but not for long; its number stays its own until [`std::process::Child::wait`].
    fn ends_soon(&self) -> bool {
        let Some(process) = self.group() else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let deadline = Instant::now() + FAREWELL;
        loop {
            match waitid(WaitId::Pid(process), options) {
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Ok(Some(_)) | Err(_) => return true,
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Ends the process and all of its group, which may be left although the process itself has ended.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        if !self.reaped
            && let Some(group) = self.group()
        {
            // Before the process is waited for: until then, its number is not given to another process.
            let _ = kill_process_group(group, Signal::KILL);
        }
        // Before the process is waited for, too: afterwards, another group may have its number.
        self.guard.dismiss();
        self.reaped = true;
        self.process.wait().ok()
    }

    /// How the process ended that closed its output.
    fn how_it_ended(&mut self) -> String {
        if !self.ends_soon() {
            self.kill();
            return "it closed its standard output".to_owned();
        }
        match self.kill() {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("it ended with exit code {code}"),
                (None, Some(signal)) => format!("it was ended by signal {signal}"),
                (None, None) => format!("it ended ({status})"),
            },
            None => "it ended".to_owned(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.input.is_some() && !self.reaped {
            let _ = self.send(Kind::Close, &[]);
            // The end of its input asks a process to end that does not know the message.
            self.input = None;
            self.ends_soon();
        }
        self.kill();
    }
}

/// A small process that ends a group of processes once this process is gone, however it ended. Without it, processes
/// that an external environment has started would outlive a run that is killed: the system ends only the environment
/// itself ([`end_with_this_process`]).
#[derive(Debug)]
struct Guard(std::process::Child);

impl Guard {
    /// The guard reads from a pipe that this process holds open and never writes to: the pipe ends with this process.
    const SCRIPT: &str = r#"read -r _ || kill -s KILL -- "-$0""#;

    /// Starts the guard of the group of this number.
    fn start(group: u32) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", Self::SCRIPT, &group.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let why =
            |error| io::Error::other(format!("/bin/sh, which would end what it starts, cannot be started: {error}"));
        command.spawn().map(Self).map_err(why)
    }

    /// Ends the guard, and not the group.
    fn dismiss(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has the system end the process of `command` when this one ends, even by SIGKILL and even while the child is busy.
/// Elsewhere than on Linux, the child notices the end of its input.
#[cfg(target_os = "linux")]
fn end_with_this_process(command: &mut Command) {
    use rustix::process::{getppid, set_parent_process_death_signal};
    let this = Pid::from_raw(std::process::id().cast_signed());
    let ask = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // This process may have ended before the child asked.
        if getppid() == this { Ok(()) } else { Err(io::Error::other("the program that started it has ended")) }
    };
    // SAFETY: between fork and exec, `ask` makes two system calls; it takes no lock, and allocates only if it fails.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(ask);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_this_process(_: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Child::start(command).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    /// Whether all processes of a group end. The system's first process may still have to reap a killed one: it
    /// has no group any more that can receive signals.
    fn ends(group: Pid) -> bool {
        let deadline = Instant::now() + LONG;
        while rustix::process::test_kill_process_group(group).is_ok() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }

    #[test]
    fn messages_are_read_however_they_are_cut() {
        let mut child = shell(r"printf '\003\000\000'; printf '\000\024ab'; printf 'c\000\000\000\000\025'");
        assert_eq!(child.receive(LONG).unwrap(), (Kind::Error, &b"abc"[..]));
        assert_eq!(child.receive(LONG).unwrap(), (Kind::Ready, &b""[..]));
        assert!(matches!(child.receive(LONG), Err(Lost::Gone(how)) if how == "it ended with exit code 0"));
    }

    #[test]
    fn text_is_quoted() {
        let mut child = shell("echo loading the environment");
        let Err(Lost::Malformed(error)) = child.receive(LONG) else { panic!("text is no message") };
        assert!(error.to_string().contains("\"loadi\""), "{error}");
    }

    #[test]
    fn a_process_that_is_killed_says_by_which_signal() {
        let mut child = shell("kill -9 $$");
        assert!(matches!(child.receive(LONG), Err(Lost::Gone(how)) if how == "it was ended by signal 9"));
        // Whoever does not hear it loses nothing by speaking.
        child.send(Kind::Reset, &[0; 8]).unwrap();
    }

    #[test]
    fn a_silent_process_is_not_waited_for_and_ends_with_its_group() {
        let mut child = shell("sleep 1000 & sleep 1000");
        assert!(matches!(child.receive(Duration::from_millis(20)), Err(Lost::TimedOut)));
        let group = child.group().unwrap();
        drop(child);
        assert!(ends(group), "a process of the group is left");
    }

    #[test]
    fn a_process_that_ends_by_itself_leaves_nothing_that_it_has_started() {
        let child = shell("sleep 1000 & cat > /dev/null");
        let group = child.group().unwrap();
        drop(child);
        assert!(ends(group), "a process of the group is left");
        let mut child = shell("sleep 1000 > /dev/null & kill -9 $$");
        let group = child.group().unwrap();
        assert!(matches!(child.receive(LONG), Err(Lost::Gone(how)) if how == "it was ended by signal 9"));
        assert!(ends(group), "a process of the group is left");
    }
}
