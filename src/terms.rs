//! What a run was about: the header of its history.
//!
//! Everything a checker needs besides the events stands here, written down before the run; so an
//! old history can be judged again, by new checkers, without its scenario.

use std::fmt;

use picklock_sim::time::SimTime;
use serde::{Deserialize, Serialize};

/// What [`Terms::engine`] says of a run on real servers and processes, which no engine of this crate made.
pub const REAL: &str = "real";

/// A history with its terms.
pub type History = picklock_sim::history::History<Terms>;

/// What a run was about and what its lock had promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Name of the scenario.
    pub scenario: String,
    /// The contender: lock and guarded resource, as scenario files name them.
    pub contender: String,
    /// The engine that ran it.
    pub engine: String,
    /// What the clients did.
    pub workload: WorkloadKind,
    /// What the stock or counter showed at the beginning.
    pub initial: i64,
    /// How many clients there were.
    pub clients: u16,
    /// From here on nothing was broken, in nanoseconds.
    #[serde(rename = "heal_at_ns")]
    pub heal_at: SimTime,
    /// The end of the run, in nanoseconds.
    #[serde(rename = "end_at_ns")]
    pub end_at: SimTime,
    /// How long after the heal somebody must have the lock at the latest, in milliseconds, computed
    /// from the algorithm's own parameters; `None`: it promises nothing.
    pub recovery_bound_ms: Option<u64>,
    /// How often others may be served while one keeps waiting before that counts as starvation.
    pub starvation_bound: u32,
    /// What the lock promises; checkers hold it to these and to no more.
    pub claims: Vec<Claim>,
}

/// What the clients do with the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// Each sells one unit of a stock at a time: read, think, write one less; until it is 0.
    Sale,
    /// Each adds one to a counter at a time: read, think, write one more.
    Counter,
}

impl WorkloadKind {
    /// What one successful guarded write adds to the value.
    pub fn step(self) -> i64 {
        match self {
            WorkloadKind::Sale => -1,
            WorkloadKind::Counter => 1,
        }
    }
}

/// A promise that a lock (with its guarded resource) can make; one checker judges each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// The history itself is sane. Not a promise of a lock but of the test-bed; always held.
    WellFormed,
    /// No two clients believe at once that they hold the lock.
    ExclusiveBelief,
    /// No two guarded operations overlap.
    ExclusiveOperation,
    /// Not more is sold than there was.
    NoOversell,
    /// What was sold and what is left add up.
    LedgerConserved,
    /// No acknowledged update is overwritten unseen.
    NoLostUpdate,
    /// Fencing tokens grow in the order of grants, and no stale one is accepted.
    FenceMonotonic,
    /// Nobody removes a lock record that is another's.
    ReleaseSafe,
    /// After everything is healed somebody gets the lock within the algorithm's own bound.
    Recovers,
    /// Nobody who keeps trying is passed over without end.
    NoStarvation,
    /// Its holder may acquire it again, and it is free when it was released as often and not before.
    Reentrant,
    /// It is granted in the order in which clients were queued at the server.
    FairQueue,
    /// While one holds it alone nobody shares it, and while some share it nobody holds it alone.
    ReadersWriter,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
