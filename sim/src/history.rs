//! What happened, in one total order, in Jepsen's words.
//!
//! Three kinds of witness write into one history: the clients (what they did and believed), the
//! servers (what truly happened to the lock record and the guarded resource) and the nemesis (what
//! was broken). Events are small plain values, so that recording costs nothing; they become JSON
//! lines only when a history is written.

mod file;

use std::fmt;

use picklock_models::model::ChangeKind;
use serde::{Deserialize, Serialize};

pub use file::{HISTORY_VERSION, HistoryError, read, write};

use crate::digest::Digest;
use crate::host::HostName;
use crate::time::SimTime;

/// What happened in one run, and what it was about.
#[derive(Clone, Debug, PartialEq)]
pub struct History<H> {
    /// What the run was about; whatever a checker needs besides the events.
    pub header: H,
    /// The events; index order is time order.
    pub events: Vec<Event>,
    /// Digest of everything that happened in the run, network and timers included.
    pub digest: Digest,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the total order, from 0.
    pub index: u32,
    /// True time, in nanoseconds.
    #[serde(rename = "at_ns")]
    pub at: SimTime,
    /// Who reports it.
    pub process: HostName,
    /// Which of the four words.
    pub kind: Kind,
    /// What it is about.
    #[serde(flatten)]
    pub op: Op,
}

/// Jepsen's four words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The process begins an operation.
    Invoke,
    /// It succeeded.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// It may or may not have happened; or a fact that is no operation.
    Info,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Op {
    /// A client asks for the lock until it has it.
    Acquire {
        /// On `ok`: the fencing token, if the lock hands one out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<u64>,
        /// On `ok`: when the client will stop believing by its own clock, as true time.
        #[serde(default, rename = "until_ns", skip_serializing_if = "Option::is_none")]
        until: Option<SimTime>,
        /// It asks for the shared mode, in which several may have it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shared: bool,
    },
    /// The holder asks for the lock once more, in the mode in which it has it.
    Reenter,
    /// The holder gives back what it was granted last by [`Op::Reenter`], and keeps the rest.
    Leave,
    /// The client's watchdog prolongs the lease; on `ok` with the new own deadline, if it has one.
    Renew {
        /// As in [`Op::Acquire`].
        #[serde(default, rename = "until_ns", skip_serializing_if = "Option::is_none")]
        until: Option<SimTime>,
    },
    /// The worker was told that the lock is lost.
    Lost,
    /// The client gives the lock back, for good.
    Release,
    /// The client asks, just before a write, whether it still holds the lock; `fail`: it does not.
    Check,
    /// A guarded read.
    Read {
        /// On `ok`: what it saw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<i64>,
    },
    /// A guarded write; `fail`: refused, for example for its token.
    Write {
        /// What is written.
        value: i64,
        /// The fencing token sent along.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<u64>,
    },
    /// One unit taken by a single decrement at the store.
    Sell {
        /// On `ok`: what the store answered to be left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<i64>,
    },
    /// The guarded resource received a write: the ground truth about it.
    Applied {
        /// Whose write.
        by: HostName,
        /// The value before.
        before: i64,
        /// The value after; the same if refused.
        after: i64,
        /// The token that came with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<u64>,
        /// Whether it took effect.
        accepted: bool,
    },
    /// Something happened to a watched record of a store: the ground truth about the lock.
    Record {
        /// Which record.
        record: RecordName,
        /// What happened to it.
        change: ChangeKind,
        /// Who did it; the server itself if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<HostName>,
        /// Who had stored the value before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<HostName>,
    },
    /// A fault of the plan, by its place in the list, has struck a host.
    FaultBegins {
        /// Index in the plan's faults.
        fault: u16,
        /// Whom it hit (for a link fault, its sending side).
        host: HostName,
    },
    /// A fault has ended.
    FaultEnds {
        /// Index in the plan's faults.
        fault: u16,
    },
    /// The process of this event stands still from here on.
    Paused,
    /// It goes on.
    Resumed,
    /// It is dead.
    Crashed,
    /// It starts (again).
    Booted,
    /// Nothing is broken from here on.
    Healed,
}

/// A record of a store that the run watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordName {
    /// The lock itself.
    Lock,
    /// The counter that fencing tokens come from.
    Fence,
    /// The guarded stock, where it lives in the store.
    Stock,
    /// A contender's place in a queue, behind the record that makes its owner the holder.
    Place,
    /// A queue that is one record for all contenders. Whose place it was that came or went it does not say; but
    /// who changes it for the first time while it asks for the lock takes its place.
    Queue,
}

