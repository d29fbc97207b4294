//! How CLIENT LIST shows a client (`src/networking.c` `catClientInfoString`).
//!
//! A model knows no addresses: a client's is made up from its id, so that it is told apart and can be
//! named in CLIENT KILL. What a client costs in memory is what a fresh one costs on the real server.

use std::fmt::Write;

use super::super::super::reply::Protocol;
use super::super::super::session::Session;
use super::super::super::{Core, Reply};
use super::super::{error, quotable};
use crate::model::SessionId;
use crate::time::HostTime;

/// The server's own end of every connection.
pub(super) const LOCAL_ADDRESS: &str = "127.0.0.1:6379";

/// The made-up address of the client numbered `id`.
pub(super) fn address(id: i64) -> String {
    format!("127.0.0.{}:{}", 1 + (id / 20_000) % 250, 40_000 + id % 20_000)
}

/// One line with its end.
pub(super) fn line(core: &Core, session: SessionId, now: HostTime) -> String {
    let Some(state) = core.sessions.get(&session) else { return String::new() };
    let name = state.name.as_ref().map_or("".into(), |name| String::from_utf8_lossy(name));
    let age = now.steady.since(state.connected_at).as_secs();
    let idle = now.steady.since(state.active_at).as_secs();
    let database =
        if core.current == Some(session) { core.keyspace.selected() } else { state.database };
    let queued = state.transaction.as_ref().map(|open| open.queue.len()).or(state.executing);
    let queued = queued.map_or(-1, |count| count as i64);
    let mut line = String::new();
    let _ = writeln!(
        line,
        "id={} addr={} laddr={LOCAL_ADDRESS} fd={} name={name} age={age} idle={idle} flags={} \
         db={database} sub={} psub={} ssub={} multi={queued} qbuf=0 qbuf-free=20474 argv-mem=0 \
         multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 tot-mem=22272 events=r cmd={} \
         user={} redir=-1 resp={}",
        state.id,
        address(state.id),
        state.id + 4,
        flags(core, session, state),
        state.channels.len(),
        state.patterns.len(),
        state.shard_channels.len(),
        if state.last_command.is_empty() { "NULL" } else { state.last_command },
        if core.password.is_some() && !state.authenticated { "(superuser)" } else { "default" },
        if state.protocol == Protocol::Resp2 { 2 } else { 3 },
    );
    line
}

fn flags(core: &Core, session: SessionId, state: &Session) -> String {
    let known = [
        ('P', state.is_subscribed()),
        ('x', state.transaction.is_some() || state.executing.is_some()),
        ('b', core.blocked.holds(session)),
        ('d', state.dirty),
        ('e', state.no_evict),
    ];
    let set: String = known.iter().filter(|(_, set)| *set).map(|(flag, _)| *flag).collect();
    if set.is_empty() { "N".to_owned() } else { set }
}

/// The types of clients.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Normal,
    Subscriber,
    /// Masters and replicas, of which there are none.
    Replication,
}

impl Type {
    /// `getClientTypeByName`.
    pub(super) fn parse(name: &[u8]) -> Result<Self, Reply> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Type::Normal),
            b"pubsub" => Ok(Type::Subscriber),
            b"slave" | b"replica" | b"master" => Ok(Type::Replication),
            _ => Err(error(format!("ERR Unknown client type '{}'", quotable(name, usize::MAX)))),
        }
    }

    /// `getClientType`.
    pub(super) fn is_of(self, core: &Core, session: SessionId) -> bool {
        let subscribed = core.sessions.get(&session).is_some_and(Session::is_subscribed);
        self == if subscribed { Type::Subscriber } else { Type::Normal }
    }
}
