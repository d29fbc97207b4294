//! etcd 3.4.23, its v3 API with one member, as a pure state machine; 3.5 has the same rules.
//!
//! In reading order:
//! - [`pb`]: the messages, made from `etcd/proto/`; [`rpc`]: which call carries which, from and to
//!   bytes; [`Status`]: how a call ends;
//! - [`machine`]: what all members agree on, keys and leases, changed by commands at an index and by
//!   nothing else; below it `store` (keys with all their versions), `range`, `txn`, `span`;
//! - `lessor`: when leases end, which only the leader knows; `keepalive`: who keeps them alive;
//! - `watch`: who hears of which changes;
//! - `queue`: calls that wait in the server for their turn: `v3lock`, `v3election`;
//! - `answer`: from a request to its responses; `facts`: what checkers want to know.
//!
//! A session is a connection; the calls on it are its streams, numbered by the front end. A call ends
//! with a [`Status`], and says nothing after it.
//!
//! ```
//! use picklock_models::etcd::{Call, Config, Disk, Etcd, Reply, StreamId, pb, rpc};
//! use picklock_models::model::{Model, Outbox, SessionId};
//! use picklock_models::time::{HostTime, SteadyTime, WallTime};
//!
//! let now = HostTime { steady: SteadyTime::default(), wall: WallTime::default() };
//! let mut etcd = Etcd::boot(Config::default(), Disk::default(), now);
//! let mut out = Outbox::default();
//! let put = pb::etcdserverpb::PutRequest { key: "lock".into(), ..Default::default() };
//! let call = Call::message(StreamId(1), rpc::Request::Put(put));
//! etcd.apply(now, SessionId(1), call, &mut out);
//! let Reply::Message(_, rpc::Response::Put(answer)) = &out.replies[0].1 else { panic!() };
//! assert_eq!(answer.header.as_ref().unwrap().revision, 2);
//! ```
//!
//! Where a rule is named with a file, the file is etcd's own. What is left out is listed in
//! `docs/MODELS.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::model::{Crash, Model, Outbox, SessionId};
use crate::time::{HostTime, SteadyTime};
use facts::{Facts, Owners};
use keepalive::KeepAlives;
use lessor::Lessor;
use machine::{Index, Machine};
use queue::Wait;
use watch::WatchStream;

mod answer;
mod facts;
mod keepalive;
mod lessor;
pub mod machine;
pub mod pb;
mod queue;
mod range;
pub mod rpc;
mod span;
mod status;
mod store;
mod txn;
mod v3election;
mod v3lock;
mod watch;

pub use lessor::{ELECTION_TIMEOUT, EXPIRIES_A_LOOP, EXPIRY_LOOP};
pub use machine::LeaseId;
pub use status::{Code, Status};
pub use store::Revision;
pub use watch::{PROGRESS_INTERVAL, WatchId};

/// The version that Status names.
pub const VERSION: &str = "3.4.23";
/// The cluster and the member that a real server with default settings calls itself.
const CLUSTER_ID: u64 = 0xcdf8_1819_4e3a_8c32;
const MEMBER_ID: u64 = 0x8e9e_05c5_2164_694d;

/// How a server is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Keys whose changes are reported in [`Outbox::changes`], with those of keys below them
    /// (`lock/7f3a` is below `lock`).
    pub watched: Vec<Bytes>,
    /// What MemberList calls the server's address; empty: etcd's default.
    pub client_url: String,
}

/// What a crash leaves: all that was answered, because a command is on the disk before it is applied
/// (`server/etcdserver/raft.go`). How long leases had left is not among it.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    machine: Machine,
    /// The last term.
    term: u64,
    owners: Owners,
}

/// One call on a connection, numbered by the front end. Never used twice on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// Something that happened to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which one.
    pub stream: StreamId,
    /// What happened.
    pub event: CallEvent,
}

/// What a client does with a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEvent {
    /// It sends a message; the first one opens the call.
    Message(Box<rpc::Request>),
    /// It will send no more messages, and still listens.
    HalfClosed,
    /// It has given the call up.
    Gone,
}

