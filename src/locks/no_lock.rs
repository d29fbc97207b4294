//! No lock at all: for resources that protect themselves (R21) or fail to (R22).

use std::time::Duration;

use picklock_sim::env::Env;

use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// Grants at once, to everybody.
pub struct NoLock;

impl Algorithm for NoLock {
    const NAME: &'static str = "none";
    const ABOUT: &'static str = "no lock: the guarded resource has to protect itself";
    const CLAIMS: &'static [Claim] = &[];

    fn recovery_bound(_: &LockParams) -> Option<Duration> {
        None
    }

    fn client<E: Env>(_: LockContext<E>) -> impl Lock + 'static {
        NoLock
    }
}

impl Lock for NoLock {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        Ok(Grant::default())
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        Ok(true)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        Ok(true)
    }
}
