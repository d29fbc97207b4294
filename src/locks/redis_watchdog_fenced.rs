//! R6 fenced: the acquire script also counts up a token, which the resource compares.
//!
//! Holders may overlap; the resource turns the late one away, as long as the counter never goes
//! back.

use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use super::hold::Fenced;
use super::redis_watchdog::set_watchdog;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R6 fenced.
pub struct RedisWatchdogFenced;

impl Algorithm for RedisWatchdogFenced {
    const NAME: &'static str = "redis-watchdog-fenced";
    const ABOUT: &'static str = "R6 fenced: redis-watchdog with an INCR token from the same script";
    /// Not exclusion: a fenced lock promises that the resource survives an overlap.
    const CLAIMS: &'static [Claim] =
        &[Claim::FenceMonotonic, Claim::ReleaseSafe, Claim::Recovers];
    const FENCED: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client { fenced: Fenced::new(context), stop: Signal::default() }
    }
}

struct Client<E: Env> {
    fenced: Fenced<E>,
    stop: Signal,
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let grant = self.fenced.acquire().await?;
        self.stop = set_watchdog(&self.fenced.lock, grant.lost.clone());
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.fenced.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.stop.set();
        self.fenced.release(grant).await
    }
}
