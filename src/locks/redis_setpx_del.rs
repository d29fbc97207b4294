//! R4: `SET NX PX` with a constant value, plain `DEL`: the lock of the flash-sale accident.
//!
//! After the lease is over, the late holder's `DEL` removes the next owner's record, which frees
//! the lock for a third, and so on. Source: redis-doc `commands/set.md` and `distributed-locks.md`
//! ask for a random value for exactly this reason.

use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::OneServer;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R4.
pub struct RedisSetPxDel;

impl Algorithm for RedisSetPxDel {
    const NAME: &'static str = "redis-setpx-del";
    const ABOUT: &'static str = "R4: SET NX PX with a constant value, plain DEL";
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
        while !self.0.set_nx_px(b"locked").await? {
            self.0.pause_before_retry().await;
        }
        Ok(Grant::default())
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        self.0.holds(b"locked").await
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.0.delete().await
    }
}
