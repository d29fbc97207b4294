//! ZooKeeper 3.8, one server of its own, as a pure state machine.
//!
//! In reading order:
//! - [`jute`], [`records`]: bytes to values and values to bytes, both ways; `operation` and `answer` what
//!   can be asked and answered; `message` whole frames: [`Request`] and [`Reply`];
//! - `turn`: a request on its way through the three stations below;
//! - `prepare`: from a request to a `transaction`, where everything is decided;
//! - `tree`: what transactions do, without looking back: the same ones give the same tree anywhere;
//! - `read`, `watches`: what is read, and who is told what happened;
//! - `sessions`: timeouts by the steady clock, passwords; `acl` who may do what; `path`, `code`;
//! - `words`: four letters that ask how the server is; `witness`: facts for the checkers.
//!
//! The stations are apart because in an ensemble they are on different machines: a leader prepares, all
//! apply, each answers reads from its own tree.
//!
//! ```
//! use bytes::Bytes;
//! use picklock_models::model::{Model, Outbox, SessionId};
//! use picklock_models::time::{HostTime, SteadyTime, WallTime};
//! use picklock_models::zookeeper::records::{Acl, CreateRequest};
//! use picklock_models::zookeeper::{Answer, Config, Disk, Operation, Reply, Request, ZooKeeper};
//!
//! let now = HostTime { steady: SteadyTime::default(), wall: WallTime::default() };
//! let mut server = ZooKeeper::boot(Config::default(), Disk::default(), now);
//! let mut out = Outbox::default();
//! let me = SessionId(1);
//! server.connect(now, me);
//! server.apply(now, me, Request::begin_session(10_000), &mut out);
//! out.clear();
//! let (path, data, acl) = ("/lock-".into(), Some(Bytes::new()), vec![Acl::open()]);
//! let ephemeral_sequential = CreateRequest { path, data, acl, flags: 3 };
//! server.apply(now, me, Request::call(1, Operation::Create(ephemeral_sequential)), &mut out);
//! let Some((_, Reply::Answer { answer, .. })) = out.replies.pop() else { panic!("no answer") };
//! assert_eq!(answer, Ok(Answer::Path(Some("/lock-0000000000".into()))));
//! ```
//!
//! Where a rule is named with a file or a class, it is ZooKeeper's own. What is left out is listed in
//! `docs/MODELS.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::model::{Change, Crash, Model, Outbox, SessionId};
use crate::time::{HostTime, SteadyTime};
use prepare::Pending;
use records::ZkSessionId;
use sessions::Sessions;
use tree::Tree;
use turn::Guest;
use watches::Watches;
use witness::{Creators, Witness};

mod acl;
mod answer;
mod code;
pub mod jute;
mod message;
mod opcode;
mod operation;
mod path;
mod prepare;
mod read;
pub mod records;
mod sessions;
mod transaction;
mod tree;
mod turn;
mod watches;
mod witness;
mod words;

pub use answer::{Answer, ClientInfo, OneResult};
pub use code::Code;
pub use message::{ConnectRequest, ConnectResponse, ReadOnlyFlag, Reply, Request};
pub use operation::{OneBuffer, OneOptionalPath, Operation, Reads, Writes};

/// The version that is modelled.
pub const VERSION: &str = "3.8.0";

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its number, in the top byte of the sessions that it begins; 1 for a server of its own.
    pub server_id: u8,
    /// `tickTime`, in milliseconds: sessions last 2 to 20 ticks, and end at a tick.
    pub tick_ms: u32,
    /// `extendedTypesEnabled`: whether nodes may have a time to live.
    pub extended_types: bool,
    /// `4lw.commands.whitelist`: the words that are answered; `*` is all of them. The real default is
    /// `srvr` alone.
    pub words: Vec<String>,
    /// Paths of nodes whose changes are reported in [`Outbox::changes`].
    pub watched: Vec<Bytes>,
    /// Paths at or below which those of ephemeral nodes are reported too.
    pub watched_ephemerals: Vec<Bytes>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server_id: 1,
            tick_ms: 2000,
            extended_types: false,
            words: words::all(),
            watched: Vec::new(),
            watched_ephemerals: Vec::new(),
        }
    }
}

/// What is on a server's disk: what its newest snapshot and its log give together. The log is synced
/// before anything is answered (`forceSync`), so no crash loses what a client knows of.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    tree: Tree,
    creators: Creators,
}

/// How often containers are looked through (`znode.container.checkIntervalMs`).
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// One ZooKeeper server. See the [module](self).
#[derive(Debug)]
pub struct ZooKeeper {
    config: Config,
    tree: Tree,
    pending: Pending,
    sessions: Sessions,
    watches: Watches,
    witness: Witness,
    /// Who is connected; `None` before the handshake.
    connections: BTreeMap<SessionId, Option<Guest>>,
    started: SteadyTime,
    /// How many times the sweep was due since the start.
    sweeps: u64,
    /// When the model will be woken.
    armed: Option<SteadyTime>,
    /// Requests and replies, for statistics.
    received: u64,
    sent: u64,
}

