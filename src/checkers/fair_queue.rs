//! `fair-queue`: the lock is granted in the order in which clients were queued at the server.
//!
//! First in, first out as far as the server can tell: not who asked first, but whose place it stored first
//! (etcd's create revisions, ZooKeeper's sequence numbers, Redisson's list; "in the order requested, from ZK's
//! point of view", as Curator's documentation has it). Nobody is passed over by one that was queued later, but
//! who died, who gave up, and whose place is gone: it is out of the queue. Two that share the lock may come in
//! any order.
//!
//! A queue that is one list for all does not tell whose place went. There a client that still asks still
//! waits: a live waiter that others have put out of the list was passed over.
//!
//! Where it cannot be known which place a client stands at, it is blamed for nothing and of nothing: it may
//! have left one behind in an earlier attempt, or the server died with the queue.

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;

use super::evidence::{in_order, millis, sentence};
use super::per_host::PerHost;
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct FairQueue;

impl Checker for FairQueue {
    fn name(&self) -> &'static str {
        "fair-queue"
    }

    fn claim(&self) -> Claim {
        Claim::FairQueue
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let mut sight = Sight::default();
        history.events.iter().for_each(|event| sight.take(event));
        if sight.granted && !sight.record {
            let reason = "the lock was granted, but no server told of its record or its queue";
            return Verdict::Unknown { reason: reason.to_owned() };
        }
        if !sight.queue {
            return Verdict::Pass;
        }
        let mut pass = Pass { history, clients: PerHost::new(), first: None, times: 0 };
        history.events.iter().for_each(|event| pass.take(event));
        match pass.first {
            None => Verdict::Pass,
            Some(passed_over) => Verdict::Fail(violation(history, &passed_over, pass.times)),
        }
    }
}

/// What there is to see in a history.
#[derive(Default)]
struct Sight {
    granted: bool,
    /// A server told of the lock's record, or of a queue for it.
    record: bool,
    /// Somebody was queued. Without that nobody ever waited at the server, or there is no queue.
    queue: bool,
}

impl Sight {
    fn take(&mut self, event: &Event) {
        match event.op {
            Op::Acquire { .. } => self.granted |= event.kind == Kind::Ok,
            Op::Record { record: RecordName::Lock, .. } => self.record = true,
            Op::Record { record: RecordName::Place | RecordName::Queue, .. } => {
                (self.record, self.queue) = (true, true);
            }
            _ => {}
        }
    }
}

/// Where a client stands.
#[derive(Clone, Copy, Default)]
struct Client {
    /// It asks, in the shared mode or alone.
    asks: Option<Mode>,
    /// Its place, by the event with which the server stored it.
    place: Option<u32>,
    /// It may have a place from before it asked, so that none that is stored now says where it stands.
    left_one: bool,
    holds: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Alone,
    Shared,
}

/// One that waited, and the one that was granted the lock before it.
struct PassedOver {
    waiting: HostName,
    place: u32,
    served: HostName,
    served_place: u32,
    grant: u32,
}

struct Pass<'a> {
    history: &'a History,
    clients: PerHost<Client>,
    first: Option<PassedOver>,
    times: u32,
}

impl Pass<'_> {
    fn take(&mut self, event: &Event) {
        match (event.op, event.kind) {
            (Op::Acquire { shared, .. }, Kind::Invoke) => {
                let client = self.clients.of(event.process);
                let mode = if shared { Mode::Shared } else { Mode::Alone };
                *client = Client { asks: Some(mode), holds: false, ..*client };
            }
            (Op::Acquire { .. }, Kind::Ok) => {
                self.granted(event);
                *self.clients.of(event.process) = Client { holds: true, ..Client::default() };
            }
            (Op::Acquire { .. }, _) => {
                let client = self.clients.of(event.process);
                let left_one = client.left_one || client.place.is_some();
                *client = Client { left_one, ..Client::default() };
            }
            (Op::Release, Kind::Invoke) => self.clients.of(event.process).holds = false,
            (Op::Record { record, change, by, owner }, _) => {
                self.record(event.index, record, change, (by, owner));
            }
            (Op::Crashed, _) if event.process.is_client() => {
                *self.clients.of(event.process) = Client::default();
            }
            (Op::Crashed, _) => self.clients.all().for_each(|client| {
                // What the server finds on its disk again it does not store anew.
                client.left_one |= client.asks.is_some();
                client.place = None;
            }),
            _ => {}
        }
    }

    fn record(
        &mut self,
        index: u32,
        record: RecordName,
        change: ChangeKind,
        (by, owner): (Option<HostName>, Option<HostName>),
    ) {
        let is_lock = record == RecordName::Lock;
        if !is_lock && !matches!(record, RecordName::Place | RecordName::Queue) {
            return;
        }
        // Who joins a list that is there already changes it in place.
        let stored = match change {
            ChangeKind::Set { .. } => true,
            ChangeKind::Edited { .. } => record == RecordName::Queue,
            _ => false,
        };
        match (change, by, owner) {
            (_, Some(by), _) if stored => {
                let client = self.clients.of(by);
                match client.asks {
                    Some(_) if client.left_one => {}
                    Some(_) => _ = client.place.get_or_insert(index),
                    // It comes from an attempt that is over.
                    None => client.left_one |= !client.holds && record != RecordName::Queue,
                }
            }
            (ChangeKind::Deleted | ChangeKind::Expired, _, Some(owner)) => {
                let client = self.clients.of(owner);
                client.place = None;
                // Who asks may have two, and which one this was nobody says.
                client.left_one = client.asks.is_some();
            }
            _ => {}
        }
    }

    fn granted(&mut self, event: &Event) {
        let served = event.process;
        let own = *self.clients.of(served);
        let Some(served_place) = own.place else { return };
        for number in 1..=self.history.header.clients {
            let waiting = HostName::client(number);
            let client = *self.clients.of(waiting);
            let share = own.asks == Some(Mode::Shared) && client.asks == Some(Mode::Shared);
            let Some(place) = client.place else { continue };
            if waiting == served || client.asks.is_none() || share || place > served_place {
                continue;
            }
            self.times += 1;
            let grant = event.index;
            let found = PassedOver { waiting, place, served, served_place, grant };
            self.first.get_or_insert(found);
        }
    }
}

fn violation(history: &History, passed_over: &PassedOver, times: u32) -> Violation {
    let PassedOver { waiting, place, served, served_place, grant } = *passed_over;
    let at = |index: u32| history.events[index as usize].at;
    Violation {
        at: at(grant),
        times,
        lasted_ms: Some(millis(at(grant).since(at(place)))),
        witnesses: in_order(history, vec![place, served_place, grant]),
        story: [
            format!("{waiting} was queued at {} and waited.", at(place)),
            format!("{} was queued later, at {}.", sentence(served), at(served_place)),
            format!("At {} {served} was granted the lock, and {waiting} still waited.", at(grant)),
        ],
    }
}

#[cfg(test)]
mod tests;
