//! `release-safety`: nobody removes a lock record that is another's.
//!
//! The oracle is the server: it knows who had stored the record that a request removed, whatever the
//! value said. A plain `DEL` after one's own lease has expired frees the next owner's lock, and so
//! on down the line; the Redis documentation asks for a random value and a compare-and-delete script
//! for exactly this reason. A record that several have a part in (a hash with a field for each reader) may be
//! removed by any of them.

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, OpName, RecordName};
use picklock_sim::host::HostName;

use super::beliefs::beliefs;
use super::evidence::{belief_at, end_of_belief, in_order, sentence};
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct ReleaseSafety;

impl Checker for ReleaseSafety {
    fn name(&self) -> &'static str {
        "release-safety"
    }

    fn claim(&self) -> Claim {
        Claim::ReleaseSafe
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let thefts = history.events.iter().filter_map(theft);
        let mut thefts = thefts.filter(|theft| !has_a_part(history, theft));
        match thefts.next() {
            None if !was_witnessed(history) => Verdict::Unknown {
                reason: "the lock was granted, but no server told of its record: it is kept elsewhere than under \
                         the key that it was given, or nobody could hear the server"
                    .to_owned(),
            },
            None => Verdict::Pass,
            Some(first) => {
                let times = u32::try_from(1 + thefts.count()).unwrap_or(u32::MAX);
                Verdict::Fail(violation(history, first, times))
            }
        }
    }
}

/// Whether a server told of the lock's record, if there was anything to tell. Of a real server nobody may have
/// been able to hear it.
fn was_witnessed(history: &History) -> bool {
    let mut events = history.events.iter();
    let granted = |event: &Event| event.kind == Kind::Ok && event.op.name() == OpName::Acquire;
    let told = |event: &Event| {
        matches!(event.op, Op::Record { record: RecordName::Lock | RecordName::Place, .. })
    };
    !events.clone().any(granted) || events.any(told)
}

/// Who removed whose record.
fn theft(event: &Event) -> Option<(&Event, HostName, HostName)> {
    match event.op {
        Op::Record {
            // A place in the queue is its owner's as well.
            record: RecordName::Lock | RecordName::Place,
            change: ChangeKind::Deleted,
            by: Some(by),
            owner: Some(owner),
        } if by != owner => Some((event, by, owner)),
        _ => None,
    }
}

/// Whether the remover had itself changed the record in place since it was stored: it has a part in it.
fn has_a_part(history: &History, &(removal, by, _): &(&Event, HostName, HostName)) -> bool {
    let before = history.events[..removal.index as usize].iter().rev();
    let changes = before.filter(|event| event.process == removal.process);
    let mut changes = changes.filter_map(|event| match event.op {
        Op::Record { record: RecordName::Lock, change, by, .. } => Some((change, by)),
        _ => None,
    });
    let since_stored = changes.by_ref().take_while(|(change, _)| {
        !matches!(change, ChangeKind::Set { .. } | ChangeKind::Deleted | ChangeKind::Expired)
    });
    let mut edits = since_stored.filter(|(change, _)| matches!(change, ChangeKind::Edited { .. }));
    edits.any(|(_, changer)| changer == Some(by))
}

fn violation(
    history: &History,
    (event, by, owner): (&Event, HostName, HostName),
    times: u32,
) -> Violation {
    let beliefs = beliefs(history);
    let stored = history.events[..event.index as usize].iter().rev().find(|earlier| {
        matches!(
            earlier.op,
            Op::Record { record: RecordName::Lock | RecordName::Place, change: ChangeKind::Set { .. }, by, .. }
                if by == Some(owner) && earlier.process == event.process
        )
    });
    let mut witnesses = vec![event.index];
    witnesses.extend(stored.map(|stored| stored.index));
    let before = match stored {
        Some(stored) => format!("{owner} had stored the lock record at {}.", stored.at),
        None => format!("The lock record was {owner}'s."),
    };
    let after = match belief_at(&beliefs, owner, event.index) {
        Some(belief) => {
            witnesses.push(belief.grant_event);
            let end = end_of_belief(belief);
            format!("{} still believed that it held the lock, until {end}.", sentence(owner))
        }
        None => format!("{} did not believe that it held the lock then.", sentence(owner)),
    };
    Violation {
        at: event.at,
        times,
        lasted_ms: None,
        witnesses: in_order(history, witnesses),
        story: [
            before,
            format!("At {} {by} removed it, though it was not its own.", event.at),
            after,
        ],
    }
}

#[cfg(test)]
mod tests;
