//! R1: `SETNX`, polled; `DEL`. No expiry, so a holder that dies holds for ever.
//!
//! Source: redis-doc `commands/setnx.md`; `distributed-locks.md` presents it as the lock that
//! deadlocks when its client fails.

use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::OneServer;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R1.
pub struct RedisSetNxBare;

impl Algorithm for RedisSetNxBare {
    const NAME: &'static str = "redis-setnx-bare";
    const ABOUT: &'static str = "R1: SETNX without expiry, plain DEL";
    const CLAIMS: &'static [Claim] = &[Claim::ExclusiveBelief, Claim::ReleaseSafe];

    fn recovery_bound(_: &LockParams) -> Option<Duration> {
        None
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client(OneServer::new(context))
    }
}

struct Client<E: Env>(OneServer<E>);

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        while !self.0.set_nx(b"1").await? {
            self.0.pause_before_retry().await;
        }
        Ok(Grant::default())
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        self.0.holds(b"1").await
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.0.delete().await
    }
}
