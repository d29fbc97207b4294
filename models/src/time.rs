//! Time as one machine shows it.
//!
//! Two clocks, two types that cannot be mixed, because which of them a store reads decides what a
//! clock fault does to a lock: Redis judges expiry by the calendar clock (`src/util.c` `ustime`,
//! gettimeofday), ZooKeeper and etcd by a steady one. A model never asks for the time: it is told.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A host's steady clock (CLOCK_MONOTONIC): never goes back, stands still while the VM is
/// suspended. Nanoseconds since an arbitrary start.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SteadyTime(u64);

/// A host's calendar clock (CLOCK_REALTIME): can be stepped both ways. Nanoseconds since the Unix
/// epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallTime(u64);

/// Both clocks of one machine at one instant; a model reads the one its real counterpart reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostTime {
    /// The steady clock.
    pub steady: SteadyTime,
    /// The calendar clock.
    pub wall: WallTime,
}

impl SteadyTime {
    /// The clock that has run for `ns` nanoseconds.
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the clock's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: SteadyTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl WallTime {
    /// The instant `ns` nanoseconds after the Unix epoch.
    pub const fn from_unix_nanos(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_unix_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch, as Redis' `mstime()` gives them.
    pub const fn unix_ms(self) -> i64 {
        (self.0 / 1_000_000) as i64
    }
}

impl Add<Duration> for SteadyTime {
    type Output = SteadyTime;
    fn add(self, duration: Duration) -> SteadyTime {
        SteadyTime(self.0.saturating_add(saturating_nanos(duration)))
    }
}

impl Sub<Duration> for SteadyTime {
    type Output = SteadyTime;
    fn sub(self, duration: Duration) -> SteadyTime {
        SteadyTime(self.0.saturating_sub(saturating_nanos(duration)))
    }
}

/// A duration in nanoseconds; the longest a clock can show if it does not fit (584 years).
fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
