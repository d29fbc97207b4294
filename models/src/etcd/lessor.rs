//! When leases end: the leader's own view, on its own steady clock (`server/lease/lessor.go`).
//!
//! It is not part of what members agree on. A lease that ends is a command like any other; until it is
//! applied, the lease lives. A new leader starts from the leases alone and gives each its full time
//! again, because it cannot know how much had passed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::machine::{Lease, LeaseId, MAX_TTL_S};
use crate::time::SteadyTime;

/// How often the leader looks for leases whose time is up.
pub const EXPIRY_LOOP: Duration = Duration::from_millis(500);
/// What one look finds at most: half of `leaseRevokeRate`, 1000 a second.
pub const EXPIRIES_A_LOOP: usize = 500;
/// What a promoted leader adds to every lease: an election timeout with the default settings.
pub const ELECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// When each lease ends.
#[derive(Debug, Default)]
pub(super) struct Lessor {
    ends: BTreeMap<LeaseId, End>,
    /// The same, the first to end first.
    order: BTreeSet<(End, LeaseId)>,
    /// How often a lease has got its full time.
    refreshed: u64,
}

/// When a lease ends. The server's clock shows no instant twice; of leases that end at the same one here, the one
/// that got its time first is the first.
type End = (SteadyTime, u64);

impl Lessor {
    /// A leader that has just been promoted: every lease gets its full time and an election timeout
    /// (`Promote`).
    pub(super) fn promoted(now: SteadyTime, leases: &BTreeMap<LeaseId, Lease>) -> Lessor {
        let mut lessor = Lessor::default();
        for (id, lease) in leases {
            lessor.refresh(*id, now + ELECTION_TIMEOUT, lease.ttl_s);
        }
        lessor
    }

    /// The lease has its full time again, from `now`.
    pub(super) fn refresh(&mut self, id: LeaseId, now: SteadyTime, ttl_s: i64) {
        self.forget(id);
        self.refreshed += 1;
        let end = now + Duration::from_secs(ttl_s.clamp(0, MAX_TTL_S).unsigned_abs());
        let end = (end, self.refreshed);
        self.ends.insert(id, end);
        self.order.insert((end, id));
    }

    pub(super) fn forget(&mut self, id: LeaseId) {
        if let Some(end) = self.ends.remove(&id) {
            self.order.remove(&(end, id));
        }
    }

    /// Whether its time is up, though it may not have been revoked yet.
    pub(super) fn is_over(&self, id: LeaseId, now: SteadyTime) -> bool {
        self.ends.get(&id).is_some_and(|(end, _)| *end <= now)
    }

    /// What is left of it; nothing if its time is up.
    pub(super) fn remaining(&self, id: LeaseId, now: SteadyTime) -> Option<Duration> {
        self.ends.get(&id).map(|(end, _)| end.since(now))
    }

    /// What to revoke now, in the order in which it ended.
    pub(super) fn over(&self, now: SteadyTime) -> Vec<LeaseId> {
        let over = self.order.iter().take_while(|((end, _), _)| *end <= now);
        over.take(EXPIRIES_A_LOOP).map(|(_, id)| *id).collect()
    }

    /// All leases, the first to end first.
    pub(super) fn all(&self) -> impl Iterator<Item = LeaseId> {
        self.order.iter().map(|(_, id)| *id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}
