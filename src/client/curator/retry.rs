//! Sending again what may go through later (`RetryLoop.java`, `retry/ExponentialBackoffRetry.java`).

use std::time::Duration;

use picklock_sim::env::Env;

use super::{CONNECTION_TIMEOUT, Curator};
use crate::client::zookeeper::{ZkError, ZkHandle};

/// `new ExponentialBackoffRetry(1000, 3)`: the policy of Curator's own introduction, and so of most
/// programs.
const BASE_SLEEP_MS: u64 = 1000;
const MAX_RETRIES: u32 = 3;

/// The longest that the policy sleeps before its last retry: `BASE_SLEEP_MS` times `2^MAX_RETRIES - 1`.
pub(crate) const LONGEST_SLEEP: Duration =
    Duration::from_millis(BASE_SLEEP_MS * ((1 << MAX_RETRIES) - 1));

impl<E: Env> Curator<E> {
    /// Makes an attempt, and further ones while they fail for want of a connection or a session and the
    /// policy allows it. Each has the handle of the session that there is then.
    ///
    /// # Errors
    /// That of the last attempt; it may have happened if any of them may.
    pub async fn retrying<T>(
        &self,
        mut attempt: impl AsyncFnMut(&ZkHandle) -> Result<T, ZkError>,
    ) -> Result<T, ZkError> {
        // Whether there is a connection by then or not: without one the request waits in the handle.
        let _ = self.inner.env.timeout(CONNECTION_TIMEOUT, self.until_connected()).await;
        let (mut retries, mut sent) = (0, false);
        loop {
            match attempt(&self.handle()).await {
                Err(error) if error.is_retryable() => {
                    sent |= error.was_sent();
                    if !self.allow_retry(retries).await {
                        return Err(if sent { error.sent_before() } else { error });
                    }
                    retries += 1;
                }
                result => return result,
            }
        }
    }

    /// Whether there may be another attempt after so many retries; if so, sleeps before it.
    pub async fn allow_retry(&self, retries: u32) -> bool {
        let allowed = retries < MAX_RETRIES;
        if allowed {
            self.inner.env.sleep(sleep_before(retries, self.inner.env.random())).await;
        }
        allowed
    }
}

/// The sleep before retry number `retries + 1`.
fn sleep_before(retries: u32, drawn: u64) -> Duration {
    let factor = drawn % (1 << (retries + 1));
    Duration::from_millis(BASE_SLEEP_MS * factor.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_grow_and_never_vanish() {
        let sleeps = |retries| {
            let drawn = (0..64).map(|drawn| sleep_before(retries, drawn).as_millis());
            (drawn.clone().min(), drawn.max())
        };
        assert_eq!(sleeps(0), (Some(1000), Some(1000)));
        assert_eq!(sleeps(1), (Some(1000), Some(3000)));
        assert_eq!(sleeps(2), (Some(1000), Some(LONGEST_SLEEP.as_millis())));
    }
}
