//! What lasts and is the clients' own: waiting for the lock, believing to hold it (alone or not),
//! guarded operations.

use std::collections::BTreeMap;

use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::{Bar, Overlap, Window};
use crate::checkers::intervals::{Belief, EndedBy, Outcome, beliefs, operations};
use crate::terms::History;

/// What belongs to each host.
pub(super) type ByHost<T> = BTreeMap<HostName, Vec<T>>;

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
        let held = if belief.shared { "shared" } else { "held" };
        let note = format!(
            "{client} believed that it {held} the lock from {} to {}: {why}",
            belief.from, belief.until
        );
        found.entry(client).or_default().push(Bar { from, until, note });
    }
    found
}

/// From each time that a client asked for the lock to the answer.
pub(super) fn waits_of(history: &History, window: Window) -> ByHost<Bar> {
    let mut asked: BTreeMap<HostName, SimTime> = BTreeMap::new();
    let mut found = ByHost::new();
    let mut add = |host: HostName, from: SimTime, until: SimTime| {
        if let Some((from, until)) = window.clip(from, until) {
            let note = format!("{host} asks for the lock");
            found.entry(host).or_insert_with(Vec::new).push(Bar { from, until, note });
        }
    };
    for event in &history.events {
        let host = event.process;
        match (event.op, event.kind) {
            (Op::Acquire { .. }, Kind::Invoke) => _ = asked.insert(host, event.at),
            (Op::Acquire { .. }, _) | (Op::Crashed, _) => {
                if let Some(from) = asked.remove(&host) {
                    add(host, from, event.at);
                }
            }
            _ => {}
        }
    }
    for (host, from) in asked {
        add(host, from, history.header.end_at);
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

/// Where at least two clients believed, and one of them that it had the lock alone, as long as it were the same.
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
        let all_share = beliefs.iter().filter(holds).all(|belief| belief.shared);
        let mut clients: Vec<_> =
            beliefs.iter().filter(holds).map(|belief| belief.client).collect();
        clients.sort_unstable();
        clients.dedup();
        match found.last_mut() {
            _ if clients.len() < 2 || all_share => {}
            Some(last) if last.until == from && last.clients == clients => last.until = until,
            _ => found.push(Overlap { from, until, clients }),
        }
    }
    found
}
