//! A conversation with a real Redis, written down.
//!
//! Redis does one thing after the other, so a connection of our own, the **watcher**, can tell when a step is
//! done: what it asks after the step is answered after the step, and what the step gave others to read leaves the
//! server before a second answer does. So nothing has to be waited for, and nothing is missed. The watcher is
//! part of the transcript, as connection 9, because the server counts its clients.
//!
//! The time that goes by between steps is measured and written down. A step that took too long, on a busy
//! machine, leaves in doubt when the server saw it; then the whole conversation is held again.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use picklock_models::transcript::prefix;

use super::step::{Step, WAIT_MS, Word, encode, quote};
use crate::conformance::ConversationError;
use crate::servers::Running;

/// A step that took longer leaves its time in doubt. It takes 0.2 ms on an idle machine.
const TOO_LONG: Duration = Duration::from_millis(15);
/// How often a conversation is held anew for that reason.
const ATTEMPTS: usize = 5;
/// A server that says nothing for so long has stopped.
const PATIENCE: Duration = Duration::from_secs(20);
/// The watcher's connection; others like it follow if it is killed.
const WATCHER: u64 = 9;
/// The number of the first client since a server's start.
const FIRST_CLIENT: u64 = 3;
/// The start of scripts' random numbers in a fresh server (`rand.c`), as a seed.
const FIRST_SEED: u32 = 0x1234_ABCD;

/// Holds the conversation, again if its times are in doubt.
pub(super) fn converse(server: &Running, steps: &[Step]) -> Result<String, ConversationError> {
    let mut attempt = 1;
    loop {
        let mut talk = Talk::begin(server)?;
        for step in steps {
            // The whole transcript, because a server that dies must be made to do so again.
            talk.carry_out(step).map_err(|error| ConversationError::lost(&talk.text, error))?;
        }
        if talk.slowest <= TOO_LONG || attempt == ATTEMPTS {
            return Ok(talk.text);
        }
        attempt += 1;
    }
}

/// A connection that the server may have ended.
struct Client {
    stream: TcpStream,
    id: u64,
    closed: bool,
}

struct Talk {
    address: SocketAddr,
    began: Instant,
    began_unix_ms: u64,
    /// How much of the time since then is written down.
    written_ms: u64,
    clients: BTreeMap<u64, Client>,
    watcher: u64,
    next_id: u64,
    /// Connections that sent something since CLIENT PAUSE and have not heard of it: they hold their peace until
    /// the next wait. What a client sends behind a command that is held back is answered in another order
    /// than in the model (docs/MODELS.md).
    held_up: BTreeSet<u64>,
    paused: bool,
    slowest: Duration,
    text: String,
}

impl Talk {
    /// Empties the server and writes the header.
    fn begin(server: &Running) -> Result<Self, ConversationError> {
        let mut watcher = connect(server.address())?;
        empty(&mut watcher)?;
        let id = ask(&mut watcher, &["CLIENT", "ID"])?;
        let id: u64 = id
            .trim_start_matches(':')
            .parse()
            .map_err(|_| ConversationError::lost("CLIENT ID", &id))?;
        let began_unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began_unix_ms = u64::try_from(began_unix.as_millis()).unwrap_or(u64::MAX);
        ask(&mut watcher, &["PING"])?;
        let text = format!(
            "= redis {}\n! enable-debug-command local\n! unix-ms {began_unix_ms}\n\
             ! clients-before {}\n{WATCHER}> PING\n{WATCHER}< +PONG\\r\\n\n",
            server.version(),
            id - FIRST_CLIENT,
        );
        Ok(Self {
            address: server.address(),
            began: Instant::now(),
            began_unix_ms,
            written_ms: 0,
            clients: BTreeMap::from([(WATCHER, Client { stream: watcher, id, closed: false })]),
            watcher: WATCHER,
            next_id: id + 1,
            held_up: BTreeSet::new(),
            paused: false,
            slowest: Duration::ZERO,
            text,
        })
    }