impl ZooKeeper {
    /// A server that starts with what its disk holds. Sessions begin their timeouts anew
    /// (`SessionTrackerImpl`).
    pub fn boot(config: Config, disk: Disk, now: HostTime) -> Self {
        let mut sessions = Sessions::new(config.server_id, config.tick_ms, now.steady);
        for (session, timeout_ms) in disk.tree.sessions() {
            sessions.track(session, timeout_ms, now.steady);
        }
        let (nodes, ephemerals) = (config.watched.clone(), config.watched_ephemerals.clone());
        let witness = Witness::new(nodes, ephemerals, disk.creators);
        Self {
            config,
            tree: disk.tree,
            pending: Pending::default(),
            sessions,
            watches: Watches::default(),
            witness,
            connections: BTreeMap::new(),
            started: now.steady,
            sweeps: 0,
            armed: None,
            received: 0,
            sent: 0,
        }
    }

    /// The facts about watched nodes that were found on the disk, in the order in which they were created. To be
    /// asked for once, right after [`ZooKeeper::boot`].
    pub fn loaded(&self) -> Vec<Change> {
        self.witness.loaded(&self.tree)
    }

    /// Takes one request of `connection` off `input`; `None` if it is not whole yet.
    ///
    /// # Errors
    /// As [`Request::decode`].
    pub fn decode(
        &self,
        connection: SessionId,
        input: &mut BytesMut,
    ) -> Result<Option<Request>, jute::Malformed> {
        match self.connections.get(&connection) {
            Some(guest) => Request::decode(guest.is_some(), input),
            None => Ok(None),
        }
    }

    /// Ends the sessions whose time is up, and sweeps if that is due.
    fn look_at_the_clock(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        while let Some(session) = self.sessions.overdue(now.steady) {
            self.sessions.remove(session);
            let close = |it: &mut prepare::Preparation<'_>| it.prepare(Operation::CloseSession(()));
            self.commit(now, session, None, close, out);
            self.hang_up_session(session, out);
        }
        let due = self.sweeps_due(now.steady);
        if self.tree.has_swept() && due > self.sweeps {
            for path in self.tree.overdue(now.wall.unix_ms()) {
                self.commit(now, ZkSessionId(0), None, |it| it.sweep(path), out);
            }
        }
        self.sweeps = due;
    }

    fn sweeps_due(&self, now: SteadyTime) -> u64 {
        now.since(self.started).as_secs() / SWEEP_EVERY.as_secs()
    }

    /// Asks to be woken when the next session ends or the next sweep is due.
    fn arm(&mut self, out: &mut Outbox<Reply>) {
        let sweep = SWEEP_EVERY * u32::try_from(self.sweeps + 1).unwrap_or(u32::MAX);
        let sweep = self.tree.has_swept().then(|| self.started + sweep);
        let Some(next) = self.sessions.next_due().into_iter().chain(sweep).min() else { return };
        if self.armed.is_none_or(|armed| next < armed) {
            self.armed = Some(next);
            out.alarm = Some(next);
        }
    }
}

impl Model for ZooKeeper {
    type Request = Request;
    type Reply = Reply;
    type Disk = Disk;

    /// Only for the first alarm after a restart: the shortest session lasts longer.
    const TICK: Duration = Duration::from_millis(500);

    fn connect(&mut self, _: HostTime, connection: SessionId) {
        self.connections.insert(connection, None);
    }

    fn apply(
        &mut self,
        now: HostTime,
        connection: SessionId,
        request: Request,
        out: &mut Outbox<Reply>,
    ) {
        if !self.connections.contains_key(&connection) {
            return;
        }
        self.received += 1;
        if !self.tree.has_swept() {
            // There was nothing to sweep until now.
            self.sweeps = self.sweeps_due(now.steady);
        }
        match request {
            Request::Word(word) => {
                let text = self.answer_word(word, now);
                self.send(connection, Reply::Text(text), out);
                self.hang_up(connection, out);
            }
            Request::Connect(request) => self.shake_hands(now, connection, request, out),
            Request::Call { xid, opcode, operation } => {
                self.take_call(now, connection, (xid, opcode), operation, out);
            }
        }
        self.arm(out);
    }

    /// The session lives on, until its time is up or its client comes back.
    fn disconnect(&mut self, _: HostTime, connection: SessionId, _: &mut Outbox<Reply>) {
        self.forget(connection);
    }

    fn tick(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        self.wake(now, out);
    }

    fn wake(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        if self.armed.is_some_and(|armed| armed <= now.steady) {
            self.armed = None;
        }
        self.look_at_the_clock(now, out);
        self.arm(out);
    }

    fn rests(&self) -> bool {
        self.armed.is_some() || (self.sessions.next_due().is_none() && !self.tree.has_swept())
    }

    fn disk_after(&self, _: Crash) -> Disk {
        Disk { tree: self.tree.clone(), creators: self.witness.creators() }
    }
}

#[cfg(test)]
mod tests;
