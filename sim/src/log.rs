//! The history while it grows, with its digest.

use crate::digest::Digest;
use crate::history::{Event, Kind, Op};
use crate::host::HostName;
use crate::run::Run;
use crate::time::SimTime;

/// The events of a run so far.
#[derive(Debug)]
pub(crate) struct Log {
    events: Vec<Event>,
    /// Of the events and of whatever else the engine mixes in.
    pub(crate) digest: Digest,
    /// Writes of programs that were put on a wire; no part of the history, nor of the digest.
    pub(crate) messages: u64,
}

/// Most runs have more events; to grow a list of them again and again costs more than this memory.
const EVENTS: usize = 1024;

impl Default for Log {
    fn default() -> Self {
        Self { events: Vec::with_capacity(EVENTS), digest: Digest::default() }
    }
}

impl Log {
    pub(crate) fn push(&mut self, at: SimTime, process: HostName, kind: Kind, op: Op) -> Event {
        let event = Event { index: self.events.len() as u32, at, process, kind, op };
        event.digest(&mut self.digest);
        self.events.push(event);
        tracing::debug!(target: "picklock::history", "{event}");
        event
    }

    pub(crate) fn finish(&mut self) -> Run {
        let (digest, messages) = (self.digest, self.messages);
        Run { events: std::mem::take(&mut self.events), digest, messages }
    }
}
