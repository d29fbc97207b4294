//! R16: Redisson's `RedissonRedLock`: more than half of the members, without any look at the clock.
//!
//! Deprecated; its authors advise a plain `RLock` that waits for replicas, or one with fencing tokens
//! (redisson/redisson#2669). See [`super::redisson_several`] for what it does.
//!
//! Source: redisson/redisson `RedissonRedLock.java`, `RedissonMultiLock.java`.

use std::time::Duration;

use picklock_sim::env::Env;

use super::redisson_several::{Members, Needs, recovery_bound};
use crate::lock::{Algorithm, Lock, LockContext, LockParams, Servers};
use crate::terms::Claim;

/// R16, more than half.
pub struct RedissonRedlock;

impl Algorithm for RedissonRedlock {
    const NAME: &'static str = "redisson-redlock";
    const ABOUT: &'static str = "R16: Redisson's RedLock: more than half of the servers, one by one";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Members::new(context, Needs::MoreThanHalf)
    }
}
