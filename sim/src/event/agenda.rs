//! What will happen, in order of time; at the same instant in the order in which it was put there.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::net::PipeId;
use super::tasks::TaskId;
use super::world::TimerId;
use crate::time::SimTime;

/// Something on the agenda.
#[derive(Clone, Copy, Debug)]
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
    /// The next few entries, the very next one last: put and taken faster than in any heap.
    soon: Vec<Entry>,
    /// All those that come after them.
    later: BinaryHeap<Entry>,
    count: u64,
}

/// As many entries are kept in order; a run with few hosts has no more of them.
const SOON: usize = 48;

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: SimTime,
    /// Its place among those of the same instant.
    order: u64,
    due: Due,
}

impl Agenda {
    #[inline]
    pub(super) fn now(&self) -> SimTime {
        self.now
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.soon.len() + self.later.len()
    }

    pub(super) fn put(&mut self, at: SimTime, due: Due) {
        assert!(at >= self.now, "the past cannot be changed");
        self.count += 1;
        let entry = Entry { at, order: self.count, due };
        if !self.later.is_empty() && self.soon.first().is_none_or(|last| last.at <= at) {
            return self.later.push(entry);
        }
        // Few come sooner, and among those of the same instant it is the last.
        let mut place = self.soon.len();
        self.soon.push(entry);
        while place > 0 && self.soon[place - 1].at <= at {
            self.soon.swap(place - 1, place);
            place -= 1;
        }
        if self.soon.len() > SOON {
            self.later.extend(self.soon.drain(..SOON / 2));
        }
    }

    /// Takes the next entry and moves the present there; `None` if nothing is left before `end`.
    pub(super) fn next(&mut self, end: SimTime) -> Option<Due> {
        if self.soon.is_empty() {
            self.look_ahead();
        }
        let Entry { at, due, .. } = *self.soon.last().filter(|entry| entry.at <= end)?;
        self.soon.pop();
        self.now = at;
        Some(due)
    }

    #[cold]
    fn look_ahead(&mut self) {
        self.soon.extend(std::iter::from_fn(|| self.later.pop()).take(SOON / 2));
        self.soon.reverse();
    }
}

impl Entry {
    fn key(&self) -> (SimTime, u64) {
        (self.at, self.order)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The other way round: the heap hands out the greatest, and that is to be the next.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list that is searched: whatever is put and taken, entries come in
        /// order of time, and at the same instant in the order in which they were put.
        #[test]
        fn entries_come_in_order(
            steps in prop::collection::vec((0_u8..7, 0_u64..200), 0..600),
        ) {
            let mut agenda = Agenda::default();
            let mut list: Vec<(SimTime, u16)> = Vec::new();
            for (number, (what, after)) in steps.into_iter().enumerate() {
                let number = number as u16;
                match what {
                    0..=4 => {
                        let at = agenda.now() + std::time::Duration::from_nanos(after);
                        agenda.put(at, Due::FaultBegins(number));
                        list.push((at, number));
                    }
                    _ => {
                        let next = list.iter().min().copied();
                        list.retain(|entry| Some(*entry) != next);
                        let taken = agenda.next(SimTime::from_nanos(u64::MAX));
                        let taken = taken.map(|due| match due {
                            Due::FaultBegins(number) => (agenda.now(), number),
                            other => panic!("nobody has put {other:?}"),
                        });
                        prop_assert_eq!(taken, next);
                    }
                }
                prop_assert_eq!(agenda.len(), list.len());
            }
        }
    }

    #[test]
    fn what_lies_beyond_the_end_is_left() {
        let mut agenda = Agenda::default();
        agenda.put(SimTime::from_nanos(7), Due::Heal);
        assert!(agenda.next(SimTime::from_nanos(6)).is_none());
        assert_eq!(agenda.now(), SimTime::ZERO);
        assert!(matches!(agenda.next(SimTime::from_nanos(7)), Some(Due::Heal)));
    }
}
