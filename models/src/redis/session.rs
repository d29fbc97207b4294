//! What the server knows of one connection (`src/server.h` `struct client`).

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use super::reply::Protocol;
use super::request::Request;
use crate::time::SteadyTime;

/// One connection.
#[derive(Default)]
pub(super) struct Session {
    /// Counted up from the server's start.
    pub(super) id: i64,
    pub(super) name: Option<Bytes>,
    pub(super) protocol: Protocol,
    pub(super) database: usize,
    /// Whether it gave the password, or came while there was none.
    pub(super) authenticated: bool,
    pub(super) answers: Answers,
    /// Between MULTI and EXEC.
    pub(super) transaction: Option<Transaction>,
    /// How many commands the EXEC has that runs.
    pub(super) executing: Option<usize>,
    pub(super) watching: Vec<Watch>,
    /// Whether a watched key has changed (`CLIENT_DIRTY_CAS`).
    pub(super) dirty: bool,
    pub(super) channels: BTreeSet<Bytes>,
    pub(super) patterns: BTreeSet<Bytes>,
    pub(super) shard_channels: BTreeSet<Bytes>,
    pub(super) no_evict: bool,
    pub(super) connected_at: SteadyTime,
    pub(super) active_at: SteadyTime,
    pub(super) last_command: &'static str,
}

/// CLIENT REPLY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Answers {
    #[default]
    On,
    Off,
    /// From the next command's end on: this one's answer is already left out.
    SkipNext,
    Skip,
}

/// The commands between MULTI and EXEC.
#[derive(Default)]
pub(super) struct Transaction {
    pub(super) queue: VecDeque<Request>,
    /// Whether a command was refused on its way into the queue (`CLIENT_DIRTY_EXEC`).
    pub(super) broken: bool,
}

/// A key that WATCH named.
pub(super) struct Watch {
    pub(super) database: usize,
    pub(super) key: Bytes,
    /// Whether its time was up already then; that it goes later is no change.
    pub(super) expired: bool,
}

impl Session {
    pub(super) fn is_subscribed(&self) -> bool {
        !(self.channels.is_empty() && self.patterns.is_empty() && self.shard_channels.is_empty())
    }

    /// As in the flag `P` of CLIENT LIST: RESP2 then allows a few commands only.
    pub(super) fn is_restricted(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.is_subscribed()
    }

    /// The end of one command (`src/networking.c` `resetClient`).
    pub(super) fn command_ended(&mut self) {
        self.answers = match self.answers {
            Answers::Skip => Answers::On,
            Answers::SkipNext => Answers::Skip,
            stays => stays,
        };
    }
}
