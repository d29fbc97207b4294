//! R5 fenced: [`redis-token-cad`](super::RedisTokenCad) whose acquire script also counts up a token,
//! which the resource compares: what Kleppmann (2016) asks of the documented lock.

use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::Fenced;
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::terms::Claim;

/// R5 fenced.
pub struct RedisTokenFenced;

impl Algorithm for RedisTokenFenced {
    const NAME: &'static str = "redis-token-fenced";
    const ABOUT: &'static str = "R5 fenced: redis-token-cad with an INCR token from one script";
    /// Not exclusion: a fenced lock promises that the resource survives an overlap.
    const CLAIMS: &'static [Claim] =
        &[Claim::FenceMonotonic, Claim::ReleaseSafe, Claim::Recovers];
    const FENCED: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Fenced::new(context)
    }
}