/// An operation without its values, as triggers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the operation of the same name")]
pub enum OpName {
    Acquire,
    Renew,
    Lost,
    Release,
    Check,
    Read,
    Write,
    Sell,
    Applied,
    Record,
    FaultBegins,
    FaultEnds,
    Paused,
    Resumed,
    Crashed,
    Booted,
    Healed,
    /// A [`Op::Record`] by which the server stores a client's lock record.
    Granted,
    /// A [`Op::Record`] by which a client deletes a lock record.
    Freed,
    // At the end, because digests are made of their numbers.
    Reenter,
    Leave,
}

impl OpName {
    /// Whether a trigger for this operation fits that one. `write` stands for the guarded write in
    /// whatever form the resource has it, so that one plan serves all resources.
    pub fn fits(self, op: &Op) -> bool {
        match (self, op) {
            (OpName::Write, Op::Sell { .. }) => true,
            (OpName::Granted, Op::Record { record: RecordName::Lock, change, by: Some(_), .. }) => {
                matches!(change, ChangeKind::Set { .. })
            }
            (OpName::Freed, Op::Record { record: RecordName::Lock, change, .. }) => {
                *change == ChangeKind::Deleted
            }
            _ => self == op.name(),
        }
    }
}

impl Op {
    /// Which operation it is.
    pub fn name(&self) -> OpName {
        match self {
            Op::Acquire { .. } => OpName::Acquire,
            Op::Reenter => OpName::Reenter,
            Op::Leave => OpName::Leave,
            Op::Renew { .. } => OpName::Renew,
            Op::Lost => OpName::Lost,
            Op::Release => OpName::Release,
            Op::Check => OpName::Check,
            Op::Read { .. } => OpName::Read,
            Op::Write { .. } => OpName::Write,
            Op::Sell { .. } => OpName::Sell,
            Op::Applied { .. } => OpName::Applied,
            Op::Record { .. } => OpName::Record,
            Op::FaultBegins { .. } => OpName::FaultBegins,
            Op::FaultEnds { .. } => OpName::FaultEnds,
            Op::Paused => OpName::Paused,
            Op::Resumed => OpName::Resumed,
            Op::Crashed => OpName::Crashed,
            Op::Booted => OpName::Booted,
            Op::Healed => OpName::Healed,
        }
    }

    /// `acquire` with nothing to say yet.
    pub const ACQUIRE: Op = Op::Acquire { token: None, until: None, shared: false };
    /// `acquire` in the shared mode with nothing to say yet.
    pub const ACQUIRE_SHARED: Op = Op::Acquire { token: None, until: None, shared: true };
    /// `renew` with nothing to say yet.
    pub const RENEW: Op = Op::Renew { until: None };
    /// `read` with nothing to say yet.
    pub const READ: Op = Op::Read { value: None };
    /// `sell` with nothing to say yet.
    pub const SELL: Op = Op::Sell { left: None };
}

impl Event {
    /// Mixes the event into a digest: everything but its index, which follows from its place.
    pub fn digest(&self, digest: &mut Digest) {
        let host = |host: HostName| (host.role as u64) << 16 | u64::from(host.number);
        let optional = |value: Option<u64>| value.unwrap_or(u64::MAX - 1);
        let word = host(self.process) << 16 | (self.kind as u64) << 8 | self.op.name() as u64;
        digest.pair(self.at.as_nanos(), word);
        match self.op {
            Op::Acquire { token, until, shared } => {
                digest.pair(optional(token), optional(until.map(SimTime::as_nanos)));
                if shared {
                    digest.number(u64::from(shared));
                }
            }
            Op::Renew { until } => digest.number(optional(until.map(SimTime::as_nanos))),
            Op::Read { value } | Op::Sell { left: value } => {
                digest.number(optional(value.map(|value| value as u64)));
            }
            Op::Write { value, token } => digest.pair(value as u64, optional(token)),
            Op::Applied { by, before, after, token, accepted } => {
                digest.pair(host(by) << 1 | u64::from(accepted), optional(token));
                digest.pair(before as u64, after as u64);
            }
            Op::Record { record, change, by, owner } => {
                let (tag, number, ttl_ms) = match change {
                    ChangeKind::Set { number, ttl_ms } => (0, number, ttl_ms),
                    ChangeKind::Retimed { ttl_ms } => (1, None, ttl_ms),
                    ChangeKind::Deleted => (2, None, None),
                    ChangeKind::Expired => (3, None, None),
                    ChangeKind::Loaded { number, ttl_ms } => (4, number, ttl_ms),
                    ChangeKind::Edited { ttl_ms } => (5, None, ttl_ms),
                };
                // A host fits into 24 bits; one more bit tells nobody from somebody.
                let whose = |host_or_none: Option<HostName>| match host_or_none {
                    Some(name) => host(name) << 1 | 1,
                    None => 0,
                };
                digest.pair((record as u64) << 8 | tag, whose(by) << 32 | whose(owner));
                let number = number.map(|number| number as u64);
                digest.pair(optional(number), optional(ttl_ms.map(|ttl_ms| ttl_ms as u64)));
            }
            Op::FaultBegins { fault, host: hit } => digest.pair(u64::from(fault), host(hit)),
            Op::FaultEnds { fault } => digest.number(u64::from(fault)),
            Op::Reenter
            | Op::Leave
            | Op::Lost
            | Op::Release
            | Op::Check
            | Op::Paused
            | Op::Resumed
            | Op::Crashed
            | Op::Booted
            | Op::Healed => {}
        }
    }
}

