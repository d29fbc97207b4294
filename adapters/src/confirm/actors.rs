//! The processes of a real run: store servers, and a process for every other host.
//!
//! Each has a keeper, so all of them end with the run, whatever becomes of it.
#![expect(clippy::disallowed_methods, reason = "each process is heard by a thread of its own")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use picklock_sim::host::HostName;
use rustix::process::Signal;

use super::clock::RunClock;
use super::control::Message;
use super::stage::Happening;
use crate::keeper::Keeper;
use crate::servers::{Running, ServerError, redis};

/// The process of one host.
pub(super) enum Actor {
    /// A store's server.
    Server(Running),
    /// A client, or the shop.
    Program(Program),
}

/// A process that plays a host's part, and the line that it calls on.
pub(super) struct Program {
    keeper: Keeper,
    /// The other end of its call, once it has called.
    answers: Option<UnixStream>,
    ear: Ear,
}

impl Actor {
    /// Stops it in its tracks.
    pub(super) fn pause(&self) -> Result<(), ServerError> {
        match self {
            Actor::Server(server) => server.pause(),
            Actor::Program(program) => {
                program.keeper.signal(Signal::STOP).map_err(ServerError::io("SIGSTOP to a client"))
            }
        }
    }

    /// Lets it go on.
    pub(super) fn resume(&self) -> Result<(), ServerError> {
        match self {
            Actor::Server(server) => server.resume(),
            Actor::Program(program) => {
                program.keeper.signal(Signal::CONT).map_err(ServerError::io("SIGCONT to a client"))
            }
        }
    }

    /// Kills it; nothing but its disk survives.
    pub(super) fn kill(&mut self) -> Result<(), ServerError> {
        match self {
            Actor::Server(server) => server.kill(),
            Actor::Program(program) => {
                program.answers = None;
                program.keeper.kill().map_err(ServerError::io("killing a client"))
            }
        }
    }

    /// Starts it again.
    pub(super) fn boot(&mut self) -> Result<(), ServerError> {
        match self {
            Actor::Server(server) => server.launch_again(),
            Actor::Program(program) => {
                program.keeper.start_again().map_err(ServerError::io("starting a client again"))
            }
        }
    }

    /// Sets its wall clock.
    pub(super) fn set_wall_clock(&self, offset_ms: i64) -> Result<(), ServerError> {
        match self {
            Actor::Server(server) => redis::set_wall_clock(server, offset_ms),
            Actor::Program(_) => Ok(()),
        }
    }

    /// Whether it is a process of this suite, which calls.
    pub(super) fn calls(&self) -> bool {
        matches!(self, Actor::Program(_))
    }

    /// Its process calls: from now on it is answered there. It is told when the run began.
    pub(super) fn called(&mut self, stream: UnixStream, clock: RunClock) {
        if let Actor::Program(program) = self {
            program.answers = Some(stream);
            program.say(&clock.origin_ns().to_string());
        }
    }

    /// Lets it go on after what it said.
    pub(super) fn answer(&mut self) {
        if let Actor::Program(program) = self {
            program.say("");
        }
    }

    /// The end of its log. (What a server's says is told where it is started.)
    pub(super) fn log(&self) -> String {
        match self {
            Actor::Server(_) => String::new(),
            Actor::Program(program) => program.keeper.log(),
        }
    }
}

impl Program {
    /// Starts the process of a host, which is `program`. It calls soon, and `told` hears of that.
    pub(super) fn start(
        program: &Path,
        host: HostName,
        plan: &str,
        seed: u64,
        reach: &BTreeMap<HostName, u16>,
        told: Sender<Happening>,
    ) -> Result<Self, ServerError> {
        let failed = ServerError::io("starting a process of the run");
        let start = || -> io::Result<Self> {
            let folder = tempfile::Builder::new().prefix("picklock-host-").tempdir()?.keep();
            let (file, socket) = (folder.join("plan.json"), folder.join("stage"));
            fs::write(&file, plan)?;
            let ear = Ear::open(host, &socket, told)?;
            let mut command = vec![program.display().to_string()];
            command.extend(["play".to_owned(), format!("--host={host}")]);
            command.push(format!("--plan={}", file.display()));
            command.push(format!("--stage={}", socket.display()));
            command.push(format!("--seed={seed}"));
            command.extend(reach.iter().map(|(to, port)| format!("--reach={to}={port}")));
            let keeper = Keeper::start(&command, &[], folder)?;
            Ok(Self { keeper, answers: None, ear })
        };
        start().map_err(failed)
    }

    /// Errors are those of a process that is gone, which is noticed elsewhere.
    fn say(&mut self, line: &str) {
        if let Some(stream) = &mut self.answers {
            let _ = writeln!(stream, "{line}");
        }
    }
}

impl Drop for Program {
    /// Before the folder goes, in which the ear can be reached.
    fn drop(&mut self) {
        self.ear.close();
    }
}

/// Hears one host's processes, one after the other, in a thread that ends with it.
struct Ear {
    socket: PathBuf,
    closed: Arc<AtomicBool>,
}

impl Ear {
    fn open(host: HostName, socket: &Path, told: Sender<Happening>) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let closed = Arc::new(AtomicBool::new(false));
        let ear = Self { socket: socket.to_owned(), closed: Arc::clone(&closed) };
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if closed.load(Ordering::SeqCst) || hear(host, stream, &told).is_none() {
                    return;
                }
            }
        });
        Ok(ear)
    }

    /// Its thread wakes up by a call, after whoever is calling now has ended.
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // If nobody listens any more, it has ended already.
        let _ = UnixStream::connect(&self.socket);
    }
}

/// One call, to its end; `None` if nobody wants to know any more.
fn hear(host: HostName, stream: UnixStream, told: &Sender<Happening>) -> Option<()> {
    told.send(Happening::Called(host, stream.try_clone().ok()?)).ok()?;
    for line in BufReader::new(stream).lines() {
        let message = line.ok().and_then(|line| serde_json::from_str::<Message>(&line).ok());
        let Some(message) = message else { break };
        told.send(Happening::Said(host, message)).ok()?;
    }
    told.send(Happening::Gone(host)).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// The thread holds the only sender, so the receiver hears of its end.
    #[test]
    fn an_ear_ends_when_it_is_closed_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("stage");
        let (told, heard) = mpsc::channel();
        let ear = Ear::open(HostName::SHOP, &socket, told).unwrap();
        drop(UnixStream::connect(&socket).unwrap());
        let limit = Duration::from_secs(10);
        assert!(matches!(heard.recv_timeout(limit), Ok(Happening::Called(..))));
        assert!(matches!(heard.recv_timeout(limit), Ok(Happening::Gone(HostName::SHOP))));
        assert_eq!(heard.try_recv().unwrap_err(), mpsc::TryRecvError::Empty);
        ear.close();
        assert_eq!(heard.recv_timeout(limit).unwrap_err(), mpsc::RecvTimeoutError::Disconnected);
    }
}
