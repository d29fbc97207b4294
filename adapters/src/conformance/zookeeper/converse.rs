//! A conversation with a real ZooKeeper, written down.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use picklock_models::transcript::zookeeper::{Lens, Server, asked, heard};
use picklock_models::transcript::{Faithful, Line, lines, prefix};
use picklock_models::zookeeper::{ConnectResponse, Operation, Reply, Request};

use super::janitor::Janitor;
use super::wire::Wire;
use crate::conformance::ConversationError;
use crate::conformance::pace::{Owed, Pace};
use crate::servers::Running;

/// The tick of the servers: short, so that sessions that end need not be waited for long.
pub(super) const TICK_MS: u32 = 200;
/// A server that has not said by then what the model says will not say it.
const PATIENCE: Duration = Duration::from_millis(1500);
/// At the end, whatever the model does not know of has as long to come.
const LAST_WORDS: Duration = Duration::from_millis(5);

/// Empties the server and carries the steps out.
pub(super) fn converse(server: &Running, steps: &[String]) -> Result<String, ConversationError> {
    let head = format!(
        "= zookeeper {}\n! tickTime {TICK_MS}\n! extendedTypesEnabled true\n",
        server.version()
    );
    let before = Janitor::enter(server.address())?.clean()?;
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut faithful = Faithful;
    let rehearsal = Server::start(&head, &mut faithful);
    let mut talk = Conversation {
        address: server.address(),
        rehearsal: rehearsal.map_err(|error| ConversationError::lost(&head, error))?,
        lens: Lens::new(before.0, began.as_millis() as i64),
        wires: BTreeMap::new(),
        sessions: BTreeMap::new(),
        pace: Pace::begin(),
        owed: Owed::default(),
        transcript: head,
    };
    for step in steps {
        talk.step(step)?;
    }
    talk.last_words()?;
    let Conversation { sessions, transcript, .. } = talk;
    Janitor::end(server.address(), sessions.into_values())?;
    Ok(transcript)
}

struct Conversation<'a> {
    address: SocketAddr,
    /// The model in the same play: it says what to wait for, never what is right.
    rehearsal: Server<'a>,
    lens: Lens,
    wires: BTreeMap<u64, Wire>,
    /// Which session is on which connection, or was.
    sessions: BTreeMap<u64, ConnectResponse>,
    pace: Pace,
    owed: Owed,
    transcript: String,
}

impl Conversation<'_> {
    fn step(&mut self, step: &str) -> Result<(), ConversationError> {
        let Some(line) = lines(step).next() else { return Ok(()) };
        if line.sign == "@" {
            thread::sleep(Duration::from_millis(line.text.parse().unwrap_or(0)));
            return self.tell_time();
        }
        self.tell_time()?;
        match line.sign {
            "-" if self.wires.get(&line.connection).is_some_and(|wire| !wire.has_ended()) => {
                self.wires.remove(&line.connection);
                self.write(step)?;
                // The server learns of it in its own time.
                thread::sleep(Duration::from_millis(20));
            }
            ">" => self.say(&line, step)?,
            _ => {}
        }
        Ok(())
    }

    /// Waits until it is certain what has ended by itself, and writes down how long it took.
    fn tell_time(&mut self) -> Result<(), ConversationError> {
        while let Some(doubt) = self.pace.doubt() {
            thread::sleep(doubt);
        }
        if let Some(line) = self.pace.line() {
            self.write(&line)?;
            self.receive()?;
        }
        Ok(())
    }

    fn say(&mut self, line: &Line<'_>, step: &str) -> Result<(), ConversationError> {
        let is_first = line.text.starts_with("Connect{") || line.text.starts_with('"');
        let open = self.wires.get(&line.connection).map(|wire| !wire.has_ended());
        if open.map_or(!is_first, |open| !open || is_first) {
            return Ok(());
        }
        let mut next_xid = self.wires.get(&line.connection).map_or(1, |wire| wire.next_xid);
        // A session that nobody has begun, because its step was taken out.
        let Ok(request) = asked(line.text, &self.lens, &mut next_xid) else { return Ok(()) };
        if open.is_none() {
            self.wires.insert(line.connection, Wire::open(self.address)?);
        }
        let since = Instant::now();
        if let Some(wire) = self.wires.get_mut(&line.connection) {
            wire.next_xid = next_xid;
            wire.send(&request);
        }
        self.write(step)?;
        self.receive()?;
        self.touched(line.connection, &request, since);
        Ok(())
    }

    /// A request keeps its session alive, or ends it.
    fn touched(&mut self, connection: u64, request: &Request, since: Instant) {
        let Some(session) = self.sessions.get(&connection) else { return };
        let name = session.session.0.to_string();
        match request {
            Request::Call { operation: Ok(Operation::CloseSession(())), .. } => {
                self.pace.forget(&name);
            }
            // Credentials do not.
            Request::Call { operation: Ok(Operation::Auth(_) | Operation::Sasl(_)), .. } => {}
            _ => {
                let lasts = Duration::from_millis(session.timeout_ms.unsigned_abs().into());
                self.pace.lasts(&name, since, lasts, Duration::from_millis(TICK_MS.into()));
            }
        }
    }

    /// Writes a step down, and has the model say what will come of it.
    fn write(&mut self, step: &str) -> Result<(), ConversationError> {
        self.transcript += step;
        self.transcript.push('\n');
        let expected = self.rehearsal.play(step);
        self.owed.expect(&expected.map_err(|error| ConversationError::lost(step, error))?);
        Ok(())
    }

    /// Receives what has come, and waits for what should.
    fn receive(&mut self) -> Result<(), ConversationError> {
        let begin = Instant::now();
        while let Some(connection) = self.owed.next() {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            if left.is_zero() || !self.receive_on(connection, left)? {
                self.owed.forgive(connection);
            }
        }
        Ok(())
    }

    /// Whether something came on a connection within this time.
    fn receive_on(&mut self, number: u64, limit: Duration) -> Result<bool, ConversationError> {
        let Some(wire) = self.wires.get_mut(&number) else { return Ok(false) };
        let name = prefix(number);
        match wire.next(limit) {
            Ok(Some(reply)) => {
                if let Reply::Connected(response) = &reply
                    && response.session.0 != 0
                {
                    self.sessions.insert(number, response.clone());
                }
                let heard = heard(&reply, &mut self.lens);
                self.transcript += &format!("{name}< {heard}\n");
            }
            Ok(None) => self.transcript += &format!("{name}x\n"),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::NotConnected => {
                    return Ok(false);
                }
                _ => return Err(error.into()),
            },
        }
        self.owed.received(number);
        Ok(true)
    }

    /// What comes that the model did not know of.
    fn last_words(&mut self) -> Result<(), ConversationError> {
        self.tell_time()?;
        let numbers: Vec<u64> = self.wires.keys().copied().collect();
        for number in numbers {
            while self.receive_on(number, LAST_WORDS)? {}
        }
        Ok(())
    }
}
