//! R5: `SET NX PX` with a random token, compare-and-delete by script: the documented single-server
//! lock (redis-doc `distributed-locks.md`).

use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::Tokened;
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::terms::Claim;

/// R5.
pub struct RedisTokenCad;

impl Algorithm for RedisTokenCad {
    const NAME: &'static str = "redis-token-cad";
    const ABOUT: &'static str = "R5: SET NX PX with a random token, compare-and-delete script";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const FENCED_TWIN: Option<&'static str> = Some("redis-token-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Tokened::new(context)
    }
}
