//! Transcripts: a conversation with a server as text, and the same conversation with a model.
//!
//! [`redis::replay`] and its kin take a transcript, carry out what was sent in it on a fresh model, and
//! give the same text back with the model's answers in place of the recorded ones. So whoever compares a
//! model with a real server compares two texts, and needs neither a second server nor a second to wait.
//!
//! One line for each thing that happened:
//!
//! | line | meaning |
//! |---|---|
//! | `= redis 7.0.15` | which server was recorded, and its version; what was not recorded has no such line |
//! | `! name value` | how the server was started |
//! | `> ..`, `2> ..` | connection 1, or 2, sends something; a connection opens with its first line |
//! | `2-` | connection 2 ends, from the client's side |
//! | `@ 1500` | 1500 milliseconds go by |
//! | `< ..`, `2< ..` | what came on connection 1, or 2, since the last line of another kind |
//! | `2x` | the server ended connection 2 |
//! | `# ..` | a remark |
//!
//! What `..` looks like is each store's own affair, and so are further signs for sending.

use std::fmt::Write;

use crate::model::{Model, Outbox, SessionId};
use crate::time::HostTime;

mod clocks;
pub mod etcd;
mod machine;
mod names;
pub mod notation;
pub mod redis;
pub mod zookeeper;

/// A transcript that does not make sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}: {text}")]
pub struct TranscriptError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
    /// The line itself.
    pub text: String,
}

/// One line: `12> x` is connection 12, sign `>` and text `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1 in the transcript.
    pub number: usize,
    /// The whole line.
    pub whole: &'a str,
    /// 1 if it names none.
    pub connection: u64,
    /// What kind of line it is.
    pub sign: &'a str,
    /// What comes after the sign and a space.
    pub text: &'a str,
}

impl<'a> Line<'a> {
    fn new(number: usize, whole: &'a str) -> Self {
        let digits = whole.bytes().take_while(u8::is_ascii_digit).count();
        let connection = whole[..digits].parse().unwrap_or(1);
        let rest = &whole[digits..];
        let (sign, text) = rest.split_once(' ').unwrap_or((rest, ""));
        Self { number, whole, connection, sign, text }
    }

    /// Whether it is something that the server did.
    pub fn is_answer(&self) -> bool {
        matches!(self.sign, "<" | "x")
    }

    /// Whether it is something that was done to the server: the lines that have answers.
    pub fn is_step(&self) -> bool {
        !self.is_answer() && !matches!(self.sign, "" | "#" | "!" | "=")
    }

    /// The complaint about it.
    pub fn error(&self, reason: impl Into<String>) -> TranscriptError {
        TranscriptError { line: self.number, reason: reason.into(), text: self.whole.to_owned() }
    }
}

/// The lines of a transcript.
pub fn lines(transcript: &str) -> impl Iterator<Item = Line<'_>> {
    transcript.lines().enumerate().map(|(index, line)| Line::new(index + 1, line))
}

/// The server and the version that was recorded.
pub fn recorded(transcript: &str) -> Option<(&str, &str)> {
    let line = lines(transcript).find(|line| line.sign == "=")?;
    line.text.split_once(' ')
}

/// A step, with what the server did after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// What was done.
    pub step: Line<'a>,
    /// What came of it.
    pub answers: Vec<Line<'a>>,
}

/// The steps of a transcript with what came of each. Answers before the first step belong to none and
/// are left out.
pub fn exchanges(transcript: &str) -> Vec<Exchange<'_>> {
    let mut exchanges: Vec<Exchange<'_>> = Vec::new();
    for line in lines(transcript) {
        if line.is_step() {
            exchanges.push(Exchange { step: line, answers: Vec::new() });
        } else if let (true, Some(exchange)) = (line.is_answer(), exchanges.last_mut()) {
            exchange.answers.push(line);
        }
    }
    exchanges
}

/// What calls a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A request, or a connection that opens or ends.
    Client,
    /// The server's own timer ([`Model::tick`]).
    Timer,
    /// The alarm that the model asked for ([`Model::wake`]).
    Alarm,
}

/// What gets between a model and the world, so that a test can plant a bug without any in the model.
/// Every method leaves things as they are unless it is written anew.
pub trait Tamper<M: Model> {
    /// Changes the time that the model is told.
    fn time(&mut self, caller: Caller, now: HostTime) -> HostTime {
        let _ = caller;
        now
    }

