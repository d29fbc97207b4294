//! Transcripts of Redis.
//!
//! - `> ` is a command in the quoting of an inline command, sent as RESP; `>> ` are raw bytes, escaped.
//! - `< ` are the bytes that came, escaped.
//! - `! name value` is a line of `redis.conf`, or one of four facts about the server that was recorded:
//!   `! unix-ms 1780000000000`, when the transcript begins by its calendar clock, and
//!   `! clients-before 5`, how many connections it had accepted by then, because it numbers them;
//!   `! timer-ms 101` and `! timer-phase-ms 30`, how often its timer came by, and how long after the beginning
//!   for the first time, both 100 without it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use bytes::BytesMut;

use super::clocks::{Clocks, SOME_MORNING_MS};
use super::machine::Machine;
use super::{Line, Stage, Tamper, TranscriptError, prefix, settings, unescape};
use crate::model::{Model, Outbox, SessionId};
use crate::redis::resp::{decode_request, encode_reply, encode_request};
use crate::redis::{Config, Disk, Redis, Reply};
use crate::time::HostTime;

/// Sessions with such numbers are those that came and went before the transcript begins.
const BEFORE: u64 = 1 << 32;

/// The transcript with the model's answers, under `tamper`.
///
/// # Errors
/// When the transcript is none.
pub fn replay(transcript: &str, tamper: &mut dyn Tamper<Redis>) -> Result<String, TranscriptError> {
    let began_unix_ms = number(transcript, "unix-ms")?.unwrap_or(SOME_MORNING_MS);
    let mut server = Server::start(settings(transcript)?, began_unix_ms, tamper);
    if let Some(tick_ms) = number(transcript, "timer-ms")? {
        server.machine.clocks.set_tick_ms(tick_ms);
    }
    if let Some(phase_ms) = number(transcript, "timer-phase-ms")? {
        server.machine.clocks.set_phase_ms(phase_ms);
    }
    server.let_pass(number(transcript, "clients-before")?.unwrap_or(0));
    super::replay(transcript, &mut server)
}

/// A fact about the server that is a number.
fn number(transcript: &str, name: &str) -> Result<Option<u64>, TranscriptError> {
    let line = super::lines(transcript).find(|line| {
        line.sign == "!" && line.text.split_once(' ').is_some_and(|(found, _)| found == name)
    });
    let Some(line) = line else { return Ok(None) };
    let digits = line.text[name.len()..].trim();
    digits.parse().map(Some).map_err(|_| line.error("not a number"))
}

/// One client's connection, as the server has it.
#[derive(Default)]
struct Connection {
    input: BytesMut,
    output: BytesMut,
    closed: bool,
    told: bool,
}

struct Server<'a> {
    machine: Machine<'a, Redis>,
    connections: BTreeMap<SessionId, Connection>,
    /// Who has something to say next, perhaps.
    answered: VecDeque<SessionId>,
}

impl<'a> Server<'a> {
    fn start(
        settings: Vec<(&str, &str)>,
        began_unix_ms: u64,
        tamper: &'a mut dyn Tamper<Redis>,
    ) -> Self {
        let clocks = Clocks::new(began_unix_ms, Redis::TICK);
        let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let config = Config { settings: settings.collect(), ..Config::default() };
        let redis = Redis::boot(config, Disk::default(), clocks.now());
        let machine = Machine::new(redis, clocks, tamper);
        Self { machine, connections: BTreeMap::new(), answered: VecDeque::new() }
    }

    /// Has as many clients come and go.
    fn let_pass(&mut self, clients: u64) {
        for number in 0..clients {
            let session = SessionId(BEFORE + number);
            self.connect(session);
            self.disconnect(session);
        }
    }

    /// A command in the quoting of an inline one, sent as RESP.
    fn send_command(&mut self, line: &Line<'_>) -> Result<(), TranscriptError> {
        let mut text = BytesMut::from(format!("{}\r\n", line.text).as_bytes());
        let words = decode_request(&mut text).map_err(|error| line.error(error.to_string()))?;
        let words = words.ok_or_else(|| line.error("no command"))?;
        let words: Vec<&[u8]> = words.iter().collect();
        let mut bytes = BytesMut::new();
        encode_request(&words, &mut bytes);
        self.send_bytes(SessionId(line.connection), &bytes);
        Ok(())
    }

