//! Interesting places that a run may or may not reach ("sometimes" properties, as Antithesis calls
//! them).
//!
//! A lock that passes a thousand plans in which no lease ever expired while it was held has shown
//! nothing. So sweeps count these facts, and one that never happened is shown. A new fact is a
//! function here and its line in [`FACTS`]. Like a checker, it sees the history and nothing else;
//! unlike one, it blames nobody.

use std::collections::{BTreeMap, BTreeSet};

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, OpName, RecordName};
use picklock_sim::host::HostName;

use crate::checkers::intervals::{Belief, EndedBy, beliefs};
use crate::terms::History;

/// Something that a run may reach.
#[derive(Clone, Copy)]
pub struct Fact {
    /// What happened, as reports write it.
    pub name: &'static str,
    happened: fn(&Seen<'_>) -> bool,
}

/// All of them.
pub const FACTS: &[Fact] = &[
    fact("somebody waited while another held the lock", waited),
    fact("the lease expired while its owner believed that it held the lock", expired_while_held),
    fact("the lease expired while a guarded write was under way", expired_while_writing),
    fact("the lease expired while its owner was paused", expired_while_paused),
    fact("a renewal was in flight when the lease expired", renewal_in_flight),
    fact("the lock was granted to a client that then never heard of it", unheard_grant),
    fact("a grant arrived when its lease was already over", late_grant),
    fact("two clients believed at once that they held the lock", two_believers),
    fact("a holder was told in time that it had lost the lock", told),
    fact("a fence refused a stale client", refused),
    fact("a release found that the lock was gone", released_too_late),
    fact("a holder crashed", holder_crashed),
    fact("the lock record did not survive a restart of its server", lost_in_restart),
];

const fn fact(name: &'static str, happened: fn(&Seen<'_>) -> bool) -> Fact {
    Fact { name, happened }
}

/// Which facts happened in a history, in the order of [`FACTS`].
pub fn facts(history: &History) -> Vec<bool> {
    let seen = Seen {
        history,
        beliefs: beliefs(history),
        expiries: expiries(history),
        kinds: kinds(history),
    };
    FACTS.iter().map(|fact| (fact.happened)(&seen)).collect()
}

/// A history with what several facts ask of it.
struct Seen<'a> {
    history: &'a History,
    beliefs: Vec<Belief>,
    /// The moments at which a lease expired, each with its owner.
    expiries: Vec<(u32, HostName)>,
    /// Which operations there are, with one bit for each of the four words: most facts are ruled out by
    /// what is not there.
    kinds: [u8; OPERATIONS],
}

/// More than there are names of operations.
const OPERATIONS: usize = 32;

fn kinds(history: &History) -> [u8; OPERATIONS] {
    let mut kinds = [0; OPERATIONS];
    for event in &history.events {
        kinds[event.op.name() as usize] |= 1 << event.kind as u8;
    }
    kinds
}

fn expiries(history: &History) -> Vec<(u32, HostName)> {
    let expiry = |event: &Event| match event.op {
        Op::Record { record: RecordName::Lock, change: ChangeKind::Expired, owner, .. } => {
            Some((event.index, owner?))
        }
        _ => None,
    };
    history.events.iter().filter_map(expiry).collect()
}

impl Seen<'_> {
    /// Whether this client believed at this event that it held the lock.
    fn believes(&self, client: HostName, index: u32) -> bool {
        self.beliefs.iter().any(|belief| belief.client == client && belief.span.contains(index))
    }

    fn expiries(&self) -> impl Iterator<Item = (u32, HostName)> {
        self.expiries.iter().copied()
    }

    /// Whether the client was between the beginning of `op` and its end at this event.
    fn is_amid(&self, client: HostName, index: u32, op: fn(&Op) -> bool) -> bool {
        let before = self.history.events[..index as usize].iter().rev();
        let mut own = before.filter(|event| event.process == client && op(&event.op));
        own.next().is_some_and(|event| event.kind == Kind::Invoke)
    }

    /// Whether there is any event of these two words.
    fn has(&self, op: OpName, kind: Kind) -> bool {
        self.kinds[op as usize] & 1 << kind as u8 != 0
    }

    fn any(&self, is: impl FnMut(&Event) -> bool) -> bool {
        self.history.events.iter().any(is)
    }
}

fn waited(seen: &Seen<'_>) -> bool {
    let mut asking = seen
        .history
        .events
        .iter()
        .filter(|event| event.kind == Kind::Invoke && matches!(event.op, Op::Acquire { .. }));
    asking.any(|event| {
        let others = |belief: &Belief| belief.client != event.process;
        seen.beliefs.iter().any(|belief| others(belief) && belief.span.contains(event.index))
    })
}

