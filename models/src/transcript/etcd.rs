//! Transcripts of etcd.
//!
//! A line names the call on its connection and what was sent or came on it, written as a
//! [`Note`]:
//!
//! ```text
//! > 1 LeaseGrant{ttl=2 id=7}
//! < 1 LeaseGrant{header={revision=1} id=7 ttl=2}
//! < 1 ok
//! > 2 Watch{create={key="lock"}}
//! < 2 Watch{header={revision=1} created=true}
//! 2> 1 Put{key="lock" lease=8}
//! 2< 1 Error{code=NotFound message="etcdserver: requested lease not found"}
//! > 2 gone
//! ```
//!
//! `end`: the client will say no more on that call; `gone`: it has given the call up. Calls with one
//! message end by themselves. Revisions count from the beginning of the transcript, where the store is
//! empty and at revision 1; leases that the server has named are `L1`, `L2` .. in the order in which they
//! appeared. Who a header is from, the same in all of them, is left out.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use super::clocks::{Clocks, SOME_MORNING_MS};
use super::machine::Machine;
use super::notation::{Note, Noted, Unreadable};
use super::{Line, Stage, Tamper, TranscriptError, prefix};
use crate::etcd::rpc::Request;
use crate::etcd::{Call, CallEvent, Config, Disk, Etcd, Reply, Status, StreamId};
use crate::model::{Model, Outbox, SessionId};

mod lens;
mod records;

pub use lens::Lens;

/// The transcript with the model's answers, under `tamper`.
///
/// # Errors
/// When the transcript is none.
pub fn replay(transcript: &str, tamper: &mut dyn Tamper<Etcd>) -> Result<String, TranscriptError> {
    super::replay(transcript, &mut Server::start(tamper))
}

/// What a client does on a call, without the number of the call.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A message.
    Message(Box<Request>),
    /// It will say no more.
    End,
    /// It has given the call up.
    Gone,
}

impl Said {
    /// What `text` says, as `lens` understands it.
    ///
    /// # Errors
    /// If it says nothing of that kind.
    pub fn read(text: &str, lens: &Lens) -> Result<Said, Unreadable> {
        Ok(match text {
            "end" => Said::End,
            "gone" => Said::Gone,
            text => Said::Message(Box::new(Request::from_note(&lens.meant(Note::parse(text)?)?)?)),
        })
    }
}

/// How a transcript has a message, or the end, of a call.
pub fn heard(reply: &Reply, lens: &mut Lens) -> String {
    match reply {
        Reply::Message(call, message) => {
            format!("{} {}", call.0, lens.told(about_the_time(message.note())))
        }
        Reply::End(call, status) if *status == Status::OK => format!("{} ok", call.0),
        Reply::End(call, status) => {
            let code = ("code".to_owned(), Note::word(format!("{:?}", status.code)));
            let message = ("message".to_owned(), status.message.to_string().note());
            format!("{} {}", call.0, Note::record("Error", vec![code, message]))
        }
    }
}

/// What is left of a lease depends on when exactly it is asked for.
fn about_the_time(note: Note) -> Note {
    let Note::Record(name, mut fields) = note else { return note };
    let left = fields.iter_mut().find(|(field, _)| name == "LeaseTimeToLive" && field == "ttl");
    if let Some((_, Note::Word(left))) = left
        && !left.starts_with('-')
    {
        left.insert(0, '~');
    }
    Note::Record(name, fields)
}

/// The call that a line is about, and what is said on it.
///
/// # Errors
/// If it names none.
pub fn on_call<'a>(line: &Line<'a>) -> Result<(StreamId, &'a str), TranscriptError> {
    let parts = line.text.split_once(' ');
    let parts = parts.and_then(|(call, said)| Some((StreamId(call.parse().ok()?), said)));
    parts.ok_or_else(|| line.error("no call is named"))
}

/// A model that a transcript is played on.
pub struct Server<'a> {
    machine: Machine<'a, Etcd>,
    lens: Lens,
    /// What each connection was told and has not read; `false` once it has ended.
    connections: BTreeMap<SessionId, (Vec<Reply>, bool)>,
}

impl<'a> Server<'a> {
    /// One that has just been started.
    pub fn start(tamper: &'a mut dyn Tamper<Etcd>) -> Self {
        let clocks = Clocks::new(SOME_MORNING_MS, Etcd::TICK);
        let etcd = Etcd::boot(Config::default(), Disk::default(), clocks.now());
        let machine = Machine::new(etcd, clocks, tamper);
        Self { machine, lens: Lens::new(1), connections: BTreeMap::new() }
    }

    /// What comes of one more line of a transcript, as lines.
    ///
    /// # Errors
    /// When it is none.
    pub fn play(&mut self, line: &str) -> Result<String, TranscriptError> {
        super::perform(&Line::new(1, line), self)
    }

    fn deliver(&mut self, out: Outbox<Reply>) {
        for (session, reply) in out.replies {
            if let Some((told, true)) = self.connections.get_mut(&session) {
                told.push(reply);
            }
        }
    }

    fn say(&mut self, session: SessionId, stream: StreamId, said: Said) {
        if let Entry::Vacant(new) = self.connections.entry(session) {
            new.insert((Vec::new(), true));
            self.machine.act(|etcd, now, _| etcd.connect(now, session));
        }
        let (event, single) = match said {
            Said::Message(request) => {
                let single = !request.method().is_stream();
                (CallEvent::Message(request), single)
            }
            Said::End => (CallEvent::HalfClosed, false),
            Said::Gone => (CallEvent::Gone, false),
        };
        let out = self.machine.apply(session, Call { stream, event });
        self.deliver(out);
        if single {
            let out = self.machine.apply(session, Call { stream, event: CallEvent::HalfClosed });
            self.deliver(out);
        }
    }
}

impl Stage for Server<'_> {
    fn carry_out(&mut self, line: &Line<'_>) -> Result<(), TranscriptError> {
        let session = SessionId(line.connection);
        match line.sign {
            ">" => {
                let (stream, said) = on_call(line)?;
                let said = Said::read(said, &self.lens).map_err(|why| line.error(why.0))?;
                self.say(session, stream, said);
            }
            "-" => {
                if let Some((_, open)) = self.connections.get_mut(&session) {
                    *open = false;
                    let out = self.machine.act(|etcd, now, out| etcd.disconnect(now, session, out));
                    self.deliver(out);
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
        for (session, (told, _)) in &mut self.connections {
            for reply in told.drain(..) {
                let heard = heard(&reply, &mut self.lens);
                writeln!(text, "{}< {heard}", prefix(session.0)).expect("a string takes it");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
