//! What lasts: beliefs, lock records, guarded operations, and the overlaps of beliefs.

use std::collections::BTreeMap;
use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::{Bar, Lease, Overlap, Window};
use crate::checkers::intervals::{Belief, EndedBy, Outcome, beliefs, operations};
use crate::terms::History;

/// What belongs to each host.
type ByHost<T> = BTreeMap<HostName, Vec<T>>;

pub(super) fn beliefs_of(history: &History, window: Window) -> ByHost<Bar> {
    let mut found = ByHost::new();
    for belief in beliefs(history) {
        let Some((from, until)) = window.clip(belief.from, belief.until) else { continue };
        let Belief { client, ended_by, .. } = belief;
        let why = match ended_by {
            EndedBy::Release => "until it gave the lock back",
            EndedBy::Lost => "until it was told that the lock is lost",
            EndedBy::Deadline => "until its own deadline",
            EndedBy::Crash => "until it crashed",
            EndedBy::Regrant => "until it was granted the lock again",
            EndedBy::EndOfRun => "until the run ended",
        };
        let note = format!(
            "{client} believed that it held the lock from {} to {}: {why}",
            belief.from, belief.until
        );
        found.entry(client).or_default().push(Bar { from, until, note });
    }
    found
}

pub(super) fn operations_of(history: &History, window: Window) -> ByHost<Bar> {
    let mut found = ByHost::new();
    for operation in operations(history) {
        let Some((from, until)) = window.clip(operation.from, operation.until) else { continue };
        let how = match operation.outcome {
            Outcome::Acknowledged => "acknowledged",
            Outcome::Applied => "applied, but the client never knew",
            Outcome::Unknown => "nobody knows whether it happened",
            Outcome::Refused => "refused",
        };
        let note =
            format!("guarded operation from {} to {}: {how}", operation.from, operation.until);
        found.entry(operation.client).or_default().push(Bar { from, until, note });
    }
    found
}

/// Where at least two clients believed, as long as it were the same.
pub(super) fn overlaps(history: &History, window: Window) -> Vec<Overlap> {
    let beliefs = beliefs(history);
    let beliefs: Vec<_> = beliefs.iter().filter(|belief| belief.from < belief.until).collect();
    let mut edges: Vec<SimTime> =
        beliefs.iter().flat_map(|belief| [belief.from, belief.until]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut found: Vec<Overlap> = Vec::new();
    for pair in edges.windows(2) {
        let [from, until] = *pair else { continue };
        let Some((from, until)) = window.clip(from, until).filter(|(a, b)| a < b) else { continue };
        let holds = |belief: &&&Belief| belief.from <= from && belief.until >= until;
        let mut clients: Vec<_> =
            beliefs.iter().filter(holds).map(|belief| belief.client).collect();
        clients.sort_unstable();
        clients.dedup();
        match found.last_mut() {
            _ if clients.len() < 2 => {}
            Some(last) if last.until == from && last.clients == clients => last.until = until,
            _ => found.push(Overlap { from, until, clients }),
        }
    }
    found
}

pub(super) fn leases_of(history: &History, window: Window) -> ByHost<Lease> {
    let mut pass = Records { window, open: BTreeMap::new(), found: ByHost::new() };
    for event in &history.events {
        pass.take(event);
    }
    let end = history.header.end_at;
    let servers: Vec<_> = pass.open.keys().copied().collect();
    for server in servers {
        pass.close(server, end, "was still there at the end");
    }
    pass.found
}

/// The lock record at each server while the history goes by.
struct Records {
    window: Window,
    open: BTreeMap<HostName, Record>,
    found: ByHost<Lease>,
}

#[derive(Clone, Copy)]
struct Record {
    owner: HostName,
    from: SimTime,
    valid_until: Option<SimTime>,
}

impl Records {
    fn take(&mut self, event: &Event) {
        let (server, at) = (event.process, event.at);
        let Op::Record { record: RecordName::Lock, change, by, owner } = event.op else {
            if event.op == Op::Crashed {
                self.close(server, at, "was gone with the server");
            }
            return;
        };
        let until = |ttl_ms: Option<i64>| {
            let ttl_ms = u64::try_from(ttl_ms?).unwrap_or(0);
            Some(at + Duration::from_millis(ttl_ms))
        };
        match change {
            ChangeKind::Set { ttl_ms, .. } => {
                // Stored again by its owner (SET with a new expiry) is the same lease prolonged.
                if let Some(record) = self.open.get_mut(&server).filter(|r| Some(r.owner) == by) {
                    record.valid_until = until(ttl_ms);
                    return;
                }
                self.close(server, at, "was overwritten");
                self.begin(server, by.unwrap_or(server), at, until(ttl_ms));
            }
            ChangeKind::Loaded { ttl_ms, .. } => {
                self.close(server, at, "was replaced");
                self.begin(server, owner.unwrap_or(server), at, until(ttl_ms));
            }
            ChangeKind::Retimed { ttl_ms } => {
                if let Some(record) = self.open.get_mut(&server) {
                    record.valid_until = until(ttl_ms);
                }
            }
            ChangeKind::Deleted => match by {
                Some(by) => self.close(server, at, &format!("was deleted by {by}")),
                None => self.close(server, at, "was deleted"),
            },
            ChangeKind::Expired => self.close(server, at, "expired"),
        }
    }

    fn begin(
        &mut self,
        server: HostName,
        owner: HostName,
        from: SimTime,
        valid_until: Option<SimTime>,
    ) {
        self.open.insert(server, Record { owner, from, valid_until });
    }

    fn close(&mut self, server: HostName, at: SimTime, how: &str) {
        let Some(Record { owner, from, valid_until }) = self.open.remove(&server) else { return };
        let lease = match valid_until {
            Some(valid_until) => format!("its lease ran until {valid_until}"),
            None => "it had no lease".to_owned(),
        };
        let note =
            format!("lock record of {owner} at {server} from {from} to {at}: {how}; {lease}");
        if let Some((from, until)) = self.window.clip(from, at) {
            // A server looks at its clock now and then: a lease of just over its time is normal.
            let slack = Duration::from_millis(5);
            let valid_until = valid_until
                .filter(|valid_until| *valid_until + slack < until)
                .map(|valid_until| valid_until.max(from));
            self.found.entry(owner).or_default().push(Lease { from, until, valid_until, note });
        }
    }
}