    fn carry_out(&mut self, step: &Step) -> Result<(), ConversationError> {
        if self.must_not(step) {
            return Ok(());
        }
        match step {
            Step::Wait => {
                std::thread::sleep(Duration::from_millis(WAIT_MS));
                (self.paused, self.held_up) = (false, BTreeSet::new());
                self.sync()?;
                self.write_time();
            }
            Step::HangUp { connection } => {
                self.write_time();
                self.clients.remove(connection);
                self.line(format_args!("{}-", prefix(*connection)));
                self.timed(|_| Ok(()))?;
            }
            Step::Send { connection, words } => {
                self.open(*connection)?;
                self.write_time();
                let words: Vec<Vec<u8>> = words.iter().map(|word| self.resolve(word)).collect();
                self.line(format_args!("{}> {}", prefix(*connection), quote(&words)));
                self.timed(|talk| talk.send(*connection, &encode(&words)))?;
                self.paused |= is_pause(&words);
            }
            Step::Raw { connection, bytes } => {
                self.open(*connection)?;
                self.write_time();
                let escaped = bytes.escape_ascii();
                self.line(format_args!("{}>> {escaped}", prefix(*connection)));
                self.timed(|talk| talk.send(*connection, bytes))?;
            }
        }
        self.collect(step.connection())?;
        self.introduce_watcher();
        Ok(())
    }

    /// Steps that are left out during a CLIENT PAUSE: those of a client that is held up, and the one that 7.0.15
    /// dies of (CLIENT UNBLOCK of such a client).
    fn must_not(&self, step: &Step) -> bool {
        let Some(connection) = step.connection().filter(|_| self.paused) else { return false };
        let Step::Send { words, .. } = step else { return self.held_up.contains(&connection) };
        self.held_up.contains(&connection) || words.contains(&Word::Text(b"UNBLOCK".into()))
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string takes it");
    }

    /// Writes down the whole milliseconds that went by since this was last done.
    fn write_time(&mut self) {
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let passed_ms = now_ms - self.written_ms;
        if passed_ms > 0 {
            self.line(format_args!("@ {passed_ms}"));
            self.written_ms = now_ms;
        }
    }

