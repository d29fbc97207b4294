//! A conversation with a real etcd, written down.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use picklock_models::etcd::Reply;
use picklock_models::etcd::rpc::{Request, Response};
use picklock_models::transcript::etcd::{Lens, Said, Server, heard, on_call};
use picklock_models::transcript::{Faithful, Line, lines, prefix};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use super::janitor::Janitor;
use super::wire::{Inbox, Wire};
use crate::conformance::ConversationError;
use crate::conformance::pace::{Owed, Pace};
use crate::servers::Running;

/// How often the server looks for leases that are over, and how long it may take to agree on their end.
const EXPIRY_LOOKS: Duration = Duration::from_millis(700);
/// A server that has not said by then what the model says will not say it.
const PATIENCE: Duration = Duration::from_millis(1500);
/// At the end, whatever the model does not know of has as long to come.
const LAST_WORDS: Duration = Duration::from_millis(10);
/// A call that was given up has left the line for its lock by then.
const GIVING_UP: Duration = Duration::from_millis(40);
/// A watch from the past, and so a call that waits for its turn, has caught up by then: the server looks after it
/// every 100 ms, and a compaction that comes before would end it.
const CATCHING_UP: Duration = Duration::from_millis(140);
/// So that nothing from before can be seen.
const BEGIN: &str = "> 1 Compact{revision=1 physical=true}";

/// Empties the server and carries the steps out.
pub(super) fn converse(server: &Running, steps: &[String]) -> Result<String, ConversationError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let revision = Janitor::enter(server.address()).await?.clean().await?;
        let (inbox, outbox) = unbounded_channel();
        let mut faithful = Faithful;
        let mut talk = Conversation {
            address: server.address(),
            rehearsal: Server::start(&mut faithful),
            lens: Lens::new(revision),
            wires: BTreeMap::new(),
            inbox,
            outbox,
            pace: Pace::begin(),
            owed: Owed::default(),
            caught_up: Instant::now(),
            transcript: format!("= etcd {}\n", server.version()),
        };
        talk.step(BEGIN).await?;
        for step in steps {
            talk.step(step).await?;
        }
        talk.last_words().await?;
        Ok(talk.transcript)
    })
}

struct Conversation<'a> {
    address: SocketAddr,
    /// The model in the same play: it says what to wait for, never what is right.
    rehearsal: Server<'a>,
    lens: Lens,
    /// `None`: has ended.
    wires: BTreeMap<u64, Option<Wire>>,
    inbox: Inbox,
    outbox: UnboundedReceiver<(u64, Reply)>,
    pace: Pace,
    owed: Owed,
    /// When every watch from the past has caught up.
    caught_up: Instant,
    transcript: String,
}

