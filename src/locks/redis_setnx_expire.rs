//! R2: `SETNX`, then an expiry as a second command; `DEL`.
//!
//! A crash, cut or server kill between the two leaves a record that never expires: the gap that
//! `SET NX PX` exists to close (redis-doc `commands/set.md`, patterns).

use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::{OneServer, yes_or_no};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R2.
pub struct RedisSetNxExpire;

impl Algorithm for RedisSetNxExpire {
    const NAME: &'static str = "redis-setnx-expire";
    const ABOUT: &'static str = "R2: SETNX, then PEXPIRE as a second command, plain DEL";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
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
        // Milliseconds, so that all locks of a comparison have the same lease; the gap is the same.
        let OneServer { context, client, ttl_ms } = &mut self.0;
        let reply = client.call(&[b"PEXPIRE", context.key.as_bytes(), ttl_ms.as_bytes()]).await?;
        yes_or_no(reply)?;
        Ok(Grant::default())
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        self.0.holds(b"1").await
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.0.delete().await
    }
}
