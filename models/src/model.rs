//! A store as a pure state machine: no I/O, no clock, no randomness.
//!
//! The front end (`picklock-sim`, `serve`) owns sockets and clocks; a model owns rules. Answers and
//! side facts are pushed into an [`Outbox`] instead of being returned, because one request may
//! answer other sessions too (a blocked pop that is woken, a published message), or nobody yet.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::time::{HostTime, SteadyTime};

/// One client connection, numbered by the front end. Never used twice, not even after a restart:
/// the owner of a record must stay recognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// How a process went down, which decides what its disk still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crash {
    /// The process was killed: what it had written stays in the page cache.
    ProcessKill,
    /// The machine lost power: only what was fsynced survives.
    PowerLoss,
}

/// A store as a pure state machine.
pub trait Model {
    /// A decoded request.
    type Request;
    /// A reply, not yet encoded.
    type Reply;
    /// What is on disk after a crash; a restarted store starts from it.
    type Disk: Clone + Default;

    /// A client connected.
    fn connect(&mut self, now: HostTime, session: SessionId);

    /// A request arrived.
    fn apply(
        &mut self,
        now: HostTime,
        session: SessionId,
        request: Self::Request,
        out: &mut Outbox<Self::Reply>,
    );

    /// A client's connection ended.
    fn disconnect(&mut self, now: HostTime, session: SessionId, out: &mut Outbox<Self::Reply>);

    /// The server's own timer; the front end calls it every [`Model::TICK`] of the steady clock.
    fn tick(&mut self, now: HostTime, out: &mut Outbox<Self::Reply>);

    /// The instant came that the model asked for in [`Outbox::alarm`].
    fn wake(&mut self, now: HostTime, out: &mut Outbox<Self::Reply>) {
        let _ = (now, out);
    }

    /// Whether [`Model::tick`] does nothing before the next other call: then the front end need not call
    /// it, and an idle server costs nothing.
    fn rests(&self) -> bool {
        false
    }

    /// Whether the model takes the next request of `session` now. While it does not (the client
    /// waits for something, or the server is held up), the front end leaves the bytes where they
    /// are; it asks again after each call that could change that.
    fn listens(&self, session: SessionId) -> bool {
        let _ = session;
        true
    }

    /// How often the server's own timer runs.
    const TICK: Duration;

    /// What a crash at this instant leaves on the disk.
    fn disk_after(&self, crash: Crash) -> Self::Disk;
}

/// What a model has to say: replies to sessions, sessions to close, and the facts about watched
/// records that the checkers judge by.
#[derive(Debug)]
pub struct Outbox<Reply> {
    /// Replies in the order in which they must be written, each to its session.
    pub replies: Vec<(SessionId, Reply)>,
    /// Sessions to be closed after their replies were written.
    pub closed: Vec<SessionId>,
    /// What happened to watched records, in order. Not part of the protocol: the ground truth.
    pub changes: Vec<Change>,
    /// When [`Model::wake`] is to be called, if that is not soon enough with the next tick.
    pub alarm: Option<SteadyTime>,
}

/// A fact about one watched record, as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record's key.
    pub key: Bytes,
    /// Whose request did it; `None` for the server itself (expiry, loading).
    pub by: Option<SessionId>,
    /// Who had created the record's value before this change, if it existed.
    pub owner: Option<SessionId>,
    /// What happened.
    pub kind: ChangeKind,
}

/// What happened to a watched record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A value was stored; the session that did it owns the record from now on.
    Set {
        /// The value, where it is an integer: stocks and counters.
        number: Option<i64>,
        /// Remaining time to live in milliseconds of the server's wall clock; `None`: no expiry.
        ttl_ms: Option<i64>,
    },
    /// A list, a hash or a set was changed in place, as a re-entrant lock's count of holds is. The record
    /// stays with the session that created it, whoever changes it: nobody was granted anything.
    Edited {
        /// As in [`ChangeKind::Set`].
        ttl_ms: Option<i64>,
    },
    /// Only the expiry changed.
    Retimed {
        /// As in [`ChangeKind::Set`].
        ttl_ms: Option<i64>,
    },
    /// A client removed it.
    Deleted,
    /// The server removed it because its time was up.
    Expired,
    /// It was on the disk when the server started.
    Loaded {
        /// As in [`ChangeKind::Set`].
        number: Option<i64>,
        /// As in [`ChangeKind::Set`]; may be negative for a record that expired while down.
        ttl_ms: Option<i64>,
    },
}

impl ChangeKind {
    /// A stored value as [`ChangeKind::Set`] tells it: its number, where it is an integer.
    pub(crate) fn number(value: &[u8]) -> Option<i64> {
        std::str::from_utf8(value).ok()?.parse().ok()
    }
}

/// Whether a record is this one or lies below it, as `lock/7f3a` lies below `lock`: locks with a queue give
/// every contender a record of its own under the lock's name.
pub(crate) fn is_at_or_below(key: &[u8], root: &[u8]) -> bool {
    key.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

impl<Reply> Outbox<Reply> {
    /// Empties it for the next request; keeps its memory.
    pub fn clear(&mut self) {
        self.replies.clear();
        self.closed.clear();
        self.changes.clear();
        self.alarm = None;
    }
}

impl<Reply> Default for Outbox<Reply> {
    fn default() -> Self {
        Self { replies: Vec::new(), closed: Vec::new(), changes: Vec::new(), alarm: None }
    }
}
