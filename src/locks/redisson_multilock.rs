//! R16: Redisson's `RedissonMultiLock`: all members, without any look at the clock.
//!
//! One server that is out of reach keeps everybody out. It is meant for several locks that are to be held
//! together; on one lock it shows what more than half adds. See [`super::redisson_several`] for what it does.
//!
//! Source: redisson/redisson `RedissonMultiLock.java`.

use std::time::Duration;

use picklock_sim::env::Env;

use super::redisson_several::{Members, Needs, recovery_bound};
use crate::lock::{Algorithm, Lock, LockContext, LockParams, Servers};
use crate::terms::Claim;

/// R16, all.
pub struct RedissonMultilock;

impl Algorithm for RedissonMultilock {
    const NAME: &'static str = "redisson-multilock";
    const ABOUT: &'static str = "R16: Redisson's MultiLock: all of the servers, one by one";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Members::new(context, Needs::All)
    }
}
