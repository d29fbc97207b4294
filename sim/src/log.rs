//! The history while it grows, with its digest.

use std::cell::Cell;

use crate::digest::Digest;
use crate::history::{Event, Kind, Op};
use crate::host::HostName;
use crate::run::Run;
use crate::time::SimTime;
use crate::trail::Trail;

/// The events of a run so far.
#[derive(Debug)]
pub(crate) struct Log {
    events: Vec<Event>,
    /// Of the events and of whatever else the engine mixes in.
    pub(crate) digest: Digest,
    /// Writes of programs that were put on a wire; no part of the history, nor of the digest.
    pub(crate) messages: u64,
    /// Of the few runs that may have to be compared item by item.
    pub(crate) trail: Option<Box<Trail>>,
}

thread_local! {
    /// How many events the last run on this thread had: the runs of a sweep are alike, and to grow a list
    /// again and again is to copy it.
    static EVENTS_OF_LAST_RUN: Cell<usize> = const { Cell::new(0) };
}

/// At most so many events are made room for before there are any.
const EVENTS: usize = 1 << 16;

impl Default for Log {
    fn default() -> Self {
        let expected = EVENTS_OF_LAST_RUN.get();
        let events = Vec::with_capacity((expected + expected / 8).min(EVENTS));
        Self { events, digest: Digest::default(), messages: 0, trail: None }
    }
}

impl Log {
    pub(crate) fn push(&mut self, at: SimTime, process: HostName, kind: Kind, op: Op) -> &Event {
        let event = Event { index: self.events.len() as u32, at, process, kind, op };
        event.digest(&mut self.digest);
        self.leave_trail(at, || event.what().to_string());
        tracing::debug!(target: "picklock::history", "{event}");
        self.events.push(event);
        &self.events[self.events.len() - 1]
    }

    /// Puts what was just mixed into the digest on the trail, if there is one.
    #[inline]
    pub(crate) fn leave_trail(&mut self, at: SimTime, what: impl FnOnce() -> String) {
        if let Some(trail) = &mut self.trail {
            trail.add(at, what(), self.digest);
        }
    }

    pub(crate) fn finish(&mut self) -> Run {
        EVENTS_OF_LAST_RUN.set(self.events.len());
        Run {
            events: std::mem::take(&mut self.events),
            digest: self.digest,
            messages: self.messages,
            trail: self.trail.take(),
        }
    }
}
