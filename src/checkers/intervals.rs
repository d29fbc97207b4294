//! Intervals of a history: who believed or did what from when to when, and which of them overlap.
//!
//! Each interval knows its true times, for people, and its [`Span`] in the total order of the
//! history, for judging: two things at the same instant are still ordered by their events, so
//! "released, then granted to another" is never mistaken for an overlap. Checkers and reports share
//! these derivations, so that a report can draw exactly what was judged.

pub use super::beliefs::{Belief, EndedBy, beliefs};
pub use super::operations::{Operation, Outcome, Sale, operations, sales};

use picklock_sim::host::HostName;

/// A stretch of the total order: from the event that began it up to, but without, the first event
/// after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Index of its first event.
    pub start: u32,
    /// Index of the first event that is no longer in it; the number of events if it never ended.
    pub end: u32,
}

impl Span {
    /// Whether the two share a moment. An empty one shares none.
    pub fn overlaps(self, other: Span) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }

    /// Whether the event with this index falls into it.
    pub fn contains(self, index: u32) -> bool {
        self.start <= index && index < self.end
    }
}

/// Something one client did or believed over a stretch of the history.
pub(super) trait Interval {
    fn client(&self) -> HostName;
    fn span(&self) -> Span;
}

/// Overlaps of intervals of different clients that should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clash {
    /// Place of the earlier one of the first pair that overlaps.
    pub(super) earlier: usize,
    /// Place of the later one.
    pub(super) later: usize,
    /// How many intervals began while another client's was going on.
    pub(super) times: u32,
}

/// The overlaps among those of `items`, which must be in the order of their starts, that exclude each other.
/// One pass: what is going on at a time is at most one interval per client.
pub(super) fn clash<T: Interval>(items: &[T], exclude: fn(&T, &T) -> bool) -> Option<Clash> {
    let mut going_on: Vec<usize> = Vec::new();
    let mut found: Option<Clash> = None;
    for (later, item) in items.iter().enumerate() {
        let span = item.span();
        if span.start >= span.end {
            continue;
        }
        going_on.retain(|&earlier| items[earlier].span().end > span.start);
        let other = going_on.iter().find(|&&earlier| {
            items[earlier].client() != item.client() && exclude(&items[earlier], item)
        });
        match (other, &mut found) {
            (None, _) => {}
            (Some(_), Some(clash)) => clash.times += 1,
            (Some(&earlier), None) => found = Some(Clash { earlier, later, times: 1 }),
        }
        going_on.push(later);
    }
    found
}
