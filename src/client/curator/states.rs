//! How the connection stands, as an application hears it (`ConnectionStateManager.java`).
//!
//! SUSPENDED when the connection is lost, RECONNECTED when it is back. LOST when a server has said that the
//! session is over, or when nothing was heard for the session's timeout counted from SUSPENDED: then Curator
//! gives the session up by itself. As SUSPENDED comes two thirds of a timeout after the last word, that is
//! five thirds after it, and the server may have ended the session two thirds earlier (CURATOR-460).
//!
//! The elapsed time is read from the *wall* clock (`System.currentTimeMillis`), while the wait for it runs on
//! the steady one: a wall clock that was set back meanwhile puts LOST off.

use std::time::Duration;

use picklock_models::time::WallTime;

/// How the connection stands (`ConnectionState.java`; READ_ONLY is left out, a single server has no such
/// mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// Connected for the first time.
    Connected,
    /// The connection is lost. A careful holder stops here.
    Suspended,
    /// Connected again.
    Reconnected,
    /// The session is over, as far as the client can know.
    Lost,
}

/// The manager's memory.
#[derive(Debug, Default)]
pub(super) struct States {
    current: Option<ConnectionState>,
    /// When it became SUSPENDED, or last lost patience since then.
    suspended_at: Option<WallTime>,
    /// CONNECTED was told (`initialConnectMessageSent`).
    greeted: bool,
}

impl States {
    /// How it stands.
    pub(super) fn current(&self) -> Option<ConnectionState> {
        self.current
    }

    /// The connection is lost; what the listener hears.
    pub(super) fn suspend(&mut self, now: WallTime) -> Option<ConnectionState> {
        if matches!(self.current, Some(ConnectionState::Lost | ConnectionState::Suspended)) {
            return None;
        }
        self.suspended_at = Some(now);
        self.current = Some(ConnectionState::Suspended);
        self.current
    }

    /// Any other change; what the listener hears. The first good one is told as CONNECTED.
    pub(super) fn change(&mut self, to: ConnectionState) -> Option<ConnectionState> {
        if self.current == Some(to) {
            return None;
        }
        self.current = Some(to);
        self.suspended_at = None;
        if to != ConnectionState::Lost && !std::mem::replace(&mut self.greeted, true) {
            return Some(ConnectionState::Connected);
        }
        self.current
    }

    /// How long to wait for the next event before looking at the clock; `None`: the clock decides nothing.
    pub(super) fn patience(&self, timeout_ms: u32, now: WallTime) -> Option<Duration> {
        let left_ms = i64::from(timeout_ms) - elapsed_ms(self.suspended_at?, now);
        Some(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)))
    }

    /// Whether the session's timeout has passed since SUSPENDED (`simulatedSessionExpirationPercent` is 100);
    /// if so, it is counted anew (CURATOR-405).
    pub(super) fn is_overdue(&mut self, timeout_ms: u32, now: WallTime) -> bool {
        let elapsed = self.suspended_at.map(|since| elapsed_ms(since, now));
        let overdue = elapsed.is_some_and(|elapsed_ms| elapsed_ms >= i64::from(timeout_ms));
        if overdue {
            self.suspended_at = Some(now);
        }
        overdue
    }
}

fn elapsed_ms(since: WallTime, now: WallTime) -> i64 {
    now.unix_ms() - since.unix_ms()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT_MS: u32 = 3000;

    fn at(ms: u64) -> WallTime {
        WallTime::from_unix_nanos(ms * 1_000_000)
    }

    fn suspended(now: WallTime) -> States {
        let mut states = States::default();
        states.change(ConnectionState::Reconnected);
        states.suspend(now);
        states
    }

    #[test]
    fn the_first_connection_is_told_as_such_and_nothing_is_told_twice() {
        let mut states = States::default();
        assert_eq!(states.change(ConnectionState::Reconnected), Some(ConnectionState::Connected));
        assert_eq!(states.change(ConnectionState::Reconnected), None);
        assert_eq!(states.suspend(at(0)), Some(ConnectionState::Suspended));
        assert_eq!(states.suspend(at(1)), None);
        let back = states.change(ConnectionState::Reconnected);
        assert_eq!(back, Some(ConnectionState::Reconnected));
    }

    #[test]
    fn what_is_lost_is_not_suspended_any_more() {
        let mut states = suspended(at(0));
        assert_eq!(states.change(ConnectionState::Lost), Some(ConnectionState::Lost));
        assert_eq!(states.suspend(at(1)), None);
        assert_eq!(states.patience(TIMEOUT_MS, at(9000)), None);
        assert!(!states.is_overdue(TIMEOUT_MS, at(9000)));
    }

    #[test]
    fn patience_ends_a_timeout_after_suspended_and_begins_anew() {
        let mut states = suspended(at(1000));
        assert_eq!(states.patience(TIMEOUT_MS, at(1500)), Some(Duration::from_millis(2500)));
        assert!(!states.is_overdue(TIMEOUT_MS, at(3999)));
        assert!(states.is_overdue(TIMEOUT_MS, at(4000)));
        assert!(!states.is_overdue(TIMEOUT_MS, at(4001)));
        assert_eq!(states.patience(TIMEOUT_MS, at(9000)), Some(Duration::ZERO));
    }

    #[test]
    fn a_wall_clock_that_was_set_back_puts_it_off() {
        let mut states = suspended(at(10_000));
        assert!(!states.is_overdue(TIMEOUT_MS, at(5000)));
        assert_eq!(states.patience(TIMEOUT_MS, at(5000)), Some(Duration::from_millis(8000)));
    }
}
