//! `reentrant`: its holder may acquire the lock again, and it is free when all was given back and not before.
//!
//! The model is Jepsen's reentrant mutex (Hazelcast tests), held against the server's word of the lock's
//! record instead of against the answers alone:
//! - A re-entry neither waits nor is refused while the record is its holder's own. A request that the network
//!   keeps looks like one that waits, so this is judged only when everything has been healed for as long as
//!   the lock may need to recover.
//! - Who gives one back keeps the rest: the record stays.
//! - Who was told that the last one was given back has no record any more. Else more was counted than was
//!   asked for (redisson#4822), and nobody gets the lock until its lease is over, or never.
//!
//! On several servers a record is a client's own while most of them have it. A shared hold is not judged: its
//! record is others' too. Where a queue holds a record for each attempt there is no count at the server, so
//! one that stays is left over and not miscounted.

use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, OpName, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::evidence::in_order;
use super::per_host::PerHost;
use super::{Case, Checker};
use crate::terms::{Claim, History, Terms};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct Reentrant;

impl Checker for Reentrant {
    fn name(&self) -> &'static str {
        "reentrant"
    }

    fn claim(&self) -> Claim {
        Claim::Reentrant
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let has = |name| history.events.iter().any(|event| event.op.name() == name);
        let promised = history.header.claims.contains(&Claim::Reentrant);
        if !promised && !has(OpName::Reenter) {
            return Verdict::Pass;
        }
        let mut pass = Pass::new(history, promised);
        let granted = |event: &Event| event.kind == Kind::Ok && event.op.name() == OpName::Acquire;
        if pass.servers.is_empty() && history.events.iter().any(granted) {
            let reason = "the lock was granted, but no server told of its record";
            return Verdict::Unknown { reason: reason.to_owned() };
        }
        history.events.iter().for_each(|event| pass.take(event));
        pass.end();
        match pass.found {
            None => Verdict::Pass,
            Some(found) => Verdict::Fail(Violation { times: pass.times, ..found }),
        }
    }
}

/// What one client has.
#[derive(Clone, Copy, Default)]
struct Hold {
    /// Since which event; none: it has nothing, or only a share.
    grant: Option<u32>,
    /// It has begun to give back for good.
    ends: bool,
    /// The record has been its own since the grant.
    own: bool,
    /// It has asked again at least once.
    nested: bool,
    /// Its first [`Op::Leave`].
    left: Option<u32>,
    /// It asks again since this event, and the server has changed nothing for it yet.
    asks: Option<u32>,
}

/// The lock's record at one server.
#[derive(Clone, Copy)]
struct Standing {
    of: HostName,
    /// The last time that its owner stored, changed or prolonged it.
    touched: u32,
}

struct Pass<'a> {
    history: &'a History,
    /// All servers that ever tell of the lock's record.
    servers: Vec<HostName>,
    standing: PerHost<Option<Standing>>,
    holds: PerHost<Hold>,
    /// Whether every record that stays was miscounted, also after a hold that was never entered again.
    counted: bool,
    /// From here on a wait is a wait.
    settled_at: SimTime,
    /// How long a re-entry may take.
    patience: Duration,
    found: Option<Violation>,
    times: u32,
}

impl<'a> Pass<'a> {
    fn new(history: &'a History, promised: bool) -> Self {
        let mut servers = Vec::new();
        let mut queue = false;
        for event in &history.events {
            match event.op {
                Op::Record { record: RecordName::Lock, .. } => servers.push(event.process),
                Op::Record { record: RecordName::Place, .. } => queue = true,
                _ => {}
            }
        }
        servers.sort_unstable();
        servers.dedup();
        let Terms { heal_at, end_at, recovery_bound_ms, .. } = history.header;
        let without_bound = || end_at.since(heal_at) / 4;
        let patience = recovery_bound_ms.map_or_else(without_bound, Duration::from_millis);
        Self {
            history,
            servers,
            standing: PerHost::new(),
            holds: PerHost::new(),
            counted: promised && !queue,
            settled_at: heal_at + patience,
            patience,
            found: None,
            times: 0,
        }
    }

    fn take(&mut self, event: &Event) {
        let client = event.process;
        match (event.op, event.kind) {
            (Op::Acquire { shared, .. }, Kind::Ok) => {
                let own = self.is_own(client);
                let grant = (!shared).then_some(event.index);
                *self.holds.of(client) = Hold { grant, own, ..Hold::default() };
            }
            (Op::Reenter, Kind::Invoke) => {
                let settled = event.at >= self.settled_at;
                let hold = self.holds.of(client);
                hold.nested = true;
                hold.asks = (settled && hold.own && hold.grant.is_some()).then_some(event.index);
            }
            (Op::Reenter, kind) => self.answered(event, kind == Kind::Fail),
            (Op::Leave, Kind::Invoke) => {
                self.holds.of(client).left.get_or_insert(event.index);
            }
            (Op::Release, Kind::Invoke) => self.holds.of(client).ends = true,
            (Op::Release, Kind::Ok) => self.given_back(event),
            (Op::Record { record: RecordName::Lock, change, by, owner }, _) => {
                self.record(event, change, by, owner);
            }
            (Op::Crashed, _) if client.is_client() => *self.holds.of(client) = Hold::default(),
            (Op::Crashed, _) => self.gone(event, None),
            _ => {}
        }
    }

