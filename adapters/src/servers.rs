//! Real servers on loopback: started on a free port with a fresh folder, waited for, stopped again.
//!
//! Each has a keeper (`keeper.rs`), a shell that ends the server and deletes its folder when this process
//! lets go of it or ends in whatever way: a panic, Ctrl-C, SIGKILL. So nothing is ever left behind, and
//! nothing is ended that was not started here. One file for each store says how it is started and when it
//! is ready.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

pub mod etcd;
pub mod redis;
pub mod zookeeper;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use picklock::store::StoreKind;
use rustix::process::Signal;

use crate::keeper::Keeper;

/// All stores, in the order in which reports name them.
pub const STORES: [StoreKind; 3] = [StoreKind::Redis, StoreKind::Etcd, StoreKind::ZooKeeper];

/// Long enough for any of them on a busy machine; alone they take 15 ms to 1 s, three of etcd 2.4 s.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often a server that starts is asked whether it is ready.
const ASK_AGAIN: Duration = Duration::from_millis(20);
/// How often another port is tried, when somebody took the free one before the server did.
const PORTS_TRIED: usize = 3;

/// A server that runs, until it is dropped.
pub struct Running {
    store: StoreKind,
    address: SocketAddr,
    version: String,
    keeper: Keeper,
    ready: Ready,
}

/// Asks a server that starts for its version: an error as long as it does not serve yet.
type Ready = fn(SocketAddr) -> io::Result<String>;

/// How a server is started.
pub(crate) struct Launch {
    store: StoreKind,
    address: SocketAddr,
    folder: PathBuf,
    command: Vec<String>,
    environment: Vec<(&'static str, String)>,
    ready: Ready,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its program is not on this machine.
    #[error("{what} is not installed: run adapters/install.sh (Debian package `{package}`)")]
    Missing {
        /// The program.
        what: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// It did not start, or died, or never became ready.
    #[error("{store} on {address} {problem}; the end of its log:\n{log}")]
    NotReady {
        /// Which store.
        store: &'static str,
        /// Where it was to listen.
        address: SocketAddr,
        /// What happened.
        problem: String,
        /// Its last lines.
        log: String,
    },
    /// This machine refused something.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the machine said.
        #[source]
        error: io::Error,
    },
}

impl ServerError {
    /// A failure of this machine while doing `what`.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what, error }
    }
}

/// One server of a store with its usual settings.
///
/// # Errors
/// See [`ServerError`].
pub fn start(store: StoreKind) -> Result<Running, ServerError> {
    match store {
        StoreKind::Redis => redis::start(),
        StoreKind::Etcd => etcd::start(),
        StoreKind::ZooKeeper => zookeeper::start(),
    }
}

/// Whether the programs of a store are on this machine.
///
/// # Errors
/// Which is not, and which package has it.
pub fn installed(store: StoreKind) -> Result<(), ServerError> {
    match store {
        StoreKind::Redis => redis::installed(),
        StoreKind::Etcd => etcd::installed(),
        StoreKind::ZooKeeper => zookeeper::installed(),
    }
}

impl Running {
    /// Which store it is a server of.
    pub fn store(&self) -> StoreKind {
        self.store
    }

