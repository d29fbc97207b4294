//! Transcripts of ZooKeeper.
//!
//! Every message is a [`Note`]:
//!
//! ```text
//! ! tickTime 200
//! > Connect{timeout_ms=1000}
//! < Connected{timeout_ms=1000 session=s1 password=p1}
//! > Create{path="/r/lock-" data="" acl=["31 world:anyone"] flags=3}
//! < Answer{xid=1 zxid=3 is=Path{path="/r/lock-0000000000"}}
//! 2> Connect{timeout_ms=1000 session=s1 password=p1}
//! 1x
//! 2< Connected{timeout_ms=1000 session=s1 password=p1}
//! 2> Exists{path="/r/no" watch=true}
//! 2< Answer{xid=1 zxid=3 error=NoNode}
//! ```
//!
//! The client's numbers for its operations count from 1 on each connection; pings, credentials and
//! watches that are set again have the numbers that real clients give them. `Unreadable{opcode=999}` is
//! an operation without a body, a quoted text are four letters. Transactions count from 1, times in
//! milliseconds, from the beginning of the transcript; sessions and passwords have names in the order in
//! which they appeared. What a server has in no order is sorted: names of children, credentials.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::BytesMut;

use super::clocks::{Clocks, SOME_MORNING_MS};
use super::machine::Machine;
use super::notation::{Note, Noted, Unreadable, take};
use super::{Line, Stage, Tamper, TranscriptError, prefix};
use crate::model::{Model, Outbox, SessionId};
use crate::zookeeper::jute::Malformed;
use crate::zookeeper::records::WatcherEvent;
use crate::zookeeper::{Code, Config, Disk, Operation, Reply, Request, ZooKeeper};

mod lens;

pub use lens::Lens;

/// The transcript with the model's answers, under `tamper`.
///
/// # Errors
/// When the transcript is none.
pub fn replay(
    transcript: &str,
    tamper: &mut dyn Tamper<ZooKeeper>,
) -> Result<String, TranscriptError> {
    super::replay(transcript, &mut Server::start(transcript, tamper)?)
}

/// The number that a client of ZooKeeper's own gives this operation, if it is always the same one.
fn fixed_xid(operation: &Operation) -> Option<i32> {
    match operation {
        Operation::Ping(()) => Some(-2),
        Operation::Auth(_) => Some(-4),
        Operation::SetWatches(_) | Operation::SetWatches2(_) => Some(-8),
        _ => None,
    }
}

/// The request that `text` is, as `lens` understands it. `next_xid` is the number for it, which is
/// counted up if it is used.
///
/// # Errors
/// If it is none.
pub fn asked(text: &str, lens: &Lens, next_xid: &mut i32) -> Result<Request, Unreadable> {
    let note = lens.meant(Note::parse(text)?)?;
    if let Note::Text(word) = &note {
        let word = word.as_ref().try_into();
        return word.map(Request::Word).map_err(|_| Unreadable("not four letters".to_owned()));
    }
    let mut next = || {
        *next_xid += 1;
        *next_xid - 1
    };
    Ok(match note.fields()?.0 {
        "Connect" => Request::Connect(Noted::from_note(&note)?),
        "Unreadable" => {
            let opcode = take(&note, "opcode")?;
            Request::Call { xid: next(), opcode, operation: Err(Malformed) }
        }
        _ => {
            let operation = Operation::from_note(&note)?;
            Request::call(fixed_xid(&operation).unwrap_or_else(next), operation)
        }
    })
}

/// How a transcript has something that a server said.
pub fn heard(reply: &Reply, lens: &mut Lens) -> String {
    let note = match reply {
        Reply::Text(text) => text.note(),
        Reply::Connected(response) => response.note().named("Connected"),
        Reply::Event(event) => told_event(event),
        Reply::Answer { xid, zxid, answer } => {
            let (name, what) = match answer {
                Ok(answer) => ("is", answer.note()),
                Err(code) => ("error", told_code(*code)),
            };
            let fields = [("xid", xid.note()), ("zxid", zxid.note()), (name, what)];
            Note::record("Answer", fields.map(|(name, note)| (name.to_owned(), note)).into())
        }
    };
    lens.told(note).to_string()
}

/// What happened, in words; the state is always the same one.
fn told_event(event: &WatcherEvent) -> Note {
    const CONNECTED: i32 = 3;
    let name = match event.kind {
        1 => "Created",
        2 => "Deleted",
        3 => "DataChanged",
        4 => "ChildrenChanged",
        _ => return event.note().named("Event"),
    };
    let mut fields =
        vec![("is".to_owned(), Note::word(name)), ("path".to_owned(), event.path.note())];
    if event.state != CONNECTED {
        fields.push(("state".to_owned(), event.state.note()));
    }
    Note::record("Event", fields)
}

