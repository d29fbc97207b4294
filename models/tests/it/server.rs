//! A model with the front end that a transcript needs: connections as plain byte buffers, no sockets.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use bytes::BytesMut;
use picklock_models::model::{Model, Outbox, SessionId};
use picklock_models::redis::resp::{decode_request, encode_reply, encode_request};
use picklock_models::redis::{Config, Disk, Redis, Reply};
use picklock_models::time::{HostTime, SteadyTime, WallTime};

/// One client's connection, as the server has it.
#[derive(Default)]
struct Connection {
    input: BytesMut,
    output: BytesMut,
    closed: bool,
    told: bool,
}

/// A server under test.
pub(crate) struct Server {
    redis: Redis,
    now_ns: u64,
    connections: BTreeMap<SessionId, Connection>,
    alarm: Option<SteadyTime>,
}

impl Server {
    pub(crate) fn start(settings: Vec<(String, String)>) -> Self {
        let config = Config { settings, ..Config::default() };
        let redis = Redis::boot(config, Disk::default(), at(0));
        Self { redis, now_ns: 0, connections: BTreeMap::new(), alarm: None }
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now_ns + duration.as_nanos() as u64;
        let tick = Redis::TICK.as_nanos() as u64;
        loop {
            let ticks = (self.now_ns / tick + 1) * tick;
            let alarm = self.alarm.map_or(u64::MAX, SteadyTime::as_nanos);
            let next = ticks.min(alarm);
            if next > end {
                break;
            }
            self.now_ns = self.now_ns.max(next);
            if next == alarm {
                self.alarm = None;
                self.act(|redis, now, out| redis.wake(now, out));
            } else {
                self.act(|redis, now, out| redis.tick(now, out));
            }
        }
        self.now_ns = end;
    }

    /// A command in the quoting of an inline one, sent as RESP.
    pub(crate) fn send_command(&mut self, connection: u64, command: &str) {
        let mut line = BytesMut::from(format!("{command}\r\n").as_bytes());
        let words = decode_request(&mut line).expect("a well-formed row").expect("a whole row");
        let words: Vec<&[u8]> = words.iter().collect();
        let mut bytes = BytesMut::new();
        encode_request(&words, &mut bytes);
        self.send_bytes(connection, &bytes);
    }

    pub(crate) fn send_bytes(&mut self, connection: u64, bytes: &[u8]) {
        let session = SessionId(connection);
        if !self.connections.contains_key(&session) {
            self.redis.connect(at(self.now_ns), session);
        }
        let connection = self.connections.entry(session).or_default();
        if !connection.closed {
            connection.input.extend_from_slice(bytes);
            self.read_requests();
        }
    }

    pub(crate) fn disconnect(&mut self, connection: u64) {
        self.connections.remove(&SessionId(connection));
        self.act(|redis, now, out| redis.disconnect(now, SessionId(connection), out));
    }

    /// Takes every request that the model listens to, until there is none.
    fn read_requests(&mut self) {
        let sessions: Vec<SessionId> = self.connections.keys().copied().collect();
        for session in sessions {
            while self.read_request(session) {}
        }
    }

    fn read_request(&mut self, session: SessionId) -> bool {
        let Some(connection) = self.connections.get_mut(&session) else { return false };
        if connection.closed || !self.redis.listens(session) {
            return false;
        }
        match self.redis.decode(session, &mut connection.input) {
            Ok(Some(request)) => {
                self.act(|redis, now, out| redis.apply(now, session, request, out));
                true
            }
            Ok(None) => false,
            Err(error) => {
                encode_reply(&error.reply(), &mut connection.output);
                connection.closed = true;
                false
            }
        }
    }

    fn act(&mut self, act: impl FnOnce(&mut Redis, HostTime, &mut Outbox<Reply>)) {
        let mut out = Outbox::default();
        act(&mut self.redis, at(self.now_ns), &mut out);
        self.alarm = out.alarm.or(self.alarm);
        for (session, reply) in &out.replies {
            if let Some(connection) = self.connections.get_mut(session) {
                encode_reply(reply, &mut connection.output);
            }
        }
        for session in &out.closed {
            if let Some(connection) = self.connections.get_mut(session) {
                connection.closed = true;
            }
        }
        self.read_requests();
    }

    /// What each connection was sent since this was last asked.
    pub(crate) fn received(&mut self) -> String {
        let mut text = String::new();
        for (session, connection) in &mut self.connections {
            let name = if session.0 == 1 { String::new() } else { session.0.to_string() };
            if !connection.output.is_empty() {
                let bytes = connection.output.split().escape_ascii().to_string();
                writeln!(text, "  {name}< {bytes}").expect("a string takes it");
            }
            if connection.closed && !connection.told {
                connection.told = true;
                writeln!(text, "  {name}x").expect("a string takes it");
            }
        }
        text
    }
}

/// A server time: `ns` after some morning in 2026.
fn at(ns: u64) -> HostTime {
    let wall = WallTime::from_unix_nanos(1_780_000_000_000_000_000 + ns);
    HostTime { steady: SteadyTime::from_nanos(ns), wall }
}
