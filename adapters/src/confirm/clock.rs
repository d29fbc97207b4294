//! The clock of a real run: this machine's monotonic one, which all processes share, since the run began.

use std::time::Duration;

use picklock_sim::time::SimTime;
use rustix::time::{ClockId, clock_gettime};

/// When a run began, on the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunClock {
    origin_ns: u64,
}

impl RunClock {
    /// A run that begins now.
    pub(super) fn start() -> Self {
        Self { origin_ns: monotonic_ns() }
    }

    /// The same run in another process.
    pub(super) fn since(origin_ns: u64) -> Self {
        Self { origin_ns }
    }

    /// What [`RunClock::since`] is told.
    pub(super) fn origin_ns(self) -> u64 {
        self.origin_ns
    }

    /// Time since the run began.
    pub(super) fn now(self) -> SimTime {
        SimTime::from_nanos(monotonic_ns().saturating_sub(self.origin_ns))
    }

    /// How long until then.
    pub(super) fn until(self, at: SimTime) -> Duration {
        let ns = at.as_nanos().saturating_sub(self.now().as_nanos());
        Duration::from_nanos(ns)
    }
}

fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // It began when the machine did, so it is never negative.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}
