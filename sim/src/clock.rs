//! A host's two clocks as functions of true time: offset, rate, steps, standstill.
//!
//! Piecewise linear: an anchor (true, steady, wall) and a rate. Every change of rate or standstill
//! moves the anchor to the present, so the past never changes.

use std::time::Duration;

use picklock_models::time::{HostTime, SteadyTime, WallTime};

use crate::time::SimTime;

const MILLION: i128 = 1_000_000;

/// The clocks of one host.
#[derive(Clone, Debug)]
pub struct HostClock {
    anchor: SimTime,
    steady_ns: u64,
    wall_ns: u64,
    rate_ppm: i32,
    suspended: bool,
}

impl HostClock {
    /// Clocks that show `at` at the beginning of the run and run at the true rate.
    pub fn new(at: HostTime, rate_ppm: i32) -> Self {
        Self {
            anchor: SimTime::ZERO,
            steady_ns: at.steady.as_nanos(),
            wall_ns: at.wall.as_unix_nanos(),
            rate_ppm,
            suspended: false,
        }
    }

    /// What both clocks show at `now`.
    #[inline]
    pub fn read(&self, now: SimTime) -> HostTime {
        let elapsed = self.elapsed(now);
        let steady = if self.suspended { 0 } else { elapsed };
        HostTime {
            steady: SteadyTime::from_nanos(self.steady_ns + steady),
            wall: WallTime::from_unix_nanos(self.wall_ns + elapsed),
        }
    }

    /// When the steady clock will show `target`; `None` while it stands still. The present if it
    /// already does.
    pub fn when_steady(&self, target: SteadyTime, now: SimTime) -> Option<SimTime> {
        if self.suspended {
            return None;
        }
        let shown = self.read(now).steady;
        if target <= shown {
            return Some(now);
        }
        let missing_ns = target.as_nanos() - shown.as_nanos();
        if self.rate_ppm == 0 {
            // What the formula below comes to for a true clock, which nearly all are.
            return Some(now + Duration::from_nanos(missing_ns.saturating_add(1)));
        }
        // Rounded up twice (here and by the +1): a timer must never fire before its host's clock
        // shows the time it waits for.
        let rate = MILLION + i128::from(self.rate_ppm);
        let wait = (i128::from(missing_ns) * MILLION + rate - 1) / rate + 1;
        Some(now + Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX)))
    }

    /// Sets the rate error in parts per million: +500 gains 0.5 ms per second.
    pub fn set_rate(&mut self, now: SimTime, rate_ppm: i32) {
        self.move_anchor(now);
        self.rate_ppm = rate_ppm;
    }

    /// Steps the wall clock by `by_ms`, forwards or backwards. It never goes before 1970.
    pub fn step_wall(&mut self, now: SimTime, by_ms: i64) {
        self.move_anchor(now);
        self.wall_ns = self.wall_ns.saturating_add_signed(by_ms.saturating_mul(1_000_000));
    }

    /// The VM stops: the steady clock with it, the wall clock (corrected at resume) not.
    /// CLOCK_MONOTONIC does not count suspended time (clock_gettime(2)).
    pub fn suspend(&mut self, now: SimTime) {
        self.move_anchor(now);
        self.suspended = true;
    }

    /// The VM goes on.
    pub fn resume(&mut self, now: SimTime) {
        self.move_anchor(now);
        self.suspended = false;
    }

    fn move_anchor(&mut self, now: SimTime) {
        let shown = self.read(now);
        self.anchor = now;
        self.steady_ns = shown.steady.as_nanos();
        self.wall_ns = shown.wall.as_unix_nanos();
    }

    /// Nanoseconds this host's crystal has counted since the anchor.
    #[inline]
    fn elapsed(&self, now: SimTime) -> u64 {
        let true_ns = now.as_nanos().saturating_sub(self.anchor.as_nanos());
        if self.rate_ppm == 0 { true_ns } else { self.drifted(true_ns) }
    }

    #[cold]
    fn drifted(&self, true_ns: u64) -> u64 {
        let counted = i128::from(true_ns) * (MILLION + i128::from(self.rate_ppm)) / MILLION;
        u64::try_from(counted).expect("a rate is above -1000000 ppm: plans are checked for it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::from_millis(ms)
    }

    fn clock(rate_ppm: i32) -> HostClock {
        let start = HostTime {
            steady: SteadyTime::from_nanos(5_000_000),
            wall: WallTime::from_unix_nanos(1_000_000_000),
        };
        HostClock::new(start, rate_ppm)
    }

    fn shown_ms(clock: &HostClock, now: SimTime) -> (u64, i64) {
        let shown = clock.read(now);
        (shown.steady.as_nanos() / 1_000_000, shown.wall.unix_ms())
    }

    #[test]
    fn a_true_clock_counts_true_time() {
        assert_eq!(shown_ms(&clock(0), at(100)), (105, 1100));
    }

    #[test]
    fn a_slow_clock_counts_less() {
        assert_eq!(shown_ms(&clock(-100_000), at(100)), (95, 1090));
    }

    #[test]
    fn a_step_moves_the_wall_only() {
        let mut clock = clock(0);
        clock.step_wall(at(10), -500);
        assert_eq!(shown_ms(&clock, at(20)), (25, 520));
    }

    #[test]
    fn suspension_stops_steady_and_not_wall() {
        let mut clock = clock(0);
        clock.suspend(at(10));
        assert_eq!(shown_ms(&clock, at(1000)), (15, 2000));
        assert_eq!(clock.when_steady(SteadyTime::from_nanos(u64::MAX), at(1000)), None);
        clock.resume(at(1000));
        assert_eq!(shown_ms(&clock, at(1010)), (25, 2010));
    }

    #[test]
    fn a_timer_never_fires_early_at_any_rate() {
        for rate_ppm in [-500_000, -333_333, -7, 0, 1, 499_999, 3_000_000] {
            let clock = clock(rate_ppm);
            for wait_ns in [1, 999, 1_000_003, 77_777_777_777] {
                let target = clock.read(at(3)).steady + Duration::from_nanos(wait_ns);
                let due = clock.when_steady(target, at(3)).unwrap();
                assert!(clock.read(due).steady >= target, "{rate_ppm} {wait_ns}");
                let just_before = due - Duration::from_nanos(20);
                assert!(clock.read(just_before).steady < target, "{rate_ppm} {wait_ns} too late");
            }
        }
    }
}