    /// Changes a request on its way to the model.
    fn request(&mut self, session: SessionId, request: &mut M::Request) {
        let _ = (session, request);
    }

    /// Changes what the model says after a call.
    fn outbox(&mut self, out: &mut Outbox<M::Reply>) {
        let _ = out;
    }
}

/// Leaves everything as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faithful;

impl<M: Model> Tamper<M> for Faithful {}

/// A model with connections as plain buffers, which a transcript is played on.
trait Stage {
    /// Carries out a line other than `@`.
    fn carry_out(&mut self, line: &Line<'_>) -> Result<(), TranscriptError>;

    /// Lets the time pass, with the server's timers running.
    fn run_for(&mut self, duration_ms: u64);

    /// What the connections got since this was last asked, in their order, as lines.
    fn answers(&mut self) -> String;
}

/// The transcript with the answers of `stage`.
fn replay(transcript: &str, stage: &mut impl Stage) -> Result<String, TranscriptError> {
    let mut text = String::with_capacity(transcript.len());
    for line in lines(transcript).filter(|line| !line.is_answer()) {
        writeln!(text, "{}", line.whole).expect("a string takes it");
        if !line.is_step() {
            continue;
        }
        text += &perform(&line, stage)?;
    }
    Ok(text)
}

/// What comes of one step.
fn perform(line: &Line<'_>, stage: &mut impl Stage) -> Result<String, TranscriptError> {
    if line.sign == "@" {
        let wait_ms = line.text.parse().map_err(|_| line.error("no milliseconds"))?;
        stage.run_for(wait_ms);
    } else {
        stage.carry_out(line)?;
    }
    Ok(stage.answers())
}

/// What stands in the `!` lines.
fn settings(transcript: &str) -> Result<Vec<(&str, &str)>, TranscriptError> {
    let rows = lines(transcript).filter(|line| line.sign == "!");
    rows.map(|line| line.text.split_once(' ').ok_or_else(|| line.error("no value"))).collect()
}

/// How a line about `connection` begins: connection 1 has no number.
pub fn prefix(connection: u64) -> String {
    if connection == 1 { String::new() } else { connection.to_string() }
}

/// The text with a bare `~` for each number behind one: what depends on when exactly a server was asked.
pub fn without_times(text: &str) -> String {
    let mut rest = text.split('~');
    let first = rest.next().unwrap_or_default().to_owned();
    rest.fold(first, |told, part| {
        told + "~" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

/// Bytes from what [`escape_ascii`](slice::escape_ascii) made of them; `None` if an escape is none.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        (rest, bytes) = match (first, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                (after, bytes)
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'\\' | b'\'' | b'"' => *escaped,
                    _ => return None,
                });
                (after, bytes)
            }
            (b'\\', []) => return None,
            _ => {
                bytes.push(*first);
                (after, bytes)
            }
        };
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_connection_a_sign_and_a_text() {
        let line = Line::new(3, "12>> PING\\r\\n");
        assert_eq!((line.connection, line.sign, line.text), (12, ">>", "PING\\r\\n"));
        assert!(line.is_step());
        let closed = Line::new(4, "2x");
        assert_eq!((closed.connection, closed.sign, closed.text), (2, "x", ""));
        assert!(closed.is_answer());
    }

    #[test]
    fn steps_are_told_from_what_came_of_them_and_from_remarks() {
        let text = "= redis 7.0.15\n# a remark\n! hz 10\n\n> GET a\n< $-1\\r\\n\n2x\n@ 5\n";
        assert_eq!(recorded(text), Some(("redis", "7.0.15")));
        let exchanges = exchanges(text);
        let told: Vec<_> =
            exchanges.iter().map(|one| (one.step.whole, one.answers.len())).collect();
        assert_eq!(told, [("> GET a", 2), ("@ 5", 0)]);
    }

    #[test]
    fn times_are_left_out() {
        assert_eq!(without_times("~5 a=~17}~b 3"), "~ a=~}~b 3");
        assert_eq!(without_times("7"), "7");
    }

    #[test]
    fn escaped_bytes_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape(&all.escape_ascii().to_string()), Some(all));
        assert_eq!(unescape("\\q"), None);
        assert_eq!(unescape("\\"), None);
        assert_eq!(unescape("\\xg0"), None);
    }
}
