//! The clocks and timers of a server that a transcript is played on.

use std::time::Duration;

use crate::model::Outbox;
use crate::time::{HostTime, SteadyTime, WallTime};

/// Some morning in 2026: when a transcript begins that does not say when, in Unix milliseconds.
pub(super) const SOME_MORNING_MS: u64 = 1_780_000_000_000;

/// Both clocks of one server, what its timer is set to, and what it wants to be woken for.
pub(super) struct Clocks {
    tick_ns: u64,
    /// When the timer runs for the first time after the start.
    phase_ns: u64,
    began_unix_ns: u64,
    now_ns: u64,
    alarm: Option<SteadyTime>,
}

/// What a server does by itself.
pub(super) enum Due {
    Tick,
    Alarm,
}

impl Clocks {
    /// They begin at a Unix millisecond; the timer runs every `tick`.
    pub(super) fn new(began_unix_ms: u64, tick: Duration) -> Self {
        let began_unix_ns = began_unix_ms.saturating_mul(1_000_000);
        let tick_ns = nanos(tick);
        Self { tick_ns, phase_ns: tick_ns, began_unix_ns, now_ns: 0, alarm: None }
    }

    /// Has the timer run for the first time after `phase_ms`.
    pub(super) fn set_phase_ms(&mut self, phase_ms: u64) {
        self.phase_ns = nanos(Duration::from_millis(phase_ms));
    }

    /// Has the timer run every `tick_ms`, which is not 0.
    pub(super) fn set_tick_ms(&mut self, tick_ms: u64) {
        self.tick_ns = nanos(Duration::from_millis(tick_ms.max(1)));
    }

    pub(super) fn now(&self) -> HostTime {
        let wall = WallTime::from_unix_nanos(self.began_unix_ns.saturating_add(self.now_ns));
        HostTime { steady: SteadyTime::from_nanos(self.now_ns), wall }
    }

    /// The instant `duration_ms` from now, in nanoseconds since the start.
    pub(super) fn after_ms(&self, duration_ms: u64) -> u64 {
        self.now_ns.saturating_add(nanos(Duration::from_millis(duration_ms)))
    }

    /// Goes on to the next thing that the server does by itself, or to `end_ns` if that comes first.
    pub(super) fn advance(&mut self, end_ns: u64) -> Option<Due> {
        let tick = match self.now_ns.checked_sub(self.phase_ns) {
            Some(since_first) => self.phase_ns + (since_first / self.tick_ns + 1) * self.tick_ns,
            None => self.phase_ns,
        };
        let alarm = self.alarm.map_or(u64::MAX, SteadyTime::as_nanos);
        if tick.min(alarm) > end_ns {
            self.now_ns = end_ns;
            return None;
        }
        self.now_ns = self.now_ns.max(tick.min(alarm));
        if alarm <= tick {
            self.alarm = None;
            return Some(Due::Alarm);
        }
        Some(Due::Tick)
    }

    /// Sets the alarm that a model asked for.
    pub(super) fn heed<Reply>(&mut self, out: &Outbox<Reply>) {
        self.alarm = out.alarm.or(self.alarm);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