impl Conversation<'_> {
    async fn step(&mut self, step: &str) -> Result<(), ConversationError> {
        let Some(line) = lines(step).next() else { return Ok(()) };
        if line.sign == "@" {
            sleep(Duration::from_millis(line.text.parse().unwrap_or(0))).await;
            return self.tell_time().await;
        }
        self.tell_time().await?;
        match line.sign {
            "-" if matches!(self.wires.get(&line.connection), Some(Some(_))) => {
                self.wires.insert(line.connection, None);
                self.write(step)?;
                sleep(GIVING_UP).await;
                self.tell_time().await?;
            }
            ">" => self.say(&line, step).await?,
            _ => {}
        }
        Ok(())
    }

    /// Waits until it is certain what has ended by itself, and writes down how long it took.
    async fn tell_time(&mut self) -> Result<(), ConversationError> {
        while let Some(doubt) = self.pace.doubt() {
            sleep(doubt).await;
        }
        if let Some(line) = self.pace.line() {
            self.write(&line)?;
            self.receive().await;
        }
        Ok(())
    }

    async fn say(&mut self, line: &Line<'_>, step: &str) -> Result<(), ConversationError> {
        let (call, said) = on_call(line).map_err(|error| ConversationError::lost(step, error))?;
        // A lease that nobody was granted, because its step was taken out.
        let Ok(said) = Said::read(said, &self.lens) else { return Ok(()) };
        if matches!(&said, Said::Message(request) if matches!(**request, Request::Compact(_))) {
            sleep(self.caught_up.saturating_duration_since(Instant::now())).await;
            self.tell_time().await?;
        }
        if !self.wires.contains_key(&line.connection) {
            let wire = Wire::open(self.address, line.connection, self.inbox.clone()).await?;
            self.wires.insert(line.connection, Some(wire));
        }
        let Some(Some(wire)) = self.wires.get_mut(&line.connection) else { return Ok(()) };
        match &said {
            Said::Message(request) => wire.send(call, request).await?,
            Said::End => wire.end(call),
            Said::Gone => wire.give_up(call),
        }
        let answers = self.write(step)?;
        self.receive().await;
        if let Said::Message(request) = &said {
            self.leases_in(request);
            if matches!(**request, Request::Watch(_)) {
                self.caught_up = Instant::now() + CATCHING_UP;
            }
        }
        let pause = match &said {
            Said::Gone => GIVING_UP,
            Said::Message(request) if !answers && waits_for_its_turn(request) => CATCHING_UP,
            _ => return Ok(()),
        };
        sleep(pause).await;
        self.tell_time().await?;
        Ok(())
    }

    /// The server's own client may keep a lease alive once before it lets go of it.
    fn leases_in(&mut self, request: &Request) {
        let lease = match request {
            Request::LeaseRevoke(request) => return self.pace.forget(&request.id.to_string()),
            Request::Lock(request) => request.lease,
            Request::Campaign(request) => request.lease,
            Request::Proclaim(request) => request.leader.as_ref().map_or(0, |it| it.lease),
            Request::Resign(request) => request.leader.as_ref().map_or(0, |it| it.lease),
            _ => return,
        };
        self.pace.may_last(&lease.to_string(), EXPIRY_LOOKS);
    }

    /// Writes a step down, and has the model say what will come of it; whether anything will.
    fn write(&mut self, step: &str) -> Result<bool, ConversationError> {
        self.transcript += step;
        self.transcript.push('\n');
        let expected = self.rehearsal.play(step);
        let expected = expected.map_err(|error| ConversationError::lost(step, error))?;
        self.owed.expect(&expected);
        Ok(!expected.is_empty())
    }

    /// Receives what has come, and waits for what should.
    async fn receive(&mut self) {
        let begin = Instant::now();
        while let Some(connection) = self.owed.next() {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            if !self.receive_one(left, begin).await {
                self.owed.forgive(connection);
            }
        }
    }

    /// Whether something came within this time.
    async fn receive_one(&mut self, limit: Duration, since: Instant) -> bool {
        let Ok(Some((number, reply))) = timeout(limit, self.outbox.recv()).await else {
            return false;
        };
        if let Reply::Message(_, response) = &reply {
            let alive = match response {
                Response::LeaseGrant(granted) => Some((granted.id, granted.ttl)),
                Response::LeaseKeepAlive(kept) if kept.ttl > 0 => Some((kept.id, kept.ttl)),
                _ => None,
            };
            if let Some((lease, ttl_s)) = alive {
                let lasts = Duration::from_secs(ttl_s.unsigned_abs());
                self.pace.lasts(&lease.to_string(), since, lasts, EXPIRY_LOOKS);
            }
        }
        let heard = heard(&reply, &mut self.lens);
        self.transcript += &format!("{}< {heard}\n", prefix(number));
        self.owed.received(number);
        true
    }

    /// What comes that the model did not know of.
    async fn last_words(&mut self) -> Result<(), ConversationError> {
        self.tell_time().await?;
        while self.receive_one(LAST_WORDS, Instant::now()).await {}
        Ok(())
    }
}

/// Whether the server may do something for a call before it says anything.
fn waits_for_its_turn(request: &Request) -> bool {
    matches!(request, Request::Lock(_) | Request::Campaign(_) | Request::Observe(_))
}