    fn record(
        &mut self,
        event: &Event,
        change: ChangeKind,
        by: Option<HostName>,
        owner: Option<HostName>,
    ) {
        let touched = event.index;
        let standing = self.standing.of(event.process);
        match change {
            ChangeKind::Set { .. } => {
                let Some(of) = by else { return };
                if standing.is_some_and(|standing| standing.of != of) {
                    self.gone(event, by);
                }
                *self.standing.of(event.process) = Some(Standing { of, touched });
                // Whoever asks again has been heard.
                self.holds.of(of).asks = None;
            }
            ChangeKind::Loaded { .. } => {
                *standing = owner.map(|of| Standing { of, touched });
            }
            ChangeKind::Edited { .. } | ChangeKind::Retimed { .. } => {
                if let Some(standing) = standing {
                    standing.touched = touched;
                }
                // A count of holds that goes up is the answer to whoever asks again.
                if let (ChangeKind::Edited { .. }, Some(by)) = (change, by) {
                    self.holds.of(by).asks = None;
                }
            }
            ChangeKind::Deleted | ChangeKind::Expired => self.gone(event, by),
        }
    }

    /// Whether most servers have this client's record.
    fn is_own(&mut self, client: HostName) -> bool {
        let Self { servers, standing, .. } = self;
        let own = |server: &&HostName| standing.of(**server).is_some_and(|s| s.of == client);
        servers.iter().filter(own).count() * 2 > servers.len()
    }

    /// The record that stood at a server is there no more.
    fn gone(&mut self, event: &Event, by: Option<HostName>) {
        let Some(Standing { of, touched }) = self.standing.of(event.process).take() else { return };
        if self.is_own(of) {
            return;
        }
        let hold = *self.holds.of(of);
        *self.holds.of(of) = Hold { own: false, asks: None, ..hold };
        let (Some(grant), true, false) = (hold.grant, hold.own, hold.ends) else { return };
        if let (Some(left), true) = (hold.left, by == Some(of)) {
            self.too_early(grant, left, event);
        }
        let at = |index: u32| self.history.events[index as usize].at;
        // Who asks for the better part of the lease has not just come too late for it.
        let waits = |asks: &u32| event.at.since(at(*asks)) * 2 >= event.at.since(at(touched));
        if let (Some(asks), None) = (hold.asks.filter(waits), by) {
            self.not_served(grant, asks, event.index, "was over");
        }
    }

    /// A re-entry was answered.
    fn answered(&mut self, event: &Event, refused: bool) {
        let hold = self.holds.of(event.process);
        let (Some(asks), Some(grant)) = (hold.asks.take(), hold.grant) else { return };
        if refused {
            self.not_served(grant, asks, event.index, "was refused");
        } else {
            self.if_too_long(grant, asks, event.index, event.at);
        }
    }

    fn if_too_long(&mut self, grant: u32, asks: u32, end: u32, now: SimTime) {
        if now.since(self.history.events[asks as usize].at) > self.patience {
            self.not_served(grant, asks, end, "still waited");
        }
    }

    /// The run is over.
    fn end(&mut self) {
        for number in 1..=self.history.header.clients {
            let Hold { grant, asks, .. } = *self.holds.of(HostName::client(number));
            if let (Some(grant), Some(asks)) = (grant, asks) {
                let end = self.history.events.len() as u32;
                self.if_too_long(grant, asks, end, self.history.header.end_at);
            }
        }
    }

    fn not_served(&mut self, grant: u32, asks: u32, end: u32, how: &str) {
        let Event { at, process: client, .. } = self.history.events[asks as usize];
        let until =
            self.history.events.get(end as usize).map_or(self.history.header.end_at, |e| e.at);
        let last = match how {
            "was over" => format!("It was not served, and at {until} that record's time was over."),
            how => format!("At {until} it {how}, though the record was still its own."),
        };
        let story = [
            self.granted(client, grant),
            format!("At {at} it asked for it again; the record at the server was its own."),
            last,
        ];
        self.add(until, vec![grant, asks, end], story);
    }

    fn too_early(&mut self, grant: u32, left: u32, event: &Event) {
        let Event { at, process: client, .. } = self.history.events[left as usize];
        let story = [
            self.granted(client, grant),
            format!(
                "It had acquired it again, and from {at} on gave back what it had acquired last."
            ),
            format!("At {} that removed the record, while it still held the lock.", event.at),
        ];
        self.add(event.at, vec![grant, left, event.index], story);
    }

    /// A client was told that it has given the lock back for good.
    fn given_back(&mut self, event: &Event) {
        let client = event.process;
        let hold = std::mem::take(self.holds.of(client));
        let Some(grant) = hold.grant.filter(|_| hold.nested || self.counted) else { return };
        if !self.is_own(client) {
            return;
        }
        let records = self.servers.iter().filter_map(|server| *self.standing.of(*server));
        let touched = records.map(|standing| standing.touched).max().unwrap_or(grant);
        let story = [
            self.granted(client, grant),
            format!("At {} it was told that it had given it back for good.", event.at),
            format!(
                "Its record, last touched at {}, was still there: more was counted than it had acquired.",
                self.history.events[touched as usize].at
            ),
        ];
        self.add(event.at, vec![grant, touched, event.index], story);
    }

    fn granted(&self, client: HostName, grant: u32) -> String {
        format!("{client} was granted the lock at {}.", self.history.events[grant as usize].at)
    }

    fn add(&mut self, at: SimTime, witnesses: Vec<u32>, story: [String; 3]) {
        self.times += 1;
        let witnesses = in_order(self.history, witnesses);
        self.found.get_or_insert(Violation { at, times: 1, lasted_ms: None, witnesses, story });
    }
}

#[cfg(test)]
mod tests;
