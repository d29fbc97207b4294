//! R6 as it is often written: the watchdog notices a lost lease and tells nobody.
//!
//! Redisson logs and goes on (redisson#4698); the overlap then lasts until the release.

use std::time::Duration;

use picklock_sim::env::Env;

use super::redis_watchdog::Watched;
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::terms::Claim;

/// R6, silent about a lost renewal.
pub struct RedisWatchdogSilent;

impl Algorithm for RedisWatchdogSilent {
    const NAME: &'static str = "redis-watchdog-silent";
    const ABOUT: &'static str = "R6: redis-watchdog that keeps a lost lease to itself";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Watched::new(context, false)
    }
}
