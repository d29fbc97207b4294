//! What happens at an instant: a mark each. How many of them fit a picture, whoever draws it knows.

use std::collections::BTreeMap;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::Window;
use crate::terms::History;
use crate::verdict::Violation;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: SimTime,
    /// What kind of thing.
    pub kind: MarkKind,
    /// Index of its event.
    pub event: u32,
    /// The event in words.
    pub note: String,
    /// Whether the violation is proved by it.
    pub witness: bool,
}

/// Kinds of marks; each has a sign of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// A guarded read was answered.
    Read,
    /// A guarded write or a sale was sent.
    Sent,
    /// It succeeded.
    Written,
    /// It was refused, or the client refused itself (the check said no).
    Refused,
    /// It may or may not have happened.
    Unknown,
    /// The client began to give the lock back.
    Released,
    /// The client was told that the lock is lost.
    Lost,
    /// The lease was prolonged.
    Renewed,
    /// The lock record expired.
    Expired,
    /// The lock record was deleted by somebody else than its owner.
    Stolen,
    /// A process went on after standing still, or started again.
    Back,
    /// Whatever else the violation is proved by; bars show it too, but not that it is a proof.
    Noted,
}

impl MarkKind {
    /// All kinds, in the order in which a legend shows them, with their meaning.
    pub const LEGEND: [(MarkKind, &'static str); 12] = [
        (MarkKind::Read, "read"),
        (MarkKind::Sent, "write sent"),
        (MarkKind::Written, "write acknowledged"),
        (MarkKind::Refused, "refused"),
        (MarkKind::Unknown, "may have happened"),
        (MarkKind::Released, "begins to release"),
        (MarkKind::Lost, "told that the lock is lost"),
        (MarkKind::Renewed, "lease renewed"),
        (MarkKind::Expired, "lock record expired"),
        (MarkKind::Stolen, "lock record deleted by another"),
        (MarkKind::Back, "goes on / starts again"),
        (MarkKind::Noted, "other proof: point at it"),
    ];

    /// How easily it is left out: the bars already show where a belief begins and ends.
    pub fn rank(self) -> u8 {
        match self {
            MarkKind::Noted
            | MarkKind::Stolen
            | MarkKind::Refused
            | MarkKind::Lost
            | MarkKind::Unknown => 0,
            MarkKind::Expired | MarkKind::Back => 1,
            MarkKind::Written | MarkKind::Sent | MarkKind::Read => 2,
            MarkKind::Released | MarkKind::Renewed => 3,
        }
    }
}

/// The marks of a stretch.
pub(super) fn of(
    history: &History,
    bounds: Window,
    violation: Option<&Violation>,
) -> BTreeMap<HostName, Vec<Mark>> {
    let is_witness = |event: &Event| {
        violation.is_some_and(|violation| violation.witnesses.contains(&event.index))
    };
    let mut found: BTreeMap<HostName, Vec<Mark>> = BTreeMap::new();
    for event in history.events.iter().filter(|event| bounds.contains(event.at)) {
        let witness = is_witness(event);
        let noted = witness.then_some(MarkKind::Noted);
        let Some(kind) = kind_of(event).or(noted) else { continue };
        let mark =
            Mark { at: event.at, kind, event: event.index, note: event.to_string(), witness };
        found.entry(event.process).or_default().push(mark);
    }
    found
}

fn kind_of(event: &Event) -> Option<MarkKind> {
    Some(match (event.op, event.kind) {
        (Op::Read { .. }, Kind::Ok) => MarkKind::Read,
        (Op::Write { .. } | Op::Sell { .. }, Kind::Invoke) => MarkKind::Sent,
        (Op::Write { .. } | Op::Sell { .. }, Kind::Ok) => MarkKind::Written,
        (Op::Write { .. } | Op::Sell { .. } | Op::Check, Kind::Fail) => MarkKind::Refused,
        (
            Op::Write { .. }
            | Op::Sell { .. }
            | Op::Acquire { .. }
            | Op::Reenter
            | Op::Leave
            | Op::Release,
            Kind::Info,
        ) => MarkKind::Unknown,
        (Op::Applied { accepted: false, .. }, _) => MarkKind::Refused,
        (Op::Applied { accepted: true, .. }, _) => MarkKind::Written,
        // Not what the server sets up by itself.
        (
            Op::Record {
                record: RecordName::Stock,
                change: ChangeKind::Set { .. },
                by: Some(_),
                ..
            },
            _,
        ) => MarkKind::Written,
        (Op::Release, Kind::Invoke) => MarkKind::Released,
        (Op::Lost, _) => MarkKind::Lost,
        (Op::Renew { .. }, Kind::Ok) => MarkKind::Renewed,
        (Op::Renew { .. }, Kind::Fail) => MarkKind::Refused,
        (Op::Record { record: RecordName::Lock, change, by, owner }, _) => match change {
            ChangeKind::Expired => MarkKind::Expired,
            ChangeKind::Deleted if owner.is_some() && by != owner => MarkKind::Stolen,
            _ => return None,
        },
        (Op::Resumed | Op::Booted, _) => MarkKind::Back,
        _ => return None,
    })
}
