//! When a client pings, and when it gives a silent server up: the arithmetic of
//! `ClientCnxn.SendThread.run`, in whole milliseconds of the client's steady clock.

use std::time::Duration;

use picklock_models::time::SteadyTime;

/// What a connection's clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing was heard for two thirds of the session's timeout.
    TimedOut,
    /// A ping is due.
    Ping,
    /// Neither before so much time has passed.
    Wait(Duration),
}

/// When something was last sent and heard on a connection, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    read_timeout_ms: u64,
    last_sent_ms: u64,
    last_heard_ms: u64,
}

/// A client that has been idle for longer than this pings earlier by as much: so that a second ping can
/// still be answered before the read timeout, if the first one is lost.
const EARLIER_MS: u64 = 1000;
/// However long the session's timeout is, something is sent so often (`MAX_SEND_PING_INTERVAL`).
const LONGEST_IDLE_MS: u64 = 10_000;

impl Pace {
    /// The pace of a connection whose handshake was sent and answered at these times, in a session with this
    /// timeout.
    pub(super) fn new(session_timeout_ms: u32, sent: SteadyTime, heard: SteadyTime) -> Self {
        let read_timeout_ms = u64::from(session_timeout_ms) * 2 / 3;
        Self { read_timeout_ms, last_sent_ms: ms(sent), last_heard_ms: ms(heard) }
    }

    /// Something was sent.
    pub(super) fn sent(&mut self, now: SteadyTime) {
        self.last_sent_ms = ms(now);
    }

    /// A whole message was heard.
    pub(super) fn heard(&mut self, now: SteadyTime) {
        self.last_heard_ms = ms(now);
    }

    /// What is due.
    pub(super) fn next(&self, now: SteadyTime) -> Next {
        let silent_ms = ms(now).saturating_sub(self.last_heard_ms);
        let idle_ms = ms(now).saturating_sub(self.last_sent_ms);
        let patience_ms = self.read_timeout_ms.saturating_sub(silent_ms);
        if patience_ms == 0 {
            return Next::TimedOut;
        }
        let earlier_ms = if idle_ms > EARLIER_MS { EARLIER_MS } else { 0 };
        let ping_in_ms = (self.read_timeout_ms / 2).saturating_sub(idle_ms + earlier_ms);
        if ping_in_ms == 0 || idle_ms > LONGEST_IDLE_MS {
            return Next::Ping;
        }
        Next::Wait(Duration::from_millis(patience_ms.min(ping_in_ms)))
    }
}

fn ms(time: SteadyTime) -> u64 {
    time.as_nanos() / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    fn wait(ms: u64) -> Next {
        Next::Wait(Duration::from_millis(ms))
    }

    #[test]
    fn an_idle_client_pings_every_third_of_the_timeout() {
        let mut pace = Pace::new(3000, at(0), at(0));
        assert_eq!(pace.next(at(0)), wait(1000));
        assert_eq!(pace.next(at(400)), wait(600));
        assert_eq!(pace.next(at(1000)), Next::Ping);
        pace.sent(at(1000));
        pace.heard(at(1002));
        assert_eq!(pace.next(at(1002)), wait(998));
    }

    #[test]
    fn who_wakes_after_a_second_pings_a_second_earlier() {
        let mut pace = Pace::new(12_000, at(0), at(0));
        assert_eq!(pace.next(at(1000)), wait(3000));
        pace.heard(at(1001));
        assert_eq!(pace.next(at(1001)), wait(1999));
        pace.heard(at(3000));
        assert_eq!(pace.next(at(3000)), Next::Ping);
    }

    #[test]
    fn a_server_that_is_silent_for_two_thirds_of_the_timeout_is_given_up() {
        let mut pace = Pace::new(3000, at(0), at(0));
        pace.sent(at(1000));
        assert_eq!(pace.next(at(1500)), wait(500));
        pace.sent(at(1999));
        assert_eq!(pace.next(at(1999)), wait(1));
        assert_eq!(pace.next(at(2000)), Next::TimedOut);
        assert_eq!(
            Pace::new(3001, at(0), at(0)).next(at(2000)),
            Next::TimedOut,
            "whole milliseconds"
        );
    }

    #[test]
    fn a_long_timeout_does_not_keep_a_client_silent() {
        let mut pace = Pace::new(60_000, at(0), at(0));
        pace.heard(at(10_000));
        assert_eq!(pace.next(at(10_000)), wait(9000));
        assert_eq!(pace.next(at(10_001)), Next::Ping);
    }
}
