//! R5 with a local deadline: the client stops believing at (time of sending) + TTL - margin.
//!
//! The time is read before the request is sent, because the server counts from some moment after
//! that (the rule of redis-doc `distributed-locks.md` for validity). It needs a client clock that
//! is not slower than the server's beyond the margin, and cannot help a client that is frozen
//! between looking at the deadline and writing.

use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::Tokened;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R5 with a local deadline.
pub struct RedisTokenDeadline;

impl Algorithm for RedisTokenDeadline {
    const NAME: &'static str = "redis-token-deadline";
    const ABOUT: &'static str = "R5dl: redis-token-cad, and the client watches its own deadline";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client(Tokened::new(context))
    }
}

struct Client<E: Env>(Tokened<E>);

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let env = self.0.server.context.env.clone();
        let params = self.0.server.context.params;
        let lease = params.ttl().saturating_sub(Duration::from_millis(params.margin_ms));
        self.0.draw_token();
        loop {
            let deadline = env.steady() + lease;
            if self.0.server.set_nx_px(self.0.token.as_bytes()).await? {
                if env.steady() < deadline {
                    return Ok(Grant { deadline: Some(deadline), ..Grant::default() });
                }
                // The reply took so long that the lease is no longer sure: as if never granted.
                self.0.release(Grant::default()).await?;
            }
            self.0.server.pause_before_retry().await;
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(grant.is_believed(&self.0.server.context.env))
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.0.release(grant).await
    }
}