/// What a client hears of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A message.
    Message(StreamId, rpc::Response),
    /// The end.
    End(StreamId, Status),
}

/// One etcd server. See the [module](self).
#[derive(Debug)]
pub struct Etcd {
    machine: Machine,
    lessor: Lessor,
    term: u64,
    /// The number of the last proposal, from which the server makes the ids of leases.
    last_id: u64,
    client_url: String,
    watches: BTreeMap<(SessionId, StreamId), WatchStream>,
    keep_alives: KeepAlives,
    /// The calls of `v3lock` and `v3election` that wait.
    waits: BTreeMap<(SessionId, StreamId), Wait>,
    facts: Facts,
}

impl Call {
    /// The call `stream` gets a message.
    pub fn message(stream: StreamId, request: rpc::Request) -> Call {
        Call { stream, event: CallEvent::Message(Box::new(request)) }
    }
}

impl Etcd {
    /// A server that starts with what its disk holds, and leads at once: with one member, an election
    /// is over before anybody has connected.
    pub fn boot(config: Config, disk: Disk, now: HostTime) -> Etcd {
        // A member, the time in milliseconds and a count, one above the other (`pkg/idutil/id.go`).
        let unix_ms = now.wall.unix_ms().unsigned_abs();
        let last_id = (MEMBER_ID << 48) | ((unix_ms & 0xff_ffff_ffff) << 8);
        let mut etcd = Etcd {
            machine: disk.machine,
            lessor: Lessor::default(),
            // The first election is won in term 2, each later one in the next.
            term: disk.term.max(1),
            last_id,
            client_url: config.client_url,
            watches: BTreeMap::new(),
            keep_alives: KeepAlives::default(),
            waits: BTreeMap::new(),
            facts: Facts::new(config.watched, disk.owners),
        };
        etcd.promote(now.steady);
        etcd
    }

    /// The server becomes the leader: it does not know how much time leases had left, and gives each
    /// all of it and an election timeout more (`server/lease/lessor.go` `Promote`).
    pub fn promote(&mut self, now: SteadyTime) {
        self.term += 1;
        self.lessor = Lessor::promoted(now, &self.machine.leases);
    }

    /// What is agreed on.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    fn next_index(&self) -> Index {
        Index(self.machine.applied().0 + 1)
    }
}

impl Model for Etcd {
    type Request = Call;
    type Reply = Reply;
    type Disk = Disk;

    const TICK: Duration = EXPIRY_LOOP;

    fn connect(&mut self, _: HostTime, _: SessionId) {}

    fn apply(&mut self, now: HostTime, session: SessionId, call: Call, out: &mut Outbox<Reply>) {
        let id = (session, call.stream);
        match call.event {
            CallEvent::Message(request) => self.answer(now, id, *request, out),
            CallEvent::HalfClosed => {
                if self.keep_alives.finish(id) {
                    out.replies.push((session, Reply::End(call.stream, Status::OK)));
                }
            }
            CallEvent::Gone => {
                self.watches.remove(&id);
                self.keep_alives.forget(id);
                self.leave(now, id, out);
            }
        }
    }

    fn disconnect(&mut self, now: HostTime, session: SessionId, out: &mut Outbox<Reply>) {
        self.watches.retain(|(owner, _), _| *owner != session);
        self.keep_alives.forget_session(session);
        self.leave_all(now, session, out);
    }

    fn tick(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        self.expire(now, out);
        self.go_on_keeping_alive(now, out);
        self.tell_progress(now, out);
    }

    fn rests(&self) -> bool {
        self.lessor.is_empty() && !self.watches.values().any(WatchStream::wants_progress)
    }

    fn disk_after(&self, _: Crash) -> Disk {
        let owners = self.facts.owners();
        Disk { machine: self.machine.clone(), term: self.term, owners }
    }
}

#[cfg(test)]
mod tests;