    /// Does something and waits until the server is done with it.
    fn timed(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), ConversationError>,
    ) -> Result<(), ConversationError> {
        let begin = Instant::now();
        act(self)?;
        self.sync()?;
        self.slowest = self.slowest.max(begin.elapsed());
        Ok(())
    }

    /// Opens the connection if there is none, and waits until the server has seen it.
    fn open(&mut self, connection: u64) -> Result<(), ConversationError> {
        if self.clients.contains_key(&connection) {
            return Ok(());
        }
        let stream = connect(self.address)?;
        stream.set_nonblocking(true)?;
        self.clients.insert(connection, Client { stream, id: self.next_id, closed: false });
        self.next_id += 1;
        self.sync()
    }

    /// A client whose connection the server has ended sends nothing any more.
    fn send(&mut self, connection: u64, bytes: &[u8]) -> Result<(), ConversationError> {
        let client = self.clients.get_mut(&connection).expect("it is open");
        if client.closed {
            return Ok(());
        }
        match client.stream.write_all(bytes) {
            // It ended the connection while this was on its way, which is seen when its answers are read.
            Err(error) if is_gone(&error) => Ok(()),
            written => Ok(written?),
        }
    }

    fn resolve(&self, word: &Word) -> Vec<u8> {
        let now_ms = i64::try_from(self.began_unix_ms + self.written_ms).unwrap_or(i64::MAX);
        match word {
            Word::Text(text) => text.clone(),
            // A client that is not there has a number that none will have.
            Word::ClientOf(connection) => {
                let id = self.clients.get(connection).map_or(9_999_999, |client| client.id);
                id.to_string().into()
            }
            Word::UnixMs(offset) => (now_ms + offset).to_string().into(),
            Word::UnixSeconds(offset) => (now_ms / 1000 + offset).to_string().into(),
        }
    }

    /// Waits until the server has done all that was sent, and let go of what it says: the first answer comes in
    /// the same round of its event loop as the step or in a later one, the second in a round after that.
    fn sync(&mut self) -> Result<(), ConversationError> {
        for _ in 0..3 {
            let watcher = self.clients.get_mut(&self.watcher).expect("there is always one");
            match ask(&mut watcher.stream, &["PING"]) {
                Ok(_) => {}
                // It was killed. It gets a successor, which the transcript tells of after the step.
                Err(error) if is_gone(&error) || error.kind() == ErrorKind::UnexpectedEof => {
                    watcher.closed = true;
                    let (stream, id, closed) = (connect(self.address)?, self.next_id, false);
                    self.next_id += 1;
                    self.watcher += 1;
                    self.clients.insert(self.watcher, Client { stream, id, closed });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Tells of a watcher that is new.
    fn introduce_watcher(&mut self) {
        let watcher = self.watcher;
        if self.clients.remove(&(watcher - 1)).is_some() {
            self.line(format_args!("{watcher}> PING"));
            self.line(format_args!("{watcher}< +PONG\\r\\n"));
        }
    }

    /// Writes down what came on each connection.
    fn collect(&mut self, sender: Option<u64>) -> Result<(), ConversationError> {
        let mut lines = String::new();
        for (number, client) in &mut self.clients {
            let name = prefix(*number);
            if *number >= WATCHER {
                if client.closed {
                    writeln!(lines, "{name}x").expect("a string takes it");
                }
                continue;
            }
            if client.closed {
                continue;
            }
            let (bytes, closed) = read_all(&mut client.stream)?;
            if !bytes.is_empty() {
                writeln!(lines, "{name}< {}", bytes.escape_ascii()).expect("a string takes it");
            }
            if closed {
                client.closed = true;
                writeln!(lines, "{name}x").expect("a string takes it");
            }
        }
        if let Some(connection) = sender.filter(|_| self.paused)
            && !lines.lines().any(|line| line.starts_with(&format!("{}< ", prefix(connection))))
        {
            self.held_up.insert(connection);
        }
        self.text += &lines;
        Ok(())
    }
}

fn is_pause(words: &[Vec<u8>]) -> bool {
    matches!(words, [client, pause, ..] if client.as_slice() == b"CLIENT" && pause.as_slice() == b"PAUSE")
}

/// Puts the server back to where it was after its start, but for its count of clients.
fn empty(watcher: &mut TcpStream) -> Result<(), ConversationError> {
    let begin = Instant::now();
    ask(watcher, &["CLIENT", "KILL", "TYPE", "normal"])?;
    ask(watcher, &["CLIENT", "KILL", "TYPE", "pubsub"])?;
    while ask(watcher, &["CLIENT", "LIST"])?.matches("id=").count() > 1 {
        if begin.elapsed() > PATIENCE {
            return Err(ConversationError::lost("CLIENT KILL", "others stay connected"));
        }
    }
    let seed = format!("math.randomseed({FIRST_SEED})");
    let orders: [&[&str]; 7] = [
        &["CLIENT", "UNPAUSE"],
        &["FLUSHALL"],
        &["EVAL", &seed, "0"],
        &["SCRIPT", "FLUSH"],
        &["CONFIG", "SET", "notify-keyspace-events", ""],
        &["CONFIG", "RESETSTAT"],
        &["DEBUG", "SET-ACTIVE-EXPIRE", "1"],
    ];
    for order in orders {
        let answer = ask(watcher, order)?;
        if answer.starts_with('-') {
            return Err(ConversationError::lost(&order.join(" "), &answer));
        }
    }
    Ok(())
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Asks a short question and waits for the whole answer, without its line end.
fn ask(stream: &mut TcpStream, words: &[&str]) -> io::Result<String> {
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    stream.write_all(&encode(&words))?;
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&piece[..count]);
        // One line, or a byte string, which ends with a line of its own.
        let lines = if answer.starts_with(b"$") && !answer.starts_with(b"$-1") { 2 } else { 1 };
        let ends = answer.windows(2).filter(|pair| pair == b"\r\n").count();
        if ends >= lines {
            return Ok(String::from_utf8_lossy(&answer).trim_end().to_owned());
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// What has come by now, and whether the server has ended the connection.
fn read_all(stream: &mut TcpStream) -> io::Result<(Vec<u8>, bool)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 65536]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok((bytes, true)),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) if is_gone(&error) => return Ok((bytes, true)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok((bytes, false)),
                ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}
