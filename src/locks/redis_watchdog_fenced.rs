//! R6 fenced: the acquire script also counts up a token, which the resource compares.
//!
//! One script, so that no other client's grant can fall between the record and the number
//! (Redisson's RFencedLock does the same). Holders may overlap; the resource turns the late one
//! away, as long as the counter never goes back.

use std::time::Duration;

use picklock_models::redis::Reply;
use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use super::hold::{OneServer, Tokened};
use super::redis_watchdog::set_watchdog;
use crate::client::{Script, unexpected};
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
        let acquire = Script::new(SET_AND_COUNT);
        Client { lock: Tokened::new(context), stop: Signal::default(), acquire }
    }
}

/// Sets the record and counts the token up, or answers 0.
const SET_AND_COUNT: &str = "if redis.call('set',KEYS[1],ARGV[1],'NX','PX',ARGV[2]) then \
     return redis.call('incr',KEYS[2]) else return 0 end";

struct Client<E: Env> {
    lock: Tokened<E>,
    stop: Signal,
    acquire: Script,
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        self.lock.draw_token();
        loop {
            self.lock.asked_at = self.lock.server.context.env.steady();
            let OneServer { context, client, ttl_ms } = &mut self.lock.server;
            let keys = [&*context.key, &*context.fence_key];
            let args = [self.lock.token.as_bytes(), ttl_ms.as_bytes()];
            match client.eval(&self.acquire, &keys, &args).await? {
                Reply::Integer(0) => self.lock.server.pause_before_retry().await,
                Reply::Integer(token) => {
                    let token = u64::try_from(token).ok();
                    let grant = Grant { token, ..Grant::default() };
                    self.stop = set_watchdog(&self.lock, grant.lost.clone());
                    return Ok(grant);
                }
                reply => return Err(unexpected(&reply)),
            }
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.lock.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.stop.set();
        self.lock.release(grant).await
    }
}