    fn send_bytes(&mut self, session: SessionId, bytes: &[u8]) {
        if !self.connections.contains_key(&session) {
            self.connect(session);
        }
        let connection = self.connections.entry(session).or_default();
        if !connection.closed {
            connection.input.extend_from_slice(bytes);
            self.answered.push_back(session);
            self.read_requests();
        }
    }

    fn connect(&mut self, session: SessionId) {
        self.act(|redis, now, _| redis.connect(now, session));
    }

    fn disconnect(&mut self, session: SessionId) {
        self.connections.remove(&session);
        self.forget(session);
        self.read_requests();
    }

    /// A connection has ended, from whichever side.
    fn forget(&mut self, session: SessionId) {
        self.act(|redis, now, out| redis.disconnect(now, session, out));
    }

    /// Takes every request that the model listens to, until there is none. Each session is read to its end before the
    /// next, those first that were answered first, as the real event loop goes on with clients that waited.
    fn read_requests(&mut self) {
        loop {
            while let Some(session) = self.answered.pop_front() {
                while self.read_request(session) {}
            }
            let sessions: Vec<SessionId> = self.connections.keys().copied().collect();
            match sessions.into_iter().find(|session| self.read_request(*session)) {
                Some(session) => self.answered.push_front(session),
                None => return,
            }
        }
    }

    fn read_request(&mut self, session: SessionId) -> bool {
        let Some(connection) = self.connections.get_mut(&session) else { return false };
        if connection.closed || !self.machine.model.listens(session) {
            return false;
        }
        match self.machine.model.decode(session, &mut connection.input) {
            Ok(Some(request)) => {
                let out = self.machine.apply(session, request);
                self.deliver(out);
                true
            }
            Ok(None) => false,
            Err(error) => {
                encode_reply(&error.reply(), &mut connection.output);
                connection.closed = true;
                self.forget(session);
                false
            }
        }
    }

    fn act(&mut self, act: impl FnOnce(&mut Redis, HostTime, &mut Outbox<Reply>)) {
        let out = self.machine.act(act);
        self.deliver(out);
    }

    fn deliver(&mut self, out: Outbox<Reply>) {
        for (session, reply) in &out.replies {
            if let Some(connection) = self.connections.get_mut(session) {
                encode_reply(reply, &mut connection.output);
                self.answered.push_back(*session);
            }
        }
        for session in &out.closed {
            if let Some(connection) = self.connections.get_mut(session) {
                connection.closed = true;
            }
        }
        for session in out.closed {
            self.forget(session);
        }
    }
}

impl Stage for Server<'_> {
    fn carry_out(&mut self, line: &Line<'_>) -> Result<(), TranscriptError> {
        let session = SessionId(line.connection);
        match line.sign {
            ">" => self.send_command(line)?,
            ">>" => {
                let bytes = unescape(line.text).ok_or_else(|| line.error("a wrong escape"))?;
                self.send_bytes(session, &bytes);
            }
            "-" => self.disconnect(session),
            _ => return Err(line.error("no such sign")),
        }
        Ok(())
    }

    fn run_for(&mut self, duration_ms: u64) {
        let end_ns = self.machine.clocks.after_ms(duration_ms);
        while let Some(out) = self.machine.next(end_ns) {
            self.deliver(out);
            self.read_requests();
        }
    }

    fn answers(&mut self) -> String {
        let mut text = String::new();
        for (session, connection) in &mut self.connections {
            let name = prefix(session.0);
            if !connection.output.is_empty() {
                let bytes = connection.output.split().escape_ascii().to_string();
                writeln!(text, "{name}< {bytes}").expect("a string takes it");
            }
            if connection.closed && !connection.told {
                connection.told = true;
                writeln!(text, "{name}x").expect("a string takes it");
            }
        }
        text
    }
}
