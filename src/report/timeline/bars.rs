//! What lasts and is the clients' own: beliefs, guarded operations, and the overlaps of beliefs.

use std::collections::BTreeMap;

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
