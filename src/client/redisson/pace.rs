//! Redisson's times, in proportion to its time limit for a reply (`config/BaseConfig.java`, where that is 3 s).

use std::time::Duration;

use crate::lock::LockParams;

/// How often a command is sent again before the client gives up (`retryAttempts`).
const RETRIES: u32 = 4;

/// The times of a client.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long it waits for a reply (`timeout`).
    pub reply: Duration,
    /// How often a command is sent again.
    pub retries: u32,
    /// The longest pause before that.
    longest_pause: Duration,
}

impl Pace {
    /// The defaults, where a plan does not say otherwise.
    pub fn of(params: &LockParams) -> Self {
        // Of no time at all every pause would be none, and a server that is away would be asked for ever at
        // one and the same instant.
        let reply = params.request_timeout().max(Duration::from_millis(1));
        Self {
            reply,
            retries: params.retries.unwrap_or(RETRIES),
            // `retryDelay`: between 1 and 2 s.
            longest_pause: match params.resend_pause_ms {
                Some(ms) => Duration::from_millis(ms),
                None => reply * 2 / 3,
            },
        }
    }

    /// The pause before a command is sent again, by a random number.
    pub fn pause_before_resend(&self, random: u64) -> Duration {
        upper_half(self.longest_pause, random)
    }

    /// The longest of these pauses.
    pub fn longest_pause(&self) -> Duration {
        self.longest_pause
    }

    /// How long a subscription may take to be confirmed (`subscriptionTimeout`, 7.5 s).
    pub fn subscription(&self) -> Duration {
        self.reply * 5 / 2
    }

    /// How often a quiet connection is probed (`pingConnectionInterval`, 30 s).
    pub(super) fn probe(&self) -> Duration {
        self.reply * 10
    }

    /// The pause before a connection is opened that could not be so often, or was lost
    /// (`reconnectionDelay`, from 100 ms on doubled up to 10 s).
    pub(super) fn pause_before_reconnect(&self, failures: u32, random: u64) -> Duration {
        let longest = self.reply * 10 / 3;
        let doubled = (self.reply / 30).saturating_mul(1 << failures.min(16));
        upper_half(doubled.min(longest), random)
    }

    /// How long the server remembers that it has carried out a request for release
    /// (`RedissonBaseLock.unlockInnerAsync`).
    pub fn latch(&self, random: u64) -> Duration {
        let all = (self.reply + self.pause_before_resend(random)) * self.retries;
        all.max(Duration::from_millis(1))
    }
}

/// From half of a time up to all of it (`config/EqualJitterDelay.java`).
fn upper_half(longest: Duration, random: u64) -> Duration {
    let half_us = longest.as_micros() as u64 / 2;
    Duration::from_micros(half_us + random % (half_us + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_librarys_in_proportion() {
        let params = LockParams { request_timeout_ms: 3000, ..LockParams::default() };
        let pace = Pace::of(&params);
        let ms = |time: Duration| time.as_millis();
        assert_eq!(ms(pace.longest_pause()), 2000);
        assert_eq!([0, 1_000_000].map(|random| ms(pace.pause_before_resend(random))), [1000, 2000]);
        assert_eq!(ms(pace.subscription()), 7500);
        assert_eq!(ms(pace.probe()), 30_000);
        assert_eq!(
            [0, 1, 9, 99].map(|n| ms(pace.pause_before_reconnect(n, 0))),
            [50, 100, 5000, 5000]
        );
        assert_eq!(ms(pace.latch(0)), 16_000);
    }

    #[test]
    fn a_plan_may_say_otherwise() {
        let params =
            LockParams { retries: Some(1), resend_pause_ms: Some(80), ..LockParams::default() };
        let pace = Pace::of(&params);
        assert_eq!((pace.retries, pace.longest_pause()), (1, Duration::from_millis(80)));
        let hasty = LockParams { retries: Some(0), ..params };
        assert_eq!(Pace::of(&hasty).latch(7), Duration::from_millis(1));
    }
}