fn told_code(code: Code) -> Note {
    Note::word(format!("{code:?}"))
}

/// A model that a transcript is played on.
pub struct Server<'a> {
    machine: Machine<'a, ZooKeeper>,
    lens: Lens,
    connections: BTreeMap<SessionId, Connection>,
}

/// What a client has of a connection.
#[derive(Default)]
struct Connection {
    next_xid: i32,
    /// What the server has not taken yet.
    input: BytesMut,
    unread: Vec<Reply>,
    ended: bool,
    /// Whether the end was told.
    told: bool,
}

impl<'a> Server<'a> {
    /// One that has just been started, with the settings in a transcript's head.
    ///
    /// # Errors
    /// If one of them makes no sense.
    pub fn start(
        transcript: &str,
        tamper: &'a mut dyn Tamper<ZooKeeper>,
    ) -> Result<Self, TranscriptError> {
        let mut config = Config::default();
        for line in super::lines(transcript).filter(|line| line.sign == "!") {
            let set = match line.text.split_once(' ') {
                Some(("tickTime", value)) => value.parse().map(|ms| config.tick_ms = ms).is_ok(),
                Some(("extendedTypesEnabled", value)) => {
                    value.parse().map(|on| config.extended_types = on).is_ok()
                }
                _ => false,
            };
            if !set {
                return Err(line.error("no such setting"));
            }
        }
        let clocks = Clocks::new(SOME_MORNING_MS, ZooKeeper::TICK);
        let lens = Lens::new(0, clocks.now().wall.unix_ms());
        let zookeeper = ZooKeeper::boot(config, Disk::default(), clocks.now());
        let machine = Machine::new(zookeeper, clocks, tamper);
        Ok(Self { machine, lens, connections: BTreeMap::new() })
    }

    /// What comes of one more line of the transcript, as lines.
    ///
    /// # Errors
    /// When it is none.
    pub fn play(&mut self, line: &str) -> Result<String, TranscriptError> {
        super::perform(&Line::new(1, line), self)
    }

    fn deliver(&mut self, out: Outbox<Reply>) {
        for (session, reply) in out.replies {
            if let Some(connection) = self.connections.get_mut(&session).filter(|it| !it.ended) {
                connection.unread.push(reply);
            }
        }
        for session in out.closed {
            if let Some(connection) = self.connections.get_mut(&session) {
                connection.ended = true;
            }
        }
    }

    /// By way of its bytes, because what cannot be read is answered, too.
    fn take_requests(&mut self, session: SessionId) {
        while let Some(connection) = self.connections.get_mut(&session).filter(|it| !it.ended) {
            match self.machine.model.decode(session, &mut connection.input) {
                Ok(Some(request)) => {
                    let out = self.machine.apply(session, request);
                    self.deliver(out);
                }
                Ok(None) => return,
                Err(Malformed) => {
                    connection.ended = true;
                    self.disconnect(session);
                }
            }
        }
    }

    fn connect(&mut self, session: SessionId) {
        let new = Connection { next_xid: 1, ..Connection::default() };
        self.connections.insert(session, new);
        self.machine.act(|zookeeper, now, _| zookeeper.connect(now, session));
    }

    fn disconnect(&mut self, session: SessionId) {
        let out = self.machine.act(|it, now, out| it.disconnect(now, session, out));
        self.deliver(out);
    }
}

impl Stage for Server<'_> {
    fn carry_out(&mut self, line: &Line<'_>) -> Result<(), TranscriptError> {
        let session = SessionId(line.connection);
        match line.sign {
            ">" => {
                if !self.connections.contains_key(&session) {
                    self.connect(session);
                }
                let Some(connection) = self.connections.get_mut(&session) else { return Ok(()) };
                let request = asked(line.text, &self.lens, &mut connection.next_xid);
                let request = request.map_err(|why| line.error(why.0))?;
                request.encode(&mut connection.input);
                self.take_requests(session);
            }
            "-" => {
                if let Some(connection) = self.connections.get_mut(&session) {
                    (connection.ended, connection.told) = (true, true);
                    self.disconnect(session);
                }
            }
            _ => return Err(line.error("no such sign")),
        }
        Ok(())
    }

    fn run_for(&mut self, duration_ms: u64) {
        let end_ns = self.machine.clocks.after_ms(duration_ms);
        while let Some(out) = self.machine.next(end_ns) {
            self.deliver(out);
        }
    }

    fn answers(&mut self) -> String {
        let mut text = String::new();
        for (session, connection) in &mut self.connections {
            let name = prefix(session.0);
            for reply in connection.unread.drain(..) {
                let heard = heard(&reply, &mut self.lens);
                writeln!(text, "{name}< {heard}").expect("a string takes it");
            }
            if connection.ended && !connection.told {
                connection.told = true;
                writeln!(text, "{name}x").expect("a string takes it");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
