//! How much was really done: what speed is measured against, and what a sweep of idle runs would
//! show.

use std::ops::AddAssign;

use picklock_sim::history::{Kind, Op};
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// What runs amount to, whatever came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Simulated time, in milliseconds.
    pub simulated_ms: u64,
    /// How often a client was granted the lock.
    pub grants: u64,
    /// Events in the histories.
    pub events: u64,
    /// Messages over the network: requests and replies, without those that open and close
    /// connections.
    pub messages: u64,
}

impl Work {
    /// The work of one run.
    pub fn of(outcome: &Outcome) -> Self {
        let events = &outcome.history.events;
        let granted = events
            .iter()
            .filter(|event| event.kind == Kind::Ok && matches!(event.op, Op::Acquire { .. }));
        Self {
            simulated_ms: outcome.plan.world.end_at_ms,
            grants: granted.count() as u64,
            events: events.len() as u64,
            messages: outcome.messages,
        }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.simulated_ms += other.simulated_ms;
        self.grants += other.grants;
        self.events += other.events;
        self.messages += other.messages;
    }
}
