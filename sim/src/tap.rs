//! What an outsider sees of a run with a tap on every wire and a look at every clock.
//!
//! Not a part of the history: a checker must not need it, and nearly no run is looked at so closely.
//! Whoever wants to see the messages of a run runs its plan once more with a tap, which changes
//! nothing: same events, same digest.

use std::collections::{BTreeMap, VecDeque};

use picklock_models::time::HostTime;

use crate::host::HostName;
use crate::time::SimTime;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tap {
    /// The messages, in the order in which they were sent.
    pub messages: Vec<Message>,
    /// For each event of the history what the clocks of its process showed; `None` for who has none.
    pub clocks: Vec<Option<HostTime>>,
}

/// Bytes that one host sent to another in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender.
    pub from: HostName,
    /// The receiver.
    pub to: HostName,
    /// When it was sent.
    pub sent: SimTime,
    /// When it arrived; `None`: it was lost, or it was still on its way when the run ended.
    pub arrived: Option<SimTime>,
    /// The bytes, or the first [`MOST_BYTES`] of them.
    pub bytes: Vec<u8>,
}

/// More bytes of one message are not kept: enough for the longest script call.
pub const MOST_BYTES: usize = 1024;

/// A tap while it is open; `P` names one direction of a connection, in which nothing overtakes.
#[derive(Debug)]
pub(crate) struct Tapping<P> {
    seen: Tap,
    /// The places of the messages that are on their way.
    flying: BTreeMap<P, VecDeque<usize>>,
}

impl<P: Ord> Tapping<P> {
    pub(crate) fn new() -> Self {
        Self { seen: Tap::default(), flying: BTreeMap::new() }
    }

    /// Bytes are put on their way.
    pub(crate) fn sent(&mut self, pipe: P, ends: (HostName, HostName), at: SimTime, bytes: &[u8]) {
        let place = self.lost(ends, at, bytes);
        self.flying.entry(pipe).or_default().push_back(place);
    }

    /// Bytes are sent and destroyed.
    pub(crate) fn lost(&mut self, ends: (HostName, HostName), at: SimTime, bytes: &[u8]) -> usize {
        let (from, to) = ends;
        let bytes = bytes[..bytes.len().min(MOST_BYTES)].to_vec();
        self.seen.messages.push(Message { from, to, sent: at, arrived: None, bytes });
        self.seen.messages.len() - 1
    }

    /// The first of the bytes on their way arrive.
    pub(crate) fn arrived(&mut self, pipe: &P, at: SimTime) {
        if let Some(place) = self.flying.get_mut(pipe).and_then(VecDeque::pop_front) {
            self.seen.messages[place].arrived = Some(at);
        }
    }

    /// An event was recorded.
    pub(crate) fn clocks(&mut self, shown: Option<HostTime>) {
        self.seen.clocks.push(shown);
    }

    pub(crate) fn into_seen(self) -> Tap {
        self.seen
    }
}
