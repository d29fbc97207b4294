//! R8 as it was up to Redisson 3.31: who is queued is told how long its predecessor's place still lasts.
//!
//! Source: redisson#3004 and #5503, mended in 3.32.0. Once that time is over the answer is negative, which to a
//! waiter means to wait for its channel and for nothing else. If it is dropped from the queue then, nobody
//! will ever tell it anything.

use std::time::Duration;

use picklock_sim::env::Env;

use super::redisson::Side;
use super::redisson_fair::{CLAIMS, Fair, drop_overdue, enqueue, fair_bound, place_ms, take};
use crate::client::Script;
use crate::group::Group;
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::terms::Claim;

/// R8 before 3.32.
pub struct RedissonFair3004;

impl Algorithm for RedissonFair3004 {
    const NAME: &'static str = "redisson-fair-3004";
    const ABOUT: &'static str = "R8 before 3.32: a waiter whose place is over waits for a message that is not sent";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const GROUP: Group = Group::Redisson;
    const REENTRANT: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(fair_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let place_ms = place_ms(&context.params);
        Side::new(context, Fair { acquire: &ACQUIRE, place_ms })
    }
}

/// Who is in the queue already is answered its deadline less its own place.
static ACQUIRE: Script = Script::new(concat!(
    drop_overdue!(),
    take!(),
    "local deadline=redis.call('zscore',KEYS[3],ARGV[2]) \
     if deadline then return tonumber(deadline)-tonumber(ARGV[4])-tonumber(ARGV[1]) end ",
    enqueue!(),
));