fn expired_while_held(seen: &Seen<'_>) -> bool {
    seen.expiries().any(|(index, owner)| seen.believes(owner, index))
}

fn expired_while_writing(seen: &Seen<'_>) -> bool {
    let writes = |op: &Op| matches!(op, Op::Write { .. } | Op::Sell { .. });
    seen.expiries().any(|(index, owner)| seen.is_amid(owner, index, writes))
}

fn expired_while_paused(seen: &Seen<'_>) -> bool {
    seen.expiries().any(|(index, owner)| {
        let before = seen.history.events[..index as usize].iter().rev();
        let mut own = before.filter(|event| event.process == owner);
        own.find_map(|event| match event.op {
            Op::Paused => Some(true),
            Op::Resumed | Op::Crashed => Some(false),
            _ => None,
        }) == Some(true)
    })
}

fn renewal_in_flight(seen: &Seen<'_>) -> bool {
    let renews = |op: &Op| matches!(op, Op::Renew { .. });
    seen.expiries().any(|(index, owner)| seen.is_amid(owner, index, renews))
}

fn unheard_grant(seen: &Seen<'_>) -> bool {
    seen.expiries().any(|(index, owner)| {
        let before = seen.history.events[..index as usize].iter().rev();
        let mut own = before.filter(|event| event.process == owner);
        own.find_map(|event| match (event.op, event.kind) {
            (Op::Acquire { .. }, Kind::Ok) => Some(false),
            (Op::Acquire { .. }, _) => Some(true),
            _ => None,
        }) == Some(true)
    })
}

fn late_grant(seen: &Seen<'_>) -> bool {
    if seen.expiries.is_empty() {
        return false;
    }
    // Whose lease has expired since it began to ask.
    let mut over: BTreeMap<HostName, bool> = BTreeMap::new();
    seen.any(|event| match (event.op, event.kind) {
        (Op::Acquire { .. }, Kind::Invoke) => {
            over.insert(event.process, false);
            false
        }
        (Op::Record { record: RecordName::Lock, change, by, owner }, _) => {
            match (change, by, owner) {
                (ChangeKind::Expired, _, Some(owner)) => drop(over.insert(owner, true)),
                (ChangeKind::Set { .. }, Some(by), _) => drop(over.insert(by, false)),
                _ => {}
            }
            false
        }
        (Op::Acquire { .. }, Kind::Ok) => over.get(&event.process) == Some(&true),
        _ => false,
    })
}

fn two_believers(seen: &Seen<'_>) -> bool {
    let pairs = seen.beliefs.iter().enumerate();
    pairs.into_iter().any(|(index, belief)| {
        let later = &seen.beliefs[index + 1..];
        let meets = |other: &Belief| {
            let apart = other.client == belief.client || (other.shared && belief.shared);
            !apart && other.span.overlaps(belief.span)
        };
        later.iter().take_while(|other| other.span.start < belief.span.end).any(meets)
    })
}

fn told(seen: &Seen<'_>) -> bool {
    seen.has(OpName::Lost, Kind::Info)
}

fn refused(seen: &Seen<'_>) -> bool {
    // Reads are refused too, but only writes leave a mark at the resource.
    seen.has(OpName::Read, Kind::Fail)
        || seen.has(OpName::Write, Kind::Fail)
        || seen.any(|event| matches!(event.op, Op::Applied { accepted: false, .. }))
}

fn released_too_late(seen: &Seen<'_>) -> bool {
    seen.has(OpName::Release, Kind::Fail)
}

fn holder_crashed(seen: &Seen<'_>) -> bool {
    seen.beliefs.iter().any(|belief| belief.ended_by == EndedBy::Crash)
}

fn lost_in_restart(seen: &Seen<'_>) -> bool {
    if !seen.has(OpName::Crashed, Kind::Info) {
        return false;
    }
    // The record was there when the server went down, and the next thing that is known of it is not
    // that it was loaded.
    let mut there: BTreeSet<HostName> = BTreeSet::new();
    let mut down_with_it: BTreeSet<HostName> = BTreeSet::new();
    seen.any(|event| {
        let server = event.process;
        match event.op {
            Op::Record { record: RecordName::Lock, change, .. } => {
                let loaded = matches!(change, ChangeKind::Loaded { .. });
                match change {
                    ChangeKind::Deleted | ChangeKind::Expired => there.remove(&server),
                    _ => there.insert(server),
                };
                return down_with_it.remove(&server) && !loaded;
            }
            Op::Crashed if there.remove(&server) => drop(down_with_it.insert(server)),
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests;