/// One line a person can read: `1.250 s client 1 ok acquire token 34`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.what())
    }
}

impl Event {
    pub(crate) fn what(&self) -> What<'_> {
        What(self)
    }
}

/// The line of an event without its time: `client 1 ok acquire token 34`.
pub(crate) struct What<'a>(&'a Event);

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { process, kind, op, .. } = self.0;
        match kind {
            Kind::Info => write!(f, "{process} {op}"),
            kind => write!(f, "{process} {kind} {op}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Invoke => "invoke",
            Kind::Ok => "ok",
            Kind::Fail => "fail",
            Kind::Info => "info",
        })
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_token = |f: &mut fmt::Formatter<'_>, token: Option<u64>| match token {
            Some(token) => write!(f, " token {token}"),
            None => Ok(()),
        };
        match *self {
            Op::Acquire { token, until, shared } => {
                f.write_str(if shared { "acquire shared" } else { "acquire" })?;
                with_token(f, token)?;
                until.map_or(Ok(()), |until| write!(f, " until {until}"))
            }
            Op::Renew { until } => {
                f.write_str("renew")?;
                until.map_or(Ok(()), |until| write!(f, " until {until}"))
            }
            Op::Reenter => f.write_str("re-enter"),
            Op::Leave => f.write_str("leave"),
            Op::Lost => f.write_str("told that the lock is lost"),
            Op::Release => f.write_str("release"),
            Op::Check => f.write_str("check"),
            Op::Read { value: Some(value) } => write!(f, "read {value}"),
            Op::Read { value: None } => f.write_str("read"),
            Op::Write { value, token } => {
                write!(f, "write {value}")?;
                with_token(f, token)
            }
            Op::Sell { left: Some(left) } => write!(f, "sell, {left} left"),
            Op::Sell { left: None } => f.write_str("sell"),
            Op::Applied { by, before, after, token, accepted } => {
                let verb = if accepted { "accepts" } else { "refuses" };
                write!(f, "{verb} {by}'s write: {before} -> {after}")?;
                with_token(f, token)
            }
            Op::Record { record, change, by, owner } => {
                let record = match record {
                    RecordName::Lock => "lock",
                    RecordName::Fence => "fence",
                    RecordName::Stock => "stock",
                    RecordName::Place => "queue",
                    RecordName::Queue => "waiting list",
                };
                write!(f, "{record} record ")?;
                match change {
                    ChangeKind::Set { number: Some(number), .. } => write!(f, "set to {number}")?,
                    ChangeKind::Set { number: None, .. } => f.write_str("set")?,
                    ChangeKind::Edited { .. } => f.write_str("changed in place")?,
                    ChangeKind::Retimed { .. } => f.write_str("prolonged")?,
                    ChangeKind::Deleted => f.write_str("deleted")?,
                    ChangeKind::Expired => f.write_str("expired")?,
                    ChangeKind::Loaded { .. } => f.write_str("loaded from disk")?,
                }
                if let Some(by) = by {
                    write!(f, " by {by}")?;
                }
                match owner {
                    Some(owner) if Some(owner) != by => write!(f, ", was {owner}'s"),
                    _ => Ok(()),
                }
            }
            Op::FaultBegins { fault, host } => write!(f, "fault {fault} strikes {host}"),
            Op::FaultEnds { fault } => write!(f, "fault {fault} ends"),
            Op::Paused => f.write_str("paused"),
            Op::Resumed => f.write_str("resumed"),
            Op::Crashed => f.write_str("crashed"),
            Op::Booted => f.write_str("booted"),
            Op::Healed => f.write_str("all healed"),
        }
    }
}
