//! The rules, each driven through the model as clients drive it.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::jute::{Jute, MAX_FRAME, Malformed};
use super::records::*;
use super::*;
use crate::model::ChangeKind;
use crate::time::{SteadyTime, WallTime};

mod codec;
mod crashes;
mod nodes;
mod sessions;
mod transactions;
mod watches;

/// A morning in 2026, in Unix milliseconds: what the wall clock shows at millisecond 0 of a test.
const START_MS: i64 = 1_780_000_000_000;

/// One server under test.
struct Server {
    zookeeper: ZooKeeper,
    /// Milliseconds since the start, on both clocks.
    now_ms: u64,
    out: Outbox<Reply>,
}

fn at(now_ms: u64) -> HostTime {
    HostTime {
        steady: SteadyTime::from_nanos(now_ms * 1_000_000),
        wall: WallTime::from_unix_nanos((START_MS as u64 + now_ms) * 1_000_000),
    }
}

impl Server {
    fn start() -> Self {
        Self::restart(Config::default(), Disk::default(), 0)
    }

    fn watching(paths: &[&'static str]) -> Self {
        let watched = paths.iter().map(|path| Bytes::from_static(path.as_bytes())).collect();
        Self::restart(Config { watched, ..Config::default() }, Disk::default(), 0)
    }

    fn restart(config: Config, disk: Disk, now_ms: u64) -> Self {
        let zookeeper = ZooKeeper::boot(config, disk, at(now_ms));
        Self { zookeeper, now_ms, out: Outbox::default() }
    }

    fn send(&mut self, connection: u64, request: Request) {
        self.out.clear();
        self.zookeeper.apply(at(self.now_ms), SessionId(connection), request, &mut self.out);
    }

    /// A connection with a session of its own.
    fn client(&mut self, connection: u64) -> ConnectResponse {
        self.zookeeper.connect(at(self.now_ms), SessionId(connection));
        self.send(connection, Request::begin_session(10_000));
        self.connected()
    }

    /// The answer to the handshake that was just sent.
    fn connected(&self) -> ConnectResponse {
        match self.out.replies.last() {
            Some((_, Reply::Connected(response))) => response.clone(),
            other => panic!("no answer to a handshake: {other:?}"),
        }
    }

    fn call(&mut self, connection: u64, operation: Operation) -> Result<Answer, Code> {
        self.send(connection, Request::call(1, operation));
        match self.out.replies.last() {
            Some((to, Reply::Answer { answer, .. })) if to.0 == connection => answer.clone(),
            other => panic!("no answer: {other:?}"),
        }
    }

    fn create(&mut self, connection: u64, path: &str, flags: i32) -> Result<Answer, Code> {
        self.call(connection, Operation::Create(creation(path, flags)))
    }

    fn stat(&mut self, connection: u64, path: &str) -> Stat {
        match self.call(connection, Operation::Exists(looked_at(path, false))) {
            Ok(Answer::Stat(stat)) => stat,
            other => panic!("{path}: {other:?}"),
        }
    }

    /// Lets time pass until then, the model being woken when it asked for it.
    fn pass_until(&mut self, end_ms: u64) {
        self.out.clear();
        while let Some(alarm) = self.zookeeper.armed.filter(|alarm| *alarm <= at(end_ms).steady) {
            self.now_ms = self.now_ms.max(alarm.as_nanos() / 1_000_000);
            self.zookeeper.wake(at(self.now_ms), &mut self.out);
        }
        self.now_ms = end_ms;
    }

    /// The watch events of the last step: to whom, what, where.
    fn events(&self) -> Vec<(u64, i32, String)> {
        let event = |(to, reply): &(SessionId, Reply)| match reply {
            Reply::Event(event) => Some((to.0, event.kind, event.path.clone())),
            _ => None,
        };
        self.out.replies.iter().filter_map(event).collect()
    }
}

fn creation(path: &str, flags: i32) -> CreateRequest {
    let data = Some(Bytes::from_static(b"d"));
    CreateRequest { path: path.into(), data, acl: vec![Acl::open()], flags }
}

fn looked_at(path: &str, watch: bool) -> WatchedPath {
    WatchedPath { path: path.into(), watch }
}

fn versioned(path: &str, version: i32) -> VersionedPath {
    VersionedPath { path: path.into(), version }
}

fn setting(path: &str, version: i32) -> SetDataRequest {
    SetDataRequest { path: path.into(), data: Some(Bytes::from_static(b"42")), version }
}

fn path_of(path: &str) -> Result<Answer, Code> {
    Ok(Answer::Path(Some(path.into())))
}
