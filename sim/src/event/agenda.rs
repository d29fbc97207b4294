//! What will happen, in order of time; at the same instant in the order in which it was put there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::net::PipeId;
use super::tasks::TaskId;
use super::world::TimerId;
use crate::time::SimTime;

/// Something on the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The packet at the head of a pipe arrives.
    Arrival(PipeId),
    /// A timer may be due.
    Timer(TimerId),
    /// A task that was slowed down goes on.
    Wake(TaskId),
    /// A fault strikes.
    FaultBegins(u16),
    /// A fault ends.
    FaultEnds(u16),
    /// Everything is healed.
    Heal,
}

/// The agenda, and the present: time is where the last entry taken from it was.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    now: SimTime,
    entries: BinaryHeap<Reverse<(SimTime, u64, Due)>>,
    count: u64,
}

impl Agenda {
    pub(super) fn now(&self) -> SimTime {
        self.now
    }

    pub(super) fn put(&mut self, at: SimTime, due: Due) {
        debug_assert!(at >= self.now, "the past cannot be changed");
        self.count += 1;
        self.entries.push(Reverse((at, self.count, due)));
    }

    /// Takes the next entry and moves the present there; `None` if nothing is left before `end`.
    pub(super) fn next(&mut self, end: SimTime) -> Option<Due> {
        let Reverse((at, _, _)) = self.entries.peek()?;
        if *at > end {
            return None;
        }
        let Reverse((at, _, due)) = self.entries.pop()?;
        self.now = at;
        Some(due)
    }
}