    /// Where it listens; always loopback.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it says about its version: `7.0.15`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.keeper.pid()
    }

    /// Its folder, with its data and its log.
    pub fn folder(&self) -> &Path {
        self.keeper.folder()
    }

    /// Stops its process in its tracks (SIGSTOP): its kernel goes on to take bytes, it does nothing.
    ///
    /// # Errors
    /// If there is no such process any more.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.keeper.signal(Signal::STOP).map_err(ServerError::io("SIGSTOP to a server"))
    }

    /// Lets a paused process go on (SIGCONT).
    ///
    /// # Errors
    /// As [`Running::pause`].
    pub fn resume(&self) -> Result<(), ServerError> {
        self.keeper.signal(Signal::CONT).map_err(ServerError::io("SIGCONT to a server"))
    }

    /// Kills its process (SIGKILL) and waits until it is gone. What it had written stays.
    ///
    /// # Errors
    /// If its keeper does not answer.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.keeper.kill().map_err(ServerError::io("killing a server"))
    }

    /// Starts it again on the same port and the same data, and waits until it is ready.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.launch_again()?;
        self.wait_until_ready().map(drop)
    }

    /// As [`Running::restart`], but does not wait.
    ///
    /// # Errors
    /// If its keeper does not answer.
    pub fn launch_again(&mut self) -> Result<(), ServerError> {
        self.keeper.start_again().map_err(ServerError::io("starting a server again"))
    }

    fn wait_until_ready(&self) -> Result<String, ServerError> {
        let begin = Instant::now();
        loop {
            let error = match (self.ready)(self.address) {
                Ok(version) => return Ok(version),
                Err(error) => error,
            };
            let problem = match self.keeper.is_alive() {
                false => "ended at once".to_owned(),
                true if begin.elapsed() > PATIENCE => {
                    format!("was not ready after {} s ({error})", PATIENCE.as_secs())
                }
                true => {
                    std::thread::sleep(ASK_AGAIN);
                    continue;
                }
            };
            let (store, address) = (self.store.name(), self.address);
            return Err(ServerError::NotReady { store, address, problem, log: self.keeper.log() });
        }
    }
}

impl Launch {
    fn run(self) -> Result<Running, ServerError> {
        let mut running = self.begin()?;
        running.version = running.wait_until_ready()?;
        Ok(running)
    }

    /// Starts it without waiting, because it may need others before it is ready.
    fn begin(self) -> Result<Running, ServerError> {
        let Launch { store, address, folder, command, environment, ready } = self;
        let keeper = Keeper::start(&command, &environment, folder);
        let keeper = keeper.map_err(ServerError::io("starting a server"))?;
        Ok(Running { store, address, version: String::new(), keeper, ready })
    }
}

/// Starts what `launch` makes of free addresses; tries others if somebody else was quicker.
fn start_on_free_ports<const N: usize>(
    launch: impl Fn([SocketAddr; N], PathBuf) -> Launch,
) -> Result<Running, ServerError> {
    let mut tried = 1;
    loop {
        match launch(free_addresses()?, new_folder()?).run() {
            Err(ServerError::NotReady { log, .. })
                if tried < PORTS_TRIED && log.to_lowercase().contains("address already in use") =>
            {
                tried += 1;
            }
            result => return result,
        }
    }
}

/// Begins all, then waits for all: the members of a cluster need each other.
fn run_together(launches: Vec<Launch>) -> Result<Vec<Running>, ServerError> {
    let mut members = Vec::new();
    for launch in launches {
        members.push(launch.begin()?);
    }
    for member in &mut members {
        member.version = member.wait_until_ready()?;
    }
    Ok(members)
}

/// Loopback addresses with ports that nobody uses at this moment, all different.
fn free_addresses<const N: usize>() -> Result<[SocketAddr; N], ServerError> {
    let taken = ServerError::io("looking for a free port");
    let listeners: io::Result<Vec<TcpListener>> =
        (0..N).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect();
    let addresses = listeners.and_then(|listeners| {
        listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()
    });
    let addresses = addresses.map_err(taken)?;
    Ok(addresses.try_into().expect("as many as were asked for"))
}

/// A fresh folder; its keeper deletes it.
fn new_folder() -> Result<PathBuf, ServerError> {
    let folder = tempfile::Builder::new().prefix("picklock-server-").tempdir();
    folder.map(tempfile::TempDir::keep).map_err(ServerError::io("making a folder for a server"))
}

/// Whether a program can be found as a shell finds it.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Sends a question over a new connection and reads until `enough`, or until the other side closes.
fn ask(address: SocketAddr, question: &[u8], enough: fn(&str) -> bool) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(question)?;
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut piece)?;
        answer.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&answer);
        if count == 0 || enough(&text) {
            return Ok(text.into_owned());
        }
    }
}

/// What follows `key` in a server's answer, up to the end of its word; an error if it is not there.
fn word_after(answer: &str, key: &str) -> io::Result<String> {
    let found = answer.split_once(key).map(|(_, rest)| {
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect::<String>()
    });
    found.filter(|word| !word.is_empty()).ok_or_else(|| io::Error::other("it is not ready yet"))
}
