//! The history while it grows, with its digest.

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

/// Most runs have more events; to grow a list of them again and again costs more than this memory.
const EVENTS: usize = 1024;

impl Default for Log {
    fn default() -> Self {
        let events = Vec::with_capacity(EVENTS);
        Self { events, digest: Digest::default(), messages: 0, trail: None }
    }
}

impl Log {
    pub(crate) fn push(&mut self, at: SimTime, process: HostName, kind: Kind, op: Op) -> Event {
        let event = Event { index: self.events.len() as u32, at, process, kind, op };
        event.digest(&mut self.digest);
        self.leave_trail(at, || event.what().to_string());
        self.events.push(event);
        tracing::debug!(target: "picklock::history", "{event}");
        event
    }

    /// Puts what was just mixed into the digest on the trail, if there is one.
    #[inline]
    pub(crate) fn leave_trail(&mut self, at: SimTime, what: impl FnOnce() -> String) {
        if let Some(trail) = &mut self.trail {
            trail.add(at, what(), self.digest);
        }
    }

    pub(crate) fn finish(&mut self) -> Run {
        Run {
            events: std::mem::take(&mut self.events),
            digest: self.digest,
            messages: self.messages,
            trail: self.trail.take(),
        }
    }
}
